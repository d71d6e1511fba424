// SPDX-License-Identifier: GPL-3.0-or-later
// Which addresses a host can have, and which of those may be published. The same rules apply to
// every source of an address. Immutable once loaded, so any thread may read it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/network.hpp"
#include "base/result.hpp"

namespace sftdyn::base {

/// The scope of an address, as far as publishing it is concerned. An IPv6 address that embeds an
/// IPv4 address (IPv4-mapped, NAT64, 6to4, Teredo) has the scope of the embedded address; an ISATAP
/// address has the scope of its network, which may be one of these. No host can have an IPv6
/// address that embeds an IPv4 address which no host can have. That includes the addresses embedded
/// by ISATAP, and that of the Teredo server.
enum class AddressScope : std::uint8_t {
    global,  ///< none of the others; includes documentation and benchmarking addresses
    loopback,
    local,    ///< private use (RFC 1918), shared by carrier-grade NAT (RFC 6598), unique local (RFC
              ///< 4193)
    nobodys,  ///< no host can have it
};
[[nodiscard]] AddressScope scope_of(const boost::asio::ip::address& address);

/// Whether no host can have the address: it is unspecified, link-local, multicast, broadcast or
/// reserved (for IPv6: neither global unicast, 2000::/3, nor unique local, loopback, IPv4-mapped or
/// NAT64), or it embeds such an address. An embedded loopback address counts too, unless it is
/// IPv4-mapped.
[[nodiscard]] bool is_nobodys(const boost::asio::ip::address& address);

/// The networks that an entry of [addresses] stands for: a name, which is "loopback", "private",
/// "carrier-grade-nat" ("cgn", "shared") or "unique-local", or a single network.
[[nodiscard]] Result<std::vector<Network>> parse_networks(std::string_view text);

/// The rules of [addresses] for what may be published.
struct AddressRules {
    std::vector<Network> allow{};  ///< alone: the only ones allowed; with `deny`: its exceptions
    std::vector<Network> deny{};

    enum class Ruling : std::uint8_t {
        may_be,
        nobodys,   ///< no host can have it
        loopback,  ///< a loopback address that a client names; only the source address of a request
                   ///< may be one
        denied,    ///< by `allow` and `deny`
    };
    /// `named`: a client or a script names the address. Otherwise it is the source of the request,
    /// as the connection or a trusted proxy says. The longest network that contains the address
    /// decides; of equal lengths, `deny` wins. An IPv6 address is also denied when an IPv4 address
    /// that it embeds is denied. An allowed embedded address does not allow the IPv6 address, which
    /// may reach another host. An IPv4-mapped address is treated as its IPv4 address.
    [[nodiscard]] Ruling rule(const boost::asio::ip::address& address, bool named) const;

private:
    /// Whether a network of `deny` contains the address, and no longer network of `allow` does.
    [[nodiscard]] bool is_denied(const boost::asio::ip::address& address) const;
};

/// The ruling as a predicate that follows the address in a message: "is not an address that a host
/// can have", …
[[nodiscard]] const char* text_of(AddressRules::Ruling ruling);

}  // namespace sftdyn::base
