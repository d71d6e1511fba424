// SPDX-License-Identifier: GPL-3.0-or-later
// The administrator's interfaces: metrics, status, the history of hosts, and the event command.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mutex.hpp"
#include "config/settings.hpp"
#include "http/server.hpp"
#include "server/address_watch.hpp"
#include "server/certificate_watcher.hpp"
#include "server/control_socket.hpp"
#include "server/event_feeder.hpp"
#include "server/metrics_page.hpp"
#include "server/update_service.hpp"
#include "server/wiring.hpp"
#include "telemetry/history_store.hpp"
#include "telemetry/request_log.hpp"
#include "update/dns_backend.hpp"

namespace sftdyn::server {

/// Owns the metrics page, the control socket, the database of hosts and the queue of the event
/// command. Owned by `Service`; used on the thread of `io` unless a function says otherwise.
class Admin {
public:
    /// The parts of the program that it reads from; they outlive it.
    struct Parts {
        boost::asio::io_context& io;
        update::HostTable& hosts;
        telemetry::RequestLog& request_log;
        const AddressWatch& watch;
        const UpdateService& updates;
        const update::DnsBackend& backend;
        const http::Server& server;
        const CertificateWatcher& certificates;
    };
    Admin(Parts parts, const config::Settings& settings, const EventCommand& runner);
    /// Saves the history of hosts.
    ~Admin();
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    /// Opens its sockets. Port 0 is replaced by the assigned port.
    [[nodiscard]] base::Result<void> listen();
    [[nodiscard]] const std::vector<http::Endpoint>& endpoints() const { return endpoints_; }
    /// Creates the database file, after the change of user and before the sandbox.
    void make_state() const;
    /// To be called once, when the process is in the sandbox.
    void start();
    /// Waits until pages and commands in progress have ended, or until the deadline. Not on the
    /// thread of `io`.
    void stop(base::TimePoint deadline);

    /// The configuration of the clients.
    struct Clients {
        std::size_t count = 0;
        ConfiguredHosts hosts{};
        bool are_all_known = true;  ///< true: only `hosts` are updated
        base::Duration stale_after{};
        std::string conf{};          ///< path of the configuration file
        std::string conf_version{};  ///< version of that file when it was read
    };
    /// To be called at the start and after each reload.
    void configure(Clients clients);
    /// To be called when a reload was refused. On the thread of `configure`.
    void on_reload_refused() { is_reload_successful_ = false; }

private:
    struct Facts;
    void open_store();
    void start_pages();
    [[nodiscard]] std::string database_path() const;
    using Gathered = MetricsPage::Gathered;
    using Needed = MetricsPage::Needed;
    void gather(Needed needed, const Gathered& done);
    [[nodiscard]] telemetry::Metrics::Now now(const std::vector<update::ServerState>& servers) const
        REQUIRES(update::engine_thread);
    [[nodiscard]] bool is_ready(const std::vector<update::ServerState>& servers) const
        REQUIRES(update::engine_thread);
    [[nodiscard]] bool is_engine_alive() const;
    [[nodiscard]] std::string status_head(const std::vector<update::ServerState>& servers) const
        REQUIRES(update::engine_thread);
    void prepare(const std::function<void(ControlSocket::Document)>& done);
    [[nodiscard]] std::string carry_out(const std::string& line);
    void look_for_stale();
    void drop_forgotten();
    [[nodiscard]] telemetry::StaleSince stale_since() const;
    [[nodiscard]] base::Duration shortest_stale_time() const;
    void keep_events();
    void on_command_run(const Event& event);
    void tell(const telemetry::HistoryEvent& event);
    [[nodiscard]] std::optional<EventKind> wanted(telemetry::HistoryEventKind kind) const;

    Parts parts_;
    std::optional<std::string> control_, state_;
    bool has_event_command_;
    config::EventChoice choice_;
    EventFeeder events_;
    std::vector<http::Endpoint> endpoints_;
    MetricsPage page_;
    std::unique_ptr<http::Server> pages_;
    /// Page requests that wait for their data. They belong to the page server, and end before it
    /// does.
    base::Mutex asked_mutex_;
    std::set<std::shared_ptr<Gathered>> asked_ GUARDED_BY(asked_mutex_);
    ControlSocket status_;
    boost::asio::steady_timer timer_;
    bool started_ = false;
    std::shared_ptr<const Clients> clients_ = std::make_shared<const Clients>();
    bool is_reload_successful_ = true;
    std::time_t reload_time_ = 0;  ///< of the last successful one
    std::unique_ptr<telemetry::Store> store_;
    std::shared_ptr<const Admin*> alive_ = std::make_shared<const Admin*>(
        this);  ///< DNS queries may be answered after it was destroyed
};

}  // namespace sftdyn::server
