// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the requests of one connection. No I/O: takes octets in pieces of any size, and returns
// requests.
#pragma once

#include <optional>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "http/limits.hpp"
#include "http/request_parser.hpp"
#include "http/secret_buffer.hpp"

namespace sftdyn::http {

/// How far a request has been received.
enum class RequestState : std::uint8_t {
    more,     ///< the request is incomplete
    whole,    ///< the request is complete; `next` continues with the one after it
    refused,  ///< `status` answers it, and nothing after it is read
};

/// The octets that a connection has received and not answered yet, and the parser that reads
/// requests from them. Owned by one connection, and used on its thread.
class RequestReader {
public:
    /// `limits` and `proxy_field` must outlive it; see RequestParser.
    RequestReader(const Limits& limits, std::string_view proxy_field);

    /// Begins the next request; for `keep_fields` see RequestParser. Zeroizes what the last request
    /// held, and releases the extra memory of a long one.
    void next(bool keep_fields = false);
    /// Drops everything that was received, including the current request.
    void drop();
    /// The buffer for the next read; never empty. Until `received` is called with the number of
    /// octets read, nothing else may be called.
    [[nodiscard]] boost::asio::mutable_buffer space();
    void received(std::size_t size);
    /// Parses what has been received.
    RequestState read();

    /// Whether there are unread octets: after `next`, the beginning of a pipelined request.
    [[nodiscard]] bool has_input() const { return begin_ != end_; }
    [[nodiscard]] const RequestParser& request() const { return *parser_; }
    /// The fields of the same request, to be moved out.
    [[nodiscard]] std::span<Field> fields() { return parser_->fields(); }
    /// The status that answers a refused request; 0: the connection only ends.
    [[nodiscard]] unsigned status() const { return status_; }
    /// Octets of the buffer. Bounded by `header_octets` and `read_size`, whatever is sent.
    [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

    /// Octets that are read at once, and that an idle connection keeps allocated.
    static constexpr std::size_t read_size = 2048;

private:
    void forget_what_was_read();

    const Limits& limits_;
    std::string_view proxy_field_;
    std::optional<RequestParser> parser_;
    SecretBuffer buffer_;    ///< [begin_, end_) is unread
    std::size_t clean_ = 0;  ///< [0, clean_) holds zeros
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t used_ = 0;  ///< [used_, capacity) was never written
    unsigned status_ = 0;
};

}  // namespace sftdyn::http
