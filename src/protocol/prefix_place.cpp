// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/prefix_place.hpp"

namespace sftdyn::protocol {

namespace ip = boost::asio::ip;

namespace {

std::uint64_t upper_half(const ip::address_v6& address) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i) out = out << 8 | address.to_bytes()[i];
    return out;
}
std::uint64_t lower_half(const ip::address_v6& address) {
    std::uint64_t out = 0;
    for (std::size_t i = 8; i < 16; ++i) out = out << 8 | address.to_bytes()[i];
    return out;
}

}  // namespace

std::optional<ip::address_v6> place_in(const Addresses::Prefix& prefix,
                                       const accounts::Ipv6Place& place) {
    std::uint64_t upper = upper_half(prefix.network), lower = lower_half(place.suffix);
    if (prefix.length <= 64) {
        const std::uint64_t networks =
            prefix.length == 64 ? 0
                                : ~std::uint64_t(0) >> prefix.length;  // the bits left for subnets
        if ((place.subnet & ~networks) != 0) return std::nullopt;
        upper = (upper & ~networks) | place.subnet;
    } else {
        const std::uint64_t hosts = ~std::uint64_t(0) >> (prefix.length - 64);
        if (place.subnet != 0 || (lower & ~hosts) != 0) return std::nullopt;
        lower |= lower_half(prefix.network) & ~hosts;
    }
    ip::address_v6::bytes_type bytes;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<unsigned char>(upper >> (56 - 8 * i));
        bytes[8 + i] = static_cast<unsigned char>(lower >> (56 - 8 * i));
    }
    return ip::address_v6(bytes);
}

}  // namespace sftdyn::protocol
