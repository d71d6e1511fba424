// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/secret_url_handler.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/address_rules.hpp"
#include "protocol/dyndns_response.hpp"
#include "protocol/secret_url.hpp"

namespace sftdyn::server {

namespace secret_url = protocol::secret_url;

void SecretUrlHandler::handle(RequestContext& request, const accounts::KeyEntry& entry) {
    const AnswerSettings& settings = request.settings();
    const auto& address = request.source();
    const auto ruling = settings.directory->rules().rule(address, false);
    if (ruling != base::AddressRules::Ruling::may_be)
        return refuse_address(request, entry.host, base::text_of(ruling));

    const update::RrsetKey target{entry.host, dns::type_of(address)};
    const auto since = request.began() - settings.freshness;
    if (!updates_.is_served(target, dns::rdata_of(address), entry.ttl, since))
        return ask_engine(request, entry);
    request.complete({target, address, update::UpdateStatus::unchanged},
                     secret_url::answer({update::UpdateStatus::unchanged},
                                        request.answer_style().unchanged_word()));
}

void SecretUrlHandler::refuse_address(RequestContext& request, update::HostId host,
                                      std::string_view why) {
    const std::string name = hosts_.name(host).text();
    auto fields = request.log_fields(telemetry::RequestOutcome::refused);
    fields.emplace_back("SFTDYN_HOST", name);
    const base::log::FieldScope scope(std::move(fields));
    warnings_.add("address/" + name,
                  fmt::format("{} is not updated: {} {}", name, request.source().to_string(), why),
                  base::Clock::now());
    request.note(name, "its address must not be published", telemetry::RequestOutcome::refused);
    request.complete(protocol::refused_address(protocol::Dialect::secret_url));
}

void SecretUrlHandler::ask_engine(RequestContext& request, const accounts::KeyEntry& entry) {
    const auto& address = request.source();
    update::DesiredRecord desired;
    desired.rrset = {entry.host, dns::type_of(address)};
    desired.ttl = entry.ttl;
    desired.rdata = dns::rdata_of(address);
    desired.reverse = entry.reverse;
    desired.at_source = true;
    const update::RrsetKey target = desired.rrset;
    updates_.submit(std::move(desired), [this, target,
                                         waiting = request.defer()](update::UpdateOutcome outcome) {
        watch_.answered(target.host, waiting->source(), outcome.status);
        waiting->complete({target, waiting->source(), outcome.status},
                          secret_url::answer(outcome, waiting->answer_style().unchanged_word()));
    });
}

}  // namespace sftdyn::server
