// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/service.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/journal_sink.hpp"
#include "base/log.hpp"
#include "base/log_throttle.hpp"
#include "base/system_error.hpp"
#include "base/thread.hpp"
#include "config/settings_schema.hpp"
#include "dns/tsig_key_provider.hpp"
#include "platform/processors.hpp"
#include "platform/startup_code.hpp"
#include "server/wiring.hpp"

namespace sftdyn::server {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

// The time from SIGTERM to the end. Requests, event commands and Python code in progress share it,
// except for `tidy_time`.
constexpr auto shutdown_time = std::chrono::seconds(5);
constexpr auto tidy_time = std::chrono::milliseconds(500);
// Requests that wait for the DNS are given up this long before, so that their answers can be sent.
constexpr auto answer_time = std::chrono::milliseconds(500);
// How often log throttles are checked. Their counts are logged a minute after the first message.
constexpr auto summary_interval = std::chrono::seconds(5);

void say_keys(const config::Settings& settings) {
    const auto check = [](const config::ZoneSettings& zone) {
        dns::TsigKeyProvider source(config::key_files(zone));
        const auto key = source.current();
        if (key.has_error())
            log::warn("{} (updates fail until it is readable; it is tried again with each)",
                      key.error().text());
    };
    check(settings.dns);
    for (const auto& zone : settings.zones) check(zone);
}

std::vector<std::string> urls(const std::vector<http::Endpoint>& endpoints) {
    std::vector<std::string> texts;
    for (const auto& endpoint : endpoints) texts.push_back(url_of(endpoint));
    return texts;
}

unsigned http_threads(const config::Settings& settings) {
    return settings.threads != 0 ? settings.threads : platform::usable_processors();
}

/// The limits of the settings, with fewer connections if the DNS would have no descriptors left.
http::Limits limits_of(const config::Loaded& loaded) {
    http::Limits limits = http_limits(loaded);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return limits;
    const auto& settings = loaded.settings;
    const std::size_t most = connections_within(files.rlim_cur, http_threads(settings),
                                                settings.http.size() + settings.https.size());
    if (limits.connections <= most) return limits;
    log::warn("connections is {}, but {} file descriptors allow no more than {}; {}",
              limits.connections, files.rlim_cur, most, base::descriptors_remedy);
    limits.connections = most;
    return limits;
}

}  // namespace

Service::Service(config::Loaded loaded, const config::Load& load, const EventCommand& runner,
                 std::vector<http::Endpoint> passed)
    : server_(router_, limits_of(loaded), proxies(loaded.settings), http_threads(loaded.settings),
              &router_),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      endpoints_(listening_endpoints(loaded.settings, std::move(passed))),
      certificates_(io_, [this](const http::TlsContext& context) { server_.use_tls(context); }),
      backend_(io_),
      updates_(io_, backend_, hosts_, request_log_.metrics(), engine_limits(loaded.settings)),
      authenticator_(io_),
      router_(authenticator_, updates_, hosts_, request_log_, watch_),
      admin_({io_, hosts_, request_log_, watch_, updates_, backend_, server_, certificates_},
             loaded.settings, runner),
      reloader_(io_, load, hosts_, notifier_, [this](Reloaded reloaded) {
          update::engine_thread.assert_held();
          on_reloaded(std::move(reloaded));
      }) {
    auto listening = endpoints_;
    listening.insert(listening.end(), admin_.endpoints().begin(), admin_.endpoints().end());
    sandbox_ = sandbox_settings(loaded, listening);
    for (const int socket : {notifier_.socket(), log::journal_socket()})
        if (socket >= 0) sandbox_.connected.push_back(socket);
    certificates_usable_ = use_certificates(loaded.settings);
    apply(loaded, make_directory(loaded.settings, hosts_), loaded.settings.client_count(),
          configured_hosts(loaded.settings, hosts_));
    neighbours_at_start_ = http_limits(loaded).connections_per_neighbour;
    started_ = std::move(loaded.settings);
    started_.clients = {};
    started_.named_clients.clear();
    started_.included.clear();
}

Service::~Service() {
    if (stopper_.joinable()) stopper_.join();
    static_cast<void>(router_.stop_hooks(base::Duration(0)));
    authenticator_.stop();
    backend_.close();
}

/// False: a certificate is not usable, or a needed one is missing.
bool Service::use_certificates(const config::Settings& settings) {
    const auto certificates = config::certificates(settings);
    if (!certificates.empty()) return certificates_.use(certificates, settings.tls_min_version);
    const bool needed = std::any_of(endpoints_.begin(), endpoints_.end(),
                                    [](const auto& endpoint) { return endpoint.tls; });
    if (needed) log::error("HTTPS is listened on without a certificate; set cert and key");
    return !needed;
}

void Service::apply(const config::Loaded& loaded, const Directory& directory, std::size_t clients,
                    ConfiguredHosts hosts) {
    const config::Settings& settings = loaded.settings;
    const bool has_get_host = loaded.python && loaded.python->has_get_host();
    if (clients == 0 && !has_get_host) log::warn("there are no clients: every key is a bad key");
    say_keys(settings);
    if (settings.verbosity || settings.debug)
        log::adjust(settings.verbosity.value_or(0), settings.debug);

    authenticator_.configure(settings.bad_keys, settings.bad_keys_refill);
    const auto answers = answer_settings(loaded, directory);
    watch_.configure(loaded.python != nullptr);
    router_.configure(answers);
    auto servers = zone_servers(settings);
    // A conf that was run again may give other updates for the same hosts.
    const bool servers_changed = servers != servers_ || answers->hooks;
    servers_ = std::move(servers);
    backend_.configure(servers_);
    auto limits = engine_limits(settings);
    limits.own_changes = hosts.changes;
    updates_.configure(limits, servers_changed);
    python_ = loaded.python;
    removed_hosts_.configure(hosts.all, settings.on_removal == config::Settings::OnRemoval::remove);
    admin_.configure({.count = clients,
                      .hosts = std::move(hosts),
                      .are_all_known = !has_get_host,
                      .stale_after = settings.admin.stale_after,
                      .conf = loaded.conf,
                      .conf_version = loaded.conf_version});
}

int Service::run(const Ready& ready) {
    if (!certificates_usable_) return 1;
    if (const auto taken = take_sockets(); taken.has_error()) {
        log::critical("{}", taken.error().text());
        return 1;
    }
    admin_.make_state();
    platform::enter_sandbox(sandbox_);
    router_.begin_hooks();
    await_signal();
    say_summaries();
    if (const auto started = server_.start(); started.has_error()) {
        log::critical("{}", started.error().text());
        return 1;
    }
    admin_.start();
    platform::release_startup_code();
    ready(urls(endpoints_), urls(admin_.endpoints()));
    notifier_.ready();
    const base::ThreadRole::Binding engine_thread(update::engine_thread);
    io_.run();
    return 0;
}

/// Opens the sockets, and then drops the privileges that this needs.
base::Result<void> Service::take_sockets() {
    if (auto listening = server_.listen(endpoints_); listening.has_error()) return listening;
    if (auto listening = admin_.listen(); listening.has_error()) return listening;
    return platform::drop_privileges(sandbox_.user);
}

void Service::await_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
        if (error) return;
        if (signal != SIGHUP) return stop(signal);
        reloader_.reload();
        await_signal();
    });
}

/// Logs the counts of suppressed messages, at intervals.
void Service::say_summaries() {
    summary_timer_.expires_after(summary_interval);
    summary_timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        base::LogThrottle::summarise_all(base::Clock::now());
        say_summaries();
    });
}

void Service::on_reloaded(Reloaded reloaded) {
    const config::Loaded& loaded = reloaded.loaded;
    for (const auto& diagnostic : loaded.diagnostics) log::error("{}", diagnostic.text());
    // The certificates come first: the configuration is applied as a whole or not at all.
    if (!loaded.diagnostics.empty() || !use_certificates(loaded.settings)) {
        log::error("the new configuration is not used; the old one stays in use");
        admin_.on_reload_refused();
        return;
    }
    for (const auto& warning : loaded.settings.warnings) log::warn("{}", warning.text());
    const auto notice = config::restart_notice(started_, loaded.settings);
    if (!notice.empty()) log::warn("{}", notice);
    if (http_limits(loaded).connections_per_neighbour != neighbours_at_start_)
        log::warn(
            "get_ip was added or removed: how many connections a proxy may have changes only with "
            "a restart");
    apply(loaded, reloaded.directory, reloaded.clients, std::move(reloaded.hosts));
    log::info("the configuration has {} clients", reloaded.clients);
}

void Service::stop(int signal) {
    log::info("{}: finishing what is under way", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    notifier_.stopping();
    stop_deadline_ = base::Clock::now() + shutdown_time;
    give_up_timer_.expires_at(stop_deadline_ - tidy_time - answer_time);
    give_up_timer_.async_wait([this](boost::system::error_code error) {
        update::engine_thread.assert_held();
        if (!error) updates_.give_up();
    });
    // The engine must continue, so another thread waits.
    auto stopper = base::start_thread([this] {
        base::survive_no_memory([this] { server_.stop(stop_deadline_ - tidy_time); });
        base::survive_no_memory([this] { admin_.stop(stop_deadline_ - tidy_time); });
        base::insist([this] { asio::post(io_, [this] { finish(); }); });
    });
    if (stopper) {
        stopper_ = std::move(*stopper);
        return;
    }
    // Without that thread, work in progress is ended at once.
    server_.stop(base::Clock::now());
    admin_.stop(base::Clock::now());
    finish();
}

void Service::finish() {
    update::engine_thread.assert_held();
    updates_.finish();
    router_.finish();
    io_.stop();
}

bool Service::is_over() {
    const auto deadline = stop_deadline_ - tidy_time / 2;
    const auto patience = std::max(base::Duration(0), deadline - base::Clock::now());
    if (!router_.stop_hooks(patience)) return false;
    // A load may run the code of a conf, which may not return.
    return !python_ || reloader_.ends_by(deadline);
}

}  // namespace sftdyn::server
