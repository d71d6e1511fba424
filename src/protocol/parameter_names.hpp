// SPDX-License-Identifier: GPL-3.0-or-later
// The table of parameter names of all dialects and their meanings. A name that is not in it is a
// fault, which the answer says: docs/clients.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sftdyn::protocol {

/// What the value of a parameter is.
enum class Meaning : std::uint8_t {
    hosts,     ///< host names, separated by commas
    label,     ///< a host, or the label before `domain`
    domain,    ///< a host, or the domain after `label`
    host_id,   ///< a host, if `hosts` names none
    address,   ///< addresses of either family
    v4,        ///< IPv4 addresses; without a value: IPv4 without an address
    v6,        ///< the same for IPv6
    prefix,    ///< the delegated IPv6 prefix
    user,      ///< the user name
    password,  ///< of the user or the host
    key,       ///< a credential without a user
    offline,   ///< remove the records
    verbose,   ///< DuckDNS: a longer answer
    ignored    ///< understood, but has no effect
};

/// A name and its meaning.
struct ParameterName {
    std::string_view name;  ///< in lower case
    Meaning meaning;
};
/// All known names.
[[nodiscard]] std::span<const ParameterName> parameter_names();

/// The meaning of a name, which is compared without case; absent: unknown.
[[nodiscard]] std::optional<Meaning> meaning_of(std::string_view name);

}  // namespace sftdyn::protocol
