#include "http/connection.hpp"

#include <algorithm>
#include <cstring>

#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "base/secret.hpp"
#include "http/proxy_protocol.hpp"
#include "http/response_writer.hpp"

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t read_size = 2048;
// How long a client may take to read an error before the connection is cut (RFC 9112 §9.6).
constexpr auto linger_time = std::chrono::seconds(2);
// The handler answers within its own deadline; this is only against a defect.
constexpr auto handling_time = std::chrono::hours(1);

}  // namespace

void ConnectionSet::sweep(base::TimePoint now) {
    // Ending one connection ends no other, but it may leave the list.
    for (auto it = list.begin(); it != list.end();) {
        Connection& connection = *it++;
        if (connection.expired(now)) connection.abort();
    }
}

bool ConnectionSet::drop_idle() {
    const auto oldest = std::find_if(list.begin(), list.end(), [](const Connection& connection) { return connection.idle(); });
    if (oldest == list.end()) return false;
    oldest->abort();
    return true;
}

void ConnectionSet::close_when_idle() {
    closing = true;
    for (auto it = list.begin(); it != list.end();) {
        Connection& connection = *it++;
        if (connection.idle()) connection.abort();
    }
}

Connection::Connection(Socket socket, ConnectionSet& set, const Peer& peer, Admission::Ticket ticket)
    : set_(set), socket_(std::move(socket)), peer_(peer), ticket_(std::move(ticket)) {
    set_.list.push_back(*this);
}

Connection::~Connection() {
    base::wipe(in_);  // keys came that way
    set_.list.erase(set_.list.iterator_to(*this));
}

void Connection::enter(Phase phase, base::Duration time) {
    phase_ = phase;
    deadline_ = base::Clock::now() + time;
}

void Connection::start(bool preamble) {
    enter(Phase::establishing, set_.limits.handshake_time);
    if (preamble) return read_preamble(http::read_preamble("").size);
    establish_soon();
}

void Connection::establish_soon() {
    if (peer_.address && !peer_.proxy && !ticket_.count_for(*peer_.address)) return abort();
    establish();
}

void Connection::read_preamble(std::size_t more) {
    in_.resize(end_ + more);
    socket_.async_read_some(asio::buffer(in_.data() + end_, more), [self = shared_from_this()](error_code error, std::size_t size) {
        if (error) return self->abort();
        self->end_ += size;
        const auto preamble = http::read_preamble(std::string_view(self->in_).substr(0, self->end_));
        if (preamble.state == ProxyPreamble::State::more) return self->read_preamble(preamble.size);
        if (preamble.state == ProxyPreamble::State::bad) {
            base::log::info("a connection did not begin as the PROXY protocol says, and was closed");
            return self->abort();
        }
        self->begin_ = self->end_ = 0;
        if (preamble.client) self->peer_ = {preamble.client, base::any_contains(self->set_.proxies.trusted, *preamble.client)};
        self->establish_soon();
    });
}

void Connection::abort() {
    const auto last = std::move(held_);
    phase_ = Phase::lingering;  // whatever it was, it is not idle any more
    error_code ignored;         // it is gone either way
    socket_.close(ignored);
    ticket_.give_up();
}

void Connection::next_request() {
    parser_.emplace(set_.limits, set_.proxy_field, set_.handler.needs_fields());
    const bool fresh = begin_ == end_;
    if (fresh) set_.list.splice(set_.list.end(), set_.list, set_.list.iterator_to(*this));
    enter(fresh ? Phase::idle : Phase::reading, fresh ? set_.limits.idle_time : set_.limits.header_time);
    if (!fresh && parse()) return;
    read_some();
}

void Connection::read_some() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (begin_ > 0 && in_.size() - end_ < read_size / 2) {
        std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (in_.size() - end_ < read_size / 2) in_.resize(end_ + read_size);
    async_read(asio::buffer(in_.data() + end_, in_.size() - end_));
}

void Connection::on_read(error_code error, std::size_t size) {
    if (error) return abort();
    received(size);
}

void Connection::received(std::size_t size) {
    if (phase_ == Phase::idle) enter(Phase::reading, set_.limits.header_time);
    end_ += size;
    if (!parse()) read_some();
}

bool Connection::parse() {
    error_code error;
    while (begin_ < end_) {
        const std::size_t used = parser_->feed(std::string_view(in_).substr(begin_, end_ - begin_), error);
        begin_ += used;
        if (error == boost::beast::http::error::need_more) return false;
        if (error) {
            refuse(parser_->status_of(error));
            return true;
        }
        if (parser_->is_done()) {
            dispatch();
            return true;
        }
        if (used == 0) return false;
    }
    return false;
}

void Connection::dispatch() {
    const auto client = client_address(peer_.address, parser_->proxy_value(), set_.proxies);
    if (!client) return refuse(400);
    const bool keep_alive = parser_->keep_alive() && !set_.closing && ++requests_ < set_.limits.requests_per_connection;
    const api::Request request{parser_->method(), parser_->target(), *client,     parser_->authorization(),
                               parser_->body(),   parser_->fields(), forwarding()};
    enter(Phase::handling, handling_time);
    const auto defer = [this, keep_alive]() -> Later {
        held_ = shared_from_this();
        return [weak = weak_from_this(), executor = socket_.get_executor(), keep_alive](api::Response response) {
            asio::post(executor, [weak, keep_alive, response = std::move(response)] {
                const auto self = weak.lock();
                if (!self || !self->held_) return;  // it was ended meanwhile
                self->held_.reset();
                self->respond(response, keep_alive);
            });
        };
    };
    if (const auto response = set_.handler.handle(request, defer)) respond(*response, keep_alive);
}

/// A Unix socket's peer without a header has no address, and does not come here.
api::Forwarding Connection::forwarding() const {
    if (peer_.address && !peer_.proxy) return parser_->is_forwarded() ? api::Forwarding::untrusted : api::Forwarding::as_meant;
    if (parser_->proxy_value()) return api::Forwarding::as_meant;
    return parser_->is_forwarded() ? api::Forwarding::other : api::Forwarding::silent;
}

void Connection::refuse(unsigned status) {
    if (status == 0) return abort();
    refused_ = true;
    respond({status, status == 400 ? "BAD REQUEST" : "TOO LARGE"}, false);
}

void Connection::respond(const api::Response& response, bool keep_alive) {
    keep_alive_ = keep_alive && !set_.closing;
    out_.clear();
    write_response(out_, response, {parser_->version() >= 11 ? 11U : 10U, keep_alive_, parser_->method() == "HEAD"});
    enter(Phase::writing, set_.limits.write_time);
    async_write(asio::buffer(out_));
}

void Connection::on_written(error_code error) {
    if (error) return abort();
    if (keep_alive_) return next_request();
    enter(Phase::lingering, linger_time);
    finish(refused_);
}

void Connection::drain() {
    // Closing with unread input would reset the connection, and with it the answer that tells the client why.
    in_.resize(read_size);
    socket_.async_read_some(asio::buffer(in_), [self = shared_from_this()](error_code error, std::size_t) {
        if (error) return self->abort();
        self->drain();
    });
}

}  // namespace sftdyn::http
