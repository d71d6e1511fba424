// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/server_url.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/network.hpp"
#include "base/number.hpp"
#include "dns/name_fault.hpp"

namespace sftdyn::commands {
namespace {

constexpr const char* expected = "expected for example https://dyn.example.org:4443";

bool is_port(std::string_view text) {
    const auto port = base::parse_number<std::uint16_t>(text);
    return port && *port != 0;
}

/// A name or an address: "dyn.example.org", "192.0.2.1" or "[2001:db8::1]".
bool is_host(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) {
        const auto address = base::parse_address(text.substr(1, text.size() - 2));
        return address && address->is_v6();
    }
    return !text.starts_with('*') && dns::fault_of_host(text).empty();
}

bool is_path(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("-._~/").find(c) != std::string_view::npos;
    });
}

}  // namespace

std::string fault_of_server_url(std::string_view url) {
    const std::size_t end = url.find("://");
    const std::string_view scheme = url.substr(0, end);
    if (end == std::string_view::npos || (scheme != "http" && scheme != "https"))
        return std::string("this is no URL with http:// or https://; ") + expected;
    std::string_view rest = url.substr(scheme.size() + 3);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view path = rest.substr(slash);
    std::string_view host = rest.substr(0, slash);
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        if (!is_port(host.substr(colon + 1)))
            return std::string("the port is not a number from 1 to 65535; ") + expected;
        host = host.substr(0, colon);
    }
    if (!is_host(host)) return std::string("the server has no valid name or address; ") + expected;
    if (!is_path(path))
        return std::string("the path may hold letters, digits and -._~/ only; ") + expected;
    return {};
}

}  // namespace sftdyn::commands
