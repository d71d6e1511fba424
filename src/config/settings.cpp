#include "config/settings.hpp"

#include <fmt/ranges.h>

#include "dns/tsig_key_provider.hpp"

namespace sftdyn::config {

const ZoneSettings& zone_for(const Settings& settings, const dns::Name& host) {
    const ZoneSettings* best = &settings.dns;
    for (const ZoneSettings& zone : settings.zones) {
        const bool closer = best == &settings.dns || zone.zone->size() > best->zone->size();
        if (host.is_within(*zone.zone) && closer) best = &zone;
    }
    return *best;
}

std::vector<std::string> key_files(const ZoneSettings& zone) {
    return zone.key_file ? std::vector{*zone.key_file} : dns::session_key_paths();
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
        return base::Error{"this is no server address", "",
                           "expected an IP address, with a port if it is not 53: 127.0.0.1, "
                           "127.0.0.1:5353 or [::1]:53"};
    }
    return dns::ServerAddress{*listen->address, listen->port};
}

std::vector<Settings::CertificateFiles> certificates(const Settings& settings) {
    std::vector<Settings::CertificateFiles> out;
    if (settings.cert && settings.key) out.push_back({*settings.cert, *settings.key});
    out.insert(out.end(), settings.certificates.begin(), settings.certificates.end());
    return out;
}

base::Result<void> check_https(const Settings& settings) {
    const bool more = !settings.certificates.empty() && !settings.cert && !settings.key;
    const std::pair<const char*, bool> parts[] = {{"https", !settings.https.empty()},
                                                  {"cert", settings.cert || more},
                                                  {"key", settings.key || more}};
    std::vector<std::string> there, missing;
    for (const auto& [name, is_there] : parts) (is_there ? there : missing).emplace_back(name);
    if (there.empty() || missing.empty()) return {};
    return base::Error{
        fmt::format("{} without {}", fmt::join(there, " and "), fmt::join(missing, " and ")), "",
        "HTTPS takes all three of https, cert and key, and HTTP none"};
}

}  // namespace sftdyn::config
