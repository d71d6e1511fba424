// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/forwarded.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "http/proxy_protocol.hpp"

namespace sftdyn::http {
namespace {

namespace ip = boost::asio::ip;

/// The hops of one line, in order; `nullopt` when the line is malformed. A hop without an address
/// is an empty string.
using Hops = std::optional<std::vector<std::string>>;

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

constexpr std::string_view alphanumeric =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";  // RFC 9110 §5.6.2

/// A node-port (RFC 7239 §6.3): digits, or an obfuscated port.
bool is_node_port(std::string_view text) {
    if (!text.starts_with('_')) return base::is_port(text);
    const auto is_good = [](char c) {
        return alphanumeric.find(c) != std::string_view::npos || c == '.' || c == '_' || c == '-';
    };
    return text.size() > 1 && std::all_of(text.begin(), text.end(), is_good);
}

/// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"; with `bare_v6` also
/// "2001:db8::1". No zone, no name.
std::optional<ip::address> parse_node(std::string_view text, bool bare_v6) {
    std::string_view host = text;
    std::string_view port;
    const bool bracket = text.starts_with('[');
    if (bracket) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else if (!bare_v6 || std::count(text.begin(), text.end(), ':') == 1) {
        host = text.substr(0, text.find(':'));
        port = text.substr(host.size());
    }
    if (!port.empty() && (port[0] != ':' || !is_node_port(port.substr(1)))) return std::nullopt;
    const auto address = base::parse_address(host);
    if (!address || (bracket && !address->is_v6())) return std::nullopt;
    return client_form(*address);
}

/// RFC 7239 §4, as a grammar:
///
///     Forwarded = #forwarded-element             (RFC 9110 §5.6.1: elements may be empty)
///     forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
///     forwarded-pair = token "=" ( token / quoted-string )
///
/// Parsed from the left, since only that tells what is quoted. An unterminated quoted-string is an
/// error.
class ForwardedLine {
public:
    explicit ForwardedLine(std::string_view text) : text_(text) {}

    Hops hops() {
        std::vector<std::string> out;
        do {
            skip_spaces();
            out.emplace_back();
            if (!element(out.back())) return std::nullopt;
            skip_spaces();
        } while (take(','));
        if (!text_.empty()) return std::nullopt;
        return out;
    }

private:
    /// False: malformed. `node` is set to the value of `for`.
    bool element(std::string& node) {
        bool has_for = false;
        do {
            const std::string_view name = token();
            if (name.empty()) continue;
            std::string value;
            if (!take('=') || !(take('"') ? quoted(value) : plain(value))) return false;
            if (!is_for(name)) continue;
            if (std::exchange(has_for, true) || value.empty()) return false;
            node = std::move(value);
        } while (take(';'));
        return true;
    }

    /// Parameter names are case-insensitive.
    static bool is_for(std::string_view name) {
        constexpr std::string_view wanted = "for";
        const auto same = [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
        };
        return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(), same);
    }

    bool plain(std::string& value) {
        value = token();
        return !value.empty();
    }

    /// Parses a quoted-string after its opening quotation mark (RFC 9110 §5.6.4).
    bool quoted(std::string& value) {
        while (!text_.empty()) {
            if (take('"')) return true;
            if (take('\\') && text_.empty()) return false;
            const auto c = static_cast<unsigned char>(text_.front());
            if ((c < ' ' && c != '\t') || c == 0x7f) return false;
            value += text_.front();
            text_.remove_prefix(1);
        }
        return false;
    }

    std::string_view token() {
        const auto ends = [](char c) {
            return alphanumeric.find(c) == std::string_view::npos &&
                   token_marks.find(c) == std::string_view::npos;
        };
        const auto size = static_cast<std::size_t>(std::find_if(text_.begin(), text_.end(), ends) -
                                                   text_.begin());
        const std::string_view out = text_.substr(0, size);
        text_.remove_prefix(size);
        return out;
    }

    bool take(char c) {
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }

    void skip_spaces() {
        while (!text_.empty() && is_space(text_.front())) text_.remove_prefix(1);
    }

    std::string_view text_;
};

/// X-Forwarded-For has no standard: addresses separated by commas, without quotation marks.
Hops forwarded_for(std::string_view line) {
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(',', begin), line.size());
        out.emplace_back(trim(line.substr(begin, end - begin)));
        begin = end + 1;
    }
    return out;
}

}  // namespace

Peer Peer::of(const std::optional<ip::address>& address, const Proxies& proxies) {
    Peer peer;
    if (address) peer.address = base::plain_address(*address);
    peer.trusted = peer.vouches =
        !peer.address || base::any_contains(proxies.trusted, *peer.address);
    return peer;
}

Peer Peer::behind(const ProxyProtocolHeader& header, const Proxies& proxies) const {
    if (header.client) return of(header.client, proxies);
    Peer peer = *this;
    peer.vouches = false;
    return peer;
}

std::optional<ip::address> client_address(const Peer& peer, std::span<const std::string> values,
                                          const Proxies& proxies) {
    if (!peer.vouches || values.empty()) return peer.address;
    if (proxies.header == ProxyHeader::x_real_ip)
        return values.size() == 1 ? parse_node(trim(values[0]), true) : std::nullopt;
    const bool is_forwarded = proxies.header == ProxyHeader::forwarded;
    std::optional<ip::address> address;
    for (auto value = values.rbegin(); value != values.rend(); ++value) {
        const Hops hops = is_forwarded ? ForwardedLine(*value).hops() : forwarded_for(*value);
        if (!hops) return std::nullopt;
        for (auto hop = hops->rbegin(); hop != hops->rend(); ++hop) {
            address = parse_node(*hop, !is_forwarded);
            if (!address || !base::any_contains(proxies.trusted, *address)) return address;
        }
    }
    return address;  // all hops are proxies: the first one is the client
}

}  // namespace sftdyn::http
