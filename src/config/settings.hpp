// All settings, validated: what the configuration file and the command line say together.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address_rules.hpp"
#include "base/network.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "config/client_list.hpp"
#include "config/listen_address.hpp"
#include "dns/name.hpp"
#include "dns/server_client.hpp"

namespace sftdyn::config {

/// The servers of a zone ([[zone]]), or of all others ([dns]).
struct ZoneSettings {
    std::optional<dns::Name> zone{};            ///< absent: asked from the server
    std::vector<dns::ServerAddress> servers{};  ///< tried in order
    std::optional<std::string> key_file{};      ///< absent: BIND's session key
    std::optional<std::uint32_t> ttl{};
    bool tcp = false;  ///< queries over TCP too
};

/// [clients.NAME]: a client with a name, and maybe several hosts.
struct NamedClient {
    struct Host {
        dns::Name name{};
        std::optional<std::uint32_t> ttl{};  ///< seconds; absent: the zone's
        bool reverse = false;
        std::optional<boost::asio::ip::address_v6> ipv6_suffix{};
        std::uint64_t ipv6_subnet = 0;
    };
    std::string name{};
    std::optional<base::Secret> key{};
    std::optional<std::string> user{};
    base::Secret password{};
    std::string password_hash{};  ///< empty: `password` is it
    std::vector<Host> hosts{};
    bool may_set_address = false;
    std::uint32_t line = 0;
};

struct Settings {
    std::vector<Listen> http{};
    std::vector<Listen> https{};
    enum class ProxyHeader { x_forwarded_for, forwarded, x_real_ip };
    std::vector<base::Network>
        trusted_proxies{};  ///< whose word on the client's address is believed
    ProxyHeader proxy_header = ProxyHeader::x_forwarded_for;
    base::AddressRules addresses{};  ///< [addresses]: what may be published
    std::optional<std::string>
        cert{};  ///< PEM, the certificate and its chain; goes with `https` and `key`
    std::optional<std::string> key{};  ///< PEM, its private key
    struct CertificateFiles {
        std::string cert, key;
        friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
    };
    std::vector<CertificateFiles> certificates{};  ///< [[certificate]]: more of them, chosen by the
                                                   ///< name that a client asks for
    ZoneSettings dns{};
    std::vector<ZoneSettings> zones{};
    std::uint32_t ttl = 30;  ///< seconds, where nothing else is said

    std::chrono::milliseconds timeout{5000};
    std::chrono::milliseconds verify_interval{300'000};
    unsigned changes = 10;
    std::chrono::milliseconds changes_refill{30'000};
    std::size_t queue = 10'000;
    std::size_t batch = 1000;
    unsigned updates_in_flight = 1;
    unsigned queries_in_flight = 100;
    unsigned threads = 0;  ///< 0: one for each core

    std::chrono::milliseconds header_time{10'000};
    std::chrono::milliseconds idle_time{60'000};
    std::chrono::milliseconds write_time{30'000};
    std::chrono::milliseconds handshake_time{10'000};
    std::size_t header_size = 16 * 1024;  ///< octets
    std::size_t body_size = 64 * 1024;    ///< octets
    std::size_t connections = 2500;
    std::size_t connections_per_client = 100;
    std::size_t requests_per_connection = 1000;
    unsigned bad_keys = 20;
    std::chrono::milliseconds bad_keys_refill{30'000};

    std::optional<std::string>
        user{};  ///< whom to become after binding, when root starts the program
    bool seccomp = true;
    bool landlock = true;

    /// [admin]: what is for those who run it.
    struct Admin {
        std::vector<Listen> metrics{};         ///< where Prometheus asks; empty: nowhere
        std::optional<std::string> control{};  ///< the Unix socket of `sftdyn status`; empty: none
        std::optional<std::string>
            state{};  ///< the folder of what is remembered of hosts; empty: none
        std::chrono::milliseconds stale_after{86'400'000};  ///< 0: hosts never are
        std::vector<std::string> hook{};  ///< the command that is told of changes; empty: none
        std::uint32_t hooks_at_once = 4;  ///< how many of it may run
        std::chrono::milliseconds hook_time{30'000};  ///< after which it is killed
    };
    Admin admin{};

    std::optional<int> verbosity{};  ///< as the command line counts it; absent: its default
    bool debug = false;

    ClientList clients{};
    std::vector<NamedClient> named_clients{};
    std::string uptodate = "UPTODATE";  ///< the secret URL's word for it

    [[nodiscard]] std::size_t client_count() const { return clients.size() + named_clients.size(); }
};

/// The settings of the zone that holds `host`: the longest [[zone]], else [dns].
[[nodiscard]] const ZoneSettings& zone_for(const Settings& settings, const dns::Name& host);

/// The key files to try for a zone, in order.
[[nodiscard]] std::vector<std::string> key_files(const ZoneSettings& zone);

/// The servers to try for a zone, in order: as `nsupdate -l`, when none is set.
[[nodiscard]] std::vector<dns::ServerAddress> servers(const ZoneSettings& zone);

/// "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53".
[[nodiscard]] base::Result<dns::ServerAddress> parse_server(std::string_view text);

/// All certificates, the one for clients that name none, or no known name, first.
[[nodiscard]] std::vector<Settings::CertificateFiles> certificates(const Settings& settings);

/// An error when of https, cert and key some are there and some are not.
[[nodiscard]] base::Result<void> check_https(const Settings& settings);

}  // namespace sftdyn::config
