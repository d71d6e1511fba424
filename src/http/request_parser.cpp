#include "http/request_parser.hpp"

#include <boost/beast/http/error.hpp>

namespace sftdyn::http {

namespace beast = boost::beast;
using beast::http::error;

RequestParser::RequestParser(const Limits& limits, std::string_view proxy_field) : proxy_field_(proxy_field) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.header_octets));
    body_limit(limits.body_octets);
}

unsigned RequestParser::status_of(const boost::system::error_code& code) const {
    if (code == error::header_limit) return has_line() ? 431 : 414;
    if (code == error::body_limit) return 413;
    if (code == error::end_of_stream || code == error::partial_message) return 0;
    return 400;
}

unsigned RequestParser::objection() const {
    // RFC 9112 §3.2: exactly one Host in HTTP/1.1, and no proxying: only the origin form names a resource of ours.
    if (hosts_ > 1 || (hosts_ == 0 && version_ >= 11)) return 400;
    return target().starts_with('/') ? 0 : 400;
}

void RequestParser::on_request_impl(beast::http::verb, view method, view target, int version, error_code&) {
    version_ = static_cast<unsigned>(version);
    line_.reserve(method.size() + target.size());
    line_.assign(method.data(), method.size());
    line_.append(target.data(), target.size());
    method_size_ = method.size();
}

void RequestParser::on_response_impl(int, view, int, error_code&) {}

void RequestParser::on_field_impl(beast::http::field field, view name, view value, error_code&) {
    if (field == beast::http::field::host) ++hosts_;
    if (proxy_field_.empty() || !beast::iequals(name, view(proxy_field_.data(), proxy_field_.size()))) return;
    const std::string_view text(value.data(), value.size());
    proxy_value_ = proxy_value_ ? *proxy_value_ + "," + std::string(text) : std::string(text);
}

void RequestParser::on_header_impl(error_code&) {}
void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) {}
// No dialect reads a body yet: it is passed over, so that the next request is found behind it.
std::size_t RequestParser::on_body_impl(view body, error_code&) { return body.size(); }
void RequestParser::on_chunk_header_impl(std::uint64_t, view, error_code&) {}
std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, view body, error_code&) { return body.size(); }
void RequestParser::on_finish_impl(error_code&) {}

}  // namespace sftdyn::http
