// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/admin.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <future>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "dns/record.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

constexpr std::int64_t remembered = 366 * 86400;  // seconds that a host without check-ins is kept
constexpr auto look_interval = std::chrono::minutes(1);  // at most, for stale hosts
constexpr auto probe_time = std::chrono::seconds(1);     // time for DNS servers to answer
constexpr auto engine_time = std::chrono::seconds(2);    // time for the engine's thread to answer
constexpr auto stop_time = std::chrono::milliseconds(500);
const std::time_t began = std::time(nullptr);

std::string json_string(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

/// Metrics are requested by one program, at intervals.
http::Limits page_limits() {
    http::Limits limits = http_limits(config::Settings());
    limits.connections = 50;
    limits.connections_per_client = 50;
    return limits;
}

std::string host_json(const dns::Name& name, const update::RrsetKey& target,
                      const telemetry::HostRecord& record, bool stale) {
    boost::json::value address;
    if (!record.address.is_unspecified()) address = record.address.to_string();
    const auto time = [](std::int64_t at) {
        return at == 0 ? boost::json::value() : boost::json::value(at);
    };
    return boost::json::serialize(
        boost::json::object{{"host", name.text()},
                            {"type", dns::type_text(target.type)},
                            {"address", std::move(address)},
                            {"checked_in", time(record.checked_in)},
                            {"changed", time(record.changed)},
                            {"outcome", telemetry::text_of(record.outcome)},
                            {"stale", stale}});
}

}  // namespace

Admin::Admin(Parts parts, const config::Settings& settings, const EventCommand& runner)
    : parts_(parts),
      control_(settings.admin.control),
      state_(settings.admin.state),
      has_event_command_(!settings.admin.event_command.empty()),
      choice_(settings.admin.events),
      events_(parts.io, runner, [this](const Event& event) { on_command_run(event); }),
      page_(
          parts.request_log.metrics(),
          [this](Needed needed, const Gathered& done) { gather(needed, done); },
          [this] { return is_engine_alive(); }),
      status_(
          parts.io,
          [this](const std::function<void(ControlSocket::Document)>& done) { prepare(done); },
          [this](const std::string& line) { return carry_out(line); }),
      timer_(parts.io) {
    for (const auto& listen : settings.admin.metrics) {
        http::Endpoint endpoint;
        endpoint.address = listen.address.value_or(boost::asio::ip::address_v4::loopback());
        endpoint.port = listen.port;
        endpoint.path = listen.path;
        endpoint.mode = listen.mode;
        endpoint.gid = listen.gid;
        endpoints_.push_back(endpoint);
    }
    if (!endpoints_.empty())
        pages_ = std::make_unique<http::Server>(page_, page_limits(), http::Proxies{}, 1);
    parts_.request_log.remember(pages_ || control_ || state_ ||
                                !settings.admin.event_command.empty());
    parts_.request_log.history().on_event(
        [this](const telemetry::HistoryEvent& event) { tell(event); });
}

Admin::~Admin() {
    parts_.request_log.remember(false);
    parts_.request_log.history().on_event({});
    {
        const base::MutexLock lock(asked_mutex_);
        asked_.clear();
    }
    if (store_) keep_events();
}

base::Result<void> Admin::listen() {
    if (pages_) {
        if (auto listening = pages_->listen(endpoints_); listening.has_error()) return listening;
    }
    return control_ ? status_.listen(*control_) : base::Result<void>();
}

void Admin::start() {
    if (state_) open_store();
    if (pages_) start_pages();
    if (control_) status_.start();
    started_ = true;
    look_for_stale();
}

/// A failure is logged; everything else works without the pages.
void Admin::start_pages() {
    const auto started = pages_->start();
    if (!started.has_error()) return;
    log::error("there are no metrics: {}", started.error().text());
    pages_.reset();
    endpoints_.clear();
}

void Admin::stop(base::TimePoint deadline) {
    if (pages_) pages_->stop(std::min(deadline, base::Clock::now() + stop_time));
    events_.wait_until_idle(deadline);
}

std::string Admin::database_path() const {
    return (std::filesystem::path(*state_) / "hosts.sqlite").string();
}

void Admin::make_state() const {
    // A failure is reported when the file is opened.
    if (state_) static_cast<void>(telemetry::Database::prepare_for_sandbox(database_path()));
}

/// A failure is logged; everything else works without the database.
void Admin::open_store() {
    auto database = telemetry::Database::open(database_path());
    if (database.has_error()) return log::warn("{}", database.error().text());
    auto& history = parts_.request_log.history();
    const auto loaded = (*database)->load(history, parts_.hosts, std::time(nullptr) - remembered);
    if (loaded.has_error()) return log::warn("{}", loaded.error().text());
    log::debug("{} hosts are remembered", *loaded);
    const auto untold = (*database)->take_events(parts_.hosts);
    if (untold.has_error()) log::warn("{}", untold.error().text());
    store_ = std::make_unique<telemetry::Store>(std::move(*database), history, parts_.hosts);
    if (untold.has_error()) return;
    for (const auto& event : *untold) tell(event);
}

void Admin::configure(Clients clients) {
    auto& history = parts_.request_log.history();
    if (clients.are_all_known)
        history.keep_only(clients.hosts.all);
    else
        history.keep_all();
    clients_ = std::make_shared<const Clients>(std::move(clients));
    is_reload_successful_ = true;
    reload_time_ = std::time(nullptr);
    drop_forgotten();
    if (started_) look_for_stale();
}

/// The time of the last check-in at or before which a host is stale.
telemetry::StaleSince Admin::stale_since() const {
    return {std::time(nullptr), telemetry::stale_seconds(clients_->stale_after),
            clients_->hosts.stale_after};
}

/// 0: hosts never become stale.
base::Duration Admin::shortest_stale_time() const {
    base::Duration shortest = clients_->stale_after;
    if (!clients_->hosts.stale_after) return shortest;
    for (const auto& [host, seconds] : *clients_->hosts.stale_after) {
        if (seconds == 0) continue;
        const base::Duration time = std::chrono::seconds(seconds);
        shortest = shortest.count() == 0 ? time : std::min(shortest, time);
    }
    return shortest;
}

void Admin::look_for_stale() {
    parts_.request_log.history().tell_stale(stale_since());
    const base::Duration shortest = shortest_stale_time();
    timer_.expires_after(shortest.count() > 0
                             ? std::clamp<base::Duration>(
                                   shortest / 4, std::chrono::milliseconds(250), look_interval)
                             : base::Duration(look_interval));
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) look_for_stale();
    });
}

/// Runs on the page server's thread, which may wait, because the other pages need the engine too.
bool Admin::is_engine_alive() const {
    const auto answered = std::make_shared<std::promise<void>>();
    auto answer = answered->get_future();
    boost::asio::post(parts_.io, [answered] { answered->set_value(); });
    return answer.wait_for(engine_time) == std::future_status::ready;
}

/// Runs on the page server's thread.
void Admin::gather(Needed needed, const Gathered& done) {
    const auto asked = std::make_shared<Gathered>(done);
    {
        const base::MutexLock lock(asked_mutex_);
        asked_.insert(asked);
    }
    const auto end = needed == Needed::readiness ? update::ProbeEnd::can_be_asked
                                                 : update::ProbeEnd::all_answered;
    boost::asio::post(parts_.io, [this, end, weak = std::weak_ptr(asked)] {
        update::engine_thread.assert_held();
        parts_.backend.probe(base::Clock::now() + probe_time, end,
                             [this, weak](const std::vector<update::ServerState>& servers) {
                                 update::engine_thread.assert_held();
                                 const auto still_asked = weak.lock();
                                 if (!still_asked) return;
                                 (*still_asked)(now(servers));
                                 const base::MutexLock lock(asked_mutex_);
                                 asked_.erase(still_asked);
                             });
    });
}

telemetry::Metrics::Now Admin::now(const std::vector<update::ServerState>& servers) const {
    telemetry::Metrics::Now now;
    now.waiting = parts_.updates.waiting();
    now.connections = parts_.server.connections();
    now.clients = clients_->count;
    now.stale_hosts = parts_.request_log.history().stale_count(stale_since());
    now.ready = is_ready(servers);
    // An address may be configured twice.
    std::map<std::pair<std::string, std::string>, bool> up;
    for (const auto& server : servers) {
        const std::string zone = server.zone ? server.zone->text() : std::string();
        auto& good = up.try_emplace({server.name, zone}, true).first->second;
        good = good && !server.failure;
    }
    for (const auto& [server, good] : up)
        now.servers.push_back({server.first, server.second, good});
    const auto certificates = parts_.certificates.expiry();
    now.certificates.assign(certificates.begin(), certificates.end());
    now.is_reload_successful = is_reload_successful_;
    now.reload_time = reload_time_;
    if (!has_event_command_) return now;
    const auto counts = events_.counts();
    now.event_commands = {{"ok", counts.succeeded},
                          {"failed", counts.failed},
                          {"timed_out", counts.timed_out},
                          {"not_run", counts.not_run},
                          {"lost", counts.lost}};
    now.event_commands_waiting = counts.waiting;
    return now;
}

/// Whether requests can be served. If an UPDATE has been in doubt for longer than the request
/// timeout, all later requests for its zone have failed.
bool Admin::is_ready(const std::vector<update::ServerState>& servers) const {
    const auto in_doubt = parts_.backend.in_doubt();
    return can_be_asked(servers) &&
           std::all_of(in_doubt.begin(), in_doubt.end(), [this](const update::ZoneInDoubt& zone) {
               update::engine_thread.assert_held();
               return zone.time < parts_.updates.timeout_of(zone.zone);
           });
}

/// Carries out `forget HOST`, the only command.
std::string Admin::carry_out(const std::string& line) {
    constexpr std::string_view forget = "forget ";
    const auto answer = [](const boost::json::object& object) {
        return boost::json::serialize(object) + "\n";
    };
    if (!line.starts_with(forget))
        return answer({{"error", "there is no such command for a running sftdyn"}});
    const auto name = dns::Name::parse_host(std::string_view(line).substr(forget.size()));
    if (name.has_error()) return answer({{"error", "this is not a host's name"}});
    const auto host = parts_.hosts.find(*name);
    const bool was_known = host && parts_.request_log.history().forget(*host);
    drop_forgotten();
    if (was_known) log::info("{}: forgotten, as `sftdyn forget` asks", name->text());
    return answer({{"host", name->text()}, {"forgotten", was_known}});
}

/// The part of the document that is made on the engine's thread. The hosts are written on the
/// control socket's thread.
struct Admin::Facts {
    std::string head;
    std::shared_ptr<const Clients> clients;
};

/// The members of the status document in front of the hosts.
std::string Admin::status_head(const std::vector<update::ServerState>& servers) const {
    boost::json::array list;
    for (const auto& server : servers) {
        boost::json::object one{
            {"address", server.name},
            {"state", server.failure ? server.failure->text() : std::string("answers")},
            {"good", !server.failure}};
        if (server.zone) one["zone"] = server.zone->text();
        list.push_back(std::move(one));
    }
    boost::json::array in_doubt;
    for (const auto& zone : parts_.backend.in_doubt()) {
        const auto time = std::chrono::duration_cast<std::chrono::seconds>(zone.time);
        in_doubt.push_back(
            boost::json::object{{"zone", zone.zone.text()}, {"seconds", time.count()}});
    }
    boost::json::array warnings;
    for (const auto& one : parts_.watch.warnings())
        warnings.push_back(boost::json::object{{"check", one.check},
                                               {"address", one.address},
                                               {"what", one.what},
                                               {"mend", one.remedy}});
    const boost::json::object head{{"version", SFTDYN_VERSION},
                                   {"process", getpid()},
                                   {"since", began},
                                   {"now", std::time(nullptr)},
                                   {"conf", clients_->conf},
                                   {"conf_version", clients_->conf_version},
                                   {"clients", clients_->count},
                                   {"waiting", parts_.updates.waiting()},
                                   {"connections", parts_.server.connections()},
                                   {"ready", is_ready(servers)},
                                   {"servers", std::move(list)},
                                   {"in_doubt", std::move(in_doubt)},
                                   {"warnings", std::move(warnings)}};
    return boost::json::serialize(head);
}

void Admin::prepare(const std::function<void(ControlSocket::Document)>& done) {
    const auto asked = [this, done, alive = std::weak_ptr(alive_)](
                           const std::vector<update::ServerState>& servers) {
        update::engine_thread.assert_held();
        if (alive.expired()) return;
        const auto facts = std::make_shared<Facts>(Facts{status_head(servers), clients_});
        // There may be many hosts, so they are written one by one at the end of the object.
        facts->head.pop_back();
        done([this, facts, since = stale_since()](const ControlSocket::Part& part) {
            const auto& history = parts_.request_log.history();
            const auto& names = parts_.hosts;
            part(facts->head + ",\"hosts\":[");
            bool first = true;
            const auto separate = [&first, &part] {
                if (!std::exchange(first, false)) part(",");
            };
            for (const auto& [target, record] : history.all()) {
                separate();
                part(host_json(names.name(target.host), target, record,
                               history.is_stale(target, since)));
            }
            part("],\"never\":[");
            first = true;
            for (const update::HostId host : facts->clients->hosts.all) {
                if (history.knows(host)) continue;
                separate();
                part(json_string(names.name(host).text()));
            }
            part("]}\n");
        });
    };
    update::engine_thread.assert_held();
    parts_.backend.probe(base::Clock::now() + probe_time, update::ProbeEnd::all_answered, asked);
}

}  // namespace sftdyn::server
