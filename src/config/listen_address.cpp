// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/listen_address.hpp"

#include <sys/un.h>

#include <string>

#include "base/network.hpp"
#include "base/number.hpp"

namespace sftdyn::config {
namespace {

constexpr std::string_view unix_prefix = "unix:";

std::optional<std::uint16_t> parse_port(std::string_view text) {
    return base::parse_number<std::uint16_t>(text);
}

}  // namespace

base::Result<Listen> parse_listen(std::string_view text) {
    const base::Error bad{"this is not an address to listen on", "",
                          "expected PORT, IP4:PORT, [IP6]:PORT or unix:PATH, for example 8080, "
                          "127.0.0.1:8080, [::1]:8080 or unix:/run/sftdyn/http.sock"};
    if (text.starts_with(unix_prefix)) {
        Listen out;
        out.path = text.substr(unix_prefix.size());
        if (!out.path.starts_with('/') || out.path.ends_with('/') ||
            out.path.find('\0') != std::string::npos)
            return bad;
        return out;
    }
    const std::size_t colon = text.rfind(':');
    const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
    if (!port) return bad;
    if (colon == std::string_view::npos) return Listen{std::nullopt, *port};

    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = base::parse_zoned_address(host);
    if (!address || address->is_v6() != bracketed) return bad;
    return Listen{*address, *port};
}

base::Result<void> check_socket_path(std::string_view path) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (path.size() <= longest) return {};
    return base::Error{"the socket's path is too long: " + std::to_string(path.size()) + " octets",
                       "",
                       "a Unix socket's path has up to " + std::to_string(longest) +
                           " octets: choose a shorter one, for example below /run/sftdyn"};
}

}  // namespace sftdyn::config
