#include "server/updater.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/address_rules.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "protocol/secret_url.hpp"

namespace sftdyn::server {
namespace {

namespace secret_url = protocol::secret_url;
namespace log = base::log;

using telemetry::Dialect;
using telemetry::Outcome;

Dialect reported(protocol::Dialect dialect) {
    switch (dialect) {
        case protocol::Dialect::secret_url:
            break;
        case protocol::Dialect::dyndns2:
            return Dialect::dyndns2;
        case protocol::Dialect::duckdns:
            return Dialect::duckdns;
        case protocol::Dialect::freedns:
            return Dialect::freedns;
    }
    return Dialect::secret_url;
}

/// That the desired gives its host; unspecified: none.
boost::asio::ip::address address_of(const update::DesiredRecord& desired) {
    if (desired.kind != dns::Change::Kind::replace) return {};
    const auto address = dns::address_of(desired.target.type, desired.rdata);
    return address.has_value() ? *address : boost::asio::ip::address();
}

constexpr auto tick_interval = std::chrono::milliseconds(20);
constexpr auto guess_delay = std::chrono::seconds(1);
constexpr unsigned most_delayed = 1000;

}  // namespace

Updater::Updater(boost::asio::io_context& io, const update::EngineLimits& limits)
    : io_(io),
      timer_(io),
      verify_interval_(limits.verify_interval.count()),
      directory_(std::make_shared<accounts::AccountDirectory>()),
      backend_(io),
      failures_([](const std::string& text) { log::error("{}", text); }),
      refusals_([](const std::string& text) { log::warn("{}", text); }),
      engine_(backend_, host_table_, known_, limits, base::Clock::now,
              [this](const dns::Name& host, dns::Type type, const dns::DnsError& failure) {
                  failed(host, type, failure);
              }),
      hook_handler_({io, host_table_, known_, engine_, request_log_, failures_,
                     [this] { wake_engine(); },
                     [this](const boost::asio::ip::address& client, const Defer& defer) {
                         return bad_key(client, defer);
                     }}) {
    engine_.on_update([this](std::size_t changes, base::Duration took) {
        request_log_.metrics().update(changes, took);
    });
}

Updater::~Updater() {
    static_cast<void>(hook_handler_.stop(base::Duration(0)));
    verifier_.stop();
    backend_.close();
}

void Updater::configure(std::shared_ptr<const accounts::AccountDirectory> directory,
                        const std::vector<update::ZoneServers>& servers,
                        const update::EngineLimits& limits, const AnswerSettings& answers) {
    auth_failures_.set(answers.bad_keys, answers.bad_keys_refill);
    // A conf that was run anew may tell other things of the same hosts.
    const bool servers_changed = servers != servers_ || answers.python;
    hook_handler_.configure({answers.python, directory, answers.ttl, answers.uptodate,
                             limits.timeout, limits.verify_interval, limits.queue});
    {
        const std::lock_guard lock(directory_mutex_);
        directory_ = std::move(directory);
        uptodate_ = std::make_shared<const std::string>(answers.uptodate);
    }
    verify_interval_ = limits.verify_interval.count();
    servers_ = servers;
    backend_.configure(servers);
    engine_.reconfigure(limits, servers_changed);
}

std::shared_ptr<const std::string> Updater::uptodate() const {
    const std::lock_guard lock(directory_mutex_);
    return uptodate_;
}

std::shared_ptr<const accounts::AccountDirectory> Updater::directory() const {
    const std::lock_guard lock(directory_mutex_);
    return directory_;
}

std::optional<http::Response> Updater::handle(const http::Request& request, const Defer& defer) {
    const base::TimePoint began = base::Clock::now();
    // A conf with hooks of its own reads such headers itself.
    if (request.forwarding == http::Forwarding::untrusted && !hook_handler_.needs_fields())
        watch_.forwarding(request.forwarding, request.client);
    if (hook_handler_.decides()) return hook_handler_.handle(request, defer);

    const auto& source = request.client;
    const auto intent = secret_url::read(request);
    if (const auto* update = std::get_if<secret_url::Update>(&intent)) {
        const auto directory = this->directory();
        const accounts::Entry* entry = secret_url::find(*directory, update->key);
        // Whoever only looks whether sftdyn is alive may say nothing.
        if (entry != nullptr && request.forwarding != http::Forwarding::as_meant)
            watch_.forwarding(request.forwarding, request.client);
        if (entry != nullptr && entry->client == accounts::no_client)
            return secret_url(*entry, *directory, source, began, defer);
        if (entry != nullptr) {
            protocol::AddressUpdate all;
            all.dialect = protocol::Dialect::secret_url;
            all.all_hosts = true;
            return carry_out(std::move(all), *directory, directory->client(entry->client), source,
                             began, defer);
        }
    }
    // A key may look like anything; only what is none may be another dialect's.
    auto other = protocol::read_address_update(request);
    const auto counted = [this](telemetry::Dialect dialect, telemetry::Outcome outcome,
                                http::Response response) {
        request_log_.count(dialect, outcome);
        return response;
    };
    if (std::holds_alternative<protocol::CheckIp>(other))
        return counted(Dialect::dyndns2, Outcome::address, protocol::check_ip(request));
    if (std::holds_alternative<protocol::WrongMethod>(other))
        return counted(Dialect::dyndns2, Outcome::refused, protocol::wrong_method());
    if (std::holds_alternative<protocol::TooManyParameters>(other))
        return counted(Dialect::dyndns2, Outcome::refused, protocol::too_many_parameters());
    if (auto* update = std::get_if<protocol::AddressUpdate>(&other)) {
        if (request.forwarding != http::Forwarding::as_meant)
            watch_.forwarding(request.forwarding, request.client);
        return address_update(std::move(*update), source, began, defer);
    }

    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent))
        return counted(Dialect::secret_url, Outcome::refused, secret_url::method_not_allowed());
    if (std::holds_alternative<secret_url::WhoAmI>(intent))
        return counted(Dialect::secret_url, Outcome::address, secret_url::who_am_i(request));
    return bad_key(request.client, defer);
}

std::optional<http::Response> Updater::secret_url(const accounts::Entry& entry,
                                                  const accounts::AccountDirectory& directory,
                                                  const boost::asio::ip::address& client,
                                                  base::TimePoint began, const Defer& defer) {
    const auto ruling = directory.rules().rule(client, false);
    if (ruling != base::AddressRules::Ruling::may_be) {
        const std::string host = host_table_.name(entry.host).text();
        complain("address/" + host, fmt::format("{} is not updated: {} {}", host,
                                                client.to_string(), base::text_of(ruling)));
        request_log_.count(Dialect::secret_url, Outcome::refused);
        return protocol::refused_address(protocol::Dialect::secret_url);
    }
    const update::Target target{entry.host, dns::type_of(client)};
    const auto since = began - base::Duration(verify_interval_.load(std::memory_order_relaxed));
    if (known_.is(target, dns::rdata_of(client), since)) {
        request_log_.served(Dialect::secret_url, target, client, client,
                            update::UpdateStatus::unchanged, began);
        return secret_url::answer({update::UpdateStatus::unchanged}, *uptodate());
    }
    boost::asio::post(io_, [this, entry, client, began, later = defer()]() mutable {
        submit(entry, client, began, std::move(later));
    });
    return std::nullopt;
}

std::optional<http::Response> Updater::address_update(protocol::AddressUpdate update,
                                                      const boost::asio::ip::address& source,
                                                      base::TimePoint began, const Defer& defer) {
    // Whoever sends nothing has guessed nothing: many clients only then send what they have.
    if (!update.secret) return protocol::bad_credential(update.dialect);
    auto directory = this->directory();
    if (!update.user || directory->user(*update.user) == nullptr) {
        // A key serves as a password too, whatever the user's name.
        const accounts::Entry* entry = directory->find(update.secret->reveal());
        if (entry != nullptr)
            return with_key(std::move(update), *directory, *entry, source, began, defer);
        // A token is no user's. A user's name is asked for a password, whether there is such a user
        // or not.
        if (!update.user) return refuse(update.dialect, source, defer);
    }
    return with_password(std::move(update), std::move(directory), source, began, defer);
}

std::optional<http::Response> Updater::with_key(protocol::AddressUpdate update,
                                                const accounts::AccountDirectory& directory,
                                                const accounts::Entry& entry,
                                                const boost::asio::ip::address& source,
                                                base::TimePoint began, const Defer& defer) {
    const auto owner = directory.client(entry);
    return carry_out(std::move(update), directory, owner, source, began, defer);
}

/// Passwords are chosen by people: past the second budget they are not even looked at, but for
/// those that were right before from the same network. Once any user has a hash, a wrong password
/// takes as long as verifying it, whoever is named: the time of an answer tells nothing of who
/// there is.
std::optional<http::Response> Updater::with_password(
    protocol::AddressUpdate update, std::shared_ptr<const accounts::AccountDirectory> directory,
    const boost::asio::ip::address& source, base::TimePoint began, const Defer& defer) {
    using Kind = accounts::AuthFailureLimiter::Treatment::Kind;
    const auto network = base::client_network(source);
    const std::string network_text = fmt::format("{}/{}", network.v6 ? 6 : 4, network.bits);
    const std::string user_name = *update.user;
    const bool is_familiar =
        familiar_.known({user_name, network_text, update.secret->reveal()}).has_value();
    const auto before = auth_failures_.look(source, began);
    if (before.kind == Kind::refuse && !is_familiar)
        return refuse(update.dialect, source, before, defer);

    const accounts::AccountDirectory::User* user = directory->user(user_name);
    const bool is_hashed = user != nullptr && !user->password_hash.empty();
    const auto right = [this, directory, user, source, began, is_familiar, network_text](
                           protocol::AddressUpdate asked, const Defer& respond) {
        if (!is_familiar)
            familiar_.remember({*asked.user, network_text, asked.secret->reveal()}, true);
        return carry_out(std::move(asked), *directory, directory->client(user->client), source,
                         began, respond);
    };
    if (user != nullptr && !is_hashed && directory->is_password(*user, update.secret->reveal()))
        return right(std::move(update), defer);
    const std::string& hash = is_hashed ? user->password_hash : directory->dummy_hash();
    const auto known = hash.empty() ? std::optional(false)
                                    : passwords_.known({user_name, hash, update.secret->reveal()});
    if (known && *known) return right(std::move(update), defer);
    if (known) return refuse(update.dialect, source, defer);

    // It counts as wrong while it waits: many at once are as many guesses. Who can't be counted is
    // no guesser yet.
    const auto status = auth_failures_.failed(source, began);
    if (status.kind == Kind::refuse && !status.clean && !is_familiar)
        return refuse(update.dialect, source, status, defer);
    const auto dialect = update.dialect;
    const auto asked = std::make_shared<protocol::AddressUpdate>(std::move(update));
    const auto later = defer();
    const auto verify = [this, is_hashed, hash, client = source, status, asked, later, right] {
        const std::string_view secret = asked->secret->reveal();
        const bool is_right = accounts::verify_password(hash, secret) && is_hashed;
        passwords_.remember({*asked->user, hash, secret}, is_right);
        if (is_right && status.counted) auth_failures_.take_back(client, base::Clock::now());
        const auto respond = [&later] { return later; };
        const auto response = is_right ? right(std::move(*asked), respond)
                                       : refuse(asked->dialect, client, status, respond);
        if (response) later(*response);
    };
    if (verifier_.add({network, user_name, status.clean, verify})) return std::nullopt;
    if (status.counted) auth_failures_.take_back(source, began);
    request_log_.count(reported(dialect), Outcome::overloaded);
    later(protocol::server_error(dialect));
    return std::nullopt;
}

/// An update under way: some groups of desired records, and the answers that come of them.
struct Updater::Job {
    protocol::AddressUpdate update;
    protocol::Plan plan;
    boost::asio::ip::address source;
    base::TimePoint began;
    http::Later later{};
    std::vector<std::vector<update::UpdateStatus>> statuses{};  ///< of each answer
    std::vector<protocol::Plan::Group> known{};                 ///< groups that needed no engine
    std::size_t open = 0;                                       ///< groups that are not done
};

std::optional<http::Response> Updater::carry_out(protocol::AddressUpdate update,
                                                 const accounts::AccountDirectory& directory,
                                                 const accounts::Client& client,
                                                 const boost::asio::ip::address& source,
                                                 base::TimePoint began, const Defer& defer) {
    const auto dialect = update.dialect;
    const auto who = [&] { return client.name.empty() ? std::string("a key") : client.name; };
    const auto refused = [&](const std::string& why, http::Response response) {
        complain("address/" + who(),
                 fmt::format("{} from {} is not updated: {}", who(), source.to_string(), why));
        request_log_.count(reported(dialect), Outcome::refused);
        return response;
    };
    if (!update.unusable.empty()) {
        const auto why = fmt::format("it named \"{}\", which is no address that a host can have",
                                     log::printable(update.unusable));
        return refused(why, protocol::server_error(dialect));
    }
    if (update.hostnames.size() > protocol::most_hosts) {
        request_log_.count(reported(dialect), Outcome::refused);
        return protocol::too_many_hosts(dialect);
    }
    auto job = std::make_shared<Job>(Job{std::move(update), {}, source, began});
    job->plan = protocol::make_plan(job->update, client, host_table_, source, directory.rules());
    if (!job->plan.refused.empty())
        return refused(job->plan.refused, protocol::refused_address(dialect));
    for (const auto& remark : job->plan.remarks)
        complain("remark/" + who(),
                 fmt::format("{} from {}: {}", who(), source.to_string(), remark));
    job->statuses.resize(job->plan.answers.size());
    const auto since = began - base::Duration(verify_interval_.load(std::memory_order_relaxed));
    // What is known to be so needs no engine; a group is looked at as a whole, since it is served
    // as a whole.
    std::erase_if(job->plan.groups, [&](const protocol::Plan::Group& group) {
        const auto is_so = [&](const protocol::Plan::Step& step) {
            return known_.is(step.desired.target, step.desired.rdata, since);
        };
        if (!std::all_of(group.begin(), group.end(), is_so)) return false;
        for (const auto& step : group) {
            served(*job, step, update::UpdateStatus::unchanged);
        }
        job->known.push_back(group);
        return true;
    });
    if (job->plan.groups.empty()) {
        finished(*job);
        return protocol::answer(job->update, job->plan.answers, *uptodate());
    }
    job->later = defer();
    boost::asio::post(io_, [this, job] { submit(job); });
    return std::nullopt;
}

void Updater::submit(const std::shared_ptr<Job>& job) {
    job->open = job->plan.groups.size();
    for (const auto& group : job->plan.groups) {
        std::vector<update::DesiredRecord> desired_records;
        for (const auto& step : group) desired_records.push_back(step.desired);
        engine_.submit_group(
            std::move(desired_records),
            [this, job, &group](const std::vector<update::UpdateOutcome>& results) {
                for (std::size_t i = 0; i < group.size(); ++i) {
                    served(*job, group[i], results[i].status);
                }
                // Who has a credential gets an address for all its hosts: that counts once.
                if (&group == &job->plan.groups.front())
                    published(group.front().desired.target.host, address_of(group.front().desired),
                              results.front().status);
                if (--job->open > 0) return;
                recheck(*job);
                finished(*job);
                job->later(protocol::answer(job->update, job->plan.answers, *uptodate()));
            });
    }
    wake_engine();
}

/// On the engine's thread: what its own thread answers at once has come this way before.
void Updater::published(update::HostId host, const boost::asio::ip::address& address,
                        update::UpdateStatus status) {
    if (address.is_unspecified()) return;
    if (status == update::UpdateStatus::committed || status == update::UpdateStatus::unchanged)
        watch_.published(host, address);
}

void Updater::served(Job& job, const protocol::Plan::Step& step, update::UpdateStatus status) {
    if (step.answer != protocol::Plan::unanswered) job.statuses[step.answer].push_back(status);
    const auto address = address_of(step.desired);
    request_log_.served(reported(job.update.dialect), step.desired.target, job.source, address,
                        status, job.began);
}

/// While the last of several hosts was served, another request may have changed those before it:
/// whoever asked last is told last, so that this one is not told what is not so any more.
void Updater::recheck(Job& job) const {
    if (job.plan.groups.size() + job.known.size() < 2) return;
    const auto good = [](update::UpdateStatus status) {
        return status == update::UpdateStatus::committed ||
               status == update::UpdateStatus::unchanged;
    };
    for (const auto* groups : {&job.plan.groups, &job.known}) {
        for (const auto& group : *groups) {
            for (const auto& step : group) {
                if (step.answer == protocol::Plan::unanswered) continue;
                auto& statuses = job.statuses[step.answer];
                if (std::all_of(statuses.begin(), statuses.end(), good) &&
                    !engine_.is_still_so(step.desired))
                    statuses.push_back(update::UpdateStatus::failed);
            }
        }
    }
}

/// Every desired has its status: the answers get their words.
void Updater::finished(Job& job) {
    for (std::size_t i = 0; i < job.plan.answers.size(); ++i) {
        if (!job.statuses[i].empty() &&
            job.plan.answers[i].word == protocol::HostAnswer::Word::nochg)
            job.plan.answers[i].word = protocol::word_for(job.statuses[i]);
    }
    for (const auto& [which, of] : job.plan.repeats) {
        job.plan.answers[which].word = job.plan.answers[of].word;
        job.plan.answers[which].addresses = job.plan.answers[of].addresses;
    }
    // What was served has been told of; here follows what could not be.
    for (const auto& one : job.plan.answers) {
        using Word = protocol::HostAnswer::Word;
        if (one.word != Word::nohost && one.word != Word::not_yours && one.word != Word::notfqdn)
            continue;
        request_log_.count(reported(job.update.dialect), Outcome::refused);
        log::info("{} from {}: {}", log::printable(one.host.substr(0, 255)), job.source.to_string(),
                  protocol::word_text(one.word));
    }
}

void Updater::after_delay(http::Later later, http::Response answer) {
    boost::asio::post(io_, [this, later = std::move(later), answer = std::move(answer)] {
        const auto timer = std::make_shared<boost::asio::steady_timer>(io_, guess_delay);
        timer->async_wait([this, timer, later, answer](boost::system::error_code) {
            delayed_.fetch_sub(1);
            later(answer);
        });
    });
}

std::optional<http::Response> Updater::refuse(protocol::Dialect dialect,
                                              const boost::asio::ip::address& client,
                                              const Defer& defer) {
    return refuse(dialect, client, auth_failures_.failed(client, base::Clock::now()), defer);
}

/// The answer to a wrong credential, or to one that is not looked at: at once, late, or none but to
/// come back later.
std::optional<http::Response> Updater::refuse(protocol::Dialect dialect,
                                              const boost::asio::ip::address& client,
                                              const accounts::AuthFailureLimiter::Treatment& status,
                                              const Defer& defer) {
    using Kind = accounts::AuthFailureLimiter::Treatment::Kind;
    request_log_.bad_credential(reported(dialect), client);
    // The packaged fail2ban filter reads this line.
    if (status.first) log::warn("too many bad keys from {}; refused for now", client.to_string());
    if (status.table_full)
        log::warn(
            "so many addresses send bad keys that no more can be counted: the bad keys of others "
            "are refused");
    if (status.kind == Kind::answer) return protocol::bad_credential(dialect);
    if (status.kind == Kind::delay) {
        if (delayed_.fetch_add(1) < most_delayed) {
            after_delay(defer(), protocol::bad_credential(dialect));
            return std::nullopt;
        }
        delayed_.fetch_sub(1);
    }
    auto answer = protocol::too_many_guesses(dialect);
    answer.retry_after = std::max<std::chrono::seconds>(status.retry_after, guess_delay);
    return answer;
}

std::optional<http::Response> Updater::bad_key(const boost::asio::ip::address& client,
                                               const Defer& defer) {
    return refuse(protocol::Dialect::secret_url, client, defer);
}

void Updater::submit(const accounts::Entry& entry, const boost::asio::ip::address& client,
                     base::TimePoint began, http::Later later) {
    update::DesiredRecord desired;
    desired.target = {entry.host, dns::type_of(client)};
    desired.ttl = entry.ttl;
    desired.rdata = dns::rdata_of(client);
    desired.reverse = entry.reverse;
    desired.at_source = true;
    if (spdlog::should_log(spdlog::level::debug)) {
        log::debug("{} {} {}: accepted", host_table_.name(entry.host).text(),
                   dns::type_text(desired.target.type), client.to_string());
    }
    const update::Target target = desired.target;
    engine_.submit(std::move(desired), [this, target, client, began,
                                        later = std::move(later)](update::UpdateOutcome result) {
        request_log_.served(Dialect::secret_url, target, client, client, result.status, began);
        published(target.host, client, result.status);
        later(secret_url::answer(result, *uptodate()));
    });
    wake_engine();
}

void Updater::wake_engine() {
    if (!ticking_ && engine_.busy()) keep_ticking();
}

void Updater::keep_ticking() {
    ticking_ = true;
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code error) {
        ticking_ = false;
        if (error) return;
        engine_.tick();
        if (engine_.busy()) keep_ticking();
    });
}

void Updater::failed(const dns::Name& host, dns::Type type, const dns::DnsError& failure) {
    request_log_.metrics().dns_error(failure.kind);
    const bool pointer = type == dns::Type::ptr;
    if (pointer && failure.kind == dns::DnsError::Kind::no_zone) {
        log::debug("no reverse zone of ours holds {}", host.text());
        return;
    }
    const auto text =
        fmt::format("{} {} not updated: {}", host.text(), dns::type_text(type), failure.text());
    failures_.add((pointer ? "ptr/" : "") + failure.key(), text, base::Clock::now());
}

/// The first of a kind is said, the others are counted. On any thread.
void Updater::complain(const std::string& kind, const std::string& text) {
    refusals_.add(kind, text, base::Clock::now());
}

void Updater::finish() {
    failures_.finish();
    refusals_.finish();
}

}  // namespace sftdyn::server
