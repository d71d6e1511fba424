#include "http/connection.hpp"

#include <cstring>

#include <boost/asio/post.hpp>

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

void ConnectionSet::close_when_idle() {
    closing = true;
    for (auto it = list.begin(); it != list.end();) {
        Connection& connection = *it++;
        if (connection.idle()) connection.abort();
    }
}

Connection::Connection(ConnectionSet& set, const asio::ip::address& client) : set_(set), client_(client) { set_.list.push_back(*this); }

Connection::~Connection() { set_.list.erase(set_.list.iterator_to(*this)); }

void Connection::enter(Phase phase, base::Duration time) {
    phase_ = phase;
    deadline_ = base::Clock::now() + time;
}

void Connection::expect_handshake() { enter(Phase::handshaking, set_.limits.handshake_time); }

void Connection::abort() {
    const auto last = std::move(held_);
    close();
}

void Connection::next_request() {
    parser_.emplace(set_.limits, set_.proxy_field);
    const bool fresh = begin_ == end_;
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
    if (phase_ == Phase::lingering) return async_read(asio::buffer(in_));
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
        const std::size_t used = parser_->put(asio::buffer(in_.data() + begin_, end_ - begin_), error);
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
    if (const unsigned status = parser_->objection()) return refuse(status);
    const auto client = client_address(client_, parser_->proxy_value(), set_.proxies);
    if (!client) return refuse(400);
    const bool keep_alive = parser_->keep_alive() && !set_.closing;
    const api::Request request{parser_->method(), parser_->target(), *client};
    enter(Phase::handling, handling_time);
    const auto defer = [this, keep_alive]() -> Later {
        held_ = shared_from_this();
        return [weak = weak_from_this(), executor = executor(), keep_alive](api::Response response) {
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
    async_finish(refused_);
}

void Connection::on_finished() {
    if (!refused_) return abort();
    // Closing with unread input would reset the connection, and with it the answer that tells the client why.
    in_.resize(read_size);
    async_read(asio::buffer(in_));
}

}  // namespace sftdyn::http
