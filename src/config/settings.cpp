// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "dns/idna.hpp"
#include "dns/name_fault.hpp"
#include "dns/tsig_key_provider.hpp"

namespace sftdyn::config {
namespace {

using boost::asio::ip::address;

/// A listener, and the setting that names it.
struct NamedListen {
    const char* setting;
    Listen listen;
};

/// Whether a listener on `all` takes the connections to `one`. Absent: every address.
bool takes(const std::optional<address>& all, const std::optional<address>& one) {
    if (!all) return true;
    return one && (*all == *one || (all->is_unspecified() && all->is_v4() == one->is_v4()));
}

bool are_in_each_others_way(const Listen& a, const Listen& b) {
    if (!a.path.empty() || !b.path.empty()) return a.path == b.path;
    return a.port != 0 && a.port == b.port &&
           (takes(a.address, b.address) || takes(b.address, a.address));
}

std::vector<NamedListen> all_listens(const Settings& settings) {
    std::vector<NamedListen> out;
    for (const auto& listen : settings.http) out.push_back({"http", listen});
    for (const auto& listen : settings.https) out.push_back({"https", listen});
    for (const auto& listen : settings.admin.metrics) {
        out.push_back({"[admin] metrics", listen});
        // For metrics, a port without an address means loopback.
        if (!listen.address) out.back().listen.address = boost::asio::ip::address_v4::loopback();
    }
    return out;
}

}  // namespace

std::string text_of(const Settings& settings, const std::string& conf, SourceLine source) {
    return fmt::format("{}:{}", source.file == 0 ? conf : settings.included.at(source.file - 1),
                       source.line);
}

const ZoneSettings& zone_for(const Settings& settings, const dns::Name& host) {
    const ZoneSettings* best = &settings.dns;
    for (const ZoneSettings& zone : settings.zones) {
        const bool closer = best == &settings.dns || zone.zone->size() > best->zone->size();
        if (host.is_within(*zone.zone) && closer) best = &zone;
    }
    return *best;
}

std::vector<std::string> key_files(const ZoneSettings& zone) {
    if (!zone.key_file) return dns::session_key_paths();
    return zone.key_file->empty() ? std::vector<std::string>() : std::vector{*zone.key_file};
}

std::vector<dns::ServerAddress> servers(const ZoneSettings& zone) {
    if (!zone.servers.empty()) return zone.servers;
    return {{boost::asio::ip::address_v4::loopback(), 53},
            {boost::asio::ip::address_v6::loopback(), 53}};
}

base::Result<dns::ServerAddress> parse_server(std::string_view text) {
    if (const auto bare = base::parse_zoned_address(text)) return dns::ServerAddress{*bare, 53};
    const auto listen = parse_listen(text);
    if (listen.has_error() || !listen->address || listen->port == 0) {
        return base::Error{"this is not a server address", "",
                           "expected an IP address, with a port if it is not 53: 127.0.0.1, "
                           "127.0.0.1:5353 or [::1]:53"};
    }
    return dns::ServerAddress{*listen->address, listen->port};
}

base::Result<dns::Name> parse_client_host(std::string_view text) {
    const auto wrong = [](const std::string& why) {
        return base::Error{"this host is not a valid domain name: " + why, "",
                           "write it as host.example.org"};
    };
    const auto form = dns::idna_form(text);
    if (form.has_error()) return wrong(form.error().what);
    if (const std::string fault = dns::fault_of_host(*form); !fault.empty()) return wrong(fault);
    return dns::Name::parse_host(*form);
}

base::Result<dns::Name> parse_zone(std::string_view text) {
    const auto wrong = [](const std::string& why) {
        return base::Error{"this zone is not a valid domain name: " + why, "",
                           "write it as dyn.example.org"};
    };
    if (text.starts_with("*.")) return wrong("a zone can't be a wildcard");
    // Delegated parts of a reverse zone have a slash in their names (RFC 2317 §4).
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '/', '-');
    if (const std::string fault = dns::fault_of_host(plain); !fault.empty()) return wrong(fault);
    return dns::Name::parse(text);
}

std::vector<Settings::CertificateFiles> certificates(const Settings& settings) {
    std::vector<Settings::CertificateFiles> out;
    if (settings.cert && settings.key) out.push_back({*settings.cert, *settings.key});
    out.insert(out.end(), settings.certificates.begin(), settings.certificates.end());
    return out;
}

base::Result<void> check_https(const Settings& settings, bool is_passed) {
    const bool more = !settings.certificates.empty() && !settings.cert && !settings.key;
    const char* const https = is_passed ? "https (a socket that systemd passed)" : "https";
    const std::pair<const char*, bool> parts[] = {{https, is_passed || !settings.https.empty()},
                                                  {"cert", settings.cert || more},
                                                  {"key", settings.key || more}};
    std::vector<std::string> there, missing;
    for (const auto& [name, is_there] : parts) (is_there ? there : missing).emplace_back(name);
    if (there.empty() || missing.empty()) return {};
    return base::Error{
        fmt::format("{} without {}", fmt::join(there, " and "), fmt::join(missing, " and ")), "",
        "HTTPS takes all three of https, cert and key, and HTTP none; a socket unit with "
        "FileDescriptorName=https stands for https when systemd starts the program; sftdyn cert "
        "HOSTNAME makes cert and key"};
}

std::vector<base::Error> check_listeners(const Settings& settings) {
    std::vector<base::Error> out;
    const auto listens = all_listens(settings);
    for (std::size_t i = 0; i < listens.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const Listen& listen = listens[i].listen;
            if (!are_in_each_others_way(listens[j].listen, listen)) continue;
            const std::string what =
                listen.path.empty() ? fmt::format("port {}", listen.port) : "this socket";
            out.push_back({fmt::format("{} of {} is named twice (by {} too)", what,
                                       listens[i].setting, listens[j].setting),
                           "", "keep one of them, or give it another port, address or path"});
            break;
        }
    }
    for (const auto& [setting, listen] : listens) {
        if (!listen.proxy_protocol || !listen.path.empty() || !settings.trusted_proxies.empty())
            continue;
        out.push_back({fmt::format("{} has proxy_protocol, but there are no trusted_proxies: every "
                                   "connection would be refused",
                                   setting),
                       "", "name the proxy: trusted_proxies = [\"192.0.2.1\"]"});
        break;
    }
    return out;
}

}  // namespace sftdyn::config
