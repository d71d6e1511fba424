// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/proxy_protocol.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/address_rules.hpp"
#include "base/network.hpp"

namespace sftdyn::http {
namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view v1_start = "PROXY ";
constexpr std::string_view v2_start("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v1_longest = 107;
constexpr std::size_t v2_header = 16;
constexpr std::size_t shortest = 15;  // "PROXY UNKNOWN\r\n"

/// Whether `octets` is a prefix of `signature`, or begins with it.
bool may_be(std::string_view octets, std::string_view signature) {
    const std::size_t size = std::min(octets.size(), signature.size());
    return octets.substr(0, size) == signature.substr(0, size);
}

/// Whether `text` is a port without leading zeros, as the protocol requires.
bool is_plain_port(std::string_view text) {
    return base::is_port(text) && (text.size() == 1 || text[0] != '0');
}

ProxyProtocolHeader read_v1(std::string_view octets) {
    const std::size_t end = octets.substr(0, v1_longest).find("\r\n");
    if (end == std::string_view::npos) {
        if (octets.size() >= v1_longest) return {};
        return {ProxyHeaderState::more, octets.size() < shortest ? shortest - octets.size() : 1};
    }
    ProxyProtocolHeader out{ProxyHeaderState::done, end + 2};
    std::vector<std::string_view> words;
    const std::string_view line = octets.substr(v1_start.size(), end - v1_start.size());
    for (std::size_t start = 0; start <= line.size();) {
        const std::size_t stop = std::min(line.find(' ', start), line.size());
        words.push_back(line.substr(start, stop - start));
        start = stop + 1;
    }
    if (words[0] == "UNKNOWN") return out;
    if (words.size() != 5 || (words[0] != "TCP4" && words[0] != "TCP6") ||
        !is_plain_port(words[3]) || !is_plain_port(words[4]))
        return {};
    for (const std::size_t i : {2U, 1U}) {
        const auto address = base::parse_address(words[i]);
        if (!address || address->is_v4() != (words[0] == "TCP4")) return {};
        out.client = client_form(*address);
    }
    return out.client ? out : ProxyProtocolHeader{};
}

ProxyProtocolHeader read_v2(std::string_view octets) {
    if (octets.size() < v2_header)
        return {ProxyHeaderState::more,
                octets.size() < shortest ? shortest - octets.size() : v2_header - octets.size()};
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(octets[i]); };
    const unsigned version = octet(12) >> 4, command = octet(12) & 15U, family = octet(13) >> 4,
                   transport = octet(13) & 15U;
    const std::size_t size = v2_header + (std::size_t(octet(14)) << 8 | octet(15));
    if (version != 2 || command > 1 || family > 3 || transport > 2 || size > longest_proxy_header)
        return {};
    if (octets.size() < size) return {ProxyHeaderState::more, size - octets.size()};
    ProxyProtocolHeader out{ProxyHeaderState::done, size};
    if (command == 0) return out;
    if (family == 1) {
        ip::address_v4::bytes_type bytes;
        if (size < v2_header + 12) return {};
        std::memcpy(bytes.data(), octets.data() + v2_header, bytes.size());
        out.client = client_form(ip::make_address_v4(bytes));
    } else if (family == 2) {
        ip::address_v6::bytes_type bytes;
        if (size < v2_header + 36) return {};
        std::memcpy(bytes.data(), octets.data() + v2_header, bytes.size());
        out.client = client_form(ip::make_address_v6(bytes));
    } else {
        return out;
    }
    return out.client ? out : ProxyProtocolHeader{};
}

}  // namespace

std::optional<ip::address> client_form(const ip::address& address) {
    const auto plain = base::plain_address(address);
    if (base::is_nobodys(plain)) return std::nullopt;
    return plain;
}

ProxyProtocolHeader read_proxy_header(std::string_view octets) {
    if (may_be(octets, v1_start))
        return octets.size() < v1_start.size()
                   ? ProxyProtocolHeader{ProxyHeaderState::more, shortest - octets.size()}
                   : read_v1(octets);
    if (may_be(octets, v2_start)) return read_v2(octets);
    return {};
}

boost::asio::mutable_buffer ProxyHeaderReader::space() {
    octets_.resize(received_ + wanted_);
    return {octets_.data() + received_, wanted_};
}

ProxyProtocolHeader ProxyHeaderReader::received(std::size_t size) {
    received_ += size;
    ProxyProtocolHeader header = read_proxy_header(std::string_view(octets_).substr(0, received_));
    wanted_ = header.state == ProxyHeaderState::more ? header.size : 0;
    return header;
}

}  // namespace sftdyn::http
