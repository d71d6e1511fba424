// SPDX-License-Identifier: GPL-3.0-or-later
// Converts the settings to the arguments of the other modules.
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

/// Loads the settings, with the overrides `line` of the command line. The diagnostics include those
/// of passwords.
[[nodiscard]] config::Loaded load(const config::Overrides& line);

/// The hosts of the configuration, and their own limits.
struct ConfiguredHosts {
    std::vector<update::HostId> all{};
    update::OwnChangeRates changes{};        ///< null: no host has its own
    telemetry::OwnStaleTimes stale_after{};  ///< null: no host has its own
};

using Directory = std::shared_ptr<const accounts::AccountDirectory>;

/// The engine's limits, without those of single hosts.
[[nodiscard]] update::EngineLimits engine_limits(const config::Settings& settings);
[[nodiscard]] std::vector<update::ZoneServers> zone_servers(const config::Settings& settings);
[[nodiscard]] Directory make_directory(const config::Settings& settings, update::HostTable& hosts);
/// The hosts of all clients, and their own limits.
[[nodiscard]] ConfiguredHosts configured_hosts(const config::Settings& settings,
                                               update::HostTable& hosts);
[[nodiscard]] std::shared_ptr<const AnswerSettings> answer_settings(const config::Loaded& loaded,
                                                                    const Directory& directory);
[[nodiscard]] http::Limits http_limits(const config::Settings& settings);
/// The same; with a Python conf's get_ip there may be a proxy, which needs more connections.
[[nodiscard]] http::Limits http_limits(const config::Loaded& loaded);
/// The maximum number of connections with `descriptors` file descriptors, after those for the DNS,
/// key files, event loops, listeners and pages. At least one.
[[nodiscard]] std::size_t connections_within(std::size_t descriptors, unsigned threads,
                                             std::size_t listeners);
[[nodiscard]] std::vector<http::Endpoint> endpoints(const config::Settings& settings);
/// The endpoints to listen on: those of the settings, with passed sockets in place of `http`, and
/// passed TLS sockets in place of `https`. On a machine without IPv6, the wildcard address is
/// IPv4's.
[[nodiscard]] std::vector<http::Endpoint> listening_endpoints(
    const config::Settings& settings, std::vector<http::Endpoint> passed = {});
/// "https://192.0.2.1:443", "unix:/run/…"
[[nodiscard]] std::string url_of(const http::Endpoint& endpoint);
/// The endpoints of passed sockets. A socket's name is "https" or "http", with the suffix "-proxy"
/// for the PROXY protocol. An unnamed socket is for HTTP. An unknown name is an error, which lists
/// the valid names.
[[nodiscard]] base::Result<std::vector<http::Endpoint>> endpoints_of(
    const std::vector<platform::PassedSocket>& sockets);
[[nodiscard]] http::Proxies proxies(const config::Settings& settings);
[[nodiscard]] EventCommandSettings event_command_settings(const config::Settings& settings);
/// The files that must stay readable in the sandbox.
[[nodiscard]] std::vector<std::string> files(const config::Settings& settings);
/// The permissions of the sandboxed process, including the sockets of `listening`.
[[nodiscard]] platform::SandboxSettings sandbox_settings(
    const config::Loaded& loaded, const std::vector<http::Endpoint>& listening);

}  // namespace sftdyn::server
