// SPDX-License-Identifier: GPL-3.0-or-later
// Sends queries to one DNS server over UDP: many at once, with answers matched by message ID, and
// with retransmission.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <unordered_map>

#include <boost/asio/ip/udp.hpp>

#include "base/time_source.hpp"
#include "dns/message.hpp"

namespace sftdyn::dns {

/// Owned by `ServerClient`, used on the thread of `io`; callbacks of the socket keep it alive. A
/// query fails when it has no answer by its deadline. All queries in flight fail when the system
/// reports that the server's port is closed.
class UdpChannel : public std::enable_shared_from_this<UdpChannel> {
public:
    using Handler = std::function<void(Reply)>;

    UdpChannel(boost::asio::io_context& io, boost::asio::ip::udp::endpoint server,
               base::TimeSourcePtr time);

    /// An ID that no query in flight has.
    [[nodiscard]] std::uint16_t fresh_id() const;

    /// Sends `request`. `handler` is called once, by `deadline`, with the answer or a failure.
    void send(OutgoingMessage request, base::TimePoint deadline, Handler handler);

    /// Closes the socket. Queries in flight fail.
    void close();

private:
    struct PendingDatagram {
        OutgoingMessage request;
        base::TimePoint deadline;
        Handler handler;
        std::unique_ptr<base::Timer> timer;
        base::Duration patience;
    };

    [[nodiscard]] boost::system::error_code open();
    void transmit(PendingDatagram& pending);
    void await_answer(std::uint16_t id);
    void receive();
    void take(std::size_t size);
    void finish(std::uint16_t id, Reply reply);
    void refused();
    void fail_all(const DnsError& failure);

    boost::asio::io_context& io_;
    boost::asio::ip::udp::endpoint endpoint_;
    std::string server_;
    boost::asio::ip::udp::socket socket_;
    base::TimeSourcePtr time_;
    std::unordered_map<std::uint16_t, std::shared_ptr<PendingDatagram>> pending_;
    std::array<std::uint8_t, 65535> buffer_{};
};

}  // namespace sftdyn::dns
