#include "dns/tcp_channel.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/random.hpp"

namespace sftdyn::dns {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A signed message is void once the server's clock is this far past its signing (RFC 8945 §5.2.3): libknot signs with
// the recommended fudge. Whatever has not happened by then will not happen.
constexpr base::Duration fudge = std::chrono::seconds(300);

// A server that has read a later message may still have the earlier one queued inside.
constexpr base::Duration settling_time = std::chrono::seconds(1);

std::string frame(const std::string& wire) {
    std::string out;
    out.reserve(wire.size() + 2);
    out += static_cast<char>(wire.size() >> 8);
    out += static_cast<char>(wire.size() & 0xff);
    out += wire;
    return out;
}

}  // namespace

TcpChannel::TcpChannel(asio::io_context& io, asio::ip::tcp::endpoint server) : endpoint_(std::move(server)), socket_(io), timer_(io) {
    std::ostringstream out;
    out << endpoint_;
    server_ = out.str();
}

std::uint16_t TcpChannel::fresh_id() const {
    std::uint16_t id = base::random_u16();
    while (pending_.contains(id)) id = base::random_u16();
    return id;
}

void TcpChannel::send(Request request, base::TimePoint deadline, Handler handler, Settled settled) {
    outgoing_.push_back(frame(request.wire));
    const std::uint16_t id = request.id;
    pending_.emplace(id, Pending{std::move(request), deadline, std::move(handler), std::move(settled)});
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
            self->drop({Failure::Kind::unreachable, 0, self->server_,
                        refused ? "nothing listens there (connection refused)" : fmt::format("the DNS server can't be reached: {}", error.message()),
                        "is the DNS server running, and is [dns] server right?"});
            return;
        }
        self->connected();
    });
}

void TcpChannel::connected() {
    state_ = State::open;
    error_code ignored;  // without it messages only wait a little
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    read_length();
    write();
}

void TcpChannel::write() {
    if (!writing_.empty() || outgoing_.empty()) return;
    writing_ = std::move(outgoing_.front());
    outgoing_.pop_front();
    asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this(), epoch = epoch_](error_code error, std::size_t) {
        if (epoch != self->epoch_) return;
        self->writing_.clear();
        if (error) return;  // the reading side sees the end, and says so
        self->write();
    });
}

void TcpChannel::read_length() {
    incoming_.resize(2);
    asio::async_read(socket_, asio::buffer(incoming_), [self = shared_from_this(), epoch = epoch_](error_code error, std::size_t) {
        if (epoch != self->epoch_) return;
        if (error) {
            self->drop({Failure::Kind::connection, 0, self->server_, fmt::format("the DNS server ended the connection: {}", error.message()),
                        "was it restarted? its own log says why"});
            return;
        }
        self->read_body(
            static_cast<std::size_t>(static_cast<unsigned char>(self->incoming_[0]) << 8 | static_cast<unsigned char>(self->incoming_[1])));
    });
}

void TcpChannel::read_body(std::size_t size) {
    incoming_.resize(size);
    asio::async_read(socket_, asio::buffer(incoming_), [self = shared_from_this(), epoch = epoch_](error_code error, std::size_t) {
        if (epoch != self->epoch_) return;
        if (error) {
            self->drop({Failure::Kind::connection, 0, self->server_, "the DNS server ended the connection in the middle of an answer",
                        "its own log says why"});
            return;
        }
        const std::string message = std::move(self->incoming_);
        self->read_length();
        self->take({reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
    });
}

void TcpChannel::take(std::span<const std::uint8_t> wire) {
    const auto found = wire.size() < 2 ? pending_.end() : pending_.find(static_cast<std::uint16_t>(wire[0] << 8 | wire[1]));
    if (found == pending_.end()) {
        // On a connection of our own nobody else speaks: the server is confused, and so would be all that follows.
        drop({Failure::Kind::malformed, 0, server_, "the DNS server sent an answer that nobody asked for", "is it really a DNS server?"});
        return;
    }
    const auto node = pending_.extract(found);
    Pending& pending = node.mapped();
    Reply reply = read_answer(pending.request, wire, server_);
    if (pending.probe) {
        for (auto& [other_id, other] : pending_) {
            if (!other.handler && !other.probe) other.settle_by = std::min(other.settle_by, base::Clock::now() + settling_time);
        }
    }
    arm_timer();
    if (pending.handler) pending.handler(std::move(reply));
    if (pending.settled) pending.settled();
}

void TcpChannel::arm_timer() {
    base::TimePoint next = base::TimePoint::max();
    for (const auto& [id, pending] : pending_) next = std::min(next, pending.handler ? pending.deadline : pending.settle_by);
    if (next == base::TimePoint::max()) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(next);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->expire();
    });
}

void TcpChannel::expire() {
    const auto now = base::Clock::now();
    std::vector<Handler> late;
    std::vector<Settled> settled;
    bool waiting_for_fate = false;
    for (auto it = pending_.begin(); it != pending_.end();) {
        Pending& pending = it->second;
        if (pending.handler && pending.deadline <= now) {
            late.push_back(std::exchange(pending.handler, {}));
            pending.settle_by = pending.deadline + fudge;
            waiting_for_fate = waiting_for_fate || pending.settled;
        }
        if (!pending.handler && pending.settle_by <= now) {
            if (pending.settled) settled.push_back(std::move(pending.settled));
            it = pending_.erase(it);
        } else {
            ++it;
        }
    }
    if (waiting_for_fate && state_ == State::open) probe();
    // A connection that is not made by the deadline of all that wait for it is given up: nothing was sent on it.
    const bool hopeless = state_ == State::connecting && !late.empty() &&
                          std::none_of(pending_.begin(), pending_.end(), [](const auto& p) { return bool(p.second.handler); });
    arm_timer();
    const Failure failure{Failure::Kind::timeout, 0, server_, "the DNS server did not answer in time",
                          "is it running and reachable, and not overloaded?"};
    for (const auto& handler : late) handler(failure);
    for (const auto& handler : settled) handler();
    if (hopeless && state_ == State::connecting) drop(failure);
}

void TcpChannel::probe() {
    const std::uint16_t id = fresh_id();
    auto query = make_query(id, Name(), Type::soa, nullptr);
    if (query.has_error()) return;
    outgoing_.push_back(frame(query->wire));
    Pending pending{std::move(*query), base::Clock::now(), {}, {}, true, base::Clock::now() + fudge};
    pending_.emplace(id, std::move(pending));
    write();
}

void TcpChannel::drop(const Failure& failure) {
    ++epoch_;
    state_ = State::closed;
    error_code ignored;  // it is of no use any more
    socket_.close(ignored);
    outgoing_.clear();
    writing_.clear();
    timer_.cancel();
    auto dropped = std::move(pending_);
    pending_.clear();
    // Where we end the connection, the server may still be at what it has read from it.
    const bool ours = failure.kind == Failure::Kind::malformed;
    auto later = std::make_shared<std::vector<Settled>>();
    for (auto& [id, pending] : dropped) {
        if (pending.handler) pending.handler(failure);
        if (!pending.settled) continue;
        if (ours) {
            later->push_back(std::move(pending.settled));
        } else {
            pending.settled();
        }
    }
    if (later->empty()) return;
    const auto timer = std::make_shared<asio::steady_timer>(timer_.get_executor(), settling_time);
    timer->async_wait([timer, later](error_code) {
        for (const Settled& settled : *later) settled();
    });
}

void TcpChannel::close() { drop({Failure::Kind::connection, 0, server_, "sftdyn no longer uses this DNS server", ""}); }

}  // namespace sftdyn::dns
