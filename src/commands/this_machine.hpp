// SPDX-License-Identifier: GPL-3.0-or-later
// Defaults for `setup`: this machine's name, its addresses, and the DNS server that runs on it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::commands {

/// The full name of this machine, without a dot at its end. Nothing when a resolver elsewhere can't
/// find it: a single label, or a name in a special-use domain (RFC 6761, RFC 6762, RFC 8375,
/// ICANN's `internal`, and those that home routers use).
[[nodiscard]] std::optional<std::string> public_host_name();
/// Whether a resolver elsewhere could find the name: it has a dot, and is in no special-use domain.
[[nodiscard]] bool is_public_name(const std::string& name);

/// The addresses from which this machine reaches the Internet: at most one of each family, IPv4
/// first. Local addresses (RFC 1918, RFC 4193 and the like) only if there is no global one. Sends
/// no packets.
[[nodiscard]] std::vector<boost::asio::ip::address> own_addresses();

/// The DNS server, as `setup` names it ("bind", "knot", "powerdns"): a running one, else an
/// installed one. Nothing: there is none.
[[nodiscard]] std::optional<std::string> dns_server_here(const std::filesystem::path& root = "/");

}  // namespace sftdyn::commands
