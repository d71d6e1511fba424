// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/request_router.hpp"

#include <utility>
#include <variant>

#include "base/log.hpp"
#include "protocol/dyndns_request.hpp"
#include "protocol/dyndns_response.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/secret_url.hpp"

namespace sftdyn::server {

namespace secret_url = protocol::secret_url;

using telemetry::RequestOutcome;

RequestRouter::RequestRouter(Authenticator& authenticator, UpdateService& updates,
                             update::HostTable& hosts, telemetry::RequestLog& request_log,
                             AddressWatch& watch)
    : authenticator_(authenticator),
      request_log_(request_log),
      watch_(watch),
      warnings_([](const std::string& text) { base::log::warn("{}", text); }),
      secret_urls_(updates, hosts, watch, warnings_),
      accounts_(authenticator, updates, hosts, watch, warnings_),
      hooks_(authenticator, updates, hosts, watch) {}

void RequestRouter::configure(std::shared_ptr<const AnswerSettings> settings) {
    hooks_.configure(*settings);
    const base::MutexLock lock(mutex_);
    settings_.swap(settings);
}

std::shared_ptr<const AnswerSettings> RequestRouter::settings() const {
    const base::MutexLock lock(mutex_);
    return settings_;
}

std::optional<http::Response> RequestRouter::handle(const http::Request& request,
                                                    const std::function<http::Later()>& defer) {
    std::optional<http::Response> answer;
    {
        RequestContext context(request_log_, settings(), request.client, base::Clock::now(),
                               Responder(answer, defer));
        context.set_client_kind(protocol::kind_of_client(request.agent));
        route(context, request);
    }
    return answer;
}

void RequestRouter::on_refused(const http::RefusedRequest& request) {
    request_log_.unreadable(request.peer, request.status);
}

void RequestRouter::route(RequestContext& context, const http::Request& request) {
    const AnswerSettings& settings = context.settings();
    // Hooks that read headers interpret the forwarding headers themselves.
    const bool reads_headers = settings.hooks && settings.hooks->reads_headers();
    if (request.forwarding != http::Forwarding::as_meant && !reads_headers)
        context.watch(watch_, request.forwarding);
    if (settings.hooks) return hooks_.handle(context, request);

    const auto intent = secret_url::read(request);
    if (const auto* update = std::get_if<secret_url::PresentedKey>(&intent)) {
        const auto* entry = secret_url::find(*settings.directory, update->key);
        if (entry != nullptr) return route_key(context, *entry);
    }
    // A key may have any form, so a target is tried as a key before the other dialects.
    const auto* asked = std::get_if<secret_url::PresentedKey>(&intent);
    const auto path = protocol::path_segments(asked != nullptr ? asked->key : std::string_view());
    if (asked != nullptr && !protocol::is_path_of_dialect(path)) {
        const auto longer =
            secret_url::find_longer(*settings.directory, accounts_.hosts(), asked->key);
        if (longer) return route_longer(context, request, *longer);
    }
    if (route_dialect(context, request, path.size() == 1 && !protocol::is_path_of_dialect(path)))
        return;
    if (asked != nullptr && secret_url::is_asked_by_browsers(asked->key))
        return context.complete(RequestOutcome::refused, "an unknown page", secret_url::no_page());
    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent))
        return context.complete(RequestOutcome::refused, "a method other than GET",
                                secret_url::method_not_allowed());
    if (std::holds_alternative<secret_url::WhoAmI>(intent))
        return context.complete(RequestOutcome::address, "its own address",
                                secret_url::who_am_i(request));
    authenticator_.refuse(context);
}

void RequestRouter::route_key(RequestContext& context, const accounts::KeyEntry& entry) {
    context.on_authenticated();
    if (entry.client == accounts::no_client) return secret_urls_.handle(context, entry);
    accounts_.update_all_hosts(context, context.settings().directory->client(entry.client));
}

/// Handles a target that continues behind a key: with an update in another dialect, as from a
/// client that appends its own path to the server's name, or with hosts and addresses.
void RequestRouter::route_longer(RequestContext& context, const http::Request& request,
                                 const secret_url::LongerTarget& longer) {
    if (longer.behind.empty() || longer.behind == "?") return route_key(context, *longer.entry);
    const std::string target = "/" + std::string(longer.behind);
    http::Request inner = request;
    inner.target = target;
    inner.authorization = {};
    auto intent = longer.behind.starts_with('?') ? protocol::AddressIntent(protocol::NotOurs{})
                                                 : protocol::read_address_update(inner);
    auto* found = std::get_if<protocol::AddressUpdate>(&intent);
    auto update = found != nullptr ? std::move(*found)
                                   : protocol::read_behind_key(longer.behind, request.client);
    // ddclient has appended its own query to the key, and expects the return codes of its own
    // dialect.
    if (found == nullptr && context.client_kind() == protocol::ClientKind::ddclient)
        update.dialect = protocol::Dialect::dyndns2;
    context.on_authenticated();
    accounts_.handle_authenticated(context, std::move(update),
                                   context.settings().directory->client(*longer.entry));
}

/// False: the request is not in a dialect that names hosts and addresses. With `is_wrong_key` its
/// path was tried as a key.
bool RequestRouter::route_dialect(RequestContext& context, const http::Request& request,
                                  bool is_wrong_key) {
    auto intent = protocol::read_address_update(request);
    if (std::holds_alternative<protocol::NotOurs>(intent)) return false;
    if (auto* update = std::get_if<protocol::AddressUpdate>(&intent)) {
        if (is_wrong_key) authenticator_.count_wrong_key(context);
        accounts_.handle(context, std::move(*update));
        return true;
    }
    context.set_dialect(protocol::Dialect::dyndns2);
    if (std::holds_alternative<protocol::CheckIp>(intent)) {
        context.complete(RequestOutcome::address, "its own address", protocol::check_ip(request));
    } else if (std::holds_alternative<protocol::CheckIpWithCredential>(intent)) {
        context.complete(RequestOutcome::refused,
                         "it has a credential for a page that only shows its address",
                         protocol::check_ip_with_credential());
    } else if (std::holds_alternative<protocol::WrongMethod>(intent)) {
        context.complete(RequestOutcome::refused, "a method other than GET, POST and PUT",
                         protocol::wrong_method());
    } else {
        context.complete(RequestOutcome::refused, "too many parameters",
                         protocol::too_many_parameters());
    }
    return true;
}

void RequestRouter::finish() {
    warnings_.finish();
    hooks_.finish();
}

}  // namespace sftdyn::server
