#include "cli/hooked.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "api/address_update.hpp"
#include "api/parameters.hpp"
#include "api/secret_url.hpp"
#include "base/address_rules.hpp"
#include "base/log.hpp"
#include "base/network.hpp"
#include "base/secret.hpp"
#include "dns/nsupdate_script.hpp"
#include "python/load.hpp"

namespace sftdyn::cli {
namespace {

namespace secret_url = api::secret_url;
namespace log = base::log;

constexpr std::size_t longest_echo = 200;

}  // namespace

/// A conf and what hangs on it; replaced whole at a reload.
struct Hooked::State {
    Settings settings;
};

/// A request on its way through the hooks.
struct Hooked::Task {
    Task(std::shared_ptr<const State> with, const api::Request& request, std::string_view asked)
        : state(std::move(with)), source(request.client), client(request.client), key(asked), began(base::Clock::now()) {
        fields.reserve(request.fields.size());
        for (const auto& field : request.fields) fields.emplace_back(field.name, field.value);
    }
    ~Task() {
        base::wipe(key);
        for (auto& field : fields) base::wipe(field.second);
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    /// A text that came of the request, fit for the log.
    [[nodiscard]] std::string shown(std::string_view text) const {
        const std::string decoded = api::percent_decoded(key);
        return log::printable(base::masked(base::masked(text.substr(0, longest_echo), key), decoded));
    }

    std::shared_ptr<const State> state;
    boost::asio::ip::address source;
    boost::asio::ip::address client;  ///< what get_ip said, where that is an address; before it the source
    std::string key;
    python::Fields fields{};
    base::TimePoint began;
    http::Later later{};
    std::atomic<const char*> hook = "get_ip";  ///< that runs
    std::atomic<bool> answered = false;
};

/// What the hooks made of a request.
struct Hooked::Decision {
    enum class Kind { answer, bad_key, wish, script } kind = Kind::answer;
    api::Response response{500, "FAIL"};
    update::Wish wish{};                       ///< its target and record data also go with a script
    std::optional<dns::Name> zone{};           ///< that the wish was said to be in
    std::vector<dns::UpdateMessage> script{};  ///< to be sent as it is
};

void Hooked::configure(Settings settings) {
    if (settings.conf && !threads_) threads_ = std::make_unique<HookThreads>(*python::loaded_interpreter(), HookThreads::Limits{settings.queue});
    const bool hooks = settings.conf != nullptr;
    needs_fields_ = hooks && (settings.conf->has_get_ip() || settings.conf->has_nsupdate_commands());
    auto fresh = std::make_shared<const State>(State{std::move(settings)});
    scripted_->forget_all();
    {
        const std::lock_guard lock(mutex_);
        state_.swap(fresh);
    }
    decides_ = hooks;
}

std::shared_ptr<const Hooked::State> Hooked::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

bool Hooked::stop(base::Duration patience) { return !threads_ || threads_->stop(patience); }

std::optional<api::Response> Hooked::handle(const api::Request& request, const Defer& defer) {
    const auto intent = secret_url::read(request);
    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent)) {
        parts_.chronicle.count(report::Dialect::secret_url, report::Outcome::refused);
        return secret_url::method_not_allowed();
    }
    const auto state = this->state();
    if (!state->settings.conf) return secret_url::answer({update::Verdict::overloaded, std::chrono::seconds(1)}, {});  // just reloaded
    const bool has_get_ip = state->settings.conf->has_get_ip();
    const auto* update = std::get_if<secret_url::Update>(&intent);
    if (update == nullptr) parts_.chronicle.count(report::Dialect::secret_url, report::Outcome::address);
    if (update == nullptr && !has_get_ip) return secret_url::who_am_i(request);

    const auto task = std::make_shared<Task>(state, request, update == nullptr ? std::string_view() : update->key);
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
    if (!taken) task->later(secret_url::answer({update::Verdict::overloaded, std::chrono::seconds(5)}, {}));
    return std::nullopt;
}

api::Response Hooked::unchanged(const Task& task, const update::Target& target) const {
    say(task, target, update::Verdict::unchanged);
    return secret_url::answer({update::Verdict::unchanged}, task.state->settings.uptodate);
}

bool Hooked::is_so(const State& state, const update::Target& target, std::string_view rdata) const {
    const auto since = base::Clock::now() - state.settings.verify_interval;
    return parts_.known.is(target, rdata, since) || scripted_->is(target, rdata, since);
}

/// On a hook's thread.
Hooked::Decision Hooked::decide(Task& task) {
    const auto call = task.state->settings.conf->call(task.client.to_string(), task.fields, task.key);
    const auto address = call->get_ip();
    if (address.has_error()) {
        complain(address.error().kind, address.error().text);
        return {};
    }
    if (task.key.empty()) return {Decision::Kind::answer, {200, *address}};
    return decide_host(task, *call, *address);
}

Hooked::Decision Hooked::decide_host(Task& task, python::Call& call, const std::string& address) {
    const State& state = *task.state;
    const auto parsed = base::parse_address(address);
    if (!parsed) {
        complain("get_ip/address", fmt::format("get_ip returned \"{}\": expected an IPv4 or IPv6 address", task.shown(address)));
        return {};
    }
    task.client = base::plain_address(*parsed);
    // A conf that writes the UPDATE itself decides what it publishes.
    if (!state.settings.conf->has_nsupdate_commands()) {
        const auto ruling = state.settings.directory->rules().rule(task.client, task.client != task.source);
        if (ruling != base::AddressRules::Ruling::may_be) {
            complain("address", fmt::format("a host is not updated: {} {}", task.client.to_string(), base::text_of(ruling)));
            return {Decision::Kind::answer, api::refused_address(api::Dialect::secret_url)};
        }
    }

    Decision decision;
    std::string host_text;
    dns::Name host;
    if (state.settings.conf->has_get_host()) {
        task.hook = "get_host";
        auto said = call.get_host(task.key);
        if (said.has_value() && said->empty() && task.key.find('%') != std::string::npos) {
            std::string decoded = api::percent_decoded(task.key);
            said = call.get_host(decoded);
            base::wipe(decoded);
        }
        if (said.has_error()) {
            complain(said.error().kind, said.error().text);
            return {};
        }
        if (said->empty()) return {Decision::Kind::bad_key};
        auto name = dns::Name::parse(*said);
        if (name.has_error() || name->is_root()) {
            complain("get_host/name", fmt::format("get_host returned \"{}\": expected a host name", task.shown(*said)));
            return {};
        }
        host_text = std::move(*said);
        host = std::move(*name);
        decision.wish.target.host = parts_.hosts.number(host);
        decision.wish.ttl = state.settings.ttl;
    } else {
        const auto* entry = secret_url::find(*state.settings.directory, task.key);
        if (entry == nullptr) return {Decision::Kind::bad_key};
        decision.wish.target.host = entry->host;
        decision.wish.ttl = entry->ttl;
        host = parts_.hosts.name(entry->host);
        host_text = host.text();
    }
    decision.wish.target.type = dns::type_of(task.client);
    decision.wish.rdata = dns::rdata_of(task.client);
    if (is_so(state, decision.wish.target, decision.wish.rdata)) {
        decision.response = unchanged(task, decision.wish.target);
        return decision;
    }
    decision.kind = Decision::Kind::wish;
    if (!state.settings.conf->has_nsupdate_commands()) return decision;
    task.hook = "nsupdatecommands";
    const auto lines = call.nsupdate_commands(host_text);
    if (lines.has_error()) {
        complain(lines.error().kind, lines.error().text);
        return {};
    }
    return read(task, *lines, host, std::move(decision));
}

/// What a script is: a wish that can go with others, or messages of its own.
Hooked::Decision Hooked::read(const Task& task, const std::vector<std::string>& lines, const dns::Name& host, Decision decision) {
    auto script = dns::parse_script(lines, dns::Unsent::send);
    if (script.has_error()) {
        complain("nsupdatecommands/" + script.error().where, fmt::format("nsupdatecommands for {}, {}: {}; {}", host.text(), script.error().where,
                                                                         task.shown(script.error().what), script.error().mend));
        return {};
    }
    for (const auto& remark : script->remarks)
        complain("nsupdatecommands/" + remark, fmt::format("nsupdatecommands for {}, {}", host.text(), task.shown(remark)));
    if (script->messages.size() == 1) {
        auto change = dns::replacement_of(script->messages.front());
        if (change && change->owner == host && change->type == decision.wish.target.type) {
            decision.wish.ttl = change->ttl;
            decision.wish.rdata = std::move(change->rdata);
            decision.zone = script->messages.front().zone;
            decision.script = std::move(script->messages);
            return decision;
        }
    }
    decision.kind = Decision::Kind::script;
    decision.script = std::move(script->messages);
    return decision;
}

void Hooked::carry_out(const TaskPtr& task, Decision decision) {
    switch (decision.kind) {
        case Decision::Kind::answer:
            if (decision.response.status == 500) parts_.chronicle.count(report::Dialect::secret_url, report::Outcome::fail);
            return task->later(std::move(decision.response));
        case Decision::Kind::bad_key: {
            const auto response = parts_.bad_key(task->client, [&task] { return task->later; });
            if (response) task->later(*response);
            return;
        }
        case Decision::Kind::wish:
        case Decision::Kind::script:
            boost::asio::post(parts_.io, [this, task, decision = std::make_shared<Decision>(std::move(decision))] { submit(task, *decision); });
    }
}

/// On the engine's thread.
void Hooked::submit(const TaskPtr& task, Decision& decision) {
    const update::Target target = decision.wish.target;
    if (spdlog::should_log(spdlog::level::debug))
        log::debug("{} {} {}: accepted", parts_.hosts.name(target.host).text(), dns::type_text(target.type), task->client.to_string());
    const auto done = [this, task, target](update::Result result) {
        say(*task, target, result.verdict);
        task->later(secret_url::answer(result, task->state->settings.uptodate));
    };
    // A script that names another zone than the one that the server says may mean that: it is sent as it is.
    const bool as_wish = decision.kind == Decision::Kind::wish && (!decision.zone || parts_.engine.believe_zone(target.host, *decision.zone));
    if (as_wish) {
        scripted_->forget(target);
        parts_.engine.submit(std::move(decision.wish), done);
    } else {
        std::string rdata = dns::rdata_of(task->client);
        // What an earlier script of the same address made is looked at before it is made again.
        const bool made = scripted_->is(target, rdata, base::TimePoint::min());
        scripted_->begin(target, decision.script);
        const auto ended = [scripted = scripted_, target, rdata, done](update::Result result) {
            using update::Verdict;
            scripted->end(target, rdata, result.verdict == Verdict::committed || result.verdict == Verdict::unchanged, base::Clock::now());
            done(result);
        };
        parts_.engine.submit_messages(target, std::move(decision.script), ended, made ? rdata : std::string());
    }
    parts_.busy();
}

void Hooked::late(const TaskPtr& task) {
    if (task->answered.exchange(true)) return;
    const auto seconds = std::chrono::duration<double>(task->state->settings.timeout).count();
    const std::string hook = task->hook.load();
    complain(hook + "/late", fmt::format("{} did not return within {} s: it is left to itself, and the request has failed", hook, seconds));
    parts_.chronicle.count(report::Dialect::secret_url, report::Outcome::fail);
    task->later({500, "FAIL"});
}

void Hooked::say(const Task& task, const update::Target& target, update::Verdict verdict) const {
    parts_.chronicle.served(report::Dialect::secret_url, target, task.source, task.client, verdict, task.began);
}

/// The first of a kind is said, the others are counted.
void Hooked::complain(std::string kind, std::string text) {
    boost::asio::post(parts_.io, [this, kind = std::move(kind), text = std::move(text)] { parts_.failures.add(kind, text, base::Clock::now()); });
}

}  // namespace sftdyn::cli
