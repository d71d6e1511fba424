// SPDX-License-Identifier: GPL-3.0-or-later
// Parses one HTTP/1 request (RFC 9112) with Beast's parser, without an allocation per field. A body
// has a Content-Length. Transfer-Encoding is refused, so there are no chunks, chunk extensions or
// trailers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

#include "http/limits.hpp"
#include "http/message.hpp"
#include "http/secret_buffer.hpp"

namespace sftdyn::http {

/// Parses one request; each request needs a new parser. Owned by `RequestReader`, and used on its
/// connection's thread. For a malformed or too long request `feed` returns an error, and
/// `status_of` the status for the response.
class RequestParser : private boost::beast::http::basic_parser<true> {
public:
    using basic_parser::is_done;
    using basic_parser::keep_alive;

    /// Maximum number of header fields; a request with more is answered with 431, like one with too
    /// long a header. Each field that is kept takes memory besides its octets.
    static constexpr std::size_t most_fields = 100;

    /// `proxy_field` is the header field, in lower case, whose values are kept; with `keep_fields`
    /// all fields are kept.
    RequestParser(const Limits& limits, std::string_view proxy_field, bool keep_fields = false);
    /// Zeroizes everything that may hold a key or a password.
    ~RequestParser() override;
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// Parses octets of the request, and returns how many it used. Errors are Beast's; `need_more`
    /// means that the request is incomplete.
    std::size_t feed(std::string_view octets, boost::system::error_code& error);

    [[nodiscard]] std::string_view method() const {
        return std::string_view(line_).substr(0, method_size_);
    }
    [[nodiscard]] std::string_view target() const {
        return std::string_view(line_).substr(method_size_);
    }
    /// The values of the proxy's field, in the order received.
    [[nodiscard]] std::span<const std::string> proxy_values() const { return proxy_values_; }
    /// Whether the request has any field by which a proxy names a client, no matter which one is
    /// configured.
    [[nodiscard]] bool is_forwarded() const { return is_forwarded_; }
    /// The value of the Authorization field; empty without one.
    [[nodiscard]] std::string_view authorization() const { return authorization_; }
    [[nodiscard]] std::string_view body() const { return body_.view(); }
    /// All fields in order, if they are kept.
    [[nodiscard]] std::span<const Field> fields() const { return fields_; }
    [[nodiscard]] std::span<Field> fields() { return fields_; }
    /// 10 or 11.
    [[nodiscard]] unsigned version() const { return version_; }
    /// Octets allocated for the body: at most twice what was received, and at most Content-Length.
    [[nodiscard]] std::size_t body_capacity() const { return body_.capacity(); }

    /// The status (RFC 9110 §15.5) that answers an error of `feed`; 0 when the connection only
    /// ended.
    [[nodiscard]] unsigned status_of(const boost::system::error_code& error) const;

private:
    using error_code = boost::beast::error_code;
    using view = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb verb, view method, view target, int version,
                         error_code& error) override;
    void on_response_impl(int status, view reason, int version, error_code& error) override;
    void on_field_impl(boost::beast::http::field field, view name, view value,
                       error_code& error) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                           error_code& error) override;
    std::size_t on_body_impl(view body, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t size, view extensions, error_code& error) override;
    std::size_t on_chunk_body_impl(std::uint64_t remain, view body, error_code& error) override;
    void on_finish_impl(error_code& error) override;

    /// Checks the header's octets for what Beast accepts but other parsers read differently, and
    /// counts them. Returns how many of `octets` are good; if not all are, `code` says why.
    std::size_t scan(std::string_view octets, error_code& code);
    [[nodiscard]] bool is_good(char c);

    enum class Scan : std::uint8_t { line, cr, line_start, last_cr, over } scan_ = Scan::line;
    std::size_t scanned_ = 0;      ///< octets scanned but not parsed yet
    std::size_t header_size_ = 0;  ///< octets of the header that were scanned
    std::size_t most_header_;      ///< maximum octets of the header
    bool has_line_ = false;        ///< the request line has ended
    std::string line_;             ///< method and target
    std::size_t method_size_ = 0;
    unsigned version_ = 11;
    std::string authorization_;
    SecretText body_;
    std::size_t body_size_ = 0;  ///< from Content-Length
    std::size_t field_count_ = 0;
    unsigned hosts_ = 0;
    unsigned authorizations_ = 0;
    unsigned lengths_ = 0;    ///< Content-Length fields
    unsigned encodings_ = 0;  ///< Transfer-Encoding fields
    bool bad_field_ = false;
    bool is_forwarded_ = false;
    bool is_other_encoding_ = false;  ///< an encoding other than "chunked"
    bool lacks_length_ = false;       ///< the body is chunked, and the rest is valid
    bool keep_fields_;
    std::vector<Field> fields_;
    std::string_view proxy_field_;
    std::vector<std::string> proxy_values_;
};

}  // namespace sftdyn::http
