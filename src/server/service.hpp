// SPDX-License-Identifier: GPL-3.0-or-later
// The running service.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/load.hpp"
#include "http/server.hpp"
#include "platform/sandbox.hpp"
#include "platform/systemd_notifier.hpp"
#include "server/address_watch.hpp"
#include "server/admin.hpp"
#include "server/authenticator.hpp"
#include "server/certificate_watcher.hpp"
#include "server/event_command.hpp"
#include "server/reloader.hpp"
#include "server/removed_hosts.hpp"
#include "server/request_router.hpp"
#include "server/update_service.hpp"
#include "telemetry/request_log.hpp"
#include "update/dns_backend.hpp"

namespace sftdyn::server {

/// Owns all parts that handle requests, listens, reloads the configuration, and shuts down.
///
/// Used on the main thread, which is also the engine's: `run` runs its `io_context`. The order at
/// the start is: sockets, user and sandbox, threads.
class Service {
public:
    /// Called with the addresses that the service listens on, and those of the metrics.
    using Ready = std::function<void(const std::vector<std::string>& addresses,
                                     const std::vector<std::string>& metrics)>;

    /// `loaded` has no diagnostics; `load` reloads the configuration. `load` and `runner` outlive
    /// it. `passed` are systemd's sockets.
    Service(config::Loaded loaded, const config::Load& load, const EventCommand& runner,
            std::vector<http::Endpoint> passed = {});
    /// Ends all work in progress. Waiting requests are answered with a failure.
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Serves until SIGTERM or SIGINT. Returns the exit status.
    [[nodiscard]] int run(const Ready& ready);

    /// To be called after `run`. False: Python code does not return, so the process must exit
    /// without cleaning up.
    [[nodiscard]] bool is_over();

private:
    [[nodiscard]] bool use_certificates(const config::Settings& settings);
    void apply(const config::Loaded& loaded, const Directory& directory, std::size_t clients,
               ConfiguredHosts hosts) REQUIRES(update::engine_thread);
    void on_reloaded(Reloaded reloaded) REQUIRES(update::engine_thread);
    [[nodiscard]] base::Result<void> take_sockets();
    void await_signal();
    void say_summaries();
    void stop(int signal);
    void finish();

    // Requests in progress at the end are destroyed with the queues of `io_`. The members that log
    // and answer them come first, because they must outlive it.
    update::HostTable hosts_;
    telemetry::RequestLog request_log_{hosts_};
    http::Server server_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer summary_timer_{io_};
    boost::asio::steady_timer give_up_timer_{io_};
    platform::SystemdNotifier notifier_{io_};
    config::Settings started_{};  ///< settings at the start, without the clients
    std::optional<std::size_t> neighbours_at_start_{};  ///< the limit at the start
    std::vector<http::Endpoint> endpoints_;
    platform::SandboxSettings sandbox_;
    CertificateWatcher certificates_;
    bool certificates_usable_ = false;

    // The path of a request: server_, router_, a handler, updates_, the engine, and back.
    AddressWatch watch_;
    update::DnsBackend backend_;
    std::vector<update::ZoneServers> servers_;
    UpdateService updates_;
    RemovedHosts removed_hosts_ GUARDED_BY(update::engine_thread){updates_, hosts_};
    Authenticator authenticator_;
    RequestRouter router_;

    Admin admin_;
    std::shared_ptr<const python::Conf> python_{};  ///< the conf in force
    Reloader reloader_;
    base::TimePoint stop_deadline_{};
    std::thread stopper_;
};

}  // namespace sftdyn::server
