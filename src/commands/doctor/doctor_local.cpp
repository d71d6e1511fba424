// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's checks of this machine: files, certificates, listeners, limits.
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/network.hpp"
#include "base/system_user.hpp"
#include "commands/doctor/doctor.hpp"
#include "commands/named_files.hpp"
#include "commands/weak_secrets.hpp"
#include "dns/tsig_key_file.hpp"
#include "dns/tsig_key_provider.hpp"
#include "http/tls.hpp"
#include "platform/access_as_user.hpp"
#include "platform/port_owner.hpp"

namespace sftdyn::commands {
namespace {

using Level = Finding::Level;
constexpr auto soon = std::chrono::hours(24 * 14);

/// Whether the file is BIND's session key, which named makes at each start for its own user only.
bool is_session_key(const config::ZoneSettings& zone, const std::string& file) {
    if (!zone.key_file) return true;
    const auto paths = dns::session_key_paths();
    return std::any_of(paths.begin(), paths.end(), [&file](const std::string& path) {
        std::error_code error;
        return path == file || std::filesystem::equivalent(path, file, error);
    });
}

/// The first folder above a file that a user may not enter; empty: there is none.
std::string closed_folder(const std::string& user, const std::filesystem::path& file) {
    std::filesystem::path folder;
    for (const auto& part : std::filesystem::absolute(file).parent_path()) {
        folder /= part;
        if (!platform::may(user, folder.string(), X_OK)) return folder.string();
    }
    return {};
}

std::string remedy_of_unreadable_key(const Patient& patient, const std::string& file,
                                     bool is_session) {
    if (is_session)
        return "named makes it anew at each start, for its own user alone: run sftdyn as that user "
               "(systemctl edit sftdyn: [Service], User=bind), or use a key of your own (sftdyn "
               "setup bind ZONE)";
    const std::string closed = closed_folder(patient.user, file);
    if (!closed.empty())
        return fmt::format(
            "it may not enter {0}: chgrp {1} {0} && chmod g+x {0}; or let systemd "
            "hand the file over (LoadCredential=)",
            closed, patient.user);
    return fmt::format(
        "chgrp {} {} && chmod 640 {}; or let systemd hand it over "
        "(LoadCredential=)",
        patient.user, file, file);
}

void look_at_key(const Patient& patient, const config::ZoneSettings& zone, Findings& findings) {
    const auto files = config::key_files(zone);
    if (files.empty()) {
        findings.push_back({Level::note, "key",
                            "nothing is signed (nskeyfile = false): the server takes updates by "
                            "address, and whoever can answer in its place is believed",
                            "let it take a key, unless both are one machine"});
        return;
    }
    const auto found = std::find_if(files.begin(), files.end(), [](const std::string& file) {
        struct stat status {};
        return stat(dns::key_file_path(file).c_str(), &status) == 0;
    });
    if (found == files.end()) {
        findings.push_back(
            {Level::bad, "key", fmt::format("{}: there is no such file", files.front()),
             zone.key_file ? "name the right file with nskeyfile, or make it: tsig-keygen sftdyn"
                           : "start BIND, which makes its session key then; or name a key of your "
                             "own with nskeyfile"});
        return;
    }
    const std::string file = dns::key_file_path(*found);
    const bool is_session = is_session_key(zone, file);
    if (!platform::may(patient.user, file, R_OK)) {
        if (patient.is_stand_in) return;
        findings.push_back({Level::bad, "key",
                            fmt::format("{}: the user {} may not read it", file, patient.user),
                            remedy_of_unreadable_key(patient, file, is_session)});
    }
    const auto key = dns::read_key_file(file);
    if (key.has_error()) {
        findings.push_back(
            {Level::bad, "key", key.error().where + ": " + key.error().what, key.error().remedy});
        return;
    }
    findings.push_back({Level::good, "key", fmt::format("{} holds a key", file), ""});
    if (!is_session) return;
    findings.push_back(
        {Level::note, "session-key",
         "this is BIND's session key, which it makes anew at each start, for its own user alone",
         patient.user == "bind"
             ? ""
             : "a key of your own is sturdier: `sftdyn setup bind ZONE` makes one"});
}

void look_at_certificate(const Patient& patient, const config::Settings::CertificateFiles& files,
                         Findings& findings) {
    for (const auto& file : {files.cert, files.key}) {
        if (platform::may(patient.user, file, R_OK)) continue;
        if (patient.is_stand_in) return;
        findings.push_back(
            {Level::bad, "certificate",
             fmt::format("{}: the user {} may not read it", file, patient.user),
             "give it to that user's group, or let systemd hand it over (LoadCredential=)"});
    }
    const auto certificate = http::read_certificate(files.cert, files.key);
    if (certificate.has_error()) {
        findings.push_back({Level::bad, "certificate",
                            certificate.error().where + ": " + certificate.error().what,
                            certificate.error().remedy});
        return;
    }
    const auto left = http::time_left(*certificate);
    const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
    const std::string names = fmt::format("{}", fmt::join(certificate->names, ", "));
    if (left.count() < 0) {
        findings.push_back(
            {Level::bad, "certificate", fmt::format("{} has expired", files.cert), "renew it"});
    } else {
        findings.push_back({left < soon ? Level::warning : Level::good, "certificate",
                            fmt::format("{} is for {}, and valid for {} days", files.cert,
                                        names.empty() ? "no name" : names, days),
                            left < soon ? "renew it" : ""});
    }
    if (certificate->names.empty())
        findings.push_back({Level::warning, "certificate",
                            fmt::format("{} has no name in subjectAltName", files.cert),
                            "clients refuse it: make one that has (sftdyn cert HOSTNAME)"});
}

/// The finding for an address `text` on which a process, `owner` if it is known, listens already.
Finding taken(const std::string& text, const std::optional<platform::PortOwner>& owner) {
    if (!owner)
        return {Level::note, "listener", fmt::format("{}: somebody listens there", text),
                "if that is not sftdyn itself (ss -ltnp), choose another port"};
    const std::string who =
        fmt::format("{}: {} (process {}) listens there", text, owner->program, owner->process);
    if (owner->program == "sftdyn") return {Level::good, "listener", who, ""};
    if (owner->program == "systemd")
        return {Level::note, "listener", who,
                "for sftdyn, if sftdyn.socket is in use; else choose another port"};
    return {Level::bad, "listener", who, "stop it, or choose another port"};
}

bool is_in_group(const std::string& user, gid_t group) {
    const auto account = base::find_user(user);
    if (!account || account->uid == 0 || account->gid == group) return true;
    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    if (getgrouplist(user.c_str(), account->gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
        if (getgrouplist(user.c_str(), account->gid, groups.data(), &count) < 0) return true;
    }
    groups.resize(static_cast<std::size_t>(count));
    return std::find(groups.begin(), groups.end(), group) != groups.end();
}

/// Whether the service may create files in a folder. A missing folder counts as good, because
/// systemd may make it. False: a finding was added.
bool may_make_in(const Patient& patient, const char* check, const std::string& what,
                 const std::filesystem::path& folder, Findings& findings) {
    std::error_code error;
    if (patient.is_stand_in || !std::filesystem::is_directory(folder, error) ||
        platform::may(patient.user, folder.string(), W_OK | X_OK))
        return true;
    findings.push_back(
        {Level::bad, check,
         fmt::format("{}: the user {} may not write to {}", what, patient.user, folder.string()),
         fmt::format("chown {0} {1}, or name another folder; systemd makes /run/sftdyn and "
                     "/var/lib/sftdyn for it",
                     patient.user, folder.string())});
    return false;
}

void look_at_unix_socket(const Patient& patient, const config::Listen& listen, Findings& findings) {
    const auto folder = std::filesystem::path(listen.path).parent_path();
    const std::string socket = "unix:" + listen.path;
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) {
        findings.push_back({Level::bad, "listener", socket + ": its folder is not there",
                            "make " + folder.string()});
        return;
    }
    if (listen.gid && !is_in_group(patient.user, *listen.gid)) {
        const auto group = base::find_group(static_cast<gid_t>(*listen.gid));
        const std::string name = group ? group->name : std::to_string(*listen.gid);
        findings.push_back(
            {Level::bad, "listener",
             fmt::format("{}: the user {} is not in the group {}, and can't give it the socket",
                         socket, patient.user, name),
             fmt::format("usermod -aG {} {}, and restart sftdyn; or let the proxy's user into "
                         "sftdyn's group, and leave out group",
                         name, patient.user)});
        return;
    }
    if (may_make_in(patient, "listener", socket, folder, findings))
        findings.push_back({Level::good, "listener", socket + ": its folder is there", ""});
}

void look_at_listener(const Patient& patient, const config::Listen& listen, const char* scheme,
                      Findings& findings) {
    namespace ip = boost::asio::ip;
    if (!listen.path.empty()) return look_at_unix_socket(patient, listen, findings);
    boost::asio::io_context io;
    boost::system::error_code error;
    const ip::address address = listen.address.value_or(ip::address_v4::any());
    const ip::tcp::endpoint endpoint(address, listen.port);
    const std::string text = fmt::format("{}://{}", scheme,
                                         listen.address ? base::endpoint_text(address, listen.port)
                                                        : fmt::format("*:{}", listen.port));
    ip::tcp::acceptor acceptor(io);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(ip::tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(1, error);
    if (!error) {
        findings.push_back(
            {Level::good, "listener", fmt::format("{} is free to listen on", text), ""});
    } else if (error == boost::asio::error::address_in_use) {
        findings.push_back(taken(text, platform::owner_of(endpoint, "sftdyn")));
    } else if (error == boost::asio::error::access_denied) {
        findings.push_back(
            {Level::note, "listener", fmt::format("{}: this user may not listen there", text),
             "ports below 1024 are for root, and for the service, whose unit allows it"});
    } else {
        findings.push_back({Level::bad, "listener", fmt::format("{}: {}", text, error.message()),
                            "name an address of this machine, or a port alone for all of them"});
    }
}

/// Adds a note when the listeners are 0.0.0.0 without IPv6: both families were probably meant.
void look_at_families(const config::Settings& settings, Findings& findings) {
    bool all_of_v4 = false, any_of_v6 = false;
    for (const auto* listens : {&settings.http, &settings.https}) {
        for (const auto& listen : *listens) {
            if (!listen.path.empty()) continue;
            all_of_v4 = all_of_v4 || (listen.address && listen.address->is_v4() &&
                                      listen.address->is_unspecified());
            any_of_v6 = any_of_v6 || !listen.address || listen.address->is_v6();
        }
    }
    if (all_of_v4 && !any_of_v6)
        findings.push_back({Level::note, "listener",
                            "0.0.0.0 is IPv4 alone: clients with IPv6 are refused",
                            "a port alone, as http = \"8080\", listens for both"});
}

/// Whether the service may read the configuration and the files that it includes. The first
/// included file that it may not read is named: the mend is for all.
void look_at_conf_files(const Patient& patient, Findings& findings) {
    if (patient.is_stand_in) return;
    const auto& settings = patient.loaded.settings;
    const auto add = [&](const std::string& path, std::string mend) {
        findings.push_back({Level::bad, "conf",
                            fmt::format("{}: the user {} may not read it", path, patient.user),
                            std::move(mend)});
    };
    const std::string& conf = patient.loaded.conf;
    if (!platform::may(patient.user, conf, R_OK))
        add(conf, fmt::format("chgrp {} {} && chmod 640 {}", patient.user, conf, conf));
    if (!settings.include) return;
    const std::string& folder = *settings.include;
    if (!platform::may(patient.user, folder, R_OK | X_OK))
        return add(folder,
                   fmt::format("chgrp {} {} && chmod 750 {}", patient.user, folder, folder));
    for (const auto& file : settings.included) {
        if (platform::may(patient.user, file, R_OK)) continue;
        return add(file, fmt::format("chgrp {0} {1}/*.toml && chmod 640 {1}/*.toml", patient.user,
                                     folder));
    }
}

}  // namespace

void look_at_files(const Patient& patient, Findings& findings) {
    const auto& settings = patient.loaded.settings;
    look_at_conf_files(patient, findings);
    look_at_key(patient, settings.dns, findings);
    for (const auto& zone : settings.zones) look_at_key(patient, zone, findings);
    for (const auto& [subject, error] : faults_of_named_files(settings))
        findings.push_back({Level::bad, subject, error.where + ": " + error.what, error.remedy});
    for (const auto& weaknesses : {weak_files(patient.loaded), weak_keys(patient.loaded)}) {
        for (const auto& one : weaknesses)
            findings.push_back({Level::warning, one.subject,
                                one.error.where + ": " + one.error.what, one.error.remedy});
    }
}

void look_at_certificates(const Patient& patient, Findings& findings) {
    for (const auto& files : config::certificates(patient.loaded.settings))
        look_at_certificate(patient, files, findings);
}

void look_at_listeners(const Patient& patient, Findings& findings) {
    const auto& settings = patient.loaded.settings;
    for (const auto& listen : settings.http) look_at_listener(patient, listen, "http", findings);
    for (const auto& listen : settings.https) look_at_listener(patient, listen, "https", findings);
    look_at_families(settings, findings);
    for (auto listen : settings.admin.metrics) {
        // For metrics, a port without an address means loopback.
        if (listen.path.empty() && !listen.address)
            listen.address = boost::asio::ip::address_v4::loopback();
        look_at_listener(patient, listen, "http", findings);
    }
}

void look_at_admin(const Patient& patient, Findings& findings) {
    const auto& admin = patient.loaded.settings.admin;
    if (admin.control)
        may_make_in(patient, "control", "[admin] control",
                    std::filesystem::path(*admin.control).parent_path(), findings);
    if (admin.state) may_make_in(patient, "state", "[admin] state", *admin.state, findings);
    if (admin.event_command.empty() || patient.is_stand_in) return;
    const std::string& program = admin.event_command.front();
    std::error_code error;
    if (std::filesystem::is_regular_file(program, error) &&
        !platform::may(patient.user, program, X_OK))
        findings.push_back(
            {Level::bad, "event-command",
             fmt::format("{}: the user {} may not run it", program, patient.user),
             fmt::format("chmod a+rx {}, and let that user into the folders above", program)});
}

void look_at_limits(const Patient& patient, Findings& findings) {
    const auto& settings = patient.loaded.settings;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < settings.connections)
        findings.push_back(
            {Level::warning, "limits",
             fmt::format("{} files may be open, but connections is {}", limit.rlim_max,
                         settings.connections),
             "raise the limit (ulimit -n; the unit has LimitNOFILE=65536), or lower connections"});
    if (settings.dns.ttl.value_or(settings.ttl) > 3600)
        findings.push_back(
            {Level::note, "limits",
             fmt::format("the TTL is {} s: so long may resolvers give out an old address",
                         settings.dns.ttl.value_or(settings.ttl)),
             "30 to 300 is usual for dynamic hosts"});
    if (settings.timeout < std::chrono::seconds(1))
        findings.push_back(
            {Level::warning, "limits",
             fmt::format("requests are given up after {} ms", settings.timeout.count()),
             "a busy DNS server may need longer: [dns] timeout"});
}

}  // namespace sftdyn::commands
