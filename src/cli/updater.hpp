// The HTTP server's handler: finds the key's host and lets the engine bring it up to date.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/repeats.hpp"
#include "hosts/directory.hpp"
#include "hosts/guesses.hpp"
#include "http/handler.hpp"
#include "update/dns_backend.hpp"
#include "update/engine.hpp"

namespace sftdyn::cli {

/// What guessing keys may cost: `hosts::Guesses`.
struct GuessLimits {
    unsigned burst;
    base::Duration refill;
};

class Updater : public http::Handler {
public:
    /// The engine runs on `io`.
    Updater(boost::asio::io_context& io, const update::Limits& limits);
    /// Ends what is under way: the responses it owes are given, so the HTTP server must still be there.
    ~Updater() override;

    /// What the configuration says; on the engine's thread.
    void configure(std::shared_ptr<const hosts::Directory> directory, const std::vector<update::ZoneServers>& servers, const update::Limits& limits,
                   const GuessLimits& guess_limits);
    [[nodiscard]] update::HostTable& hosts() { return host_table_; }

    std::optional<api::Response> handle(const api::Request& request, const std::function<http::Later()>& defer) override;

    /// Says what is still only counted.
    void finish();

private:
    std::optional<api::Response> bad_key(const boost::asio::ip::address& client, const std::function<http::Later()>& defer);
    void submit(const hosts::Entry& entry, const boost::asio::ip::address& client, http::Later later);
    void failed(const dns::Name& host, dns::Type type, const dns::Failure& failure);
    void keep_ticking();
    [[nodiscard]] std::shared_ptr<const hosts::Directory> directory() const;

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    bool ticking_ = false;
    std::atomic<base::Duration::rep> verify_interval_;
    mutable std::mutex directory_mutex_;
    std::shared_ptr<const hosts::Directory> directory_;
    hosts::Guesses guesses_{0, base::Duration(0)};
    std::atomic<unsigned> delayed_ = 0;  ///< answers to bad keys that are held back
    update::HostTable host_table_;
    update::KnownTable known_;
    update::DnsBackend backend_;
    std::vector<update::ZoneServers> servers_;
    base::Repeats failures_;
    update::Engine engine_;
};

}  // namespace sftdyn::cli
