// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_handler.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "dns/nsupdate_script.hpp"
#include "platform/sandbox.hpp"
#include "protocol/dyndns_response.hpp"
#include "protocol/secret_url.hpp"

namespace sftdyn::server {
namespace {

namespace secret_url = protocol::secret_url;

using telemetry::RequestOutcome;

/// Removes an empty query or fragment, as the Python version of sftdyn did before it called hooks.
std::string_view without_empty_query(std::string_view key) {
    for (const char mark : {'#', '?'}) {
        if (key.ends_with(mark) && key.find(mark) == key.size() - 1) key.remove_suffix(1);
    }
    return key;
}

}  // namespace

/// A request that is run on the threads of the conf.
class HookHandler::Job : public HookTask, public python::HookJob {
public:
    Job(HookHandler& handler, RequestContext& from, const http::Request& asked,
        std::string_view with_key)
        : HookTask(from, asked, with_key), handler_(handler) {}

    void run(const python::Conf& conf) override {
        HookDecision decision = handler_.decider_.decide(*this, conf);
        if (auto request = claim()) handler_.carry_out(std::move(request), std::move(decision));
    }
    void on_timeout() override { handler_.on_timeout(*this); }
    base::TimePoint deadline() const override { return began + settings->hook_time; }

private:
    HookHandler& handler_;
};

HookHandler::HookHandler(Authenticator& authenticator, UpdateService& updates,
                         update::HostTable& hosts, AddressWatch& watch)
    : authenticator_(authenticator), updates_(updates), watch_(watch), decider_(updates, hosts) {}

void HookHandler::configure(const AnswerSettings& settings) {
    const auto old = threads_.lock();
    if (old && old != settings.hook_threads) old->retire();
    if (settings.hook_threads && settings.hook_threads != old) {
        threads_ = settings.hook_threads;
        // Drops the stoppers of threads that have ended.
        std::erase_if(stoppers_,
                      [](const python::HookThreads::Stopper& old) { return old.is_over(); });
        stoppers_.push_back(settings.hook_threads->stopper());
        limits_ = settings.hook_limits;
        if (has_begun_) settings.hook_threads->begin(limits_, platform::drop_thread_privileges);
    }
    needs_fields_ = settings.hooks && settings.hooks->reads_headers();
}

void HookHandler::begin() {
    has_begun_ = true;
    if (const auto threads = threads_.lock())
        threads->begin(limits_, platform::drop_thread_privileges);
}

bool HookHandler::stop(base::Duration patience) {
    const auto deadline = base::Clock::now() + patience;
    bool all = true;
    for (const auto& stopper : stoppers_)
        all = stopper.stop(std::max(base::Duration(0), deadline - base::Clock::now())) && all;
    return all;
}

void HookHandler::handle(RequestContext& request, const http::Request& asked) {
    const auto intent = secret_url::read(asked);
    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent))
        return request.complete(RequestOutcome::refused, "a method other than GET",
                                secret_url::method_not_allowed());
    const bool has_get_ip = request.settings().hooks->has_get_ip();
    const auto* update = std::get_if<secret_url::PresentedKey>(&intent);
    const std::string_view key =
        update == nullptr ? std::string_view() : without_empty_query(update->key);
    if (key.empty() && !has_get_ip)
        return request.complete(RequestOutcome::address, "its own address",
                                secret_url::who_am_i(asked));
    if (!has_get_ip && handle_without_hooks(request, key)) return;
    const auto threads = request.settings().hook_threads;
    const auto job = std::make_shared<Job>(*this, request, asked, key);  // moves from the context
    if (!threads->run(job))
        job->claim()->complete(
            RequestOutcome::overloaded, "too many wait for hooks",
            secret_url::answer({update::UpdateStatus::overloaded, std::chrono::seconds(5)}, {}));
}

/// If the conf has no get_host, unknown keys and hosts that are known to be up to date need no
/// hook.
bool HookHandler::handle_without_hooks(RequestContext& request, std::string_view key) {
    const AnswerSettings& settings = request.settings();
    if (settings.hooks->has_get_host()) return false;
    const auto* entry = secret_url::find(*settings.directory, key);
    if (entry == nullptr) {
        authenticator_.refuse(request);
        return true;
    }
    request.on_authenticated();
    const auto& address = request.source();
    const update::RrsetKey target{entry->host, dns::type_of(address)};
    if (!decider_.is_so(settings, request.began(), target, dns::rdata_of(address))) return false;
    request.complete({target, address, update::UpdateStatus::unchanged},
                     secret_url::answer({update::UpdateStatus::unchanged},
                                        request.answer_style().unchanged_word()));
    return true;
}

void HookHandler::carry_out(std::shared_ptr<RequestContext> context, HookDecision decision) {
    RequestContext& request = *context;
    const update::RrsetKey target = decision.update.desired.rrset;
    const auto complete = [context = std::move(context), target,
                           has_name = decision.has_name](const update::UpdateOutcome& outcome) {
        if (!has_name)  // then there was nothing to do
            return context->complete(
                RequestOutcome::uptodate, "nothing to be done for what get_host returned",
                secret_url::answer(outcome, context->answer_style().unchanged_word()));
        context->complete({target, context->source(), outcome.status},
                          secret_url::answer(outcome, context->answer_style().unchanged_word()));
    };
    if (decision.action == HookDecision::Action::unchanged ||
        decision.action == HookDecision::Action::update ||
        decision.action == HookDecision::Action::refused)
        request.on_authenticated();
    switch (decision.action) {
        case HookDecision::Action::failed:
            return request.complete(RequestOutcome::fail, "a hook failed",
                                    protocol::server_error(protocol::Dialect::secret_url));
        case HookDecision::Action::key_failed:
            return authenticator_.refuse_failed(request);
        case HookDecision::Action::address:
            return request.complete(RequestOutcome::address, "its own address",
                                    {200, std::move(decision.address_text)});
        case HookDecision::Action::refused:
            return request.complete(RequestOutcome::refused, "the address must not be published",
                                    protocol::refused_address(protocol::Dialect::secret_url));
        case HookDecision::Action::bad_key:
            return authenticator_.refuse(request);
        case HookDecision::Action::unchanged:
            return complete({update::UpdateStatus::unchanged});
        case HookDecision::Action::update:
            if (!decision.has_name) {  // a script that changes nothing
                updates_.confirm_empty_script(decision.update.pair);
                return complete({update::UpdateStatus::committed});
            }
            return updates_.submit_hook_update(
                std::move(decision.update), [this, complete, target, address = decision.published](
                                                const update::UpdateOutcome& outcome) {
                    watch_.answered(target.host, address, outcome.status);
                    complete(outcome);
                });
    }
}

void HookHandler::on_timeout(HookTask& task) {
    const auto request = task.claim();
    if (!request) return;
    const auto limit = std::chrono::duration<double>(task.settings->hook_time).count();
    const char* hook = task.hook;
    const base::log::FieldScope scope(request->log_fields(RequestOutcome::fail));
    if (hook == nullptr) {
        decider_.log_failure("waited for a thread", [limit] {
            return fmt::format(
                "a request waited for the conf's thread for {} s, and has failed: no hook was run "
                "for it, because others take long (hook_threads gives a conf more threads)",
                limit);
        });
    } else {
        decider_.log_failure(std::string(hook) + "/timed out", [hook, limit] {
            return fmt::format(
                "{} did not return within {} s: it is interrupted, and the request has failed",
                hook, limit);
        });
    }
    request->complete(RequestOutcome::fail,
                      hook == nullptr ? "the conf's thread was not there in time"
                                      : "a hook did not return in time",
                      protocol::server_error(protocol::Dialect::secret_url));
}

}  // namespace sftdyn::server
