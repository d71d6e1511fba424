// SPDX-License-Identifier: GPL-3.0-or-later
// What the parameters of all dialects mean, by their names: one table. A name that is not in it is
// not understood, and whoever sends it is told so: docs/clients.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sftdyn::protocol {

enum class Meaning : std::uint8_t {
    hosts,     ///< names of hosts, separated by commas
    label,     ///< a host, or what stands before the domain
    domain,    ///< a host, or what stands behind the label
    host_id,   ///< a host, where `hosts` has none
    address,   ///< addresses of either family
    v4,        ///< the same; without a value it names IPv4, and no address
    v6,        ///< the same of IPv6
    prefix,    ///< an IPv6 network that was delegated
    user,      ///< who asks
    password,  ///< of the user, or of the host
    key,       ///< a credential that needs no user
    offline,   ///< remove the records
    verbose,   ///< DuckDNS: a longer answer
    ignored    ///< says nothing that we could do
};

/// A name and what it means.
struct ParameterName {
    std::string_view name;  ///< in lower case
    Meaning meaning;
};
/// All that are understood.
[[nodiscard]] std::span<const ParameterName> parameter_names();

/// What a name means, in whatever case it is written. Nothing: it is not understood.
[[nodiscard]] std::optional<Meaning> meaning_of(std::string_view name);

}  // namespace sftdyn::protocol
