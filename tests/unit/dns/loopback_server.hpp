// SPDX-License-Identifier: GPL-3.0-or-later
// A DNS server's sockets, in the thread of the test, which says what comes out of them.
#pragma once

#include <array>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace sftdyn::dns {

/// Listens on one port of the loopback for UDP and TCP.
class LoopbackServer {
public:
    using tcp = boost::asio::ip::tcp;
    using udp = boost::asio::ip::udp;
    using error_code = boost::system::error_code;

    explicit LoopbackServer(boost::asio::io_context& io) : io_(io) {
        // The port that is free for the one may be in use for the other.
        for (bool bound = false; !bound;) {
            acceptor = tcp::acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
            datagrams = udp::socket(io, udp::v4());
            error_code taken;
            datagrams.bind({acceptor.local_endpoint().address(), port()}, taken);
            bound = !taken;
        }
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor.local_endpoint().port(); }

    /// Runs the loop until that is so.
    template <class Condition>
    void until(const Condition& condition) {
        io_.restart();
        // The time is for a defect only: it must not hang.
        while (!condition()) ASSERT_GT(io_.run_one_for(std::chrono::seconds(20)), 0U);
    }
    /// Runs what can run.
    void poll() {
        io_.restart();
        io_.poll();
    }

    /// The next datagram that comes.
    std::string datagram() {
        std::array<char, 65535> buffer{};
        std::optional<std::size_t> size;
        datagrams.async_receive_from(boost::asio::buffer(buffer), sender,
                                     [&](error_code, std::size_t got) { size = got; });
        until([&] { return size.has_value(); });
        return size ? std::string(buffer.data(), *size) : std::string(12, '\0');
    }
    /// To whoever sent the last one.
    void send_datagram(const std::string& wire) {
        datagrams.send_to(boost::asio::buffer(wire), sender);
    }

    void accept() {
        peer = tcp::socket(io_);
        bool there = false;
        acceptor.async_accept(peer, [&](error_code error) { there = !error; });
        until([&] { return there; });
    }
    /// The next message that comes on the connection.
    std::string message() {
        std::array<unsigned char, 2> head{};
        std::string wire;
        bool done = false;
        boost::asio::async_read(peer, boost::asio::buffer(head), [&](error_code, std::size_t) {
            wire.resize(static_cast<std::size_t>(head[0] << 8 | head[1]));
            boost::asio::async_read(peer, boost::asio::buffer(wire),
                                    [&](error_code, std::size_t) { done = true; });
        });
        until([&] { return done; });
        return done ? wire : std::string(12, '\0');
    }
    /// A message as the stream carries it.
    static std::string frame(const std::string& wire) {
        return std::string{static_cast<char>(wire.size() >> 8),
                           static_cast<char>(wire.size() & 0xff)} +
               wire;
    }
    void send_message(const std::string& wire) { write(frame(wire)); }
    void write(const std::string& octets) { boost::asio::write(peer, boost::asio::buffer(octets)); }

private:
    boost::asio::io_context& io_;

public:
    tcp::acceptor acceptor{io_};
    tcp::socket peer{io_};
    udp::socket datagrams{io_};
    udp::endpoint sender;  ///< of the last datagram
};

}  // namespace sftdyn::dns
