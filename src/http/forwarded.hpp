// Who asked, when a proxy stands between: what a trusted proxy says of the client (RFC 7239, X-Forwarded-For, X-Real-IP).
// Nobody else is believed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/network.hpp"

namespace sftdyn::http {

enum class ProxyHeader { x_forwarded_for, forwarded, x_real_ip };

struct Proxies {
    std::vector<base::Network> trusted{};
    ProxyHeader header = ProxyHeader::x_forwarded_for;
};

/// The client's address. `peer` is absent for a Unix socket's, which is trusted: its permissions say who may use it.
/// `value` is the header that `proxies` names, its occurrences joined by commas; absent: there is
/// none. A peer that is not trusted is the client itself, and so is a trusted one that says nothing. Several hops are
/// unwound from the right, past trusted proxies. Nothing: what the trusted proxy says can't be understood, and the
/// request must not be served; nor when a Unix socket's peer says nothing.
[[nodiscard]] std::optional<boost::asio::ip::address> client_address(const std::optional<boost::asio::ip::address>& peer,
                                                                     const std::optional<std::string>& value, const Proxies& proxies);

}  // namespace sftdyn::http
