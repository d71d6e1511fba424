// SPDX-License-Identifier: GPL-3.0-or-later
// What the doctor sees on this machine: files, certificates, listeners, limits.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include "base/network.hpp"
#include "commands/doctor/doctor.hpp"
#include "commands/named_files.hpp"
#include "commands/status.hpp"
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
    if (!platform::may(patient.user, file, R_OK)) {
        findings.push_back({Level::bad, "key",
                            fmt::format("{}: the user {} may not read it", file, patient.user),
                            fmt::format("chgrp {} {} && chmod 640 {}, and let it into the folders "
                                        "above; or let systemd hand it over (LoadCredential=)",
                                        patient.user, file, file)});
    }
    const auto key = dns::read_key_file(file);
    if (key.has_error()) {
        findings.push_back(
            {Level::bad, "key", key.error().where + ": " + key.error().what, key.error().remedy});
        return;
    }
    findings.push_back({Level::good, "key", fmt::format("{} holds a key", file), ""});
    if (zone.key_file) return;
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

/// What to think of somebody who listens at `text` already.
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

void look_at_listener(const config::Listen& listen, const char* scheme, Findings& findings) {
    namespace ip = boost::asio::ip;
    if (!listen.path.empty()) {
        const std::string folder = std::filesystem::path(listen.path).parent_path().string();
        const bool there = std::filesystem::is_directory(folder);
        findings.push_back(
            {there ? Level::good : Level::bad, "listener",
             fmt::format("unix:{}: its folder is {}", listen.path, there ? "there" : "not there"),
             there ? "" : "make " + folder});
        return;
    }
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

}  // namespace

void look_at_files(const Patient& patient, Findings& findings) {
    const auto& settings = patient.loaded.settings;
    if (!platform::may(patient.user, patient.loaded.conf, R_OK))
        findings.push_back(
            {Level::bad, "conf",
             fmt::format("{}: the user {} may not read it", patient.loaded.conf, patient.user),
             fmt::format("chgrp {} {} && chmod 640 {}", patient.user, patient.loaded.conf,
                         patient.loaded.conf)});
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
    for (const auto& listen : patient.loaded.settings.http)
        look_at_listener(listen, "http", findings);
    for (const auto& listen : patient.loaded.settings.https)
        look_at_listener(listen, "https", findings);
}

void look_at_running(const Patient& patient, Findings& findings) {
    const auto answer = ask_status(patient.loaded.settings.admin.control.value_or(usual_socket));
    if (answer.has_error()) return;  // it does not run, or is not for us to ask
    boost::system::error_code error;
    const auto document = boost::json::parse(*answer, error);
    const auto* status = document.if_object();
    if (error || status == nullptr || !status->contains("conf") || !status->contains("warnings"))
        return;
    if (status->at("conf") != boost::json::string(patient.loaded.conf)) return;
    Findings noticed;
    try {
        for (const auto& one : status->at("warnings").as_array()) {
            const auto text = [&](const char* name) {
                return std::string(one.at(name).as_string());
            };
            noticed.push_back({Level::warning, text("check"), "the running sftdyn: " + text("what"),
                               text("mend")});
        }
    } catch (const std::exception&) {
        return;  // it is of another version, whose warnings are not known here
    }
    findings.insert(findings.end(), noticed.begin(), noticed.end());
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
