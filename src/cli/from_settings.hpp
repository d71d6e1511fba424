// What the rooms take, made of the settings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command_runner.hpp"
#include "config/settings.hpp"
#include "hosts/directory.hpp"
#include "http/server.hpp"
#include "update/dns_backend.hpp"
#include "update/engine.hpp"

namespace sftdyn::cli {

using Directory = std::shared_ptr<const hosts::Directory>;

[[nodiscard]] update::Limits engine_limits(const config::Settings& settings);
[[nodiscard]] std::vector<update::ZoneServers> zone_servers(const config::Settings& settings);
[[nodiscard]] Directory make_directory(const config::Settings& settings, update::HostTable& hosts);
/// The hosts of all clients.
[[nodiscard]] std::vector<update::HostId> all_hosts(const config::Settings& settings, update::HostTable& hosts);
[[nodiscard]] http::Limits http_limits(const config::Settings& settings);
[[nodiscard]] std::vector<http::Endpoint> endpoints(const config::Settings& settings);
[[nodiscard]] http::Proxies proxies(const config::Settings& settings);
[[nodiscard]] CommandRunner::Settings runner_settings(const config::Settings& settings);
/// What must stay readable when the process is confined.
[[nodiscard]] std::vector<std::string> files(const config::Settings& settings);

}  // namespace sftdyn::cli
