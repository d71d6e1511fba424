// Reads one HTTP/1 request (RFC 9112) with Beast's parser, without an allocation for each field.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

#include "api/message.hpp"
#include "http/limits.hpp"

namespace sftdyn::http {

class RequestParser : private boost::beast::http::basic_parser<true> {
public:
    using basic_parser::is_done;
    using basic_parser::keep_alive;

    /// `proxy_field` is the header field whose value is kept, in lower case; `keep_fields`: all are.
    RequestParser(const Limits& limits, std::string_view proxy_field, bool keep_fields = false);
    /// Wipes what may hold a key or a password.
    ~RequestParser() override;
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// Takes octets of the request, and says how many it used. An error is one of Beast's; `need_more` is none.
    std::size_t feed(std::string_view octets, boost::system::error_code& error);

    [[nodiscard]] std::string_view method() const { return std::string_view(line_).substr(0, method_size_); }
    [[nodiscard]] std::string_view target() const { return std::string_view(line_).substr(method_size_); }
    /// The proxy's field, its occurrences joined by commas.
    [[nodiscard]] const std::optional<std::string>& proxy_value() const { return proxy_value_; }
    /// Whether there is any field by which a proxy speaks for others, whichever one is configured.
    [[nodiscard]] bool is_forwarded() const { return is_forwarded_; }
    /// The Authorization field's value; empty: there is none.
    [[nodiscard]] std::string_view authorization() const { return authorization_; }
    [[nodiscard]] std::string_view body() const { return body_; }
    /// All fields in their order, if they are kept.
    [[nodiscard]] std::span<const api::Field> fields() const { return fields_; }
    /// 10 or 11.
    [[nodiscard]] unsigned version() const { return version_; }
    /// True once the request line has been read.
    [[nodiscard]] bool has_line() const { return method_size_ > 0; }

    /// The status (RFC 9110 §15.5) that answers what `feed` complained of; 0 when the connection only ended.
    [[nodiscard]] unsigned status_of(const boost::system::error_code& error) const;

private:
    using error_code = boost::beast::error_code;
    using view = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb verb, view method, view target, int version, error_code& error) override;
    void on_response_impl(int status, view reason, int version, error_code& error) override;
    void on_field_impl(boost::beast::http::field field, view name, view value, error_code& error) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override;
    std::size_t on_body_impl(view body, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t size, view extensions, error_code& error) override;
    std::size_t on_chunk_body_impl(std::uint64_t remain, view body, error_code& error) override;
    void on_finish_impl(error_code& error) override;

    /// True while the header's lines end as they must; what Beast lets pass and others read in another way is no.
    bool scan(std::string_view octets);

    enum class Scan : std::uint8_t { line, cr, line_start, last_cr, over } scan_ = Scan::line;
    std::size_t scanned_ = 0;  ///< of the octets that are fed next
    std::string line_;         ///< method and target
    std::size_t method_size_ = 0;
    unsigned version_ = 11;
    std::string authorization_;
    std::string body_;
    unsigned hosts_ = 0;
    unsigned authorizations_ = 0;
    unsigned lengths_ = 0;    ///< Content-Length fields
    unsigned encodings_ = 0;  ///< Transfer-Encoding fields
    bool bad_field_ = false;
    bool is_forwarded_ = false;
    bool keep_fields_;
    std::vector<api::Field> fields_;
    std::string_view proxy_field_;
    std::optional<std::string> proxy_value_;
};

}  // namespace sftdyn::http
