// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/named_addresses.hpp"

#include <algorithm>

#include "base/address_rules.hpp"
#include "base/ascii.hpp"
#include "base/network.hpp"
#include "base/number.hpp"

namespace sftdyn::protocol {
namespace {

namespace ip = boost::asio::ip;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// The part of a text that is logged.
std::string start_of(std::string_view text) { return std::string(text.substr(0, 80)); }

bool can_be_a_hosts(const ip::address& address) {
    return base::AddressRules{}.rule(address, true) == base::AddressRules::Ruling::may_be;
}

void set_unusable(std::string_view text, Addresses& into) {
    if (into.unusable.empty()) into.unusable = start_of(text);
}

/// Sets the address. A repeated address counts once.
void set_address(Addresses::Named named, Addresses& into) {
    auto& place = named.address.is_v4() ? into.v4 : into.v6;
    if (place && place->address != named.address) into.has_several = true;
    if (!place) place = std::move(named);
}

void set_prefix(const Addresses::Prefix& prefix, Addresses& into) {
    const auto& before = into.prefix;
    if (before && (before->network != prefix.network || before->length != prefix.length))
        into.has_several = true;
    if (!before) into.prefix = prefix;
}

/// Whether all bits after the first `length` are 0: a network, not the address of a host.
bool is_network(const ip::address& address, unsigned length) {
    const auto has_none = [&](const auto& bytes) {
        for (std::size_t bit = length; bit < bytes.size() * 8; ++bit) {
            if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
        }
        return length < bytes.size() * 8;
    };
    return address.is_v4() ? has_none(address.to_v4().to_bytes())
                           : has_none(address.to_v6().to_bytes());
}

/// Parses an address without a prefix length; brackets are allowed.
std::optional<Addresses::Named> address_of(std::string_view text) {
    std::string_view bare = text;
    if (bare.starts_with('[') && bare.ends_with(']') && bare.size() > 2)
        bare = bare.substr(1, bare.size() - 2);
    const auto address = base::parse_address(bare);
    if (!address) return std::nullopt;
    Addresses::Named named{base::plain_address(*address), std::string(text)};
    if (!can_be_a_hosts(named.address)) return std::nullopt;
    return named;
}

std::optional<Addresses::Prefix> prefix_of(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = base::parse_address(text.substr(0, slash));
    if (!address || !address->is_v6() || !can_be_a_hosts(*address)) return std::nullopt;
    if (address->to_v6().is_v4_mapped()) return std::nullopt;
    Addresses::Prefix out{address->to_v6(), 64};
    if (slash == std::string_view::npos) return out;
    const auto length = base::parse_number<decltype(out.length)>(text.substr(slash + 1));
    if (!length || *length < 8 || *length > 127) return std::nullopt;
    out.length = *length;
    return out;
}

/// Parses an address with a prefix length: a host's address counts as an address, a network as a
/// prefix.
void read_with_length(std::string_view text, Addresses& into) {
    const std::size_t slash = text.find('/');
    const auto length = base::parse_number<unsigned>(text.substr(slash + 1));
    auto named = address_of(text.substr(0, slash));
    if (!named || !length || *length > (named->address.is_v4() ? 32U : 128U))
        return set_unusable(text, into);
    if (!is_network(named->address, *length)) return set_address(std::move(*named), into);
    const auto prefix = prefix_of(text);
    if (!prefix) return set_unusable(text, into);
    set_prefix(*prefix, into);
}

}  // namespace

std::vector<std::string_view> split_list(std::string_view text, std::size_t most) {
    std::vector<std::string_view> out;
    while (!text.empty() && out.size() <= most) {
        const std::size_t end = std::min(text.find(','), text.size());
        if (const auto part = trimmed(text.substr(0, end)); !part.empty()) out.push_back(part);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

void read_address(std::string_view text, Family family, const ip::address& source,
                  Addresses& into) {
    if (base::ascii_iequals(text, "preserve")) {
        // In a parameter for either family, deSEC means IPv4.
        (family == Family::v6 ? into.keep_v6 : into.keep_v4) = true;
        return;
    }
    if (base::ascii_iequals(text, "auto")) {
        if (family != Family::any && source.is_v4() != (family == Family::v4))
            return set_unusable(text, into);
        return set_address({source, source.to_string()}, into);
    }
    if (text.find('/') != std::string_view::npos) return read_with_length(text, into);
    auto named = address_of(text);
    if (!named) return set_unusable(text, into);
    set_address(std::move(*named), into);
}

void read_prefix(std::string_view text, Addresses& into) {
    const auto prefix = prefix_of(trimmed(text));
    if (!prefix) return set_unusable(text, into);
    set_prefix(*prefix, into);
}

}  // namespace sftdyn::protocol
