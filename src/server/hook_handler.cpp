#include "server/hook_handler.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "base/address_rules.hpp"
#include "base/log.hpp"
#include "base/network.hpp"
#include "base/secret.hpp"
#include "dns/nsupdate_script.hpp"
#include "protocol/dyndns.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/secret_url.hpp"
#include "python/load.hpp"

namespace sftdyn::server {
namespace {

namespace secret_url = protocol::secret_url;
namespace log = base::log;

constexpr std::size_t longest_echo = 200;

/// Letters, digits, and what else stands in names of hosts and of wildcards, in two labels or more:
/// a text of one is rather a key in a host's place.
bool looks_like_a_host(std::string_view text) {
    constexpr std::string_view good =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
    return text.find_first_not_of(good) == std::string_view::npos &&
           text.substr(0, text.size() - 1).find('.') != std::string_view::npos;
}

}  // namespace

/// A conf and what hangs on it; replaced whole at a reload.
struct HookHandler::State {
    Settings settings;
};

/// A request on its way through the hooks.
struct HookHandler::Task {
    Task(std::shared_ptr<const State> with, const http::Request& request, std::string_view asked)
        : state(std::move(with)),
          source(request.client),
          client(request.client),
          key(asked),
          began(base::Clock::now()) {
        fields.reserve(request.fields.size());
        for (const auto& field : request.fields) fields.emplace_back(field.name, field.value);
    }
    ~Task() {
        base::zeroize(key);
        for (auto& field : fields) base::zeroize(field.second);
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

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

    std::shared_ptr<const State> state;
    boost::asio::ip::address source;
    boost::asio::ip::address
        client;  ///< what get_ip said, where that is an address; before it the source
    std::string key;
    python::Fields fields{};
    base::TimePoint began;
    http::Later later{};
    std::atomic<const char*> hook = "get_ip";  ///< that runs
    std::atomic<bool> answered = false;
};

/// What the hooks made of a request.
struct HookHandler::Decision {
    enum class Kind { answer, bad_key, desired, script } kind = Kind::answer;
    http::Response response{500, "FAIL"};
    update::DesiredRecord desired{};           ///< its target and record data also go with a script
    std::optional<dns::Name> zone{};           ///< that the desired was said to be in
    std::vector<dns::UpdateMessage> script{};  ///< to be sent as it is
};

void HookHandler::configure(Settings settings) {
    if (settings.conf && !threads_)
        threads_ = std::make_unique<HookThreads>(*python::loaded_interpreter(),
                                                 HookThreads::Limits{settings.queue});
    const bool hooks = settings.conf != nullptr;
    needs_fields_ =
        hooks && (settings.conf->has_get_ip() || settings.conf->has_nsupdate_commands());
    auto fresh = std::make_shared<const State>(State{std::move(settings)});
    scripted_->forget_all();
    {
        const std::lock_guard lock(mutex_);
        state_.swap(fresh);
        shown_remarks_.clear();
    }
    decides_ = hooks;
}

std::shared_ptr<const HookHandler::State> HookHandler::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

bool HookHandler::stop(base::Duration patience) { return !threads_ || threads_->stop(patience); }

std::optional<http::Response> HookHandler::handle(const http::Request& request,
                                                  const Defer& defer) {
    const auto intent = secret_url::read(request);
    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent)) {
        parts_.request_log.count(telemetry::Dialect::secret_url, telemetry::Outcome::refused);
        return secret_url::method_not_allowed();
    }
    const auto state = this->state();
    if (!state->settings.conf)
        return secret_url::answer({update::UpdateStatus::overloaded, std::chrono::seconds(1)},
                                  {});  // just reloaded
    const bool has_get_ip = state->settings.conf->has_get_ip();
    const auto* update = std::get_if<secret_url::Update>(&intent);
    if (update == nullptr)
        parts_.request_log.count(telemetry::Dialect::secret_url, telemetry::Outcome::address);
    if (update == nullptr && !has_get_ip) return secret_url::who_am_i(request);

    const auto task = std::make_shared<Task>(state, request,
                                             update == nullptr ? std::string_view() : update->key);
    if (!has_get_ip && !state->settings.conf->has_get_host()) {
        // What is no key, and what is known to be so, needs no hook.
        const auto* entry = secret_url::find(*state->settings.directory, task->key);
        if (entry == nullptr) return parts_.bad_key(task->client, defer);
        const update::Target target{entry->host, dns::type_of(task->client)};
        if (is_so(*state, target, dns::rdata_of(task->client))) return unchanged(*task, target);
    }
    task->later = defer();
    const bool taken = threads_->run(
        [this, task] {
            Decision decision = decide(*task);
            if (!task->answered.exchange(true)) carry_out(task, std::move(decision));
        },
        [this, task] { late(task); }, task->began + state->settings.timeout);
    if (!taken)
        task->later(
            secret_url::answer({update::UpdateStatus::overloaded, std::chrono::seconds(5)}, {}));
    return std::nullopt;
}

http::Response HookHandler::unchanged(const Task& task, const update::Target& target) const {
    say(task, target, update::UpdateStatus::unchanged);
    return secret_url::answer({update::UpdateStatus::unchanged}, task.state->settings.uptodate);
}

bool HookHandler::is_so(const State& state, const update::Target& target,
                        std::string_view rdata) const {
    const auto since = base::Clock::now() - state.settings.verify_interval;
    return parts_.known.is(target, rdata, since) || scripted_->is(target, rdata, since);
}

/// On a hook's thread.
HookHandler::Decision HookHandler::decide(Task& task) {
    const auto call =
        task.state->settings.conf->call(task.client.to_string(), task.fields, task.key);
    const auto address = call->get_ip();
    if (address.has_error()) {
        complain(address.error().kind, address.error().text);
        return {};
    }
    if (task.key.empty()) return {Decision::Kind::answer, {200, *address}};
    return decide_host(task, *call, *address);
}

HookHandler::Decision HookHandler::decide_host(Task& task, python::Call& call,
                                               const std::string& address) {
    const State& state = *task.state;
    const auto parsed = base::parse_address(address);
    if (!parsed) {
        complain("get_ip/address",
                 fmt::format("get_ip returned \"{}\": expected an IPv4 or IPv6 address",
                             task.shown(address, call)));
        return {};
    }
    task.client = base::plain_address(*parsed);
    // A conf that writes the UPDATE itself decides what it publishes.
    if (!state.settings.conf->has_nsupdate_commands()) {
        const auto ruling =
            state.settings.directory->rules().rule(task.client, task.client != task.source);
        if (ruling != base::AddressRules::Ruling::may_be) {
            complain("address", fmt::format("a host is not updated: {} {}", task.client.to_string(),
                                            base::text_of(ruling)));
            return {Decision::Kind::answer,
                    protocol::refused_address(protocol::Dialect::secret_url)};
        }
    }

    Decision decision;
    std::string host_text;
    dns::Name host;
    if (state.settings.conf->has_get_host()) {
        task.hook = "get_host";
        auto said = call.get_host(task.key);
        if (said.has_value() && said->empty() && task.key.find('%') != std::string::npos) {
            std::string decoded = protocol::percent_decoded(task.key);
            said = call.get_host(decoded);
            base::zeroize(decoded);
        }
        if (said.has_error()) {
            complain(said.error().kind, said.error().text);
            return {};
        }
        if (said->empty()) return {Decision::Kind::bad_key};
        auto name = dns::Name::parse(*said);
        // What is no name but happens to be one with escapes would be told as a host's name.
        if (name.has_error() || name->is_root() || !looks_like_a_host(*said)) {
            complain("get_host/name", fmt::format("get_host returned \"{}\": expected a host name",
                                                  task.shown(*said, call)));
            return {};
        }
        host_text = std::move(*said);
        host = std::move(*name);
        decision.desired.target.host = parts_.hosts.number(host);
        decision.desired.ttl = state.settings.ttl;
    } else {
        const auto* entry = secret_url::find(*state.settings.directory, task.key);
        if (entry == nullptr) return {Decision::Kind::bad_key};
        decision.desired.target.host = entry->host;
        decision.desired.ttl = entry->ttl;
        host = parts_.hosts.name(entry->host);
        host_text = host.text();
    }
    decision.desired.target.type = dns::type_of(task.client);
    decision.desired.rdata = dns::rdata_of(task.client);
    if (is_so(state, decision.desired.target, decision.desired.rdata)) {
        decision.response = unchanged(task, decision.desired.target);
        return decision;
    }
    decision.kind = Decision::Kind::desired;
    if (!state.settings.conf->has_nsupdate_commands()) return decision;
    task.hook = "nsupdatecommands";
    const auto lines = call.nsupdate_commands(host_text);
    if (lines.has_error()) {
        complain(lines.error().kind, lines.error().text);
        return {};
    }
    return read(task, call, *lines, host, std::move(decision));
}

/// Looking for a conf's keys in a text takes its time, and a line that is passed over comes with
/// each request: what was looked at is remembered.
std::string HookHandler::shown_remark(const Task& task, python::Call& call, const std::string& host,
                                      const std::string& remark) {
    const std::string plain = host + ' ' + remark;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = shown_remarks_.find(plain); found != shown_remarks_.end())
            return found->second;
    }
    // Without the lock: this thread may have to wait for the interpreter's in between.
    std::string shown =
        fmt::format("nsupdatecommands for {}, {}", host, task.shown_quote(remark, call));
    const std::lock_guard lock(mutex_);
    if (shown_remarks_.size() >= most_remarks) shown_remarks_.clear();
    shown_remarks_.try_emplace(plain, shown);
    return shown;
}

/// What a script is: a desired that can go with others, or messages of its own.
HookHandler::Decision HookHandler::read(const Task& task, python::Call& call,
                                        const std::vector<std::string>& lines,
                                        const dns::Name& host, Decision decision) {
    auto script = dns::parse_script(lines, dns::Unsent::send);
    if (script.has_error()) {
        complain(
            "nsupdatecommands/" + script.error().where,
            fmt::format("nsupdatecommands for {}, {}: {}; {}", host.text(), script.error().where,
                        task.shown_quote(script.error().what, call), script.error().mend));
        return {};
    }
    for (const auto& remark : script->remarks)
        complain("nsupdatecommands/" + remark, shown_remark(task, call, host.text(), remark));
    if (script->messages.size() == 1) {
        auto change = dns::replacement_of(script->messages.front());
        if (change && change->owner == host && change->type == decision.desired.target.type) {
            decision.desired.ttl = change->ttl;
            decision.desired.rdata = std::move(change->rdata);
            decision.zone = script->messages.front().zone;
            decision.script = std::move(script->messages);
            return decision;
        }
    }
    decision.kind = Decision::Kind::script;
    decision.script = std::move(script->messages);
    return decision;
}

void HookHandler::carry_out(const TaskPtr& task, Decision decision) {
    switch (decision.kind) {
        case Decision::Kind::answer:
            if (decision.response.status == 500)
                parts_.request_log.count(telemetry::Dialect::secret_url, telemetry::Outcome::fail);
            return task->later(std::move(decision.response));
        case Decision::Kind::bad_key: {
            const auto response = parts_.bad_key(task->client, [&task] { return task->later; });
            if (response) task->later(*response);
            return;
        }
        case Decision::Kind::desired:
        case Decision::Kind::script:
            boost::asio::post(
                parts_.io,
                [this, task, decision = std::make_shared<Decision>(std::move(decision))] {
                    submit(task, *decision);
                });
    }
}

/// On the engine's thread.
void HookHandler::submit(const TaskPtr& task, Decision& decision) {
    const update::Target target = decision.desired.target;
    if (spdlog::should_log(spdlog::level::debug))
        log::debug("{} {} {}: accepted", parts_.hosts.name(target.host).text(),
                   dns::type_text(target.type), task->client.to_string());
    const auto done = [this, task, target](update::UpdateOutcome result) {
        say(*task, target, result.status);
        task->later(secret_url::answer(result, task->state->settings.uptodate));
    };
    // A script that names another zone than the one that the server says may mean that: it is sent
    // as it is.
    const bool as_desired_record =
        decision.kind == Decision::Kind::desired &&
        (!decision.zone || parts_.engine.believe_zone(target.host, *decision.zone));
    if (as_desired_record) {
        scripted_->forget(target);
        parts_.engine.submit(std::move(decision.desired), done);
    } else {
        std::string rdata = dns::rdata_of(task->client);
        // What an earlier script of the same address made is looked at before it is made again.
        const bool made = scripted_->is(target, rdata, base::TimePoint::min());
        scripted_->begin(target, decision.script);
        const auto ended = [scripted = scripted_, target, rdata,
                            done](update::UpdateOutcome result) {
            using update::UpdateStatus;
            scripted->end(target, rdata,
                          result.status == UpdateStatus::committed ||
                              result.status == UpdateStatus::unchanged,
                          base::Clock::now());
            done(result);
        };
        parts_.engine.submit_messages(target, std::move(decision.script), ended,
                                      made ? rdata : std::string());
    }
    parts_.busy();
}

void HookHandler::late(const TaskPtr& task) {
    if (task->answered.exchange(true)) return;
    const auto seconds = std::chrono::duration<double>(task->state->settings.timeout).count();
    const std::string hook = task->hook.load();
    complain(hook + "/late",
             fmt::format(
                 "{} did not return within {} s: it is left to itself, and the request has failed",
                 hook, seconds));
    parts_.request_log.count(telemetry::Dialect::secret_url, telemetry::Outcome::fail);
    task->later({500, "FAIL"});
}

void HookHandler::say(const Task& task, const update::Target& target,
                      update::UpdateStatus status) const {
    parts_.request_log.served(telemetry::Dialect::secret_url, target, task.source, task.client,
                              status, task.began);
}

/// The first of a kind is said, the others are counted.
void HookHandler::complain(std::string kind, std::string text) {
    boost::asio::post(parts_.io, [this, kind = std::move(kind), text = std::move(text)] {
        parts_.failures.add(kind, text, base::Clock::now());
    });
}

}  // namespace sftdyn::server
