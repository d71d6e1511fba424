// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/address_rules.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace sftdyn::base {
namespace {

namespace ip = boost::asio::ip;
using Octets = std::array<unsigned char, 16>;

constexpr int plain = -1;  // no embedded address

struct RegistryRow {
    bool v6;
    Octets network;
    unsigned prefix;  ///< bits
    AddressScope scope;
    int embeds = plain;  ///< octet where the embedded IPv4 address begins; its scope decides
    bool inverted = false;
    int server = plain;  ///< octet where the IPv4 address of a relay server begins
};

using enum AddressScope;

// The first row that contains an address decides; an IPv4 address in no row is global. Sources:
// IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), and its registries
// of IPv4, IPv6, IPv6 unicast and IPv6 multicast address space. Their documentation and
// benchmarking networks are global here, because trials use them.
constexpr RegistryRow rows[] = {
    {false, {0}, 8, nobodys},          // "this network" (RFC 791 §3.2), including 0.0.0.0
    {false, {10}, 8, local},           // private use (RFC 1918)
    {false, {100, 64}, 10, local},     // shared address space (RFC 6598)
    {false, {127}, 8, loopback},       // (RFC 1122 §3.2.1.3)
    {false, {169, 254}, 16, nobodys},  // link-local (RFC 3927)
    {false, {172, 16}, 12, local},     // private use (RFC 1918)
    {false,
     {192, 0, 0},
     24,
     nobodys},  // protocol assignments: DS-Lite's inner end, NAT64 discovery (RFC 6890 §2.1)
    {false, {192, 88, 99}, 24, nobodys},  // 6to4 relay anycast, deprecated (RFC 7526)
    {false, {192, 168}, 16, local},       // private use (RFC 1918)
    {false, {224}, 4, nobodys},           // multicast (RFC 5771)
    {false, {240}, 4, nobodys},  // reserved (RFC 1112 §4), including 255.255.255.255 (RFC 919 §7)

    {true, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, loopback},  // (RFC 4291 §2.5.3)
    {true,
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
     96,
     global,
     12},                                                 // IPv4-mapped (RFC 4291 §2.5.5.2)
    {true, {0, 0x64, 0xff, 0x9b}, 96, global, 12},        // NAT64 (RFC 6052 §2.1)
    {true, {0, 0x64, 0xff, 0x9b, 0, 1}, 48, nobodys},     // local-use NAT64 (RFC 8215)
    {true, {0x20, 0x01, 0, 0}, 32, global, 12, true, 4},  // Teredo (RFC 4380 §4): the client's
                                                          // address is inverted
    {true, {0x20, 0x01, 0, 2, 0, 0}, 48, global},         // benchmarking (RFC 5180 §8)
    {true, {0x20, 0x01, 0, 0}, 23, nobodys},  // protocol assignments (RFC 2928), ORCHID among them
    {true, {0x20, 0x02}, 16, global, 2},      // 6to4 (RFC 3056 §2)
    {true, {0x3f, 0xfe}, 16, nobodys},        // 6bone, phased out (RFC 3701)
    {true, {0x20}, 3, global},                // global unicast (RFC 4291 §2.4)
    {true, {0xfc}, 7, local},                 // unique local (RFC 4193)
    // Everything else: link-local, multicast, site-local, "::", IPv4-compatible, discard-only (RFC
    // 6666), SRv6 segments (RFC 9602), and space reserved by the IETF. No host can have these
    // addresses.
    {true, {}, 0, nobodys},
};

bool holds(const RegistryRow& row, const Octets& octets) {
    unsigned left = row.prefix;
    for (std::size_t i = 0; left > 0; ++i) {
        const unsigned bits = std::min(left, 8U);
        if ((row.network[i] ^ octets[i]) >> (8 - bits) != 0) return false;
        left -= bits;
    }
    return true;
}

const RegistryRow* row_of(const ip::address& address) {
    Octets octets{};
    if (address.is_v4()) {
        const auto bytes = address.to_v4().to_bytes();
        std::copy(bytes.begin(), bytes.end(), octets.begin());
    } else {
        octets = address.to_v6().to_bytes();
    }
    const auto found = std::find_if(std::begin(rows), std::end(rows), [&](const RegistryRow& row) {
        return row.v6 == address.is_v6() && holds(row, octets);
    });
    return found == std::end(rows) ? nullptr : found;
}

/// Whether the interface identifier embeds an IPv4 address as ISATAP does (RFC 5214 §6.1). The
/// network may be any.
bool is_isatap(const Octets& octets) {
    return (octets[8] & ~2U) == 0 && octets[9] == 0 && octets[10] == 0x5e && octets[11] == 0xfe;
}

/// An IPv4 address within an IPv6 address.
struct Embedded {
    ip::address address;
    /// Whether the IPv6 address reaches the same host, and so has the scope of this address. Not so
    /// for a relay server's address and for an ISATAP interface identifier.
    bool decides;
};

ip::address_v4 address_at(const Octets& octets, int begin, bool inverted) {
    ip::address_v4::bytes_type bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const unsigned char octet = octets[static_cast<std::size_t>(begin) + i];
        bytes[i] = inverted ? static_cast<unsigned char>(~octet) : octet;
    }
    return ip::address_v4(bytes);
}

/// All embedded addresses. There may be several: a host in a 6to4 network may have an ISATAP
/// address.
std::vector<Embedded> embedded_in(const ip::address& address, const RegistryRow* row) {
    std::vector<Embedded> out;
    if (!address.is_v6() || row->scope == nobodys) return out;
    const auto octets = address.to_v6().to_bytes();
    if (row->embeds != plain) out.push_back({address_at(octets, row->embeds, row->inverted), true});
    if (row->server != plain) out.push_back({address_at(octets, row->server, false), false});
    if (is_isatap(octets)) out.push_back({address_at(octets, 12, false), false});
    return out;
}

/// The IPv4 address of an IPv4-mapped address; any other address unchanged.
ip::address unmapped(const ip::address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

/// The length in bits of the longest prefix in `networks` that contains the address; -1 when none
/// does.
int longest(const std::vector<Network>& networks, const ip::address& address) {
    int out = -1;
    for (const Network& network : networks) {
        if (network.contains(address)) out = std::max(out, static_cast<int>(network.prefix));
    }
    return out;
}

}  // namespace

AddressScope scope_of(const ip::address& address) {
    const RegistryRow* row = row_of(address);
    if (row == nullptr) return global;
    const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
    AddressScope scope = row->scope;
    for (const Embedded& embedded : embedded_in(address, row)) {
        const AddressScope inner = scope_of(embedded.address);
        // An IPv4-mapped address may be loopback, since it denotes the IPv4 address itself. No host
        // can have another address that embeds a loopback address.
        if (inner == nobodys || (inner == loopback && !mapped)) return nobodys;
        if (embedded.decides) scope = inner;
    }
    return scope;
}

bool is_nobodys(const ip::address& address) { return scope_of(address) == nobodys; }

Result<std::vector<Network>> parse_networks(std::string_view text) {
    static const std::pair<std::string_view, std::vector<const char*>> words[] = {
        {"loopback", {"127.0.0.0/8", "::1"}},
        {"private", {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}},
        {"carrier-grade-nat", {"100.64.0.0/10"}},
        {"cgn", {"100.64.0.0/10"}},
        {"shared", {"100.64.0.0/10"}},
        {"unique-local", {"fc00::/7"}},
    };
    std::vector<Network> out;
    for (const auto& [word, networks] : words) {
        if (word != text) continue;
        for (const char* network : networks) out.push_back(Network::parse(network).value());
        return out;
    }
    auto network = Network::parse(text);
    if (network.has_error()) {
        return Error{"this is neither a network nor one of the words for networks", "",
                     "expected an address, a CIDR block, or \"loopback\", \"private\", "
                     "\"carrier-grade-nat\" or \"unique-local\""};
    }
    out.push_back(*network);
    return out;
}

AddressRules::Ruling AddressRules::rule(const ip::address& address, bool named) const {
    const AddressScope scope = scope_of(address);
    if (scope == AddressScope::nobodys) return Ruling::nobodys;
    if (scope == AddressScope::loopback && named) return Ruling::loopback;
    if (allow.empty() && deny.empty()) return Ruling::may_be;

    const ip::address own = unmapped(address);
    if (is_denied(own)) return Ruling::denied;
    if (deny.empty() && longest(allow, own) < 0) return Ruling::denied;
    const auto embedded = embedded_in(own, row_of(own));
    const bool denied =
        std::any_of(embedded.begin(), embedded.end(),
                    [this](const Embedded& inner) { return is_denied(inner.address); });
    return denied ? Ruling::denied : Ruling::may_be;
}

bool AddressRules::is_denied(const ip::address& address) const {
    const int denied = longest(deny, address);
    return denied >= 0 && denied >= longest(allow, address);
}

const char* text_of(AddressRules::Ruling ruling) {
    switch (ruling) {
        case AddressRules::Ruling::may_be:
            return "may be published";
        case AddressRules::Ruling::nobodys:
            return "is not an address that a host can have";
        case AddressRules::Ruling::loopback:
            return "is a loopback address, which is published only for a request that comes from "
                   "it";
        case AddressRules::Ruling::denied:
            break;
    }
    return "must not be published ([addresses] in the configuration)";
}

}  // namespace sftdyn::base
