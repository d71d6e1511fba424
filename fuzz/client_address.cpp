// What proxies say of the client: Forwarded, X-Forwarded-For, X-Real-IP, and the PROXY protocol.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view octets = text_of(data + 1, size - 1);
    if (data[0] % 4 == 3) {
        const auto preamble = http::read_preamble(octets);
        if (preamble.state != http::ProxyPreamble::State::done) {
            HOLDS(!preamble.client);
            return 0;
        }
        HOLDS(preamble.size <= octets.size() && preamble.size <= http::longest_preamble);
        if (preamble.client) usable(*preamble.client);
        // What a shorter part says must not be something else.
        for (std::size_t part = 0; part < preamble.size; ++part)
            HOLDS(http::read_preamble(octets.substr(0, part)).state == http::ProxyPreamble::State::more);
        return 0;
    }
    static const http::Proxies bases[] = {
        {{*base::Network::parse("10.0.0.0/8"), *base::Network::parse("fc00::/7")}, http::ProxyHeader::x_forwarded_for},
        {{*base::Network::parse("10.0.0.0/8")}, http::ProxyHeader::forwarded},
        {{*base::Network::parse("10.0.0.0/8")}, http::ProxyHeader::x_real_ip}};
    const auto trusted = boost::asio::ip::make_address("10.0.0.1"), other = boost::asio::ip::make_address("192.0.2.1");
    const std::optional<std::string> value{std::string(octets)};
    HOLDS(http::client_address(other, value, bases[data[0] % 4]) == other);
    if (const auto address = http::client_address(trusted, value, bases[data[0] % 4])) usable(*address);
    return 0;
}
