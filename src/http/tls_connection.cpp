// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/tls_connection.hpp"

#include <openssl/err.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Maximum nesting of reads and writes that complete at once, as with pipelined requests.
constexpr unsigned deepest = 16;

}  // namespace

void TlsConnection::establish() {
    ssl_ = new_tls(context_);
    error_code error;
    socket().native_non_blocking(true, error);
    if (error || !ssl_ || SSL_set_fd(ssl_.get(), socket().native_handle()) != 1) return abort();
    SSL_set_accept_state(ssl_.get());
    // The client speaks first.
    await(Socket::wait_read, &TlsConnection::handshake);
}

void TlsConnection::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return await(result, &TlsConnection::handshake);
    established();
}

void TlsConnection::async_read(asio::mutable_buffer into) {
    into_ = into;
    // Between requests there is rarely input yet.
    if (between_requests() && SSL_has_pending(ssl_.get()) == 0)
        return await(Socket::wait_read, &TlsConnection::read);
    read();
}

void TlsConnection::read() {
    if (depth_ >= deepest) return post(&TlsConnection::read);
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), into_.data(), into_.size(), &size);
    if (result != 1) return await(result, &TlsConnection::read);
    ++depth_;
    const auto alive = shared_from_this();
    on_read({}, size);
    --depth_;
}

void TlsConnection::async_write(asio::const_buffer octets) {
    octets_ = octets;
    write();
}

void TlsConnection::write() {
    if (depth_ >= deepest) return post(&TlsConnection::write);
    ERR_clear_error();
    std::size_t size = 0;
    // Without SSL_MODE_ENABLE_PARTIAL_WRITE, success means that everything was written.
    const int result = SSL_write_ex(ssl_.get(), octets_.data(), octets_.size(), &size);
    if (result != 1) return await(result, &TlsConnection::write);
    ++depth_;
    const auto alive = shared_from_this();
    on_written({});
    --depth_;
}

void TlsConnection::post(void (TlsConnection::*step)()) {
    asio::post(socket().get_executor(), [self = self(), step] {
        self->depth_ = 0;
        if (self->socket().is_open()) self->guarded([&] { (*self.*step)(); });
    });
}

void TlsConnection::await(int result, void (TlsConnection::*step)()) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return await(Socket::wait_read, step);
        case SSL_ERROR_WANT_WRITE:
            return await(Socket::wait_write, step);
        default:
            return abort();  // closed, or not TLS
    }
}

void TlsConnection::await(Socket::wait_type what, void (TlsConnection::*step)()) {
    socket().async_wait(what, [self = self(), step](error_code error) {
        if (error || !self->socket().is_open()) return self->abort();
        self->depth_ = 0;
        self->guarded([&] { (*self.*step)(); });
    });
}

void TlsConnection::finish(bool input_may_come) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // sends close_notify (RFC 8446 §6.1); the client's is not awaited
    if (!input_may_come) return abort();
    error_code ignored;  // the client may be gone already
    socket().shutdown(Socket::shutdown_send, ignored);
    drain();
}

}  // namespace sftdyn::http
