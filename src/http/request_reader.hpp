// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the requests of one connection. No I/O: octets go in, in pieces of any size, and requests
// come out.
#pragma once

#include <optional>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "http/limits.hpp"
#include "http/request_parser.hpp"
#include "http/secret_buffer.hpp"

namespace sftdyn::http {

/// How much of a request is there.
enum class RequestState : std::uint8_t {
    more,     ///< the request is not whole yet
    whole,    ///< it is; `next` goes on with the one behind it
    refused,  ///< `status` answers it, and nothing behind it is read
};

/// What a connection has received and not answered yet: the buffer, and the parser that reads
/// requests out of it. Owned by one connection, and used on its thread.
class RequestReader {
public:
    /// `limits` and `proxy_field` must outlive it; see RequestParser.
    RequestReader(const Limits& limits, std::string_view proxy_field);

    /// Begins the next request; `keep_fields` as RequestParser has it. What the last one held is
    /// zeroized, and the memory that a long one needed is given back.
    void next(bool keep_fields = false);
    /// Drops all that was received, and the request with it.
    void drop();
    /// Where to receive octets; never empty. Until `received` says how many came, nothing else may
    /// be called.
    [[nodiscard]] boost::asio::mutable_buffer space();
    void received(std::size_t size);
    /// Reads what has been received.
    RequestState read();

    /// Whether octets wait that were not read yet: after `next`, the beginning of a pipelined
    /// request.
    [[nodiscard]] bool has_input() const { return begin_ != end_; }
    [[nodiscard]] const RequestParser& request() const { return *parser_; }
    /// Of the same request, for who takes them.
    [[nodiscard]] std::span<Field> fields() { return parser_->fields(); }
    /// What answers a refused request; 0: the connection only ends.
    [[nodiscard]] unsigned status() const { return status_; }
    /// Octets of the buffer. With `header_octets` and `read_size` they have a bound, whatever is
    /// sent.
    [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

    /// Octets that are read at once, and that a connection keeps while it is idle.
    static constexpr std::size_t read_size = 2048;

private:
    void forget_what_was_read();

    const Limits& limits_;
    std::string_view proxy_field_;
    std::optional<RequestParser> parser_;
    SecretBuffer buffer_;    ///< [begin_, end_) waits to be read
    std::size_t clean_ = 0;  ///< [0, clean_) holds zeros
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t used_ = 0;  ///< [used_, capacity) was never written
    unsigned status_ = 0;
};

}  // namespace sftdyn::http
