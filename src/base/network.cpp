// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/network.hpp"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/number.hpp"
#include "base/random.hpp"

namespace sftdyn::base {
namespace {

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned prefix) {
    for (std::size_t i = 0; i < a.size() && prefix > 0; ++i) {
        const unsigned bits = std::min(prefix, 8U);
        if ((a[i] ^ b[i]) >> (8 - bits) != 0) return false;
        prefix -= bits;
    }
    return true;
}

}  // namespace

std::optional<boost::asio::ip::address> parse_address(std::string_view text) {
    namespace ip = boost::asio::ip;
    std::array<char, INET6_ADDRSTRLEN> buffer{};  // the longest address and its NUL
    if (text.size() >= buffer.size() || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    std::copy(text.begin(), text.end(), buffer.begin());

    ip::address_v4::bytes_type v4;
    if (inet_pton(AF_INET, buffer.data(), v4.data()) == 1) return ip::address_v4(v4);
    ip::address_v6::bytes_type v6;
    if (inet_pton(AF_INET6, buffer.data(), v6.data()) == 1) return ip::address_v6(v6);
    return std::nullopt;
}

std::optional<boost::asio::ip::address> parse_zoned_address(std::string_view text) {
    namespace ip = boost::asio::ip;
    const std::size_t mark = text.find('%');
    auto address = parse_address(text.substr(0, mark));
    if (!address || mark == std::string_view::npos) return address;
    if (!address->is_v6() || !address->to_v6().is_link_local()) return std::nullopt;

    const std::string zone(text.substr(mark + 1));
    const bool is_text = zone.find('\0') == std::string::npos;
    const unsigned index =
        parse_number<unsigned>(zone).value_or(is_text ? if_nametoindex(zone.c_str()) : 0);
    if (index == 0) return std::nullopt;
    return ip::address_v6(address->to_v6().to_bytes(), index);
}

Result<Network> Network::parse(std::string_view text) {
    const Error bad{
        "\"" + std::string(text.substr(0, 80)) + "\" is not a network", "",
        "expected an address or a CIDR block: 127.0.0.1, 192.0.2.0/24 or 2001:db8::/32"};
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return bad;
    const unsigned most = address->is_v4() ? 32 : 128;
    const bool mapped = address->is_v6() && address->to_v6().is_v4_mapped();
    if (slash == std::string_view::npos)
        return Network{plain_address(*address), mapped ? 32 : most};
    const auto bits = parse_number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > most) return bad;
    const unsigned prefix = *bits;
    // IPv4-mapped addresses are compared as IPv4, so a network of them becomes an IPv4 network.
    if (!mapped) return Network{*address, prefix};
    if (prefix < 96) return bad;
    return Network{plain_address(*address), prefix - 96};
}

bool Network::contains(const boost::asio::ip::address& other) const {
    if (address.is_v4() != other.is_v4()) return false;
    if (address.is_v4())
        return same_prefix(address.to_v4().to_bytes(), other.to_v4().to_bytes(), prefix);
    return same_prefix(address.to_v6().to_bytes(), other.to_v6().to_bytes(), prefix);
}

boost::asio::ip::address plain_address(const boost::asio::ip::address& address) {
    namespace ip = boost::asio::ip;
    if (!address.is_v6()) return address;
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6);
    return ip::address_v6(v6.to_bytes());
}

bool is_port(std::string_view text) {
    return text.size() <= 5 && parse_number<std::uint16_t>(text);
}

bool any_contains(const std::vector<Network>& networks, const boost::asio::ip::address& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
}

std::size_t hash_value(const ClientNetwork& network) noexcept {
    static const std::uint64_t seeds[] = {random_u64() | 1, random_u64() | 1};
    std::uint64_t hash = (network.bits + std::uint64_t(network.v6)) * seeds[0];
    hash = (hash ^ (hash >> 32)) * seeds[1];
    return static_cast<std::size_t>(hash ^ (hash >> 29));
}

ClientNetwork client_network(const boost::asio::ip::address& address) {
    if (address.is_v4()) return {address.to_v4().to_uint(), false};
    std::uint64_t bits = 0;
    const auto bytes = address.to_v6().to_bytes();
    for (std::size_t i = 0; i < 8; ++i) bits = bits << 8 | bytes[i];
    return {bits, true};
}

ClientNetwork wider(const ClientNetwork& network, unsigned prefix) {
    if (!network.v6) return network;
    return {network.bits & ~std::uint64_t{0} << (64 - prefix), true};
}

std::string endpoint_text(const boost::asio::ip::address& address, std::uint16_t port) {
    return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(),
                       port);
}

}  // namespace sftdyn::base
