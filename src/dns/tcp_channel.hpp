// One kept TCP connection to a DNS server (RFC 1035 §4.2.2, RFC 7766): messages follow each other without waiting,
// answers are matched by message id.
//
// An UPDATE that got no answer in time may still be carried out later. The channel therefore remembers it until its
// fate is settled: its answer arrives, or the connection has ended, or the server has answered what was sent after it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "dns/message.hpp"

namespace sftdyn::dns {

class TcpChannel : public std::enable_shared_from_this<TcpChannel> {
public:
    using Handler = std::function<void(Reply)>;
    using Settled = std::function<void()>;

    TcpChannel(boost::asio::io_context& io, boost::asio::ip::tcp::endpoint server);

    [[nodiscard]] std::uint16_t fresh_id() const;

    /// Sends `request`, connecting first when need be. `handler` is called once: with the answer, or with why there is
    /// none by `deadline`. `settled`, if given, is called once, with or after `handler`, when the server can no longer
    /// act on this message.
    void send(Request request, base::TimePoint deadline, Handler handler, Settled settled = {});

    /// Ends the connection: what is under way fails.
    void close();

private:
    struct Pending {
        Request request;
        base::TimePoint deadline;
        Handler handler;  ///< empty once it was called
        Settled settled;
        bool probe = false;
        base::TimePoint settle_by = base::TimePoint::max();
    };
    using PendingMap = std::map<std::uint16_t, Pending>;

    void connect();
    void connected();
    void write();
    void read_length();
    void read_body(std::size_t size);
    void take(std::span<const std::uint8_t> wire);
    void arm_timer();
    void expire();
    void probe();
    void drop(const Failure& failure);

    boost::asio::ip::tcp::endpoint endpoint_;
    std::string server_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    enum class State { closed, connecting, open } state_ = State::closed;
    unsigned epoch_ = 0;  ///< counts connections, so that a callback of an old one is recognised
    PendingMap pending_;
    std::deque<std::string> outgoing_;
    std::string writing_;
    std::string incoming_;
};

}  // namespace sftdyn::dns
