// The HTTP server's handler: finds the key's host and lets the engine bring it up to date.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/address_update.hpp"
#include "api/plan.hpp"
#include "base/repeats.hpp"
#include "cli/address_watch.hpp"
#include "cli/chronicle.hpp"
#include "cli/hooked.hpp"
#include "hosts/directory.hpp"
#include "hosts/guesses.hpp"
#include "hosts/passwords.hpp"
#include "hosts/verifier.hpp"
#include "http/handler.hpp"
#include "update/dns_backend.hpp"
#include "update/engine.hpp"

namespace sftdyn::cli {

/// How requests are answered.
struct AnswerSettings {
    unsigned bad_keys;  ///< what guessing may cost: `hosts::Guesses`
    base::Duration bad_keys_refill;
    std::string uptodate;                          ///< the secret URL's word
    std::uint32_t ttl;                             ///< seconds, of hosts that only a conf's hooks know
    std::shared_ptr<const python::Conf> python{};  ///< a conf with hooks; null: there are none
};

class Updater : public http::Handler {
public:
    /// The engine runs on `io`.
    Updater(boost::asio::io_context& io, const update::Limits& limits);
    /// Ends what is under way: the responses it owes are given, so the HTTP server must still be there.
    ~Updater() override;

    /// What the configuration says; on the engine's thread.
    void configure(std::shared_ptr<const hosts::Directory> directory, const std::vector<update::ZoneServers>& servers, const update::Limits& limits,
                   const AnswerSettings& answers);
    [[nodiscard]] update::HostTable& hosts() { return host_table_; }
    [[nodiscard]] Chronicle& chronicle() { return chronicle_; }
    [[nodiscard]] const AddressWatch& watch() const { return watch_; }
    /// Requests that wait in the engine; on its thread.
    [[nodiscard]] std::size_t waiting() const { return engine_.waiting(); }
    [[nodiscard]] const update::DnsBackend& backend() const { return backend_; }

    std::optional<api::Response> handle(const api::Request& request, const std::function<http::Later()>& defer) override;

    [[nodiscard]] bool needs_fields() const override { return hooked_.needs_fields(); }

    /// Says what is still only counted.
    void finish();

    /// As `HookThreads::stop`.
    [[nodiscard]] bool stop_hooks(base::Duration patience) { return hooked_.stop(patience); }

private:
    using Defer = std::function<http::Later()>;
    struct Job;

    [[nodiscard]] std::shared_ptr<const std::string> uptodate() const;
    std::optional<api::Response> secret_url(const hosts::Entry& entry, const hosts::Directory& directory, const boost::asio::ip::address& client,
                                            base::TimePoint began, const Defer& defer);
    std::optional<api::Response> address_update(api::AddressUpdate update, const boost::asio::ip::address& source, base::TimePoint began,
                                                const Defer& defer);
    std::optional<api::Response> with_key(api::AddressUpdate update, const hosts::Directory& directory, const hosts::Entry& entry,
                                          const boost::asio::ip::address& source, base::TimePoint began, const Defer& defer);
    std::optional<api::Response> with_password(api::AddressUpdate update, std::shared_ptr<const hosts::Directory> directory,
                                               const boost::asio::ip::address& source, base::TimePoint began, const Defer& defer);
    std::optional<api::Response> carry_out(api::AddressUpdate update, const hosts::Directory& directory, const hosts::Client& client,
                                           const boost::asio::ip::address& source, base::TimePoint began, const Defer& defer);
    void submit(const std::shared_ptr<Job>& job);
    void served(Job& job, const api::Plan::Step& step, update::Verdict verdict);
    void published(update::HostId host, const boost::asio::ip::address& address, update::Verdict verdict);
    void recheck(Job& job) const;
    void finished(Job& job);
    std::optional<api::Response> refuse(api::Dialect dialect, const boost::asio::ip::address& client, const Defer& defer);
    std::optional<api::Response> refuse(api::Dialect dialect, const boost::asio::ip::address& client, const hosts::Guesses::Verdict& verdict,
                                        const Defer& defer);
    void after_delay(http::Later later, api::Response answer);
    std::optional<api::Response> bad_key(const boost::asio::ip::address& client, const std::function<http::Later()>& defer);
    void submit(const hosts::Entry& entry, const boost::asio::ip::address& client, base::TimePoint began, http::Later later);
    void complain(const std::string& kind, const std::string& text);
    void failed(const dns::Name& host, dns::Type type, const dns::Failure& failure);
    void see_to_engine();
    void keep_ticking();
    [[nodiscard]] std::shared_ptr<const hosts::Directory> directory() const;

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    bool ticking_ = false;
    std::atomic<base::Duration::rep> verify_interval_;
    mutable std::mutex directory_mutex_;
    std::shared_ptr<const hosts::Directory> directory_;
    std::shared_ptr<const std::string> uptodate_ = std::make_shared<const std::string>("UPTODATE");
    hosts::VerifiedPasswords passwords_;
    hosts::VerifiedPasswords familiar_;  ///< which were right, by the client's network in place of a hash
    hosts::Guesses guesses_{0, base::Duration(0)};
    std::atomic<unsigned> delayed_ = 0;  ///< answers to bad keys that are held back
    AddressWatch watch_;
    update::HostTable host_table_;
    update::KnownTable known_;
    Chronicle chronicle_{host_table_};
    update::DnsBackend backend_;
    std::vector<update::ZoneServers> servers_;
    base::Repeats failures_;
    base::Repeats refusals_;  ///< what clients ask for and don't get
    update::Engine engine_;
    Hooked hooked_;
    hosts::Verifier verifier_;  ///< last: what it does uses all of the above
};

}  // namespace sftdyn::cli
