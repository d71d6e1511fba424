// SPDX-License-Identifier: GPL-3.0-or-later
// A persistent TCP connection to a DNS server (RFC 1035 §4.2.2, RFC 7766).
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

/// Messages are pipelined; answers are matched by message ID. Connects when there is a message to
/// send, and again after a connection has ended. Owned by `ServerClient`, used on the thread of
/// `io`; callbacks of the socket keep it alive.
///
/// The server may still act on a message without an answer. The channel reports each message's
/// delivery state, and an answer that comes late; the sender decides what to do.
class TcpChannel : public std::enable_shared_from_this<TcpChannel> {
public:
    using Handler = std::function<void(Reply, Delivery)>;
    using LateAnswer = std::function<void(const Answer&, unsigned connection)>;

    TcpChannel(boost::asio::io_context& io, boost::asio::ip::tcp::endpoint server,
               base::TimeSourcePtr time);

    /// An ID that no message in flight has, and no given-up message whose answer may still come.
    [[nodiscard]] std::uint16_t fresh_id() const;

    /// Sends `request`, and connects first if necessary. `handler` is called once, with the answer
    /// or a failure: by `send_by` if the request could not be written until then, else by
    /// `deadline`. `late`, if given, is called once if a verified answer comes on the same
    /// connection after `handler` was called with `in_doubt`.
    void send(OutgoingMessage request, base::TimePoint send_by, base::TimePoint deadline,
              Handler handler, LateAnswer late = {});

    static constexpr base::Duration longest_silence = std::chrono::seconds(10);
    /// Closes the connection if nothing was received for `silence` although an answer is expected:
    /// a middlebox may have dropped the connection's state.
    void end_if_silent(base::Duration silence = longest_silence);

    /// Closes the connection. Messages in flight fail.
    void close();

private:
    struct PendingQuery {
        OutgoingMessage request;
        std::uint64_t number = 0;  ///< distinguishes it from an earlier message with the same ID
        base::TimePoint deadline;
        base::TimePoint due;  ///< `deadline`, or an earlier `send_by` until it is written
        Handler handler;
        LateAnswer late;
        bool sent = false;
    };
    using PendingMap = std::unordered_map<std::uint16_t, PendingQuery>;
    /// A message that was given up and may still be answered.
    struct Tombstone {
        OutgoingMessage request{};  ///< without its octets; empty if there is no `late`
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
    unsigned epoch_ = 0;        ///< number of the connection; identifies callbacks of an old one
    base::TimePoint heard_at_;  ///< since when no expected answer has come
    std::size_t awaited_ = 0;   ///< messages in `pending_` that were sent
    std::uint64_t last_number_ = 0;
    PendingMap pending_;
    std::set<std::pair<base::TimePoint, std::uint16_t>> due_;  ///< `due` and ID of `pending_`
    std::deque<std::pair<std::uint16_t, std::uint64_t>>
        outgoing_;  ///< IDs and numbers of the messages to be written
    std::unordered_map<std::uint16_t, Tombstone> tombstones_;  ///< of this connection
    std::string writing_;
    std::string incoming_;
};

}  // namespace sftdyn::dns
