// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/plain_connection.hpp"

#include <boost/asio/write.hpp>

namespace sftdyn::http {

namespace asio = boost::asio;
using boost::system::error_code;

void PlainConnection::async_read(asio::mutable_buffer into) {
    socket().async_read_some(
        into, [self = self()](error_code error, std::size_t size) { self->on_read(error, size); });
}

void PlainConnection::async_write(asio::const_buffer octets) {
    asio::async_write(socket(), octets,
                      [self = self()](error_code error, std::size_t) { self->on_written(error); });
}

void PlainConnection::finish(bool input_may_come) {
    // When no input can follow, closing is enough.
    if (!input_may_come) return abort();
    error_code ignored;  // the client may be gone already
    socket().shutdown(Socket::shutdown_send, ignored);
    drain();
}

}  // namespace sftdyn::http
