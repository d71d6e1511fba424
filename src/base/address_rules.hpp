// SPDX-License-Identifier: GPL-3.0-or-later
// Which addresses a host can have, and which of those may be published: one table for every way in
// which an address comes in. Immutable once made, so any thread may read it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/network.hpp"
#include "base/result.hpp"

namespace sftdyn::base {

/// What an address is for, as far as it matters who may be given it. An IPv6 address that embeds an
/// IPv4 address (IPv4-mapped, NAT64, 6to4, Teredo) is of that one's scope; an ISATAP address is of
/// its network's, which may be one of these. No host can have it where none can have one of the
/// IPv4 addresses in it: also ISATAP's, and that of Teredo's server.
enum class AddressScope : std::uint8_t {
    global,  ///< anything that is none of the others; documentation and benchmarking addresses too
    loopback,
    local,    ///< private use (RFC 1918), shared by carrier-grade NAT (RFC 6598), unique local (RFC
              ///< 4193)
    nobodys,  ///< no host can have it
};
[[nodiscard]] AddressScope scope_of(const boost::asio::ip::address& address);

/// No host can have it: unspecified, link-local, multicast, broadcast, reserved (of IPv6: whatever
/// is neither global unicast, 2000::/3, nor unique local, loopback, IPv4-mapped or NAT64), and what
/// embeds one of these. Also a loopback address that is embedded.
[[nodiscard]] bool is_nobodys(const boost::asio::ip::address& address);

/// The networks that a word of [addresses] names: "loopback", "private", "carrier-grade-nat"
/// ("cgn", "shared") and "unique-local"; or the one network that it is.
[[nodiscard]] Result<std::vector<Network>> parse_networks(std::string_view text);

/// What [addresses] says may be published.
struct AddressRules {
    std::vector<Network>
        allow{};  ///< alone: nothing else may be published; with `deny`: its exceptions
    std::vector<Network> deny{};

    enum class Ruling : std::uint8_t {
        may_be,
        nobodys,   ///< no host can have it
        loopback,  ///< a client names a loopback address; only a request can come from one
        denied,    ///< the settings say so
    };
    /// `named`: a client or a script names it; else the request comes from it, as the connection or
    /// a trusted proxy says. The longest network that holds the address decides, `deny` of two
    /// alike. No IPv4 address that it embeds may be denied either; that one is allowed says
    /// nothing of the IPv6 address, which may lead elsewhere. An IPv4-mapped address is the IPv4
    /// address.
    [[nodiscard]] Ruling rule(const boost::asio::ip::address& address, bool named) const;

private:
    /// A network of `deny` holds it, and no longer one of `allow`.
    [[nodiscard]] bool is_denied(const boost::asio::ip::address& address) const;
};

/// "is no address that a host can have", "is not to be published ([addresses] in the
/// configuration)", …
[[nodiscard]] const char* text_of(AddressRules::Ruling ruling);

}  // namespace sftdyn::base
