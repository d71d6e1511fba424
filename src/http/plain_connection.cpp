#include "http/plain_connection.hpp"

#include <boost/asio/write.hpp>

namespace sftdyn::http {

namespace asio = boost::asio;
using boost::system::error_code;

void PlainConnection::async_read(asio::mutable_buffer into) {
    socket_.async_read_some(into, [self = self()](error_code error, std::size_t size) { self->on_read(error, size); });
}

void PlainConnection::async_write(asio::const_buffer octets) {
    asio::async_write(socket_, octets, [self = self()](error_code error, std::size_t) { self->on_written(error); });
}

void PlainConnection::async_finish(bool input_may_come) {
    // Without input to come, closing does as well.
    error_code ignored;  // the client may be gone already
    if (input_may_come) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    on_finished();
}

void PlainConnection::close() {
    error_code ignored;  // it is gone either way
    socket_.close(ignored);
}

}  // namespace sftdyn::http
