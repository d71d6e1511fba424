// SPDX-License-Identifier: GPL-3.0-or-later
// All settings, validated: the configuration file and the command line combined.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address_rules.hpp"
#include "base/log_format.hpp"
#include "base/network.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "config/client_list.hpp"
#include "config/listen_address.hpp"
#include "dns/name.hpp"
#include "dns/server_client.hpp"
#include "http/tls_version.hpp"

namespace sftdyn::config {

constexpr std::uint32_t default_ttl = 30;         ///< seconds
constexpr std::int64_t largest_ttl = 0x7fffffff;  ///< seconds; RFC 2181 §8
constexpr std::uint16_t default_port = 8080;      ///< of HTTP, when no listener is configured
constexpr std::string_view default_uptodate = "UPTODATE";

/// The servers of a zone ([[zone]]), or of all others ([dns]).
struct ZoneSettings {
    std::optional<dns::Name> zone{};            ///< absent: found by queries
    std::vector<dns::ServerAddress> servers{};  ///< tried in order
    std::optional<std::string> key_file{};      ///< absent: BIND's session key; empty: no key
    std::optional<std::uint32_t> ttl{};         ///< seconds
    bool tcp = false;                           ///< queries over TCP too
    bool sign_queries = true;                   ///< queries are signed, as UPDATEs are
    bool queries = true;                        ///< the server answers queries
    std::optional<std::chrono::milliseconds> timeout{};  ///< of a [[zone]]; absent: that of [dns]
};

/// One of the hosts of a named client.
struct NamedHost {
    dns::Name name{};
    std::optional<std::uint32_t> ttl{};  ///< seconds; absent: the zone's
    bool reverse = false;
    std::optional<boost::asio::ip::address_v6> ipv6_suffix{};
    std::uint64_t ipv6_subnet = 0;
};

/// [clients.NAME]: a client with a name and one or more hosts.
struct NamedClient {
    std::string name{};
    std::optional<base::Secret> key{};
    std::optional<std::string> user{};
    base::Secret password{};
    std::string password_hash{};  ///< empty: `password` is used
    std::vector<NamedHost> hosts{};
    bool may_set_address = false;
    bool empty_removes = false;
    ClientLimits limits{};
    SourceLine source{};
    bool has_table = false;  ///< false: it is a further key of a host, and has the host's name
};

/// The events for which the event command is run.
struct EventChoice {
    bool change = true, stale = true, failure = false;
    friend bool operator==(const EventChoice&, const EventChoice&) = default;
};

/// [admin]: settings for the operator.
struct AdminSettings {
    std::vector<Listen> metrics{};  ///< listeners for Prometheus; empty: none
    // Absent: not used. While a file is read, an empty path means `false`: systemd's folder is not
    // used as the default. `load_settings` then makes it absent.
    std::optional<std::string> control{};      ///< the Unix socket of `sftdyn status`
    std::optional<std::string> state{};        ///< the folder of the hosts' history
    std::chrono::milliseconds stale_after{};   ///< 0: hosts never become stale
    std::vector<std::string> event_command{};  ///< run for each of `events`; empty: none
    EventChoice events{};
    std::uint32_t event_commands_at_once{};          ///< most that run at the same time
    std::chrono::milliseconds event_command_time{};  ///< it is killed after this time
};
/// All settings. The schema (settings_schema.cpp) has the defaults.
struct Settings {
    /// Sets each setting of the schema to its default.
    Settings();

    std::vector<Listen> http{};
    std::vector<Listen> https{};
    enum class ProxyHeaderSetting { x_forwarded_for, forwarded, x_real_ip };
    /// Proxies whose header with the client's address is trusted.
    std::vector<base::Network> trusted_proxies{};
    ProxyHeaderSetting proxy_header{};
    /// The name, in lower case, of another header with a single address, which is read like
    /// X-Real-IP. Empty: `proxy_header` names the header.
    std::string proxy_field{};
    base::AddressRules addresses{};     ///< [addresses]: what may be published
    std::optional<std::string> cert{};  ///< PEM: the certificate and its chain
    std::optional<std::string> key{};   ///< PEM: the private key of `cert`
    /// The paths of a certificate and its private key, both PEM.
    struct CertificateFiles {
        std::string cert, key;
        friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
    };
    http::TlsVersion tls_min_version{};  ///< the oldest version that HTTPS accepts
    /// [[certificate]]: further certificates, selected by the server name that a client asks for.
    std::vector<CertificateFiles> certificates{};
    ZoneSettings dns{};
    std::vector<ZoneSettings> zones{};
    std::uint32_t ttl = default_ttl;  ///< seconds; for hosts whose client and zone set none
    unsigned hook_threads = 1;        ///< of a Python conf; each thread runs the conf

    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds freshness{};
    bool follow_serial{};
    bool read_back{};
    enum class OnRemoval { keep, remove };
    OnRemoval on_removal{};  ///< when a host is removed from the configuration
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

    std::optional<std::string> user{};  ///< root becomes this user after it has bound the sockets
    bool seccomp{};
    bool landlock{};

    AdminSettings admin{};

    /// Parts of the file that are accepted but should be changed. Logged at each load.
    std::vector<base::Error> warnings{};

    std::optional<int> verbosity{};  ///< -v less -q; absent: as at the start
    bool debug = false;
    base::log::Format log_format{};  ///< of the lines on standard error

    std::optional<std::string> include{};  ///< the folder of further files with clients
    std::vector<std::string> included{};   ///< the paths of those files, sorted
    std::string include_version{};         ///< differs when one of them has changed; empty: none

    ClientList clients{};
    std::vector<NamedClient> named_clients{};
    bool refusals_in_200 = false;
    std::string uptodate{default_uptodate};  ///< the secret URL's answer without a change

    [[nodiscard]] std::size_t client_count() const { return clients.size() + named_clients.size(); }
};

/// "PATH:LINE" of a line of the configuration whose path is `conf`.
[[nodiscard]] std::string text_of(const Settings& settings, const std::string& conf,
                                  SourceLine source);

/// The settings of the zone that `host` is in: the [[zone]] with the longest name, else [dns].
[[nodiscard]] const ZoneSettings& zone_for(const Settings& settings, const dns::Name& host);

/// The key files to try for a zone, in order; empty: messages are not signed.
[[nodiscard]] std::vector<std::string> key_files(const ZoneSettings& zone);

/// The servers to try for a zone, in order. When none is set: loopback, as `nsupdate -l` does.
[[nodiscard]] std::vector<dns::ServerAddress> servers(const ZoneSettings& zone);

/// "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53".
[[nodiscard]] base::Result<dns::ServerAddress> parse_server(std::string_view text);

/// Parses the name of a zone. The rules are those of host names, without wildcards; `/` is allowed
/// (RFC 2317 §4). The error does not quote `text`.
[[nodiscard]] base::Result<dns::Name> parse_zone(std::string_view text);

/// Parses the name of a client's host as a user writes it. Non-ASCII labels are converted to their
/// xn-- form (IDNA). The error does not quote `text`.
[[nodiscard]] base::Result<dns::Name> parse_client_host(std::string_view text);

/// All certificates. The first is for clients that ask for no server name, or an unknown one.
[[nodiscard]] std::vector<Settings::CertificateFiles> certificates(const Settings& settings);

/// An error when only some of https, cert and key are set. `is_passed`: systemd has passed a socket
/// for TLS, which counts as https.
[[nodiscard]] base::Result<void> check_https(const Settings& settings, bool is_passed = false);

/// Checks the listeners together: errors for an address that two of them use, and for the PROXY
/// protocol over TCP without trusted proxies.
[[nodiscard]] std::vector<base::Error> check_listeners(const Settings& settings);

}  // namespace sftdyn::config
