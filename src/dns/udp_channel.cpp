// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/udp_channel.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "base/random.hpp"
#include "base/system_error.hpp"

namespace sftdyn::dns {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// How long to wait for an answer before the query is sent again: initial and maximum.
constexpr base::Duration first_patience = std::chrono::milliseconds(400);
constexpr base::Duration most_patience = std::chrono::milliseconds(800);

template <class Endpoint>
std::string text_of(const Endpoint& endpoint) {
    std::ostringstream out;
    out << endpoint;
    return out.str();
}

}  // namespace

UdpChannel::UdpChannel(asio::io_context& io, asio::ip::udp::endpoint server,
                       base::TimeSourcePtr time)
    : io_(io),
      endpoint_(std::move(server)),
      server_(text_of(endpoint_)),
      socket_(io),
      time_(std::move(time)) {}

std::uint16_t UdpChannel::fresh_id() const {
    std::uint16_t id = base::random_u16();
    while (pending_.contains(id)) id = base::random_u16();
    return id;
}

error_code UdpChannel::open() {
    error_code error;
    if (socket_.is_open()) return error;
    socket_.open(endpoint_.protocol(), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error) socket_.connect(endpoint_, error);
    if (error) {
        error_code ignored;  // the socket was never used
        socket_.close(ignored);
        return error;
    }
    receive();
    return error;
}

void UdpChannel::send(OutgoingMessage request, base::TimePoint deadline, Handler handler) {
    if (const error_code failed = open()) {
        const bool is_short = failed == asio::error::no_descriptors;
        asio::post(io_, [handler = std::move(handler), server = server_, is_short, failed] {
            handler(DnsError{ErrorKind::unreachable, 0, server,
                             fmt::format("the DNS server can't be reached: {}",
                                         is_short ? failed.message() : "no route to it"),
                             is_short ? base::descriptors_remedy : "check [dns] server"});
        });
        return;
    }
    const std::uint16_t id = request.id;
    auto pending = std::make_shared<PendingDatagram>(PendingDatagram{
        std::move(request), deadline, std::move(handler), time_->timer(), first_patience});
    pending_.emplace(id, pending);
    transmit(*pending);
    await_answer(id);
}

void UdpChannel::transmit(PendingDatagram& pending) {
    // A datagram that can't be sent now counts as lost; the timer sends it again.
    error_code lost;
    socket_.send(asio::buffer(pending.request.wire), 0, lost);
    // The kernel reports the refusal of an earlier datagram only once, to the next operation on the
    // socket.
    if (lost == asio::error::connection_refused)
        asio::post(io_, [self = shared_from_this()] { self->refused(); });
}

void UdpChannel::refused() {
    fail_all({ErrorKind::unreachable, 0, server_, "nothing listens there (connection refused)",
              "is the DNS server running, and is [dns] server right?"});
}

void UdpChannel::await_answer(std::uint16_t id) {
    const auto pending = pending_.at(id);
    const auto until = std::min(time_->now() + pending->patience, pending->deadline);
    pending->timer->set(until, [self = shared_from_this(), pending, id] {
        const auto found = self->pending_.find(id);
        if (found == self->pending_.end() || found->second != pending) return;
        if (self->time_->now() >= pending->deadline) {
            self->finish(id, DnsError{ErrorKind::timeout, 0, self->server_,
                                      "the DNS server did not answer in time",
                                      "is it running and reachable, and not overloaded?"});
            return;
        }
        pending->patience = std::min(pending->patience * 2, most_patience);
        self->transmit(*pending);
        self->await_answer(id);
    });
}

void UdpChannel::receive() {
    socket_.async_receive(asio::buffer(buffer_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                              if (error == asio::error::operation_aborted) return;
                              if (error == asio::error::connection_refused) {
                                  self->refused();
                              } else if (!error) {
                                  self->take(size);
                              }
                              if (self->socket_.is_open()) self->receive();
                          });
}

void UdpChannel::take(std::size_t size) {
    if (size < 2) return;
    const auto id = static_cast<std::uint16_t>(buffer_[0] << 8 | buffer_[1]);
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;  // a late or unsolicited answer
    finish(id, read_answer(found->second->request, {buffer_.data(), size}, server_));
}

void UdpChannel::finish(std::uint16_t id, Reply reply) {
    const auto node = pending_.extract(id);
    if (node.empty()) return;
    node.mapped()->timer->cancel();
    node.mapped()->handler(std::move(reply));
}

void UdpChannel::fail_all(const DnsError& failure) {
    auto failed = std::move(pending_);
    pending_.clear();
    for (auto& [id, pending] : failed) {
        pending->timer->cancel();
        pending->handler(failure);
    }
}

void UdpChannel::close() {
    error_code ignored;  // the socket is no longer used
    socket_.close(ignored);
    fail_all({ErrorKind::connection, 0, server_, "sftdyn no longer uses this DNS server", ""});
}

}  // namespace sftdyn::dns
