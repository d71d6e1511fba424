// SPDX-License-Identifier: GPL-3.0-or-later
// One client's connection: requests are read, handled and answered one after the other.
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

/// What plain and TLS connections have in common; they differ in how octets travel.
class Connection : public std::enable_shared_from_this<Connection>,
                   public boost::intrusive::list_base_hook<> {
public:
    Connection(Socket socket, ConnectionSet& set, const Peer& peer,
               ConnectionLimiter::Ticket ticket);
    virtual ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `header`: a PROXY protocol header comes first.
    void start(bool header);
    /// Ends it. The connection may be gone when this returns.
    void abort();
    [[nodiscard]] bool expired(base::TimePoint now) const { return now >= deadline_; }
    [[nodiscard]] bool idle() const { return phase_ == Phase::idle; }
    /// Since when the client has been waited for, to send or to go; absent: it is not.
    [[nodiscard]] std::optional<base::TimePoint> awaited_since() const;

protected:
    /// Does what is to be done before the first request, and ends with a call to `established`.
    virtual void establish() = 0;
    /// Each ends with a call to what is named behind it, on the connection's thread.
    virtual void async_read(boost::asio::mutable_buffer into) = 0;   ///< on_read
    virtual void async_write(boost::asio::const_buffer octets) = 0;  ///< on_written
    /// Nothing more is sent. `input_may_come`: the client may still be sending, and its input is
    /// drained.
    virtual void finish(bool input_may_come) = 0;

    void established() { next_request(); }
    void on_read(boost::system::error_code error, std::size_t size);
    void on_written(boost::system::error_code error);
    /// Reads what comes until the client is done, and ends.
    void drain();

    /// Does `step`, a part of this connection's work. Without memory for it the connection ends,
    /// and no other.
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
    /// Reads what has been received. False: more is needed.
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
    base::TimePoint since_;     ///< it is in its phase
    base::TimePoint deadline_;  ///< for its phase
    std::size_t requests_ = 0;
    Phase phase_ = Phase::establishing;
    bool keep_alive_ = false;
    bool refused_ = false;
    bool told_to_continue_ = false;                  ///< the client, of this request
    bool is_continuing_ = false;                     ///< that is being written
    std::shared_ptr<Connection> held_;               ///< itself, while only the handler knows of it
    std::optional<ProxyHeaderReader> proxy_header_;  ///< while it is awaited
    RequestReader reader_;
    std::string out_;
};

/// The connections of one thread.
struct ConnectionSet {
    using List = boost::intrusive::list<Connection, boost::intrusive::constant_time_size<true>>;
    Handler& handler;
    const Limits& limits;
    const Proxies& proxies;
    std::string_view proxy_field;  ///< empty: nobody is trusted
    Observer* observer = nullptr;  ///< of refused requests; null: nobody asks
    /// For all deadlines of the connections.
    std::function<base::TimePoint()> clock = base::Clock::now;
    List list{};                        ///< those that became idle last are at the end
    bool closing = false;               ///< no connection takes another request
    base::TimePoint say_short_again{};  ///< when it may be said again that memory is short

    /// Ends the connections whose time is up.
    void sweep(base::TimePoint now);
    /// Where another connection needs the room: ends the one that has been idle longest, else the
    /// one whose client has been slow longest. False: none is either.
    bool make_room(base::TimePoint now);
    /// Lets each finish what it is at, and ends those that are idle.
    void close_when_idle();
    /// Says, now and then, that a connection was ended for want of memory.
    void say_memory_is_short() noexcept;
};

}  // namespace sftdyn::http
