// An address that a proxy names, as text. No names, no zones, no system call.
#pragma once

#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

/// The whole of `text` as an IPv4 address (dotted decimal) or an IPv6 address (RFC 4291 §2.2), nothing else.
[[nodiscard]] std::optional<boost::asio::ip::address> address_of_text(std::string_view text);

/// An address that a client can have: an IPv4-mapped one as what it is; nothing for an unspecified or a multicast one.
[[nodiscard]] std::optional<boost::asio::ip::address> client_form(const boost::asio::ip::address& address);

}  // namespace sftdyn::http
