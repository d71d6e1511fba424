// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/account_handler.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "protocol/update_plan.hpp"

namespace sftdyn::server {
namespace {

using protocol::ReturnCode;
using telemetry::RequestOutcome;
using update::UpdateStatus;

/// The address that the desired record sets; unspecified: none.
boost::asio::ip::address address_of(const update::DesiredRecord& desired) {
    if (desired.kind != dns::ChangeKind::replace) return {};
    const auto address = dns::address_of(desired.rrset.type, desired.rdata);
    return address.has_value() ? *address : boost::asio::ip::address();
}

bool is_so(UpdateStatus status) {
    return status == UpdateStatus::committed || status == UpdateStatus::unchanged;
}

}  // namespace

/// An update in progress: its groups of desired records, and their outcomes.
struct AccountHandler::AccountUpdate {
    protocol::AddressUpdate update;
    protocol::UpdatePlan plan{};
    std::vector<std::vector<UpdateStatus>> statuses{};  ///< of each step of each group
    std::vector<std::size_t> asked{};           ///< groups that were submitted to the engine
    std::shared_ptr<RequestContext> waiting{};  ///< set once groups were submitted
    std::size_t open = 0;                       ///< submitted groups without an outcome
};

void AccountHandler::handle(RequestContext& request, protocol::AddressUpdate update) {
    request.set_dialect(update.dialect);
    find_user(*request.settings().directory, update);
    authenticator_.authenticate(
        request, std::move(update),
        [this](RequestContext& accepted, protocol::AddressUpdate asked,
               const accounts::Client& client) { carry_out(accepted, std::move(asked), client); });
}

void AccountHandler::handle_authenticated(RequestContext& request, protocol::AddressUpdate update,
                                          const accounts::Client& client) {
    request.set_dialect(update.dialect);
    carry_out(request, std::move(update), client);
}

/// Without a user name, or with a host name in its place, the request's user is the user of that
/// host. Only that user's password is checked, as with a user name; keys stay valid.
void AccountHandler::find_user(const accounts::AccountDirectory& directory,
                               protocol::AddressUpdate& update) const {
    if (!update.secret || directory.find(update.secret->reveal()) != nullptr) return;
    if (update.user ? directory.user(*update.user) != nullptr : !update.may_be_password) return;
    const std::string* text = update.user                ? &*update.user
                              : update.hostnames.empty() ? nullptr
                                                         : &update.hostnames.front();
    const auto name =
        text != nullptr ? dns::Name::parse_host(*text) : base::Result<dns::Name>(base::Error{});
    const auto host = name.has_error() ? std::nullopt : hosts_.find(*name);
    const std::string* user = host ? directory.user_of(*host) : nullptr;
    // For an unknown host, the user is empty or stays the unknown name; its password check takes as
    // long as any other.
    if (user != nullptr || !update.user) update.user = user != nullptr ? *user : std::string();
}

void AccountHandler::update_all_hosts(RequestContext& request, const accounts::Client& client) {
    protocol::AddressUpdate all;
    all.dialect = protocol::Dialect::secret_url;
    all.all_hosts = true;
    carry_out(request, std::move(all), client);
}

void AccountHandler::carry_out(RequestContext& request, protocol::AddressUpdate update,
                               const accounts::Client& client) {
    const auto dialect = update.dialect;
    request.set_client(client.name);
    if (!update.fault.empty()) {
        const std::string fault = protocol::text_of(update.fault, update);
        log_warning(request, fault);
        return request.complete(RequestOutcome::refused, fault, protocol::not_understood(dialect));
    }
    if (update.hostnames.size() > protocol::most_hosts)
        return request.complete(RequestOutcome::refused, "it names more hosts than are allowed",
                                protocol::too_many_hosts(dialect, request.answer_style()));
    AccountUpdate job{std::move(update)};
    job.plan = protocol::make_plan(job.update, client, hosts_, request.source(),
                                   request.settings().directory->rules());
    if (!job.plan.refused.empty())
        return refuse_address(request, job.plan.refused, protocol::refused_address(dialect));
    log_warnings(request, job);
    look_up_served(request, job);
    if (!job.asked.empty()) return ask_engine(request, std::move(job));
    complete(request, job);
}

void AccountHandler::refuse_address(RequestContext& request, const std::string& why,
                                    http::Response response) {
    const std::string who = request.client();
    const base::log::FieldScope scope(request.log_fields(RequestOutcome::refused));
    warnings_.add(
        "address/" + who,
        fmt::format("{} from {} is not updated: {}", who, request.source().to_string(), why),
        base::Clock::now());
    request.complete(RequestOutcome::refused, "the address must not be published, or is invalid",
                     std::move(response));
}

void AccountHandler::log_warning(const RequestContext& request, const std::string& warning) {
    const base::log::FieldScope scope(request.log_fields());
    warnings_.add(
        "warning/" + request.client(),
        fmt::format("{} from {}: {}", request.client(), request.source().to_string(), warning),
        base::Clock::now());
}

void AccountHandler::log_warnings(const RequestContext& request, const AccountUpdate& job) {
    if (job.plan.warnings.empty()) return;
    auto fields = request.log_fields();
    for (const auto& answer : job.plan.answers)
        fields.emplace_back("SFTDYN_HOST", base::log::printable(answer.host));
    const base::log::FieldScope scope(std::move(fields));
    for (const auto& warning : job.plan.warnings)
        warnings_.add(
            "warning/" + request.client(),
            fmt::format("{} from {}: {}", request.client(), request.source().to_string(), warning),
            base::Clock::now());
}

/// Groups that are known to be served as desired are not submitted. A group is checked as a whole,
/// since it is served as a whole.
void AccountHandler::look_up_served(const RequestContext& request, AccountUpdate& job) const {
    const auto since = request.began() - request.settings().freshness;
    for (std::size_t number = 0; number < job.plan.groups.size(); ++number) {
        const auto& group = job.plan.groups[number];
        job.statuses.emplace_back(group.size(), UpdateStatus::unchanged);
        const bool is_served =
            std::all_of(group.begin(), group.end(), [&](const protocol::UpdatePlan::Step& step) {
                const update::DesiredRecord& desired = step.desired;
                return updates_.is_served(desired.rrset, desired.rdata, desired.ttl, since);
            });
        if (!is_served) job.asked.push_back(number);
    }
}

void AccountHandler::ask_engine(RequestContext& request, AccountUpdate job) {
    job.open = job.asked.size();
    std::vector<UpdateService::Group> groups;
    for (const std::size_t number : job.asked) {
        auto& group = groups.emplace_back();
        for (const auto& step : job.plan.groups[number]) group.push_back(step.desired);
    }
    const auto shared = std::make_shared<AccountUpdate>(std::move(job));
    shared->waiting = request.defer();
    updates_.submit_groups(
        std::move(groups),
        [this, shared](std::size_t asked, const std::vector<update::UpdateOutcome>& outcomes) {
            update::engine_thread.assert_held();
            answered(*shared, asked, outcomes);
        });
}

void AccountHandler::answered(AccountUpdate& job, std::size_t asked,
                              const std::vector<update::UpdateOutcome>& outcomes) {
    const std::size_t number = job.asked[asked];
    auto& answers = job.plan.answers;
    for (std::size_t step = 0; step < outcomes.size(); ++step) {
        job.statuses[number][step] = outcomes[step].status;
        const std::size_t answer = job.plan.groups[number][step].answer;
        if (answers.empty()) continue;
        auto& wait = answers[answer == protocol::UpdatePlan::unanswered ? 0 : answer].retry_after;
        wait = std::max(wait, outcomes[step].retry_after);
    }
    // A client may set one address for all its hosts; that counts as one host.
    if (asked == 0) {
        const auto& desired = job.plan.groups[number].front().desired;
        watch_.answered(desired.rrset.host, address_of(desired), outcomes.front().status);
    }
    if (--job.open > 0) return;
    recheck(job);
    complete(*job.waiting, job);
}

/// While the last host was handled, another request may have changed the earlier ones. Their
/// outcomes become `failed`, so that no client is told an outcome that no longer holds.
void AccountHandler::recheck(AccountUpdate& job) const {
    if (job.plan.groups.size() < 2) return;
    for (std::size_t number = 0; number < job.plan.groups.size(); ++number) {
        const auto& group = job.plan.groups[number];
        for (std::size_t step = 0; step < group.size(); ++step) {
            UpdateStatus& status = job.statuses[number][step];
            if (is_so(status) && !updates_.is_still_so(group[step].desired))
                status = UpdateStatus::failed;
        }
    }
}

/// Sets the return codes of the answers, when every step has its status, and completes the request.
void AccountHandler::complete(RequestContext& request, AccountUpdate& job) {
    auto& answers = job.plan.answers;
    std::vector<std::vector<UpdateStatus>> of_answers(answers.size());
    for (std::size_t number = 0; number < job.plan.groups.size(); ++number) {
        const auto& group = job.plan.groups[number];
        for (std::size_t step = 0; step < group.size(); ++step) {
            const UpdateStatus status = job.statuses[number][step];
            const auto& desired = group[step].desired;
            if (group[step].answer != protocol::UpdatePlan::unanswered)
                of_answers[group[step].answer].push_back(status);
            request.note({desired.rrset, address_of(desired), status});
        }
    }
    std::vector<bool> is_told(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (of_answers[i].empty()) continue;
        is_told[i] = true;
        if (answers[i].code == ReturnCode::nochg)
            answers[i].code = protocol::return_code_for(of_answers[i]);
    }
    for (const auto& [which, of] : job.plan.repeats) {
        answers[which].code = answers[of].code;
        answers[which].addresses = answers[of].addresses;
        is_told[which] = true;
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!is_told[i])
            request.note(answers[i].host, protocol::text_of(answers[i].code),
                         answers[i].code == ReturnCode::nochg ? RequestOutcome::uptodate
                                                              : RequestOutcome::refused);
    }
    request.complete(protocol::answer(job.update, answers, request.answer_style()));
}

}  // namespace sftdyn::server
