// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/wiring.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <boost/unordered/unordered_flat_set.hpp>

#include "accounts/passwords.hpp"
#include "base/log.hpp"
#include "dns/tsig_key_file.hpp"

namespace sftdyn::server {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

std::uint32_t ttl_of(const config::Settings& settings, const dns::Name& host) {
    if (settings.zones.empty()) return settings.dns.ttl.value_or(settings.ttl);
    return config::zone_for(settings, host).ttl.value_or(settings.ttl);
}

void add_named(const config::Settings& settings, update::HostTable& hosts,
               accounts::AccountDirectory& directory) {
    for (const auto& named : settings.named_clients) {
        accounts::Client client{named.name, {}, named.may_set_address, named.empty_removes};
        for (const auto& host : named.hosts) {
            accounts::Host out{hosts.number(host.name),
                               host.ttl.value_or(ttl_of(settings, host.name)), host.reverse,
                               std::nullopt};
            if (host.ipv6_suffix)
                out.place = accounts::Ipv6Place{*host.ipv6_suffix, host.ipv6_subnet};
            client.hosts.push_back(std::move(out));
        }
        const accounts::Host first = client.hosts.front();
        const auto number = directory.add(std::move(client));
        // Keys and users are unique in the configuration, so this can only be a collision of the
        // 128-bit hash.
        const bool added =
            (!named.key ||
             directory.add(named.key->reveal(), {first.host, first.ttl, first.reverse, number})) &&
            (!named.user ||
             directory.add_user(*named.user, number, named.password.reveal(), named.password_hash));
        if (!added) log::error("two keys can't be told apart; the second is ignored");
    }
}

/// Empty if no zone has its own timeout. Otherwise has every [[zone]], since a zone does not
/// inherit the timeout of the zone above it.
std::vector<update::ZoneTimeout> zone_timeouts(const config::Settings& settings) {
    const auto has_own = [](const config::ZoneSettings& zone) { return zone.timeout.has_value(); };
    std::vector<update::ZoneTimeout> out;
    if (std::none_of(settings.zones.begin(), settings.zones.end(), has_own)) return out;
    for (const auto& zone : settings.zones)
        out.push_back({*zone.zone, zone.timeout.value_or(settings.timeout)});
    return out;
}

/// Collects the hosts' own limits, which override [limits] and [admin].
class OwnLimits {
public:
    explicit OwnLimits(const config::Settings& settings) : settings_(settings) {}

    void add(update::HostId host, const config::ClientLimits& limits) {
        if (limits.changes || limits.changes_refill)
            changes_[host] = {limits.changes.value_or(settings_.changes),
                              limits.changes_refill.value_or(settings_.changes_refill)};
        if (limits.stale_after) stale_after_[host] = telemetry::stale_seconds(*limits.stale_after);
    }
    void give(ConfiguredHosts& out) {
        if (!changes_.empty()) out.changes = std::make_shared<Changes>(std::move(changes_));
        if (!stale_after_.empty())
            out.stale_after = std::make_shared<StaleTimes>(std::move(stale_after_));
    }

private:
    using Changes = update::OwnChangeRates::element_type;
    using StaleTimes = telemetry::OwnStaleTimes::element_type;
    const config::Settings& settings_;
    std::remove_const_t<Changes> changes_{};
    std::remove_const_t<StaleTimes> stale_after_{};
};

/// The name of a socket without FileDescriptorName=: the unit's name, or "unknown", which
/// libsystemd uses if no name was passed (sd_listen_fds_with_names(3)).
bool is_default_name(std::string_view name) {
    return name.empty() || name == "unknown" || name.ends_with(".socket");
}

/// Whether this machine can open IPv6 sockets.
bool has_ipv6() {
    asio::io_context io;
    boost::system::error_code error;
    asio::ip::tcp::acceptor probe(io);
    probe.open(asio::ip::tcp::v6(), error);
    if (!error) probe.bind({asio::ip::address_v6::loopback(), 0}, error);
    return !error;
}

}  // namespace

config::Loaded load(const config::Overrides& line) {
    auto loaded = config::load_settings(line);
    for (const auto& client : loaded.settings.named_clients) {
        if (client.password_hash.empty()) continue;
        const auto hash = accounts::check_password_hash(client.password_hash);
        if (hash.has_error())
            loaded.diagnostics.push_back(
                {hash.error().what, config::text_of(loaded.settings, loaded.conf, client.source),
                 hash.error().remedy});
    }
    return loaded;
}

update::EngineLimits engine_limits(const config::Settings& settings) {
    update::EngineLimits limits;
    limits.timeout = settings.timeout;
    limits.freshness = settings.freshness;
    limits.follow_serial = settings.follow_serial;
    limits.read_back = settings.read_back;
    limits.queue = settings.queue;
    limits.batch = settings.batch;
    limits.updates_in_flight = settings.updates_in_flight;
    limits.queries_in_flight = settings.queries_in_flight;
    limits.changes_burst = settings.changes;
    limits.changes_refill = settings.changes_refill;
    limits.zone_timeouts = zone_timeouts(settings);
    return limits;
}

std::vector<update::ZoneServers> zone_servers(const config::Settings& settings) {
    const auto one = [](const config::ZoneSettings& zone) {
        return update::ZoneServers{
            .zone = zone.zone,
            .servers = config::servers(zone),
            .key_files = config::key_files(zone),
            .options = {.tcp_only = zone.tcp, .sign_queries = zone.sign_queries},
            .queries = zone.queries};
    };
    std::vector<update::ZoneServers> out{one(settings.dns)};
    // Reverse zones are looked up at this server too, even if its zone is configured.
    out.front().holds_reverse = true;
    for (const auto& zone : settings.zones) out.push_back(one(zone));
    return out;
}

Directory make_directory(const config::Settings& settings, update::HostTable& hosts) {
    auto directory = std::make_shared<accounts::AccountDirectory>();
    directory->reserve(settings.clients.size());
    directory->set_rules(settings.addresses);
    if (hosts.size() == 0) hosts.reserve(settings.clients.size(), settings.clients.host_octets());
    for (std::size_t i = 0; i < settings.clients.size(); ++i) {
        const auto client = settings.clients[i];
        std::uint32_t ttl = settings.dns.ttl.value_or(settings.ttl);
        if (!settings.zones.empty()) {
            const auto host =
                dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data()));
            ttl = config::zone_for(settings, host).ttl.value_or(settings.ttl);
        }
        const accounts::KeyEntry entry{hosts.number(client.host), client.ttl.value_or(ttl),
                                       client.reverse, accounts::no_client};
        // Keys are unique in the configuration, so this can only be a collision of the 128-bit
        // hash.
        if (!directory->add(client.key, entry))
            log::error("two keys can't be told apart; the second is ignored");
    }
    add_named(settings, hosts, *directory);
    return directory;
}

ConfiguredHosts configured_hosts(const config::Settings& settings, update::HostTable& hosts) {
    ConfiguredHosts out;
    OwnLimits own(settings);
    out.all.reserve(settings.clients.size());
    for (std::size_t i = 0; i < settings.clients.size(); ++i) {
        const auto client = settings.clients[i];
        out.all.push_back(hosts.number(client.host));
        own.add(out.all.back(), client.limits);
    }
    for (const auto& client : settings.named_clients) {
        for (const auto& host : client.hosts) {
            out.all.push_back(hosts.number(host.name));
            own.add(out.all.back(), client.limits);
        }
    }
    // A host may belong to several clients.
    boost::unordered_flat_set<update::HostId> seen;
    if (!settings.named_clients.empty())
        std::erase_if(out.all, [&](update::HostId host) { return !seen.insert(host).second; });
    own.give(out);
    return out;
}

std::shared_ptr<const AnswerSettings> answer_settings(const config::Loaded& loaded,
                                                      const Directory& directory) {
    const config::Settings& settings = loaded.settings;
    const update::EngineLimits limits = engine_limits(settings);
    const auto& conf = loaded.python;
    const bool has_hooks =
        conf && (conf->has_get_ip() || conf->has_get_host() || conf->has_nsupdate_commands());
    return std::make_shared<const AnswerSettings>(
        AnswerSettings{.directory = directory,
                       .uptodate = settings.uptodate,
                       .refusals_in_200 = settings.refusals_in_200,
                       .freshness = limits.freshness,
                       .hooks = has_hooks ? conf : nullptr,
                       .hook_threads = loaded.hook_threads,
                       .hook_ttl = settings.dns.ttl.value_or(settings.ttl),
                       .hook_time = limits.timeout,
                       .hook_limits = {limits.queue, settings.hook_threads}});
}

http::Limits http_limits(const config::Settings& settings) {
    http::Limits limits;
    limits.handshake_time = settings.handshake_time;
    limits.header_time = settings.header_time;
    limits.idle_time = settings.idle_time;
    limits.write_time = settings.write_time;
    limits.header_octets = settings.header_size;
    limits.body_octets = settings.body_size;
    limits.connections = settings.connections;
    limits.connections_per_client = settings.connections_per_client;
    limits.requests_per_connection = settings.requests_per_connection;
    return limits;
}

http::Limits http_limits(const config::Loaded& loaded) {
    http::Limits limits = http_limits(loaded.settings);
    // Such a conf can't configure the proxy that its get_ip may be for. Half of all connections are
    // enough for a proxy, and leave some for others if there is no proxy.
    if (loaded.python && loaded.python->has_get_ip())
        limits.connections_per_neighbour =
            std::max(limits.connections_per_client, limits.connections / 2);
    return limits;
}

std::size_t connections_within(std::size_t descriptors, unsigned threads, std::size_t listeners) {
    // For sockets to the DNS, files that are read again, the database, the control socket, and the
    // connections of the pages.
    constexpr std::size_t others = 128;
    // Each event loop needs three.
    const std::size_t needed = others + threads * (3 + listeners);
    const std::size_t left = descriptors > 2 * needed ? descriptors - needed : descriptors / 2;
    return std::max<std::size_t>(left, 1);
}

std::vector<http::Endpoint> endpoints(const config::Settings& settings) {
    std::vector<http::Endpoint> out;
    const auto add = [&out](const config::Listen& listen, bool tls) {
        http::Endpoint endpoint;
        endpoint.address = listen.address.value_or(asio::ip::address_v6::any());
        endpoint.port = listen.port;
        endpoint.tls = tls;
        endpoint.dual_stack = !listen.address && listen.path.empty();
        endpoint.proxy_protocol = listen.proxy_protocol;
        endpoint.path = listen.path;
        endpoint.mode = listen.mode;
        endpoint.gid = listen.gid;
        out.push_back(endpoint);
    };
    for (const auto& listen : settings.http) add(listen, false);
    for (const auto& listen : settings.https) add(listen, true);
    return out;
}

std::vector<http::Endpoint> listening_endpoints(const config::Settings& settings,
                                                std::vector<http::Endpoint> passed) {
    auto configured = endpoints(settings);
    auto listening = std::move(passed);
    for (const auto& socket : listening)
        std::erase_if(configured,
                      [&](const http::Endpoint& other) { return other.tls == socket.tls; });
    listening.insert(listening.end(), configured.begin(), configured.end());
    if (has_ipv6()) return listening;
    for (auto& endpoint : listening) {
        if (!endpoint.dual_stack) continue;
        endpoint.address = asio::ip::address_v4::any();
        endpoint.dual_stack = false;
    }
    return listening;
}

std::string url_of(const http::Endpoint& endpoint) {
    if (!endpoint.path.empty()) return http::text_of(endpoint);
    return (endpoint.tls ? "https://" : "http://") + http::text_of(endpoint);
}

base::Result<std::vector<http::Endpoint>> endpoints_of(
    const std::vector<platform::PassedSocket>& sockets) {
    std::vector<http::Endpoint> endpoints;
    for (const auto& socket : sockets) {
        std::string_view name = socket.name;
        http::Endpoint endpoint;
        endpoint.inherited = socket.descriptor;
        endpoint.proxy_protocol = name.ends_with("-proxy");
        if (endpoint.proxy_protocol) name.remove_suffix(std::string_view("-proxy").size());
        endpoint.tls = name == "https";
        if (!endpoint.tls && name != "http" && !is_default_name(socket.name))
            return base::Error{fmt::format("systemd passed a socket that is called \"{}\"",
                                           log::printable(socket.name)),
                               "",
                               "FileDescriptorName= of a socket unit is http, https, http-proxy or "
                               "https-proxy, or is not there (then it is http)"};
        endpoints.push_back(endpoint);
    }
    return endpoints;
}

std::vector<std::string> files(const config::Settings& settings) {
    std::vector<std::string> out;
    const auto add = [&out](const config::ZoneSettings& zone) {
        for (const auto& file : config::key_files(zone)) {
            for (auto& part : dns::key_file_parts(file)) out.push_back(std::move(part));
        }
    };
    add(settings.dns);
    for (const auto& zone : settings.zones) add(zone);
    for (const auto& pair : config::certificates(settings)) {
        out.push_back(pair.cert);
        out.push_back(pair.key);
    }
    return out;
}

http::Proxies proxies(const config::Settings& settings) {
    http::Proxies out{settings.trusted_proxies, http::ProxyHeader::x_forwarded_for,
                      settings.proxy_field};
    if (settings.proxy_header == config::Settings::ProxyHeaderSetting::forwarded)
        out.header = http::ProxyHeader::forwarded;
    if (settings.proxy_header == config::Settings::ProxyHeaderSetting::x_real_ip)
        out.header = http::ProxyHeader::x_real_ip;
    return out;
}

EventCommandSettings event_command_settings(const config::Settings& settings) {
    const auto& admin = settings.admin;
    return {admin.event_command,      admin.event_commands_at_once,
            admin.event_command_time, settings.user,
            settings.landlock,        settings.seccomp};
}

platform::SandboxSettings sandbox_settings(const config::Loaded& loaded,
                                           const std::vector<http::Endpoint>& listening) {
    const config::Settings& settings = loaded.settings;
    // The code of a conf may run programs and write files.
    platform::SandboxSettings sandbox{.user = settings.user,
                                      .seccomp = settings.seccomp && !loaded.python,
                                      .landlock = settings.landlock && !loaded.python,
                                      .files = files(settings)};
    if (!loaded.conf.empty()) sandbox.files.push_back(loaded.conf);
    if (settings.include) sandbox.files.push_back(*settings.include);
    sandbox.files.insert(sandbox.files.end(), settings.included.begin(), settings.included.end());
    for (const auto& endpoint : listening) {
        if (!endpoint.path.empty()) sandbox.sockets.push_back(endpoint.path);
    }
    if (settings.admin.control) sandbox.sockets.push_back(*settings.admin.control);
    if (settings.admin.state) sandbox.writable.push_back(*settings.admin.state);
    return sandbox;
}

}  // namespace sftdyn::server
