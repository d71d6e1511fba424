// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/connection.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "http/response_writer.hpp"

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// The memory of a response that is kept for the next one, in octets.
constexpr std::size_t kept_answer = 2048;
// How long a client may take to read an error before the connection is cut (RFC 9112 §9.6).
constexpr auto linger_time = std::chrono::seconds(2);
// The connection of a client that takes longer to send a request, or to close, is ended when
// another connection needs the room.
constexpr auto slow_time = std::chrono::seconds(2);
// The minimum time between log messages about a shortage of memory.
constexpr auto memory_interval = std::chrono::minutes(1);
// The handler has its own deadline; this one only guards against a defect.
constexpr auto handling_time = std::chrono::minutes(5);

}  // namespace

void ConnectionSet::sweep(base::TimePoint now) {
    // Ending a connection may remove it from the list, but never another one.
    for (auto it = list.begin(); it != list.end();) {
        Connection& connection = *it++;
        if (connection.expired(now)) connection.abort();
    }
}

bool ConnectionSet::make_room(base::TimePoint now) {
    Connection* slowest = nullptr;
    auto since = now - slow_time;
    for (Connection& connection : list) {
        if (connection.idle()) {
            connection.abort();
            return true;
        }
        if (const auto awaited = connection.awaited_since(); awaited && *awaited <= since) {
            slowest = &connection;
            since = *awaited;
        }
    }
    if (slowest != nullptr) slowest->abort();
    return slowest != nullptr;
}

void ConnectionSet::close_when_idle() {
    closing = true;
    for (auto it = list.begin(); it != list.end();) {
        Connection& connection = *it++;
        if (connection.idle()) connection.abort();
    }
}

void ConnectionSet::say_memory_is_short() noexcept {
    const auto now = clock();
    if (now < say_short_again) return;
    say_short_again = now + memory_interval;
    try {
        base::log::error(
            "there is no memory for a connection, and it was closed; lower connections, "
            "header_size or body_size, or allow more (MemoryMax=, ulimit -v)");
    } catch (const std::bad_alloc&) {
        say_short_again = {};  // no memory for the message either: try again next time
    }
}

Connection::Connection(Socket socket, ConnectionSet& set, const Peer& peer,
                       ConnectionLimiter::Ticket ticket)
    : set_(set),
      socket_(std::move(socket)),
      peer_(peer),
      ticket_(std::move(ticket)),
      reader_(set.limits, set.proxy_field) {
    set_.list.push_back(*this);
}

Connection::~Connection() { set_.list.erase(set_.list.iterator_to(*this)); }

void Connection::enter(Phase phase, base::Duration time) {
    phase_ = phase;
    since_ = set_.clock();
    deadline_ = since_ + time;
}

std::optional<base::TimePoint> Connection::awaited_since() const {
    const bool is_awaited =
        phase_ == Phase::establishing || phase_ == Phase::reading || phase_ == Phase::lingering;
    return is_awaited ? std::optional(since_) : std::nullopt;
}

void Connection::start(bool header) {
    enter(Phase::establishing, set_.limits.handshake_time);
    if (!header) return establish_soon();
    proxy_header_.emplace();
    read_proxy_header();
}

void Connection::establish_soon() {
    if (peer_.address && !peer_.trusted && !ticket_.count_for(*peer_.address)) return abort();
    establish();
}

void Connection::read_proxy_header() {
    socket_.async_read_some(proxy_header_->space(),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                                if (error) return self->abort();
                                self->guarded([&] { self->received_proxy_header(size); });
                            });
}

void Connection::received_proxy_header(std::size_t size) {
    const auto header = proxy_header_->received(size);
    if (header.state == ProxyHeaderState::more) return read_proxy_header();
    if (header.state == ProxyHeaderState::bad) {
        base::log::info("a connection did not begin as the PROXY protocol says, and was closed");
        return abort();
    }
    proxy_header_.reset();
    peer_ = peer_.behind(header, set_.proxies);
    establish_soon();
}

void Connection::out_of_memory() {
    set_.say_memory_is_short();
    abort();
}

void Connection::abort() {
    const auto last = std::move(held_);
    phase_ = Phase::lingering;  // so that it does not count as idle any more
    error_code ignored;         // it is closed in any case
    socket_.close(ignored);
    ticket_.give_up();
}

void Connection::next_request() {
    reader_.next(set_.handler.needs_fields());
    const bool fresh = !reader_.has_input();
    if (fresh) set_.list.splice(set_.list.end(), set_.list, set_.list.iterator_to(*this));
    enter(fresh ? Phase::idle : Phase::reading,
          fresh ? set_.limits.idle_time : set_.limits.header_time);
    if (!fresh && parse()) return;
    read_some();
}

void Connection::read_some() { async_read(reader_.space()); }

void Connection::on_read(error_code error, std::size_t size) {
    if (error) return abort();
    guarded([&] {
        if (phase_ == Phase::idle) enter(Phase::reading, set_.limits.header_time);
        reader_.received(size);
        if (!parse()) read_some();
    });
}

bool Connection::parse() {
    switch (reader_.read()) {
        case RequestState::more:
            return false;
        case RequestState::refused:
            refuse(reader_.status());
            return true;
        case RequestState::whole:
            dispatch();
            return true;
    }
    return false;
}

void Connection::dispatch() {
    const RequestParser& parser = reader_.request();
    const auto known = client_address(peer_, parser.proxy_values(), set_.proxies);
    if (!known && set_.handler.needs_client()) return refuse(400);
    const auto client = known.value_or(asio::ip::address());
    const bool keep_alive =
        parser.keep_alive() && !set_.closing && ++requests_ < set_.limits.requests_per_connection;
    const Request request{parser.method(), parser.target(),  client,      parser.authorization(),
                          parser.body(),   reader_.fields(), forwarding()};
    enter(Phase::handling, handling_time);
    const auto defer = [this, keep_alive]() -> Later {
        held_ = shared_from_this();
        return [weak = weak_from_this(), executor = socket_.get_executor(),
                keep_alive](Response response) {
            asio::post(executor, [weak, keep_alive, response = std::move(response)] {
                const auto self = weak.lock();
                if (!self || !self->held_) return;  // the connection has ended
                self->held_.reset();
                self->guarded([&] { self->respond(response, keep_alive); });
            });
        };
    };
    if (const auto response = set_.handler.handle(request, defer)) respond(*response, keep_alive);
}

/// A request on a Unix socket without such a field arrives here only if the handler does not need
/// the client's address.
Forwarding Connection::forwarding() const {
    const RequestParser& parser = reader_.request();
    // The PROXY protocol names no client.
    if (peer_.trusted && !peer_.vouches) return Forwarding::silent;
    if (!peer_.vouches) return parser.is_forwarded() ? Forwarding::untrusted : Forwarding::as_meant;
    if (!parser.proxy_values().empty()) return Forwarding::as_meant;
    return parser.is_forwarded() ? Forwarding::other : Forwarding::silent;
}

void Connection::refuse(unsigned status) {
    if (status == 0) return abort();
    if (set_.observer != nullptr) set_.observer->on_refused({peer_.address, status});
    refused_ = true;
    const char* const body = status == 400   ? "BAD REQUEST"
                             : status == 411 ? "LENGTH REQUIRED"
                                             : "TOO LARGE";
    respond({status, body}, false);
}

void Connection::respond(const Response& response, bool keep_alive) {
    keep_alive_ = keep_alive && !set_.closing;
    const RequestParser& parser = reader_.request();
    out_.clear();
    write_response(out_, response,
                   {parser.version() >= 11 ? 11U : 10U, keep_alive_, parser.method() == "HEAD"});
    enter(Phase::writing, set_.limits.write_time);
    async_write(asio::buffer(out_));
}

void Connection::on_written(error_code error) {
    if (error) return abort();
    guarded([&] {
        if (out_.capacity() > kept_answer) std::string().swap(out_);
        if (keep_alive_) return next_request();
        enter(Phase::lingering, linger_time);
        finish(refused_);
    });
}

void Connection::drain() {
    // Closing a socket with unread input sends a TCP reset, which may destroy the response before
    // the client reads it (RFC 9112 §9.6).
    reader_.drop();
    socket_.async_read_some(reader_.space(),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                                if (error) return self->abort();
                                self->reader_.received(size);
                                self->guarded([&] { self->drain(); });
                            });
}

}  // namespace sftdyn::http
