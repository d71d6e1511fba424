#include "http/tls_connection.hpp"

#include <boost/asio/write.hpp>

namespace sftdyn::http {

namespace asio = boost::asio;
using boost::system::error_code;

void TlsConnection::start() {
    expect_handshake();
    stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code error) {
        if (error) return self->abort();
        self->next_request();
    });
}

void TlsConnection::async_read(asio::mutable_buffer into) {
    stream_.async_read_some(into, [self = self()](error_code error, std::size_t size) { self->on_read(error, size); });
}

void TlsConnection::async_write(asio::const_buffer octets) {
    asio::async_write(stream_, octets, [self = self()](error_code error, std::size_t) { self->on_written(error); });
}

void TlsConnection::async_finish(bool) {
    // close_notify (RFC 8446 §6.1) is sent, and the client's is awaited within the time for lingering.
    stream_.async_shutdown([self = self()](error_code) { self->abort(); });
}

void TlsConnection::close() {
    error_code ignored;  // it is gone either way
    stream_.next_layer().close(ignored);
}

}  // namespace sftdyn::http
