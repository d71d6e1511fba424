// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/setup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <CLI/CLI.hpp>

#include "base/base64.hpp"
#include "base/exclusive_file.hpp"
#include "base/random.hpp"
#include "base/system_user.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* key_name = "sftdyn";
constexpr const char* write_elsewhere = "choose another folder with --write";

struct SetupOptions {
    std::string server{};  ///< "bind", "knot" or "powerdns"
    std::string zone{};
    std::string folder{};  ///< where to write; empty: print
};

struct SetupFile {
    std::string path;  ///< absolute
    std::string text;
    mode_t mode;
    std::string user, group;  ///< whom it belongs to
};

/// What is to be made, and what is to be done with it.
struct SetupPlan {
    std::vector<SetupFile> files{};
    std::vector<std::string> steps{};
};

/// 512 random bits in Base64: as long as the hash of hmac-sha512 (RFC 2104 §3).
std::string new_secret() {
    std::array<unsigned char, 64> bits{};
    if (RAND_bytes(bits.data(), static_cast<int>(bits.size())) != 1)
        throw std::runtime_error("no random bits can be had");
    return base::base64_encoded(bits);
}

/// The name of this machine, as a name server's; Debian's own empty zone says localhost, too.
std::string name_server() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    const auto parsed = dns::Name::parse_host(name.data());
    return parsed.has_value() && std::strchr(name.data(), '.') != nullptr ? parsed->text() + "."
                                                                          : "localhost.";
}

/// Whether there is something of that name, be it a link to nowhere.
bool is_there(const std::string& path) {
    std::error_code error;  // what can't be told shows when the file is made
    return fs::exists(fs::symlink_status(path, error));
}

class Maker {
public:
    Maker(std::string zone, std::string base)
        : zone_(std::move(zone)), base_(std::move(base)), secret_(new_secret()) {}

    SetupPlan bind() {
        const std::string key = at("/etc/bind/keys/sftdyn.key"),
                          zone = at("/var/lib/bind/" + zone_ + ".zone"),
                          conf = at("/etc/bind/named.conf.sftdyn");
        add(key, key_text(), 0640, "bind", "sftdyn");
        add(zone, zone_text(), 0644, "bind", "bind");
        add(conf,
            fmt::format("include \"{}\";\n\nzone \"{}\" {{\n    type primary;\n    file \"{}\";\n  "
                        "  allow-update {{ key \"{}\"; }};\n}};\n",
                        key, zone_, zone, key_name),
            0644, "root", "bind");
        add_conf(key);
        plan_.steps = {fmt::format("add to /etc/bind/named.conf.local:  include \"{}\";", conf),
                       "named-checkconf && systemctl restart named"};
        return finish();
    }

    SetupPlan knot() {
        const std::string key = at("/etc/sftdyn/sftdyn.key"),
                          zone = at("/var/lib/knot/" + zone_ + ".zone"),
                          conf = at("/etc/knot/sftdyn.conf");
        add(key, key_text(), 0640, "root", "sftdyn");
        add(zone, zone_text(), 0660, "knot", "knot");
        add(conf,
            fmt::format("key:\n  - id: {0}\n    algorithm: hmac-sha512\n    secret: {1}\n\nacl:\n  "
                        "- id: sftdyn\n    key: {0}\n    action: [query, "
                        "update]\n\n"
                        "zone:\n  - domain: {2}\n    file: {3}\n    acl: sftdyn\n",
                        key_name, secret_, zone_, zone),
            0640, "root", "knot");
        add_conf(key);
        plan_.steps = {fmt::format("add to the end of /etc/knot/knot.conf:  include: {}", conf),
                       "let Knot listen, which Debian's does not by itself: in "
                       "/etc/knot/knot.conf, under server:  listen: [ 0.0.0.0@53, ::@53 ]",
                       "knotc conf-check && systemctl restart knot"};
        return finish();
    }

    SetupPlan powerdns() {
        const std::string key = at("/etc/sftdyn/sftdyn.key"),
                          conf = at("/etc/powerdns/pdns.d/sftdyn.conf"),
                          script = at("/etc/sftdyn/powerdns-zone.sh");
        add(key, key_text(), 0640, "root", "sftdyn");
        add(conf, "dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8,::1\n", 0644, "root", "root");
        add(script,
            fmt::format(
                "#!/bin/sh\n# Makes the zone, and lets sftdyn's key change it. PDNS_OPTIONS: of "
                "pdnsutil, for example --config-dir.\nset -eu\n"
                "pdnsutil ${{PDNS_OPTIONS:-}} create-zone {0} {1}\n"
                "pdnsutil ${{PDNS_OPTIONS:-}} import-tsig-key {2} hmac-sha512 '{3}'\n"
                "pdnsutil ${{PDNS_OPTIONS:-}} set-meta {0} TSIG-ALLOW-DNSUPDATE {2}\n"
                "pdnsutil ${{PDNS_OPTIONS:-}} set-meta {0} ALLOW-DNSUPDATE-FROM 127.0.0.0/8 ::1\n",
                zone_, name_server(), key_name, secret_),
            0700, "root", "root");
        add_conf(key);
        plan_.steps = {fmt::format("{}   (once; the secret is in it: take it away then)", script),
                       "systemctl restart pdns"};
        return finish();
    }

private:
    /// The place of a file, below the folder that is written to.
    std::string at(const std::string& path) const {
        return base_.empty() || base_ == "/" ? path : base_ + path;
    }

    void add(const std::string& path, std::string text, mode_t mode, const char* user,
             const char* group) {
        plan_.files.push_back({path, std::move(text), mode, user, group});
    }

    std::string key_text() const {
        return fmt::format("key \"{}\" {{\n    algorithm hmac-sha512;\n    secret \"{}\";\n}};\n",
                           key_name, secret_);
    }

    std::string zone_text() const {
        return fmt::format(
            "$TTL 10m\n; NS: the name under which the world reaches this DNS server.\n@ IN SOA {0} "
            "hostmaster.{1}. 1 1h 15m 1w 1m\n@ IN NS {0}\n",
            name_server(), zone_);
    }

    void add_conf(const std::string& key) {
        client_ = base::random_hex(16);
        // A package's sample is not overwritten.
        std::string path = at("/etc/sftdyn/sftdyn.toml");
        if (!base_.empty() && is_there(path)) path = at("/etc/sftdyn/" + zone_ + ".toml");
        conf_ = path;
        add(path,
            fmt::format("http = \"8080\"\nnskeyfile = \"{}\"\n\n[clients]\n\"{}\" = \"home.{}\"\n",
                        key, client_, zone_),
            0640, "root", "sftdyn");
    }

    SetupPlan finish() {
        plan_.steps.push_back(
            fmt::format("let the zone above delegate it:  {} NS {}", zone_,
                        name_server() == "localhost." ? "name-of-this-server." : name_server()));
        plan_.steps.push_back(fmt::format("sftdyn doctor {}", conf_));
        plan_.steps.push_back(
            conf_.ends_with("/sftdyn.toml")
                ? std::string("systemctl enable --now sftdyn")
                : fmt::format("mv {} /etc/sftdyn/sftdyn.toml && systemctl enable --now sftdyn",
                              conf_));
        return std::move(plan_);
    }

    std::string zone_, base_, secret_, client_{}, conf_{};
    SetupPlan plan_{};
};

void print(const SetupPlan& plan, const Console& console) {
    for (const auto& file : plan.files) {
        console.out << fmt::format("# {}   (mode {:o}, {}:{})\n\n{}\n", file.path,
                                   static_cast<unsigned>(file.mode), file.user, file.group,
                                   file.text);
    }
    console.out << "# then:\n";
    for (const auto& step : plan.steps) console.out << "#   " << step << '\n';
}

/// Whom root gives the file to; nothing: this user may not, or there is no such user.
std::optional<base::FileOwner> owner_of(const SetupFile& file) {
    const auto user = base::find_user(file.user);
    const auto group = base::find_group(file.group);
    if (geteuid() != 0 || !user || !group) return std::nullopt;
    return base::FileOwner{user->uid, group->gid};
}

/// All files, or none.
base::Result<void> write(const SetupPlan& plan, const Console& console) {
    for (const auto& file : plan.files) {
        if (is_there(file.path))
            return base::Error{
                "is there already", file.path,
                std::string("nothing was written; move it away, or ") + write_elsewhere};
    }
    std::vector<base::NewFile> made;
    for (const auto& file : plan.files) {
        auto one = base::NewFile::make({file.path, file.text, file.mode, owner_of(file), true},
                                       write_elsewhere);
        if (one.has_error()) return one.error();
        made.push_back(std::move(*one));
    }
    for (auto file = made.begin(); file != made.end(); ++file) {
        auto published = file->publish();
        if (!published.has_error()) continue;
        std::for_each(made.begin(), file, [](base::NewFile& before) { before.withdraw(); });
        return published;
    }
    console.out << "# made:\n";
    for (const auto& file : plan.files) console.out << "#   " << file.path << '\n';
    for (const auto& file : plan.files) {
        if (!owner_of(file))
            console.out << fmt::format("chown {}:{} {}\n", file.user, file.group, file.path);
    }
    console.out << "# then:\n";
    for (const auto& step : plan.steps) console.out << "#   " << step << '\n';
    return {};
}

int setup(const SetupOptions& options, const Console& console) {
    // Without the slash that a reverse zone may have: its name becomes a file's.
    const auto zone = options.zone.starts_with("*.") ? config::parse_zone(options.zone)
                                                     : dns::Name::parse_host(options.zone);
    if (zone.has_error()) {
        console.err << zone.error().text() << '\n';
        return 1;
    }
    const std::string folder = options.folder.empty()
                                   ? std::string()
                                   : fs::absolute(options.folder).lexically_normal().string();
    Maker maker(zone->text(), folder.size() > 1 && folder.ends_with('/')
                                  ? folder.substr(0, folder.size() - 1)
                                  : folder);
    const SetupPlan plan = options.server == "bind"   ? maker.bind()
                           : options.server == "knot" ? maker.knot()
                                                      : maker.powerdns();
    if (folder.empty()) {
        print(plan, console);
    } else if (const auto written = write(plan, console); written.has_error()) {
        console.err << written.error().text() << '\n';
        return 1;
    }
    console.out << std::flush;
    return 0;
}

}  // namespace

void add_setup(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "setup", "Make the key, the zone and the configurations for a DNS server and sftdyn");
    const auto options = std::make_shared<SetupOptions>();
    app.add_option("SERVER", options->server, "bind, knot or powerdns")
        ->required()
        ->check(CLI::IsMember({"bind", "knot", "powerdns"}));
    app.add_option("ZONE", options->zone,
                   "The zone that clients' hosts are in, for example dyn.example.org")
        ->required();
    app.add_option("--write", options->folder,
                   "Write the files below this folder instead of printing them (/ for their "
                   "places)")
        ->type_name("DIR");
    app.callback([&line, options] {
        line.run = [options](const Console& console) { return setup(*options, console); };
    });
}

}  // namespace sftdyn::commands
