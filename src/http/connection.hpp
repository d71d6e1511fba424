// SPDX-License-Identifier: GPL-3.0-or-later
// One client's connection: requests are read, handled and answered one at a time.
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/intrusive/list.hpp>

#include "base/clock.hpp"
#include "http/connection_limiter.hpp"
#include "http/forwarded.hpp"
#include "http/handler.hpp"
#include "http/limits.hpp"
#include "http/observer.hpp"
#include "http/proxy_protocol.hpp"
#include "http/request_reader.hpp"
#include "http/socket.hpp"

namespace sftdyn::http {

struct ConnectionSet;

/// The common part of plain and TLS connections, which differ in how octets are sent and received.
class Connection : public std::enable_shared_from_this<Connection>,
                   public boost::intrusive::list_base_hook<> {
public:
    Connection(Socket socket, ConnectionSet& set, const Peer& peer,
               ConnectionLimiter::Ticket ticket);
    virtual ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `header`: the connection begins with a PROXY protocol header.
    void start(bool header);
    /// Ends the connection, which may be destroyed when this returns.
    void abort();
    [[nodiscard]] bool expired(base::TimePoint now) const { return now >= deadline_; }
    [[nodiscard]] bool idle() const { return phase_ == Phase::idle; }
    /// Since when the connection has been waiting for the client, to send or to close; absent: it
    /// is not waiting.
    [[nodiscard]] std::optional<base::TimePoint> awaited_since() const;

protected:
    /// Prepares the connection for the first request, and then calls `established`.
    virtual void establish() = 0;
    /// When done, each calls the function named in its comment, on the connection's thread.
    virtual void async_read(boost::asio::mutable_buffer into) = 0;   ///< on_read
    virtual void async_write(boost::asio::const_buffer octets) = 0;  ///< on_written
    /// Sends nothing more. `input_may_come`: the client may still be sending, and its input is
    /// drained.
    virtual void finish(bool input_may_come) = 0;

    void established() { next_request(); }
    void on_read(boost::system::error_code error, std::size_t size);
    void on_written(boost::system::error_code error);
    /// Reads and discards input until the client closes, then ends the connection.
    void drain();

    /// Calls `step`, a part of this connection's work. When memory is short, only this connection
    /// ends.
    template <class Step>
    void guarded(Step step) {
        try {
            step();
        } catch (const std::bad_alloc&) {
            out_of_memory();
        }
    }

    Socket& socket() { return socket_; }
    [[nodiscard]] bool between_requests() const { return phase_ == Phase::idle; }

private:
    enum class Phase : std::uint8_t { establishing, idle, reading, handling, writing, lingering };

    void read_proxy_header();
    void received_proxy_header(std::size_t size);
    void establish_soon();
    void next_request();
    void read_some();
    /// Parses what has been received. False: more is needed.
    bool parse();
    void dispatch();
    void respond(const Response& response, bool keep_alive);
    [[nodiscard]] Forwarding forwarding() const;
    void refuse(unsigned status);
    void enter(Phase phase, base::Duration time);
    void out_of_memory();

    ConnectionSet& set_;
    Socket socket_;
    Peer peer_;
    ConnectionLimiter::Ticket ticket_;
    base::TimePoint since_;     ///< start of the phase
    base::TimePoint deadline_;  ///< of the phase
    std::size_t requests_ = 0;
    Phase phase_ = Phase::establishing;
    bool keep_alive_ = false;
    bool refused_ = false;
    std::shared_ptr<Connection> held_;  ///< keeps itself alive while only the handler refers to it
    std::optional<ProxyHeaderReader> proxy_header_;  ///< while it is expected
    RequestReader reader_;
    std::string out_;
};

/// The connections of one thread.
struct ConnectionSet {
    using List = boost::intrusive::list<Connection, boost::intrusive::constant_time_size<true>>;
    Handler& handler;
    const Limits& limits;
    const Proxies& proxies;
    std::string_view proxy_field;  ///< the header field to read the client from; empty: none
    Observer* observer = nullptr;  ///< of refused requests; may be null
    /// For all deadlines of the connections.
    std::function<base::TimePoint()> clock = base::Clock::now;
    List list{};                        ///< the most recently idle connections are at the end
    bool closing = false;               ///< no connection takes another request
    base::TimePoint say_short_again{};  ///< when a shortage of memory may be logged again

    /// Ends the connections whose deadline has passed.
    void sweep(base::TimePoint now);
    /// Makes room for another connection: ends the connection that has been idle longest, or else
    /// the one whose client has been slow longest. False: there is neither.
    bool make_room(base::TimePoint now);
    /// Closes idle connections at once, and the others after their current request.
    void close_when_idle();
    /// Logs, at most once a minute, that a connection was ended because memory was short.
    void say_memory_is_short() noexcept;
};

}  // namespace sftdyn::http
