// SPDX-License-Identifier: GPL-3.0-or-later
// What `setup` proposes: this machine's name, its addresses, and the DNS server that runs on it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::commands {

/// The full name of this machine, without a dot at its end. Nothing when it has none that a
/// resolver elsewhere could find: a single label, or a name of a special-use domain (RFC 6761, RFC
/// 6762, RFC 8375, ICANN's `internal`, and those that home routers make up).
[[nodiscard]] std::optional<std::string> public_host_name();
/// Whether a full name is one that a resolver elsewhere could find.
[[nodiscard]] bool is_public_name(const std::string& name);

/// The addresses from which this machine reaches the world: at most one of each family, IPv4 first.
/// Local ones (RFC 1918, RFC 4193 and the like) only where there is no global one. Nothing is sent
/// to find them.
[[nodiscard]] std::vector<boost::asio::ip::address> own_addresses();

/// The kind of DNS server, as `setup` calls it ("bind", "knot", "powerdns"): one that runs, else
/// one that is installed. Nothing when there is none.
[[nodiscard]] std::optional<std::string> dns_server_here(const std::filesystem::path& root = "/");

}  // namespace sftdyn::commands
