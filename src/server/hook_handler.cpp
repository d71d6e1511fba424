// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_handler.hpp"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/address_rules.hpp"
#include "base/log.hpp"
#include "base/network.hpp"
#include "base/secret.hpp"
#include "dns/nsupdate_script.hpp"
#include "protocol/dyndns_response.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/secret_url.hpp"
#include "python/load.hpp"

namespace sftdyn::server {
namespace {

namespace secret_url = protocol::secret_url;
namespace log = base::log;

using telemetry::RequestOutcome;

constexpr std::size_t longest_echo = 200;

/// Letters, digits, and what else stands in names of hosts and of wildcards, in two labels or more:
/// a text of one is rather a key in a host's place.
bool looks_like_a_host(std::string_view text) {
    constexpr std::string_view good =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
    return text.find_first_not_of(good) == std::string_view::npos &&
           text.substr(0, text.size() - 1).find('.') != std::string_view::npos;
}

/// The fields are moved; of a short value, which its string holds itself, nothing stays behind.
python::Fields take_fields(std::span<http::Field> fields) {
    python::Fields::List list;
    list.reserve(fields.size());
    for (http::Field& field : fields) {
        auto& [name, value] = list.emplace_back(std::move(field.name), std::string());
        if (field.value.capacity() > std::string().capacity()) {
            value = std::move(field.value);
        } else {
            value = field.value;
        }
        base::zeroize(field.value);
    }
    return python::Fields(std::move(list));
}

}  // namespace

/// A request on its way through the hooks.
struct HookHandler::Task {
    Task(RequestContext& from, const http::Request& asked, std::string_view with_key)
        : request(from.defer()),
          peer(request->source()),
          key(with_key),
          fields(take_fields(asked.fields)),
          client_(peer) {}
    ~Task() { base::zeroize(key); }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    [[nodiscard]] const python::Conf& conf() const { return *request->settings().hooks; }

    /// A text that a hook of `call` gave, fit for the log.
    [[nodiscard]] std::string shown(std::string_view text, python::Call& call) const {
        const std::string decoded = protocol::percent_decoded(key);
        const std::string without_keys = call.shown(text.substr(0, longest_echo));
        return log::printable(base::redacted(base::redacted(without_keys, key), decoded));
    }

    /// As `shown`, for a message of ours that quotes such a text.
    [[nodiscard]] std::string shown_quote(const std::string& message, python::Call& call) const {
        const std::size_t begin = message.find('"'), end = message.rfind('"');
        if (begin == end) return log::printable(message);
        return log::printable(message.substr(0, begin + 1)) +
               shown(std::string_view(message).substr(begin + 1, end - begin - 1), call) +
               log::printable(message.substr(end));
    }

    /// Who asks: what get_ip said, where that is an address; before it `peer`.
    [[nodiscard]] boost::asio::ip::address client() const {
        const base::MutexLock lock(mutex_);
        return client_;
    }
    void set_client(const boost::asio::ip::address& client) {
        const base::MutexLock lock(mutex_);
        client_ = client;
    }

    /// Whether the caller is who has the request: hooks, or timeout. Then it is that of `client()`.
    [[nodiscard]] bool claim() {
        if (is_claimed_.exchange(true)) return false;
        request->set_source(client());
        return true;
    }

    std::shared_ptr<RequestContext>
        request;                          ///< who has claimed it may end it, and tell its source
    const boost::asio::ip::address peer;  ///< where it came from
    std::string key;
    python::Fields fields;
    std::atomic<const char*> hook = "get_ip";  ///< that runs

private:
    mutable base::Mutex mutex_;
    boost::asio::ip::address client_ GUARDED_BY(mutex_);
    std::atomic<bool> is_claimed_ = false;
};

/// What the hooks made of a request.
struct HookHandler::HookDecision {
    enum class Action {
        failed,
        get_host_failed,
        address,
        refused,
        bad_key,
        unchanged,
        update
    } action = Action::failed;
    std::string address_text{};  ///< with `address`: the answer
    dns::Name host{};
    std::string host_text{};               ///< as the conf names it
    HookUpdate update{};                   ///< its RRset is set once the host is known
    boost::asio::ip::address published{};  ///< that `update` gives the host; unspecified: none
};

HookHandler::HookHandler(Authenticator& authenticator, UpdateService& updates,
                         update::HostTable& hosts, AddressWatch& watch,
                         python::Interpreter* interpreter)
    : authenticator_(authenticator),
      updates_(updates),
      hosts_(hosts),
      watch_(watch),
      interpreter_(interpreter),
      failures_([](const std::string& text) { log::error("{}", text); }) {}

void HookHandler::configure(const AnswerSettings& settings) {
    if (settings.hooks && !threads_) {
        if (interpreter_ == nullptr) interpreter_ = python::loaded_interpreter();
        threads_ = std::make_unique<HookThreads>(*interpreter_, HookLimits{settings.hook_queue});
    }
    needs_fields_ =
        settings.hooks && (settings.hooks->has_get_ip() || settings.hooks->has_nsupdate_commands());
    const base::MutexLock lock(mutex_);
    shown_warnings_.clear();
}

bool HookHandler::stop(base::Duration patience) { return !threads_ || threads_->stop(patience); }

void HookHandler::handle(RequestContext& request, const http::Request& asked) {
    const auto intent = secret_url::read(asked);
    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent))
        return request.complete(RequestOutcome::refused, "another method than GET",
                                secret_url::method_not_allowed());
    const bool has_get_ip = request.settings().hooks->has_get_ip();
    const auto* update = std::get_if<secret_url::PresentedKey>(&intent);
    if (update == nullptr && !has_get_ip)
        return request.complete(RequestOutcome::address, "its own address",
                                secret_url::who_am_i(asked));
    const std::string_view key = update == nullptr ? std::string_view() : update->key;
    if (!has_get_ip && handle_without_hooks(request, key)) return;
    run_hooks(std::make_shared<Task>(request, asked, key));
}

/// What is no key, and what is known to be so, needs no hook where only nsupdatecommands is one.
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
    if (!is_so(request, target, dns::rdata_of(address))) return false;
    request.complete({target, address, update::UpdateStatus::unchanged},
                     secret_url::answer({update::UpdateStatus::unchanged}, settings.uptodate));
    return true;
}

void HookHandler::run_hooks(const TaskPtr& task) {
    const bool is_taken = threads_->run(
        [this, task] {
            HookDecision decision = decide(*task);
            if (task->claim()) carry_out(task, std::move(decision));
        },
        [this, task] { on_timeout(task); },
        task->request->began() + task->request->settings().hook_time);
    if (!is_taken)
        task->request->complete(
            RequestOutcome::overloaded, "too many wait for hooks",
            secret_url::answer({update::UpdateStatus::overloaded, std::chrono::seconds(5)}, {}));
}

bool HookHandler::is_so(const RequestContext& request, const update::RrsetKey& target,
                        std::string_view rdata) const {
    return updates_.is_served_or_scripted(target, rdata,
                                          request.began() - request.settings().verify_interval);
}

/// On a hook's thread.
HookHandler::HookDecision HookHandler::decide(Task& task) {
    const auto call = task.conf().call(task.peer.to_string(), task.fields, task.key);
    const auto address = call->get_ip();
    if (address.has_error()) {
        log_failure(address.error().kind, address.error().text);
        return {};
    }
    const auto parsed = base::parse_address(*address);
    if (parsed) task.set_client(base::plain_address(*parsed));
    if (!task.key.empty()) return decide_host(task, *call, *address, parsed.has_value());
    HookDecision decision;
    decision.action = HookDecision::Action::address;
    decision.address_text = *address;
    return decision;
}

HookHandler::HookDecision HookHandler::decide_host(Task& task, python::Call& call,
                                                   const std::string& address, bool is_address) {
    HookDecision decision;
    if (!is_address) {
        log_failure("get_ip/address",
                    fmt::format("get_ip returned \"{}\": expected an IPv4 or IPv6 address",
                                task.shown(address, call)));
        return decision;
    }
    const auto client = task.client();
    // What a conf that writes the UPDATE itself publishes is seen in its script.
    if (!task.conf().has_nsupdate_commands() && !may_publish(task, "a host", client)) {
        decision.action = HookDecision::Action::refused;
        return decision;
    }
    if (!find_host(task, call, decision)) return decision;
    update::DesiredRecord& desired = decision.update.desired;
    desired.rrset.type = dns::type_of(client);
    desired.rdata = decision.update.address = dns::rdata_of(client);
    decision.published = client;
    if (is_so(*task.request, desired.rrset, desired.rdata)) {
        decision.action = HookDecision::Action::unchanged;
        return decision;
    }
    if (!task.conf().has_nsupdate_commands()) {
        decision.action = HookDecision::Action::update;
        return decision;
    }
    task.hook = "nsupdatecommands";
    const auto lines = call.nsupdate_commands(decision.host_text);
    if (lines.has_error()) {
        log_failure(lines.error().kind, lines.error().text);
        return decision;
    }
    read_script(task, call, *lines, decision);
    return decision;
}

/// False: `decision` is made.
bool HookHandler::find_host(Task& task, python::Call& call, HookDecision& decision) {
    if (task.conf().has_get_host()) return ask_get_host(task, call, decision);
    const auto* entry = secret_url::find(*task.request->settings().directory, task.key);
    if (entry == nullptr) {
        decision.action = HookDecision::Action::bad_key;
        return false;
    }
    decision.host = hosts_.name(entry->host);
    decision.host_text = decision.host.text();
    decision.update.desired.rrset.host = entry->host;
    decision.update.desired.ttl = entry->ttl;
    return true;
}

bool HookHandler::ask_get_host(Task& task, python::Call& call, HookDecision& decision) {
    task.hook = "get_host";
    auto said = call.get_host(task.key);
    if (said.has_value() && said->empty() && task.key.find('%') != std::string::npos) {
        std::string decoded = protocol::percent_decoded(task.key);
        said = call.get_host(decoded);
        base::zeroize(decoded);
    }
    // Whatever it fails with, the key was tried.
    if (said.has_error()) {
        log_failure(said.error().kind, said.error().text);
        decision.action = HookDecision::Action::get_host_failed;
        return false;
    }
    if (said->empty()) {
        decision.action = HookDecision::Action::bad_key;
        return false;
    }
    auto name = dns::Name::parse(*said);
    // What is no name but happens to be one with escapes would be told as a host's name.
    if (name.has_error() || name->is_root() || !looks_like_a_host(*said)) {
        log_failure("get_host/name", fmt::format("get_host returned \"{}\": expected a host name",
                                                 task.shown(*said, call)));
        decision.action = HookDecision::Action::get_host_failed;
        return false;
    }
    decision.host_text = std::move(*said);
    decision.host = std::move(*name);
    decision.update.desired.rrset.host = hosts_.number(decision.host);
    decision.update.desired.ttl = task.request->settings().hook_ttl;
    return true;
}

/// Looking for a conf's keys in a text takes its time, and a line that is passed over comes with
/// each request: what was looked at is remembered.
std::string HookHandler::shown_warning(const Task& task, python::Call& call,
                                       const std::string& host, const std::string& warning) {
    const std::string plain = host + ' ' + warning;
    {
        const base::MutexLock lock(mutex_);
        if (const auto found = shown_warnings_.find(plain); found != shown_warnings_.end())
            return found->second;
    }
    // Without the lock: this thread may have to wait for the interpreter's in between.
    std::string shown =
        fmt::format("nsupdatecommands for {}, {}", host, task.shown_quote(warning, call));
    const base::MutexLock lock(mutex_);
    if (shown_warnings_.size() >= most_warnings) shown_warnings_.clear();
    shown_warnings_.try_emplace(plain, shown);
    return shown;
}

/// What a script is: a desired record that can go with others, or messages of its own.
void HookHandler::read_script(const Task& task, python::Call& call,
                              const std::vector<std::string>& lines, HookDecision& decision) {
    const std::string host = decision.host.text();
    auto script = dns::parse_script(lines, dns::Unsent::send);
    if (script.has_error()) {
        log_failure(
            "nsupdatecommands/" + script.error().where,
            fmt::format("nsupdatecommands for {}, {}: {}; {}", host, script.error().where,
                        task.shown_quote(script.error().what, call), script.error().remedy));
        return;
    }
    for (const auto& warning : script->warnings)
        log_failure("nsupdatecommands/" + warning, shown_warning(task, call, host, warning));
    decision.action = HookDecision::Action::update;
    HookUpdate& update = decision.update;
    update.is_desired_record = false;
    update.messages = std::move(script->messages);
    if (!may_publish(task, decision)) {
        decision.action = HookDecision::Action::refused;
        return;
    }
    if (update.messages.size() != 1) return;
    auto change = dns::replacement_of(update.messages.front());
    if (!change || change->owner != decision.host || change->type != update.desired.rrset.type)
        return;
    update.is_desired_record = true;
    update.desired.ttl = change->ttl;
    update.desired.rdata = std::move(change->rdata);
    update.zone = update.messages.front().zone;
}

bool HookHandler::may_publish(const Task& task, const std::string& what,
                              const boost::asio::ip::address& address) {
    const auto ruling =
        task.request->settings().directory->rules().rule(address, address != task.peer);
    if (ruling == base::AddressRules::Ruling::may_be) return true;
    log_failure("address/" + what, fmt::format("{} is not updated: {} {}", what,
                                               address.to_string(), base::text_of(ruling)));
    return false;
}

/// Whether the script's addresses may be published: all that it gives the host, and the client's
/// wherever else it stands. Other records, and other addresses of other names, are the conf's own
/// business.
bool HookHandler::may_publish(const Task& task, HookDecision& decision) {
    const auto client = task.client();
    decision.published = boost::asio::ip::address();
    for (const auto& message : decision.update.messages) {
        for (const auto& record : message.updates) {
            if (record.rclass != dns::UpdateRecord::Class::in) continue;
            if (record.type != dns::Type::a && record.type != dns::Type::aaaa) continue;
            const auto address = dns::address_of(record.type, record.rdata);
            if (address.has_error()) continue;
            const bool is_hosts = record.owner == decision.host;
            if (!is_hosts && base::plain_address(*address) != client) continue;
            if (!may_publish(task, record.owner.text(), base::plain_address(*address)))
                return false;
            if (is_hosts) decision.published = *address;
        }
    }
    return true;
}

void HookHandler::carry_out(const TaskPtr& task, HookDecision decision) {
    RequestContext& request = *task->request;
    const update::RrsetKey target = decision.update.desired.rrset;
    const auto complete = [task, target](const update::UpdateOutcome& outcome) {
        task->request->complete({target, task->request->source(), outcome.status},
                                secret_url::answer(outcome, task->request->settings().uptodate));
    };
    if (decision.action == HookDecision::Action::unchanged ||
        decision.action == HookDecision::Action::update)
        request.on_authenticated();
    switch (decision.action) {
        case HookDecision::Action::failed:
            return request.complete(RequestOutcome::fail, "a hook failed",
                                    protocol::server_error(protocol::Dialect::secret_url));
        case HookDecision::Action::get_host_failed:
            return authenticator_.refuse_failed(request);
        case HookDecision::Action::address:
            return request.complete(RequestOutcome::address, "its own address",
                                    {200, std::move(decision.address_text)});
        case HookDecision::Action::refused:
            return request.complete(RequestOutcome::refused, "the address is not to be published",
                                    protocol::refused_address(protocol::Dialect::secret_url));
        case HookDecision::Action::bad_key:
            return authenticator_.refuse(request);
        case HookDecision::Action::unchanged:
            return complete({update::UpdateStatus::unchanged});
        case HookDecision::Action::update:
            return updates_.submit_hook_update(
                std::move(decision.update), [this, complete, target, address = decision.published](
                                                const update::UpdateOutcome& outcome) {
                    watch_.answered(target.host, address, outcome.status);
                    complete(outcome);
                });
    }
}

void HookHandler::on_timeout(const TaskPtr& task) {
    if (!task->claim()) return;
    const auto limit = task->request->settings().hook_time;
    const std::string hook = task->hook.load();
    log_failure(
        hook + "/timed out",
        fmt::format(
            "{} did not return within {} s: it is left to itself, and the request has failed", hook,
            std::chrono::duration<double>(limit).count()));
    task->request->complete(RequestOutcome::fail, "a hook did not return in time",
                            protocol::server_error(protocol::Dialect::secret_url));
}

/// The first of a kind is said, the others are counted.
void HookHandler::log_failure(const std::string& kind, const std::string& text) {
    failures_.add(kind, text, base::Clock::now());
}

}  // namespace sftdyn::server
