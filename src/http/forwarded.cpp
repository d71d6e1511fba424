#include "http/forwarded.hpp"

#include <algorithm>
#include <cctype>

#include "base/address_rules.hpp"

namespace sftdyn::http {
namespace {

namespace ip = boost::asio::ip;

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Splits at `mark`, but not within quotation marks.
std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> out;
    bool quoted = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (text[i] != mark || quoted) continue;
        out.push_back(trim(text.substr(start, i - start)));
        start = i + 1;
    }
    out.push_back(trim(text.substr(start)));
    return out;
}

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" and "[2001:db8::1]:80"; no zone, no name, nothing else.
std::optional<ip::address> parse_node(std::string_view text) {
    std::string_view host = text;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && (rest[0] != ':' || !base::is_port(rest.substr(1)))) return std::nullopt;
        if (host.find(':') == std::string_view::npos) return std::nullopt;
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        const std::size_t colon = text.find(':');
        if (!base::is_port(text.substr(colon + 1))) return std::nullopt;
        host = text.substr(0, colon);
    }
    const auto address = base::parse_address(host);
    if (!address) return std::nullopt;
    const auto plain = base::plain_address(*address);
    if (base::is_nobodys(plain)) return std::nullopt;
    return plain;
}

/// The `for` of one element of Forwarded (RFC 7239 §4).
std::optional<ip::address> parse_forwarded(std::string_view element) {
    std::optional<ip::address> out;
    for (const std::string_view pair : split(element, ';')) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        std::string name(trim(pair.substr(0, equals)));
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (name != "for") continue;
        if (out) return std::nullopt;
        std::string_view value = trim(pair.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        out = parse_node(value);
        if (!out) return std::nullopt;
    }
    return out;
}

}  // namespace

std::optional<ip::address> client_address(const std::optional<ip::address>& peer, const std::optional<std::string>& value, const Proxies& proxies) {
    if (!value || (peer && !base::any_contains(proxies.trusted, *peer))) return peer;
    if (proxies.header == ProxyHeader::x_real_ip) return parse_node(trim(*value));
    const auto hops = split(*value, ',');
    std::optional<ip::address> address;
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        address = proxies.header == ProxyHeader::forwarded ? parse_forwarded(*hop) : parse_node(*hop);
        if (!address || !base::any_contains(proxies.trusted, *address)) return address;
    }
    return address;  // proxies all the way: the first of them asked itself
}

}  // namespace sftdyn::http
