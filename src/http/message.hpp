// SPDX-License-Identifier: GPL-3.0-or-later
// HTTP requests and responses as the dialects see them, without sockets and syntax.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

/// A header field (RFC 9110 §6.3), as sent.
struct Field {
    std::string name{};  ///< case-insensitive
    std::string value{};
};

/// Whether a request's X-Forwarded-For, Forwarded and X-Real-IP fields fit the peer that sent them.
enum class Forwarding : std::uint8_t {
    as_meant,
    untrusted,  ///< one of them, from a peer that is not a trusted proxy
    silent,     ///< none of them, from a trusted proxy
    other       ///< only another field than the configured one, from a trusted proxy
};

/// A request as a handler sees it. The views are valid during `Handler::handle`.
struct Request {
    std::string_view method;  ///< as sent; case-sensitive (RFC 9110 §9.1)
    std::string_view target;  ///< origin form, as sent (RFC 9112 §3.2.1)
    /// Never an IPv4-mapped IPv6 address. Unspecified when it is not known and the handler does not
    /// need it.
    boost::asio::ip::address client;
    std::string_view authorization{};  ///< the field's value (RFC 9110 §11.6.2); empty: none
    std::string_view body{};
    std::span<Field> fields{};  ///< in order, if the handler needs them; it may move them out
    Forwarding forwarding = Forwarding::as_meant;
};

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

/// A response as a handler gives it. The server adds the header fields for the connection.
struct Response {
    unsigned status = 200;
    std::string body{};
    std::string_view allow{};  ///< with 405 (RFC 9110 §10.2.1); must outlive the response
    std::chrono::seconds retry_after{};  ///< 0: none (RFC 9110 §10.2.3)
    std::string_view authenticate{};     ///< WWW-Authenticate, with 401 (RFC 9110 §11.6.1); must
                                         ///< outlive the response
    std::string_view content_type = plain_text;  ///< must outlive the response
};

}  // namespace sftdyn::http
