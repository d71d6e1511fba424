// SPDX-License-Identifier: GPL-3.0-or-later
// One kept TCP connection to a DNS server (RFC 1035 §4.2.2, RFC 7766).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include "base/time_source.hpp"
#include "dns/delivery.hpp"
#include "dns/message.hpp"

namespace sftdyn::dns {

/// Messages follow each other without waiting; answers are matched by message id. It connects when
/// there is something to send, and again after a connection has ended. Owned by `ServerClient`,
/// used on the thread of `io`; callbacks of the socket keep it alive.
///
/// A message that got no answer may still be acted on. The channel says of each how far it got, and
/// when an answer comes after all; what follows from that is for whoever sent it.
class TcpChannel : public std::enable_shared_from_this<TcpChannel> {
public:
    using Handler = std::function<void(Reply, Delivery)>;
    using LateAnswer = std::function<void(const Answer&, unsigned connection)>;

    TcpChannel(boost::asio::io_context& io, boost::asio::ip::tcp::endpoint server,
               base::TimeSourcePtr time);

    /// An id that no message under way has, and none whose answer may still come.
    [[nodiscard]] std::uint16_t fresh_id() const;

    /// Sends `request`, connecting first when need be. `handler` is called once: with the answer,
    /// or with why there is none by `deadline`; by `send_by` when it could not be written until
    /// then. `late`, if given, is called once when a verified answer comes on the same connection
    /// after `handler` was called with `in_doubt`.
    void send(OutgoingMessage request, base::TimePoint send_by, base::TimePoint deadline,
              Handler handler, LateAnswer late = {});

    static constexpr base::Duration longest_silence = std::chrono::seconds(10);
    /// Ends the connection when nothing has come on it for `silence`, though something is
    /// awaited: something on the way may have forgotten it.
    void end_if_silent(base::Duration silence = longest_silence);

    /// Ends the connection: what is under way fails.
    void close();

private:
    struct PendingQuery {
        OutgoingMessage request;
        std::uint64_t number = 0;  ///< tells it from one of the same id before it
        base::TimePoint deadline;
        base::TimePoint due;  ///< the deadline, or until it is written what comes first
        Handler handler;
        LateAnswer late;
        bool sent = false;
    };
    using PendingMap = std::unordered_map<std::uint16_t, PendingQuery>;
    /// What was given up, and may yet be answered.
    struct Tombstone {
        OutgoingMessage
            request{};  ///< without its octets; of what nobody waits for without anything
        LateAnswer late{};
    };

    void connect();
    void connected();
    void write();
    void read_length();
    void read_body(std::size_t size);
    void take(std::span<const std::uint8_t> wire);
    void take_late(std::uint16_t id, std::span<const std::uint8_t> wire);
    void bury(PendingQuery& pending);
    void sending(PendingQuery& pending);
    void arm_timer();
    void expire();
    void drop(const DnsError& failure);

    boost::asio::ip::tcp::endpoint endpoint_;
    std::string server_;
    boost::asio::ip::tcp::socket socket_;
    base::TimeSourcePtr time_;
    std::unique_ptr<base::Timer> timer_ = time_->timer();
    base::TimePoint timer_at_ = base::TimePoint::max();
    enum class State { closed, connecting, open } state_ = State::closed;
    unsigned epoch_ = 0;  ///< counts connections, so that a callback of an old one is recognised
    base::TimePoint heard_at_;  ///< since when nothing has come that was awaited
    std::size_t awaited_ = 0;   ///< of `pending_`, what was sent
    std::uint64_t last_number_ = 0;
    PendingMap pending_;
    std::set<std::pair<base::TimePoint, std::uint16_t>> due_;  ///< of `pending_`
    std::deque<std::pair<std::uint16_t, std::uint64_t>>
        outgoing_;  ///< ids and numbers of what is to be written
    std::unordered_map<std::uint16_t, Tombstone> tombstones_;  ///< of this connection
    std::string writing_;
    std::string incoming_;
};

}  // namespace sftdyn::dns
