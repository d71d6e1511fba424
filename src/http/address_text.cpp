#include "http/address_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/network.hpp"

namespace sftdyn::http {

namespace ip = boost::asio::ip;

std::optional<ip::address> address_of_text(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> zero_ended{};
    // inet_pton(3) reads up to a NUL: there must be none before the end.
    if (text.size() >= zero_ended.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::copy(text.begin(), text.end(), zero_ended.begin());
    ip::address_v4::bytes_type v4;
    if (inet_pton(AF_INET, zero_ended.data(), v4.data()) == 1) return ip::address_v4(v4);
    ip::address_v6::bytes_type v6;
    if (inet_pton(AF_INET6, zero_ended.data(), v6.data()) == 1) return ip::address_v6(v6);
    return std::nullopt;
}

std::optional<ip::address> client_form(const ip::address& address) {
    const auto plain = base::plain_address(address);
    if (plain.is_unspecified() || plain.is_multicast()) return std::nullopt;
    return plain;
}

}  // namespace sftdyn::http
