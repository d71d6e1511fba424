// SPDX-License-Identifier: GPL-3.0-or-later
// What proxies say of the client: Forwarded, X-Forwarded-For, X-Real-IP, and the PROXY protocol.
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "http/forwarded.hpp"
#include "http/proxy_protocol.hpp"

using namespace sftdyn;

namespace {

/// An address that a record may be set to.
void usable(const boost::asio::ip::address& address) {
    HOLDS(!address.is_unspecified() && !address.is_multicast());
    HOLDS(!address.is_v6() || (!address.to_v6().is_v4_mapped() && address.to_v6().scope_id() == 0));
}

/// Whatever a client has sent, the proxy that adds itself has the last word, or the request is
/// refused.
void fuzz_prefix(const std::string& prefix, const http::Peer& proxy, const http::Proxies& proxies) {
    using http::ProxyHeader;
    const bool is_forwarded = proxies.header == ProxyHeader::forwarded;
    for (const std::string mine : {"192.0.2.1", "2001:db8::1"}) {
        const bool is_v6 = mine.find(':') != std::string::npos;
        const std::string hop = !is_forwarded ? mine
                                : is_v6       ? "for=\"[" + mine + "]\""
                                              : "for=" + mine;
        const auto right = boost::asio::ip::make_address(mine);
        const std::vector<std::string> joined{prefix + ", " + hop}, tight{prefix + "," + hop},
            lines{prefix, hop}, more{prefix, prefix, hop};
        for (const auto& values : {joined, tight, lines, more}) {
            const auto out = http::client_address(proxy, values, proxies);
            HOLDS(!out || *out == right);
        }
        if (proxies.header != ProxyHeader::x_real_ip)
            HOLDS(http::client_address(proxy, lines, proxies) == right);
        if (proxies.header == ProxyHeader::x_forwarded_for)
            HOLDS(http::client_address(proxy, joined, proxies) == right);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view octets = text_of(data + 1, size - 1);
    if (data[0] % 4 == 3) {
        const auto preamble = http::read_proxy_header(octets);
        if (preamble.state != http::ProxyHeaderState::done) {
            HOLDS(!preamble.client);
            return 0;
        }
        HOLDS(preamble.size <= octets.size() && preamble.size <= http::longest_proxy_header);
        if (preamble.client) usable(*preamble.client);
        // What a shorter part says must not be something else.
        for (std::size_t part = 0; part < preamble.size; ++part)
            HOLDS(http::read_proxy_header(octets.substr(0, part)).state ==
                  http::ProxyHeaderState::more);
        return 0;
    }
    static const http::Proxies bases[] = {
        {{*base::Network::parse("10.0.0.0/8"), *base::Network::parse("fc00::/7")},
         http::ProxyHeader::x_forwarded_for},
        {{*base::Network::parse("10.0.0.0/8")}, http::ProxyHeader::forwarded},
        {{*base::Network::parse("10.0.0.0/8")}, http::ProxyHeader::x_real_ip}};
    const http::Proxies& proxies = bases[data[0] % 4];
    const auto trusted = http::Peer::of(boost::asio::ip::make_address("10.0.0.1"), proxies),
               other = http::Peer::of(boost::asio::ip::make_address("192.0.2.1"), proxies);
    const std::vector<std::string> values{std::string(octets)};
    HOLDS(http::client_address(other, values, proxies) == other.address);
    HOLDS(http::client_address(trusted.behind({http::ProxyHeaderState::done, 15}, proxies), values,
                               proxies) == trusted.address);
    if (const auto address = http::client_address(trusted, values, proxies)) usable(*address);
    fuzz_prefix(values[0], trusted, proxies);
    return 0;
}
