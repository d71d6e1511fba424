// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/request_parser.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "base/secret.hpp"

namespace sftdyn::http {

namespace beast = boost::beast;
using beast::http::error;

namespace {

/// Whether `text` is uri-host [":" port] (RFC 9110 §7.2), or empty. A reg-name may contain a comma,
/// but here a comma means two values.
bool is_host(std::string_view text) {
    constexpr std::string_view punctuation = "-._~%!$&'()*+;=";
    const auto alphanumeric = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    std::size_t end = 0;
    if (text.starts_with('[')) {
        end = text.find(']');
        if (end == std::string_view::npos) return false;
        const auto inside = text.substr(1, end++ - 1);
        if (inside.empty() || !std::all_of(inside.begin(), inside.end(), [&](char c) {
                return alphanumeric(c) || c == ':' || c == '.';
            }))
            return false;
    } else {
        while (end < text.size() &&
               (alphanumeric(text[end]) || punctuation.find(text[end]) != std::string_view::npos))
            ++end;
    }
    const auto rest = text.substr(end);
    return rest.empty() || (rest[0] == ':' && rest.substr(1).find_first_not_of("0123456789") ==
                                                  std::string_view::npos);
}

}  // namespace

RequestParser::RequestParser(const Limits& limits, std::string_view proxy_field, bool keep_fields)
    : most_header_(limits.header_octets), keep_fields_(keep_fields), proxy_field_(proxy_field) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.header_octets));
    body_limit(limits.body_octets);
}

RequestParser::~RequestParser() {
    for (std::string* secret : {&line_, &authorization_}) base::zeroize(*secret);
    for (Field& field : fields_) base::zeroize(field.value);
}

unsigned RequestParser::status_of(const boost::system::error_code& code) const {
    if (code == error::header_limit) return has_line_ ? 431 : 414;
    if (code == error::body_limit) return 413;
    if (code == error::end_of_stream || code == error::partial_message) return 0;
    // RFC 9112 §6.3: a request without Content-Length may be refused with 411.
    if (code == error::bad_transfer_encoding && lacks_length_) return 411;
    return 400;
}

std::size_t RequestParser::feed(std::string_view octets, error_code& code) {
    error_code bad;
    code = {};
    const std::size_t good = scan(octets, bad);
    // Parse the octets before the bad one first, so that the result does not depend on how the
    // request was split into pieces.
    const std::size_t used = good > 0 ? put(boost::asio::buffer(octets.data(), good), code) : 0;
    scanned_ -= std::min(used, scanned_);
    if (bad && (!code || code == error::need_more)) code = bad;
    return used;
}

std::size_t RequestParser::scan(std::string_view octets, error_code& code) {
    for (; scanned_ < octets.size() && scan_ != Scan::over; ++scanned_) {
        if (header_size_ == most_header_) code = error::header_limit;
        if (!code && !is_good(octets[scanned_])) code = error::bad_field;
        if (code) return scanned_;
        ++header_size_;
    }
    return octets.size();
}

// RFC 9112 §2.2, §5.2: rejects a bare CR or LF, NUL and folded lines, which different parsers may
// read differently.
bool RequestParser::is_good(char c) {
    switch (scan_) {
        case Scan::cr:
        case Scan::last_cr:
            if (c != '\n') return false;
            has_line_ = true;
            scan_ = scan_ == Scan::cr ? Scan::line_start : Scan::over;
            return true;
        case Scan::line_start:
            if (c == ' ' || c == '\t') return false;
            [[fallthrough]];
        default:
            if (c == '\n' || c == '\0') return false;
            if (c == '\r') {
                scan_ = scan_ == Scan::line_start ? Scan::last_cr : Scan::cr;
            } else {
                scan_ = Scan::line;
            }
            return true;
    }
}

void RequestParser::on_request_impl(beast::http::verb, view method, view target, int version,
                                    error_code&) {
    version_ = static_cast<unsigned>(version);
    line_.reserve(method.size() + target.size());
    line_.assign(method.data(), method.size());
    line_.append(target.data(), target.size());
    method_size_ = method.size();
}

void RequestParser::on_response_impl(int, view, int, error_code&) {}

void RequestParser::on_field_impl(beast::http::field field, view name, view value,
                                  error_code& code) {
    if (++field_count_ > most_fields) {
        code = error::header_limit;
        return;
    }
    const std::string_view text(value.data(), value.size());
    switch (field) {
        case beast::http::field::host:
            ++hosts_;
            bad_field_ = bad_field_ || !is_host(text);
            break;
        case beast::http::field::content_length:
            ++lengths_;
            bad_field_ = bad_field_ || text.find_first_not_of("0123456789") !=
                                           std::string_view::npos;  // rejects a list too
            break;
        case beast::http::field::transfer_encoding:
            ++encodings_;
            is_other_encoding_ = is_other_encoding_ || !beast::iequals(value, "chunked");
            break;
        case beast::http::field::authorization:
            bad_field_ = bad_field_ || ++authorizations_ > 1;
            authorization_ = text;
            break;
        case beast::http::field::forwarded:
            is_forwarded_ = true;
            break;
        case beast::http::field::unknown:
            is_forwarded_ = is_forwarded_ || beast::iequals(name, "X-Forwarded-For") ||
                            beast::iequals(name, "X-Real-IP");
            break;
        default:
            break;
    }
    if (keep_fields_) fields_.push_back({std::string(name), std::string(text)});
    if (!beast::iequals(name, view(proxy_field_.data(), proxy_field_.size()))) return;
    is_forwarded_ = true;
    proxy_values_.emplace_back(text);
}

void RequestParser::on_header_impl(error_code& code) {
    // RFC 9112 §3.2: exactly one Host in HTTP/1.1. Only the origin form names a resource of this
    // server; proxying is not supported.
    const bool bad_host = hosts_ > 1 || (hosts_ == 0 && version_ >= 11);
    // RFC 9112 §6.1, §6.3: at most one Content-Length, and no Transfer-Encoding, so that the end of
    // the body is unambiguous.
    if (bad_host || lengths_ > 1 || bad_field_ || !target().starts_with('/')) {
        code = error::bad_field;
    } else if (encodings_ > 0) {
        lacks_length_ = encodings_ == 1 && lengths_ == 0 && !is_other_encoding_ && version_ >= 11;
        code = error::bad_transfer_encoding;
    }
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
    // Beast has checked it against the limit.
    body_size_ = length ? static_cast<std::size_t>(*length) : 0;
}

std::size_t RequestParser::on_body_impl(view body, error_code&) {
    body_.append({body.data(), body.size()}, body_size_);
    return body.size();
}

// Never called: a chunked request is refused after its header.
void RequestParser::on_chunk_header_impl(std::uint64_t, view, error_code& code) {
    code = error::bad_transfer_encoding;
}
std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, view, error_code& code) {
    code = error::bad_transfer_encoding;
    return 0;
}

void RequestParser::on_finish_impl(error_code&) {}

}  // namespace sftdyn::http
