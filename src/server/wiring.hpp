// SPDX-License-Identifier: GPL-3.0-or-later
// What the folders take, made of the settings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "accounts/account_directory.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"
#include "http/server.hpp"
#include "platform/sandbox.hpp"
#include "platform/socket_activation.hpp"
#include "server/answer_settings.hpp"
#include "server/event_command.hpp"
#include "telemetry/stale_times.hpp"
#include "update/dns_backend.hpp"
#include "update/engine.hpp"

namespace sftdyn::server {

/// The settings of a file with `line` on top, and what is wrong with their passwords too.
[[nodiscard]] config::Loaded load(const config::Overrides& line);

/// What the configuration says of hosts one by one.
struct ConfiguredHosts {
    std::vector<update::HostId> all{};
    update::OwnChangeRates changes{};        ///< null: no host has its own
    telemetry::OwnStaleTimes stale_after{};  ///< as above
};

using Directory = std::shared_ptr<const accounts::AccountDirectory>;

/// Without what single hosts have of their own.
[[nodiscard]] update::EngineLimits engine_limits(const config::Settings& settings);
[[nodiscard]] std::vector<update::ZoneServers> zone_servers(const config::Settings& settings);
[[nodiscard]] Directory make_directory(const config::Settings& settings, update::HostTable& hosts);
/// The hosts of all clients, and what some of them have of their own.
[[nodiscard]] ConfiguredHosts configured_hosts(const config::Settings& settings,
                                               update::HostTable& hosts);
[[nodiscard]] std::shared_ptr<const AnswerSettings> answer_settings(const config::Loaded& loaded,
                                                                    const Directory& directory);
[[nodiscard]] http::Limits http_limits(const config::Settings& settings);
/// The same, where a Python conf's get_ip may stand behind a proxy.
[[nodiscard]] http::Limits http_limits(const config::Loaded& loaded);
/// The most connections of which so many file descriptors allow, when the DNS, key files, event
/// loops, listeners and pages have theirs. At least one.
[[nodiscard]] std::size_t connections_within(std::size_t descriptors, unsigned threads,
                                             std::size_t listeners);
[[nodiscard]] std::vector<http::Endpoint> endpoints(const config::Settings& settings);
/// What to listen on: those of the settings, with passed sockets in place of `http`, and passed
/// ones for TLS in place of `https`. Where the machine has no IPv6, all addresses are all of IPv4.
[[nodiscard]] std::vector<http::Endpoint> listening_endpoints(
    const config::Settings& settings, std::vector<http::Endpoint> passed = {});
/// "https://192.0.2.1:443", "unix:/run/…"
[[nodiscard]] std::string url_of(const http::Endpoint& endpoint);
/// Of sockets that were passed: their names say what they are for, "https" or "http", with "-proxy"
/// behind it for the PROXY protocol. One without a name of its own is for HTTP; an error says which
/// names there are.
[[nodiscard]] base::Result<std::vector<http::Endpoint>> endpoints_of(
    const std::vector<platform::PassedSocket>& sockets);
[[nodiscard]] http::TlsVersion tls_min_version(const config::Settings& settings);
[[nodiscard]] http::Proxies proxies(const config::Settings& settings);
[[nodiscard]] EventCommandSettings event_command_settings(const config::Settings& settings);
/// What must stay readable when the process is in the sandbox.
[[nodiscard]] std::vector<std::string> files(const config::Settings& settings);
/// What the process keeps when it is in the sandbox, with the sockets of `listening`.
[[nodiscard]] platform::SandboxSettings sandbox_settings(
    const config::Loaded& loaded, const std::vector<http::Endpoint>& listening);

}  // namespace sftdyn::server
