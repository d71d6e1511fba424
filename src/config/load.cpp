// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/load.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/conf_file.hpp"
#include "config/python_conf.hpp"
#include "config/toml_reader.hpp"
#include "python/load.hpp"

namespace sftdyn::config {
namespace {

void run_python_conf(const std::string& path, Loaded& loaded) {
    // Python would block on a pipe, and read a device without end.
    if (const auto readable = check_conf(path); readable.has_error()) {
        loaded.diagnostics.push_back(readable.error());
        return;
    }
    const auto interpreter = python::load_interpreter();
    if (interpreter.has_error()) {
        loaded.diagnostics.push_back({interpreter.error().what,
                                      fmt::format("{} ({})", path, interpreter.error().where),
                                      interpreter.error().remedy});
        return;
    }
    auto threads = python::HookThreads::start(**interpreter, path);
    if (threads.has_error()) {
        loaded.diagnostics.push_back(threads.error());
        return;
    }
    loaded.hook_threads = std::move(*threads);
    loaded.python = loaded.hook_threads->conf();
    loaded.diagnostics = read_python_conf(*loaded.python, path, loaded.settings);
}

/// Defaults for the control socket and the state: the folders that systemd has made for the service
/// (systemd.exec(5), RuntimeDirectory= and StateDirectory=).
void use_folders_of_systemd(AdminSettings& admin) {
    const auto folder = [](const char* variable, const char* file) -> std::optional<std::string> {
        const char* folders = std::getenv(variable);
        if (folders == nullptr || *folders == '\0') return std::nullopt;
        return (std::filesystem::path(
                    std::string(folders).substr(0, std::string_view(folders).find(':'))) /
                file)
            .string();
    };
    if (!admin.control) admin.control = folder("RUNTIME_DIRECTORY", "control");
    if (!admin.state) admin.state = folder("STATE_DIRECTORY", "");
    for (auto* path : {&admin.control, &admin.state}) {
        if (*path && (*path)->empty()) path->reset();  // switched off
    }
}

/// The path of a file that the command line names. With a Python conf, a file that the working
/// directory does not have is searched beside the conf, as the Python sftdyn did.
std::string file_of_line(const std::string& file, const Loaded& loaded) {
    const std::filesystem::path beside = std::filesystem::path(loaded.conf).parent_path() / file;
    std::error_code error;
    const bool is_beside = loaded.python && !std::filesystem::exists(file, error) &&
                           std::filesystem::exists(beside, error);
    return is_beside ? beside.string() : file;
}

/// The path of the configuration to read; nothing: there is none, which is in the diagnostics.
/// `unread` gets warnings of those that are there and not read.
std::optional<std::string> conf_of(const Overrides& line, Loaded& loaded,
                                   std::vector<base::Error>& unread) {
    if (line.conf) return line.conf;
    const auto defaults = default_confs();
    const auto exists = [](const std::string& file) { return std::filesystem::exists(file); };
    const auto found = std::find_if(defaults.begin(), defaults.end(), exists);
    if (found == defaults.end()) {
        loaded.diagnostics.push_back({fmt::format("there is no configuration: neither {} exists",
                                                  fmt::join(defaults, " nor ")),
                                      "", "name one (sftdyn FILE), or try `sftdyn demo`"});
        return std::nullopt;
    }
    for (auto other = found + 1; other != defaults.end(); ++other) {
        if (exists(*other))
            unread.push_back({fmt::format("it is read; {} is there too, and is not", *other),
                              *found, "remove the one that is out of date"});
    }
    return *found;
}

}  // namespace

std::vector<std::string> default_confs() { return {"/etc/sftdyn/sftdyn.toml", "/etc/sftdyn/conf"}; }

Loaded load_settings(const Overrides& line) {
    Loaded loaded;
    std::vector<base::Error> unread;
    const auto conf = conf_of(line, loaded, unread);
    if (!conf) {
        if (line.log_format) loaded.settings.log_format = *line.log_format;
        return loaded;
    }
    const std::string& path = *conf;
    loaded.conf = path;
    loaded.conf_version = version_of(path);
    if (path.ends_with(".toml")) {
        loaded.diagnostics = read_toml_file(path, loaded.settings);
        if (!loaded.settings.include_version.empty())
            loaded.conf_version += '+' + loaded.settings.include_version;
    } else {
        run_python_conf(path, loaded);
    }
    auto& settings = loaded.settings;
    settings.warnings.insert(settings.warnings.begin(), unread.begin(), unread.end());
    if (!line.http.empty()) settings.http = line.http;
    if (!line.https.empty()) settings.https = line.https;
    if (line.cert) settings.cert = file_of_line(*line.cert, loaded);
    if (line.key) settings.key = file_of_line(*line.key, loaded);
    const bool is_passed = line.passed_http || line.passed_https;
    if (settings.http.empty() && settings.https.empty() && !is_passed) {
        // A Python conf has no default listener.
        if (loaded.python) {
            settings.warnings.push_back(
                {"it has no listener", path, "set http in the conf, as http = 8080, or https"});
        } else {
            settings.http.push_back({std::nullopt, default_port});
        }
    }
    if (const auto https = check_https(settings, line.passed_https); https.has_error())
        loaded.diagnostics.push_back({https.error().what, path, https.error().remedy});
    for (const auto& wrong : check_listeners(settings))
        loaded.diagnostics.push_back({wrong.what, path, wrong.remedy});
    if (line.key_file) loaded.settings.dns.key_file = line.key_file;
    if (!line.servers.empty()) loaded.settings.dns.servers = line.servers;
    use_folders_of_systemd(settings.admin);
    if (line.log_format) settings.log_format = *line.log_format;
    if (line.verbosity != 0 || line.debug) {
        settings.verbosity.reset();
        settings.debug = false;
    } else if (!settings.verbosity) {
        settings.verbosity = 0;  // a reload of a file without the setting restores the default
    }
    return loaded;
}

}  // namespace sftdyn::config
