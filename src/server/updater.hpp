// The HTTP server's handler: finds the key's host and lets the engine bring it up to date.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "accounts/account_directory.hpp"
#include "accounts/auth_failure_limiter.hpp"
#include "accounts/password_verifier.hpp"
#include "accounts/passwords.hpp"
#include "base/log_throttle.hpp"
#include "http/handler.hpp"
#include "protocol/dyndns.hpp"
#include "protocol/update_plan.hpp"
#include "server/address_watch.hpp"
#include "server/hook_handler.hpp"
#include "telemetry/request_log.hpp"
#include "update/dns_backend.hpp"
#include "update/engine.hpp"

namespace sftdyn::server {

/// How requests are answered.
struct AnswerSettings {
    unsigned bad_keys;  ///< what guessing may cost: `accounts::AuthFailureLimiter`
    base::Duration bad_keys_refill;
    std::string uptodate;  ///< the secret URL's word
    std::uint32_t ttl;     ///< seconds, of hosts that only a conf's hooks know
    std::shared_ptr<const python::Conf> python{};  ///< a conf with hooks; null: there are none
};

class Updater : public http::Handler {
public:
    /// The engine runs on `io`.
    Updater(boost::asio::io_context& io, const update::EngineLimits& limits);
    /// Ends what is under way: the responses it owes are given, so the HTTP server must still be
    /// there.
    ~Updater() override;

    /// What the configuration says; on the engine's thread.
    void configure(std::shared_ptr<const accounts::AccountDirectory> directory,
                   const std::vector<update::ZoneServers>& servers,
                   const update::EngineLimits& limits, const AnswerSettings& answers);
    [[nodiscard]] update::HostTable& hosts() { return host_table_; }
    [[nodiscard]] telemetry::RequestLog& request_log() { return request_log_; }
    [[nodiscard]] const AddressWatch& watch() const { return watch_; }
    /// Requests that wait in the engine; on its thread.
    [[nodiscard]] std::size_t waiting() const { return engine_.waiting(); }
    [[nodiscard]] const update::DnsBackend& backend() const { return backend_; }

    std::optional<http::Response> handle(const http::Request& request,
                                         const std::function<http::Later()>& defer) override;

    [[nodiscard]] bool needs_fields() const override { return hook_handler_.needs_fields(); }

    /// Says what is still only counted.
    void finish();

    /// As `HookThreads::stop`.
    [[nodiscard]] bool stop_hooks(base::Duration patience) { return hook_handler_.stop(patience); }

private:
    using Defer = std::function<http::Later()>;
    struct Job;

    [[nodiscard]] std::shared_ptr<const std::string> uptodate() const;
    std::optional<http::Response> secret_url(const accounts::Entry& entry,
                                             const accounts::AccountDirectory& directory,
                                             const boost::asio::ip::address& client,
                                             base::TimePoint began, const Defer& defer);
    std::optional<http::Response> address_update(protocol::AddressUpdate update,
                                                 const boost::asio::ip::address& source,
                                                 base::TimePoint began, const Defer& defer);
    std::optional<http::Response> with_key(protocol::AddressUpdate update,
                                           const accounts::AccountDirectory& directory,
                                           const accounts::Entry& entry,
                                           const boost::asio::ip::address& source,
                                           base::TimePoint began, const Defer& defer);
    std::optional<http::Response> with_password(
        protocol::AddressUpdate update, std::shared_ptr<const accounts::AccountDirectory> directory,
        const boost::asio::ip::address& source, base::TimePoint began, const Defer& defer);
    std::optional<http::Response> carry_out(protocol::AddressUpdate update,
                                            const accounts::AccountDirectory& directory,
                                            const accounts::Client& client,
                                            const boost::asio::ip::address& source,
                                            base::TimePoint began, const Defer& defer);
    void submit(const std::shared_ptr<Job>& job);
    void served(Job& job, const protocol::Plan::Step& step, update::UpdateStatus status);
    void published(update::HostId host, const boost::asio::ip::address& address,
                   update::UpdateStatus status);
    void recheck(Job& job) const;
    void finished(Job& job);
    std::optional<http::Response> refuse(protocol::Dialect dialect,
                                         const boost::asio::ip::address& client,
                                         const Defer& defer);
    std::optional<http::Response> refuse(protocol::Dialect dialect,
                                         const boost::asio::ip::address& client,
                                         const accounts::AuthFailureLimiter::Treatment& status,
                                         const Defer& defer);
    void after_delay(http::Later later, http::Response answer);
    std::optional<http::Response> bad_key(const boost::asio::ip::address& client,
                                          const std::function<http::Later()>& defer);
    void submit(const accounts::Entry& entry, const boost::asio::ip::address& client,
                base::TimePoint began, http::Later later);
    void complain(const std::string& kind, const std::string& text);
    void failed(const dns::Name& host, dns::Type type, const dns::DnsError& failure);
    void wake_engine();
    void keep_ticking();
    [[nodiscard]] std::shared_ptr<const accounts::AccountDirectory> directory() const;

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    bool ticking_ = false;
    std::atomic<base::Duration::rep> verify_interval_;
    mutable std::mutex directory_mutex_;
    std::shared_ptr<const accounts::AccountDirectory> directory_;
    std::shared_ptr<const std::string> uptodate_ = std::make_shared<const std::string>("UPTODATE");
    accounts::VerifiedPasswords passwords_;
    accounts::VerifiedPasswords
        familiar_;  ///< which were right, by the client's network in place of a hash
    accounts::AuthFailureLimiter auth_failures_{0, base::Duration(0)};
    std::atomic<unsigned> delayed_ = 0;  ///< answers to bad keys that are held back
    AddressWatch watch_;
    update::HostTable host_table_;
    update::ServedCache known_;
    telemetry::RequestLog request_log_{host_table_};
    update::DnsBackend backend_;
    std::vector<update::ZoneServers> servers_;
    base::LogThrottle failures_;
    base::LogThrottle refusals_;  ///< what clients ask for and don't get
    update::Engine engine_;
    HookHandler hook_handler_;
    accounts::Verifier verifier_;  ///< last: what it does uses all of the above
};

}  // namespace sftdyn::server
