// SPDX-License-Identifier: GPL-3.0-or-later
// An address to listen on, as the conf and the command line write it: PORT, IP4:PORT, [IP6]:PORT or
// unix:PATH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"

namespace sftdyn::config {

constexpr unsigned default_socket_mode = 0660;

/// One listener as it is in the configuration. It is converted to a `http::Endpoint`.
struct Listen {
    std::optional<boost::asio::ip::address> address{};  ///< absent: every address of both families
    std::uint16_t port = 0;                             ///< 0: any free one
    std::string path{};                                 ///< of a Unix socket; else empty
    unsigned mode = default_socket_mode;                ///< of a Unix socket
    std::optional<unsigned> gid{};                      ///< of a Unix socket
    bool proxy_protocol = false;  ///< connections begin with a PROXY protocol header
    friend bool operator==(const Listen&, const Listen&) = default;
};

/// Parses an address to listen on. The error does not quote `text`, which may be a secret in the
/// wrong place.
[[nodiscard]] base::Result<Listen> parse_listen(std::string_view text);

/// An error when the path is too long for a Unix socket (unix(7)).
[[nodiscard]] base::Result<void> check_socket_path(std::string_view path);

}  // namespace sftdyn::config
