// SPDX-License-Identifier: GPL-3.0-or-later
// All settings, validated: what the configuration file and the command line say together.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

constexpr std::uint32_t default_ttl = 30;         ///< seconds
constexpr std::int64_t largest_ttl = 0x7fffffff;  ///< seconds; RFC 2181 §8
constexpr std::uint16_t default_port = 8080;      ///< of HTTP, where nothing is said
constexpr std::string_view default_uptodate = "UPTODATE";

/// The servers of a zone ([[zone]]), or of all others ([dns]).
struct ZoneSettings {
    std::optional<dns::Name> zone{};            ///< absent: asked from the server
    std::vector<dns::ServerAddress> servers{};  ///< tried in order
    std::optional<std::string> key_file{};  ///< absent: BIND's session key; empty: there is no key
    std::optional<std::uint32_t> ttl{};
    bool tcp = false;                                    ///< queries over TCP too
    bool sign_queries = true;                            ///< as UPDATEs are
    bool queries = true;                                 ///< the server answers queries
    std::optional<std::chrono::milliseconds> timeout{};  ///< of a [[zone]]; absent: that of [dns]
};

/// A host of the client's `hosts`.
struct NamedHost {
    dns::Name name{};
    std::optional<std::uint32_t> ttl{};  ///< seconds; absent: the zone's
    bool reverse = false;
    std::optional<boost::asio::ip::address_v6> ipv6_suffix{};
    std::uint64_t ipv6_subnet = 0;
};

/// [clients.NAME]: a client with a name, and maybe several hosts.
struct NamedClient {
    std::string name{};
    std::optional<base::Secret> key{};
    std::optional<std::string> user{};
    base::Secret password{};
    std::string password_hash{};  ///< empty: `password` is it
    std::vector<NamedHost> hosts{};
    bool may_set_address = false;
    bool empty_removes = false;
    ClientLimits limits{};
    std::uint32_t line = 0;
};

/// Of which events the event command is told.
struct EventChoice {
    bool change = true, stale = true, failure = false;
    friend bool operator==(const EventChoice&, const EventChoice&) = default;
};

/// [admin]: what is for those who run it.
struct AdminSettings {
    std::vector<Listen> metrics{};  ///< where Prometheus asks; empty: nowhere
    // Without a value there is none; an empty path, which keeps systemd's folders from standing
    // there, is none once the settings are loaded.
    std::optional<std::string> control{};      ///< the Unix socket of `sftdyn status`
    std::optional<std::string> state{};        ///< the folder of what is remembered of hosts
    std::chrono::milliseconds stale_after{};   ///< 0: hosts never are
    std::vector<std::string> event_command{};  ///< the command that is told of changes; empty: none
    EventChoice events{};
    std::uint32_t event_commands_at_once{};          ///< how many of it may run
    std::chrono::milliseconds event_command_time{};  ///< after which it is killed
};
/// What a setting is when nobody says stands in the schema (settings_schema.cpp), and nowhere else.
struct Settings {
    /// All are as by default.
    Settings();

    std::vector<Listen> http{};
    std::vector<Listen> https{};
    enum class ProxyHeaderSetting { x_forwarded_for, forwarded, x_real_ip };
    std::vector<base::Network>
        trusted_proxies{};  ///< whose word on the client's address is believed
    ProxyHeaderSetting proxy_header{};
    std::string proxy_field{};  ///< another header of one address, in lower case, which is read as
                                ///< X-Real-IP is; empty: `proxy_header` says which
    base::AddressRules addresses{};  ///< [addresses]: what may be published
    std::optional<std::string>
        cert{};  ///< PEM, the certificate and its chain; goes with `https` and `key`
    std::optional<std::string> key{};  ///< PEM, its private key
    /// The paths of a certificate and its private key, both PEM.
    struct CertificateFiles {
        std::string cert, key;
        friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
    };
    enum class TlsVersion { tls1_2, tls1_3 };
    TlsVersion tls_min_version{};                  ///< the oldest that HTTPS speaks
    std::vector<CertificateFiles> certificates{};  ///< [[certificate]]: more of them, chosen by the
                                                   ///< name that a client asks for
    ZoneSettings dns{};
    std::vector<ZoneSettings> zones{};
    std::uint32_t ttl = default_ttl;  ///< seconds, where nothing else is said
    unsigned hook_threads = 1;        ///< of a Python conf, each of which runs it

    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds verify_interval{};
    bool read_back{};
    enum class OnRemoval { keep, remove };
    OnRemoval on_removal{};  ///< of a host from the configuration
    unsigned changes{};
    std::chrono::milliseconds changes_refill{};
    std::size_t queue{};
    std::size_t batch{};
    unsigned updates_in_flight{};
    unsigned queries_in_flight{};
    unsigned threads{};  ///< 0: one for each core

    std::chrono::milliseconds header_time{};
    std::chrono::milliseconds idle_time{};
    std::chrono::milliseconds write_time{};
    std::chrono::milliseconds handshake_time{};
    std::size_t header_size{};  ///< octets
    std::size_t body_size{};    ///< octets
    std::size_t connections{};
    std::size_t connections_per_client{};
    std::size_t requests_per_connection{};
    unsigned bad_keys{};
    std::chrono::milliseconds bad_keys_refill{};

    std::optional<std::string>
        user{};  ///< whom to become after binding, when root starts the program
    bool seccomp{};
    bool landlock{};

    AdminSettings admin{};

    /// What the file says in a way that it should not; each stands in the log at a load.
    std::vector<base::Error> warnings{};

    std::optional<int> verbosity{};  ///< as the command line counts it; absent: its default
    bool debug = false;

    ClientList clients{};
    std::vector<NamedClient> named_clients{};
    bool refusals_in_200 = false;
    std::string uptodate{default_uptodate};  ///< the secret URL's word for it

    [[nodiscard]] std::size_t client_count() const { return clients.size() + named_clients.size(); }
};

/// The settings of the zone that holds `host`: the longest [[zone]], else [dns].
[[nodiscard]] const ZoneSettings& zone_for(const Settings& settings, const dns::Name& host);

/// The key files to try for a zone, in order; none: nothing is signed.
[[nodiscard]] std::vector<std::string> key_files(const ZoneSettings& zone);

/// The servers to try for a zone, in order: as `nsupdate -l`, when none is set.
[[nodiscard]] std::vector<dns::ServerAddress> servers(const ZoneSettings& zone);

/// "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53".
[[nodiscard]] base::Result<dns::ServerAddress> parse_server(std::string_view text);

/// The name of a zone: as a host's, without a wildcard; `/` may be in it (RFC 2317 §4). The error
/// does not quote it.
[[nodiscard]] base::Result<dns::Name> parse_zone(std::string_view text);

/// The name of a client's host, as a person writes it: other letters than ASCII's become their xn--
/// form. The error does not quote `text`.
[[nodiscard]] base::Result<dns::Name> parse_client_host(std::string_view text);

/// All certificates, the one for clients that name none, or no known name, first.
[[nodiscard]] std::vector<Settings::CertificateFiles> certificates(const Settings& settings);

/// An error when of https, cert and key some are there and some are not. With a socket for TLS that
/// was passed https is there.
[[nodiscard]] base::Result<void> check_https(const Settings& settings, bool is_passed = false);

/// What is wrong with the listeners together: an address that two of them take, and the PROXY
/// protocol where nobody may speak it.
[[nodiscard]] std::vector<base::Error> check_listeners(const Settings& settings);

}  // namespace sftdyn::config
