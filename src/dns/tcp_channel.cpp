// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tcp_channel.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/random.hpp"
#include "base/system_error.hpp"

namespace sftdyn::dns {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// The most octets in one write. If the connection stalls, only these are committed; later messages
// can still be given up unsent.
constexpr std::size_t most_at_once = 65536;

// A connection with this many unanswered messages is useless, and runs out of IDs.
constexpr std::size_t most_tombstones = 16384;

/// Appends a message with the length prefix of TCP (RFC 1035 §4.2.2).
void append_frame(std::string& out, const std::string& wire) {
    out += static_cast<char>(wire.size() >> 8);
    out += static_cast<char>(wire.size() & 0xff);
    out += wire;
}

bool is_answer(const OutgoingMessage& request, const Reply& reply) {
    return reply.has_value() && (reply->verified || !request.key);
}

}  // namespace

TcpChannel::TcpChannel(asio::io_context& io, asio::ip::tcp::endpoint server,
                       base::TimeSourcePtr time)
    : endpoint_(std::move(server)), socket_(io), time_(std::move(time)) {
    std::ostringstream out;
    out << endpoint_;
    server_ = out.str();
}

std::uint16_t TcpChannel::fresh_id() const {
    std::uint16_t id = base::random_u16();
    while (pending_.contains(id) || tombstones_.contains(id)) id = base::random_u16();
    return id;
}

void TcpChannel::send(OutgoingMessage request, base::TimePoint send_by, base::TimePoint deadline,
                      Handler handler, LateAnswer late) {
    const std::uint16_t id = request.id;
    const std::uint64_t number = ++last_number_;
    const base::TimePoint due = std::min(send_by, deadline);
    pending_.emplace(id, PendingQuery{std::move(request), number, deadline, due, std::move(handler),
                                      std::move(late)});
    due_.emplace(due, id);
    outgoing_.emplace_back(id, number);
    arm_timer();
    if (state_ == State::closed) connect();
    if (state_ == State::open) write();
}

void TcpChannel::connect() {
    state_ = State::connecting;
    const unsigned epoch = ++epoch_;
    socket_.async_connect(endpoint_, [self = shared_from_this(), epoch](error_code error) {
        if (epoch != self->epoch_ || error == asio::error::operation_aborted) return;
        if (error) {
            const bool refused = error == asio::error::connection_refused;
            self->drop({ErrorKind::unreachable, 0, self->server_,
                        refused
                            ? "nothing listens there (connection refused)"
                            : fmt::format("the DNS server can't be reached: {}", error.message()),
                        error == asio::error::no_descriptors
                            ? base::descriptors_remedy
                            : "is the DNS server running, and is [dns] server right?"});
            return;
        }
        self->connected();
    });
}

void TcpChannel::connected() {
    state_ = State::open;
    heard_at_ = time_->now();
    error_code ignored;  // without the option messages are only delayed a little
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    read_length();
    write();
}

void TcpChannel::write() {
    if (!writing_.empty()) return;
    while (!outgoing_.empty() && writing_.size() < most_at_once) {
        const auto [id, number] = outgoing_.front();
        outgoing_.pop_front();
        const auto found = pending_.find(id);
        if (found == pending_.end() || found->second.number != number)
            continue;  // it was given up before it was written
        sending(found->second);
    }
    if (writing_.empty()) return;
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this(), epoch = epoch_](error_code error, std::size_t) {
                          if (epoch != self->epoch_) return;
                          self->writing_.clear();
                          if (error) return;  // the read fails too, and reports the error
                          self->write();
                      });
}

void TcpChannel::sending(PendingQuery& pending) {
    append_frame(writing_, pending.request.wire);
    pending.sent = true;
    due_.erase({pending.due, pending.request.id});
    pending.due = pending.deadline;
    due_.emplace(pending.due, pending.request.id);
    if (awaited_++ == 0 && tombstones_.empty()) heard_at_ = time_->now();
}

void TcpChannel::read_length() {
    incoming_.resize(2);
    asio::async_read(
        socket_, asio::buffer(incoming_),
        [self = shared_from_this(), epoch = epoch_](error_code error, std::size_t) {
            if (epoch != self->epoch_) return;
            if (error) {
                self->drop({ErrorKind::connection, 0, self->server_,
                            fmt::format("the DNS server ended the connection: {}", error.message()),
                            "was it restarted? its own log says why"});
                return;
            }
            self->read_body(
                static_cast<std::size_t>(static_cast<unsigned char>(self->incoming_[0]) << 8 |
                                         static_cast<unsigned char>(self->incoming_[1])));
        });
}

void TcpChannel::read_body(std::size_t size) {
    incoming_.resize(size);
    asio::async_read(
        socket_, asio::buffer(incoming_),
        [self = shared_from_this(), epoch = epoch_](error_code error, std::size_t) {
            if (epoch != self->epoch_) return;
            if (error) {
                self->drop({ErrorKind::connection, 0, self->server_,
                            "the DNS server ended the connection in the middle of an answer",
                            "its own log says why"});
                return;
            }
            const std::string message = std::move(self->incoming_);
            self->read_length();
            self->take({reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
        });
}

void TcpChannel::take(std::span<const std::uint8_t> wire) {
    heard_at_ = time_->now();
    const auto id = static_cast<std::uint16_t>(wire.size() < 2 ? 0 : wire[0] << 8 | wire[1]);
    if (wire.size() >= 2 && tombstones_.contains(id)) return take_late(id, wire);
    const auto found = wire.size() < 2 ? pending_.end() : pending_.find(id);
    if (found == pending_.end() || !found->second.sent) {
        // Only the server can have sent this, so later answers can't be trusted either.
        drop({ErrorKind::malformed, 0, server_,
              "the DNS server sent an answer that nobody asked for", "is it really a DNS server?"});
        return;
    }
    auto node = pending_.extract(found);
    PendingQuery& pending = node.mapped();
    --awaited_;
    due_.erase({pending.due, id});
    Reply reply = read_answer(pending.request, wire, server_);
    const bool answered = is_answer(pending.request, reply);
    if (!answered && pending.late) bury(pending);
    pending.handler(std::move(reply),
                    {answered ? DeliveryState::answered : DeliveryState::in_doubt, epoch_});
}

/// Handles the answer to a message that was given up: calls its `late`, if it has one. The
/// connection stays open.
void TcpChannel::take_late(std::uint16_t id, std::span<const std::uint8_t> wire) {
    const auto found = tombstones_.find(id);
    if (!found->second.late) {
        tombstones_.erase(found);
        return;
    }
    const Reply reply = read_answer(found->second.request, wire, server_);
    if (!is_answer(found->second.request, reply)) return;
    const LateAnswer late = std::move(found->second.late);
    tombstones_.erase(found);
    late(*reply, epoch_);
}

/// Keeps the ID from being reused on this connection until the answer has come.
void TcpChannel::bury(PendingQuery& pending) {
    Tombstone tombstone;
    const std::uint16_t id = pending.request.id;
    if (pending.late) {
        tombstone.late = std::move(pending.late);
        tombstone.request = std::move(pending.request);
        tombstone.request.wire = {};
    }
    tombstones_.insert_or_assign(id, std::move(tombstone));
}

void TcpChannel::arm_timer() {
    if (due_.empty()) {
        timer_at_ = base::TimePoint::max();
        timer_->cancel();
        return;
    }
    if (due_.begin()->first >= timer_at_) return;  // it fires earlier and is rearmed then
    timer_at_ = due_.begin()->first;
    timer_->set(timer_at_, [self = shared_from_this()] {
        self->timer_at_ = base::TimePoint::max();
        self->expire();
    });
}

void TcpChannel::expire() {
    const auto now = time_->now();
    std::vector<std::pair<Handler, Delivery>> given_up;
    while (!due_.empty() && due_.begin()->first <= now) {
        const std::uint16_t id = due_.begin()->second;
        due_.erase(due_.begin());
        auto node = pending_.extract(id);
        PendingQuery& pending = node.mapped();
        if (pending.sent) {
            --awaited_;
            bury(pending);
        }
        given_up.emplace_back(
            std::move(pending.handler),
            Delivery{pending.sent ? DeliveryState::in_doubt : DeliveryState::unsent, epoch_});
    }
    arm_timer();
    const bool connecting = state_ == State::connecting;
    const bool hopeless = connecting && pending_.empty();
    const DnsError unanswered{ErrorKind::timeout, 0, server_,
                              "the DNS server did not answer in time",
                              "is it running and reachable, and not overloaded?"};
    const DnsError unsent{ErrorKind::timeout, 0, server_,
                          connecting ? "the connection to the DNS server could not be made in time"
                                     : "the DNS server takes nothing from its connection",
                          "is it running and reachable, and not overloaded?"};
    // No message waits for this connection any more. If a handler sends again, that opens a new
    // one.
    if (hopeless) drop(unsent);
    const unsigned epoch = epoch_;
    for (const auto& [handler, delivery] : given_up)
        handler(delivery.state == DeliveryState::unsent ? unsent : unanswered, delivery);
    if (epoch != epoch_) return;
    if (tombstones_.size() >= most_tombstones) drop(unanswered);
}

void TcpChannel::drop(const DnsError& failure) {
    const unsigned connection = epoch_++;
    state_ = State::closed;
    error_code ignored;  // the socket is no longer used
    socket_.close(ignored);
    outgoing_.clear();
    writing_.clear();
    tombstones_.clear();
    awaited_ = 0;
    due_.clear();
    arm_timer();
    std::vector<PendingQuery> dropped;
    for (auto& [id, pending] : pending_) dropped.push_back(std::move(pending));
    pending_.clear();
    std::sort(dropped.begin(), dropped.end(),
              [](const PendingQuery& a, const PendingQuery& b) { return a.number < b.number; });
    for (const PendingQuery& pending : dropped) {
        pending.handler(
            failure, {pending.sent ? DeliveryState::in_doubt : DeliveryState::unsent, connection});
    }
}

void TcpChannel::end_if_silent(base::Duration silence) {
    const bool awaited = awaited_ > 0 || !tombstones_.empty();
    if (state_ != State::open || !awaited || time_->now() - heard_at_ < silence) return;
    drop({ErrorKind::timeout, 0, server_, "the DNS server did not answer in time",
          "is it running and reachable, and not overloaded?"});
}

void TcpChannel::close() {
    drop({ErrorKind::connection, 0, server_, "sftdyn no longer uses this DNS server", ""});
}

}  // namespace sftdyn::dns
