// SPDX-License-Identifier: GPL-3.0-or-later
// A connection from its first octet on: the PROXY protocol's header, what comes behind it (TLS, or
// requests), in pieces of any size, pipelined, and whom each request is from.
#include "base/network.hpp"
#include "feed.hpp"
#include "http/forwarded.hpp"
#include "http/proxy_protocol.hpp"

using namespace sftdyn;

namespace {

struct Outcome {
    std::optional<http::Peer> peer{};  ///< absent: the connection ends before it has begun
    std::string rest{};                ///< what is TLS's, or a request's
    std::vector<Understood> requests{};
};

/// Octets are taken as the socket has them: the PROXY protocol's reader says how many it wants.
Outcome receive(std::string_view octets, http::Peer peer, bool with_preamble,
                const http::Proxies& proxies, Pieces pieces) {
    Outcome out;
    if (with_preamble) {
        http::ProxyHeaderReader reader;
        http::ProxyProtocolHeader preamble;
        std::size_t taken = 0;
        do {
            if (octets.empty()) return out;
            const auto space = reader.space();
            HOLDS(space.size() > 0 && space.size() <= http::longest_proxy_header);
            const std::size_t size = std::min({space.size(), pieces.next(), octets.size()});
            std::memcpy(space.data(), octets.data(), size);
            octets.remove_prefix(size);
            taken += size;
            preamble = reader.received(size);
        } while (preamble.state == http::ProxyHeaderState::more);
        if (preamble.state == http::ProxyHeaderState::bad) return out;
        HOLDS(taken == preamble.size);  // nothing that stands behind it
        peer = peer.behind(preamble, proxies);
        HOLDS(preamble.client || !peer.vouches);
    }
    out.peer = peer;
    out.rest = octets;
    static const http::Limits limits = [] {
        http::Limits small = wide_limits();
        small.header_octets = 512;
        small.body_octets = 256;
        return small;
    }();
    out.requests = read_in_pieces(octets, limits, "x-forwarded-for", pieces);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    static const http::Proxies proxies{{*base::Network::parse("10.0.0.0/8")},
                                       http::ProxyHeader::x_forwarded_for};
    static const http::Peer peers[] = {
        http::Peer::of(boost::asio::ip::make_address("10.0.0.1"), proxies),
        http::Peer::of(boost::asio::ip::make_address("192.0.2.1"), proxies),
        http::Peer::of(std::nullopt, proxies)};
    const http::Peer& peer = peers[data[0] / 2 % 3];
    const bool with_preamble = data[0] % 2 == 1 && peer.trusted;
    const std::string_view octets = text_of(data + 2, size - 2);
    const Outcome whole = receive(octets, peer, with_preamble, proxies, Pieces(63)),
                  pieces = receive(octets, peer, with_preamble, proxies, Pieces(data[1]));
    HOLDS(whole.peer.has_value() == pieces.peer.has_value() && whole.rest == pieces.rest &&
          whole.requests == pieces.requests);
    if (!whole.peer) return 0;
    HOLDS(octets.ends_with(whole.rest));
    for (const auto& request : whole.requests) {
        const auto& values = std::get<4>(request);
        const auto client = http::client_address(*whole.peer, values, proxies);
        HOLDS(client == http::client_address(*pieces.peer, values, proxies));
        if (!whole.peer->vouches) HOLDS(client == whole.peer->address);
    }
    return 0;
}
