// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/setup_plan.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "config/toml_reader.hpp"
#include "dns/tsig_key_file.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;
namespace ip = boost::asio::ip;

constexpr unsigned clients_port = 8080;

/// 512 random bits in Base64: as long as the hash of hmac-sha512 (RFC 2104 §3).
std::string new_secret() {
    std::array<unsigned char, 64> bits{};
    if (RAND_bytes(bits.data(), static_cast<int>(bits.size())) != 1)
        throw std::runtime_error("there are no random numbers");
    return base::base64_encoded(bits);
}

bool is_reverse(const dns::Name& zone) {
    static const std::array tops = {dns::Name::parse("in-addr.arpa").value(),
                                    dns::Name::parse("ip6.arpa").value()};
    return std::any_of(tops.begin(), tops.end(),
                       [&](const dns::Name& top) { return zone.is_within(top); });
}

/// The TSIG key for updates.
struct UpdateKey {
    std::string path{}, name{}, algorithm{}, secret{};
    bool is_new = true;
};

/// The key file of an earlier run, or a new key.
base::Result<UpdateKey> key_at(const std::string& path) {
    if (!is_there(path)) return UpdateKey{path, "sftdyn", "hmac-sha512", new_secret(), true};
    const auto there = dns::read_key_file(path);
    if (there.has_error())
        return base::Error{
            "already exists, and can't be used: " + there.error().text(), path,
            "nothing was written; move it away, or choose another folder with --write"};
    const knot_tsig_key_t& raw = there->raw();
    return UpdateKey{path, there->name(), there->algorithm(),
                     base::base64_encoded({raw.secret.data, raw.secret.size}), false};
}

/// Makes the plan of one request.
class SetupPlanner {
public:
    explicit SetupPlanner(const SetupRequest& request)
        : request_(request), zone_(request.zone.text()), client_(base::random_hex(16)) {}

    base::Result<SetupPlan> bind() {
        if (auto key = take_key("/etc/bind/keys/sftdyn.key", "bind"); key.has_error())
            return key.error();
        const std::string zone = at("/var/lib/bind/" + zone_ + ".zone");
        const std::string conf =
            own_conf("/etc/bind/named.conf.sftdyn", "/etc/bind/named.conf.sftdyn." + zone_);
        add(zone, zone_text(), 0644, "bind", "bind");
        const std::string include =
            is_further_ ? std::string() : fmt::format("include \"{}\";\n\n", key_.path);
        add(conf,
            fmt::format(
                "{}zone \"{}\" {{\n    type primary;\n    file \"{}\";\n    allow-update {{ "
                "key \"{}\"; }};\n}};\n",
                include, zone_, zone, key_.name),
            0644, "root", "bind");
        step(fmt::format("add to /etc/bind/named.conf.local:  include \"{}\";", conf));
        step("named-checkconf -z && systemctl restart named");
        return finish();
    }

    base::Result<SetupPlan> knot() {
        if (auto key = take_key("/etc/sftdyn/sftdyn.key", "root"); key.has_error())
            return key.error();
        const std::string zone = at("/var/lib/knot/" + zone_ + ".zone");
        const std::string conf =
            own_conf("/etc/knot/sftdyn.conf", "/etc/knot/sftdyn-" + zone_ + ".conf");
        add(zone, zone_text(), 0660, "knot", "knot");
        const std::string key =
            is_further_ ? std::string()
                        : fmt::format(
                              "key:\n  - id: {0}\n    algorithm: {1}\n    secret: {2}\n\nacl:\n  - "
                              "id: sftdyn\n    key: {0}\n    action: [query, update]\n\n",
                              key_.name, key_.algorithm, key_.secret);
        add(conf,
            fmt::format("{}zone:\n  - domain: {}\n    file: {}\n    acl: sftdyn\n", key, zone_,
                        zone),
            0640, "root", "knot");
        step(fmt::format("add to the end of /etc/knot/knot.conf:  include: {}", conf));
        if (!is_further_)
            step(
                "let Knot listen, which Debian's does not by itself: in /etc/knot/knot.conf, under "
                "server:  listen: [ 0.0.0.0@53, ::@53 ]");
        step("knotc conf-check && systemctl restart knot");
        return finish();
    }

    base::Result<SetupPlan> powerdns() {
        if (auto key = take_key("/etc/sftdyn/sftdyn.key", "root"); key.has_error())
            return key.error();
        is_further_ = !key_.is_new && is_there(at("/etc/powerdns/pdns.d/sftdyn.conf"));
        // Without the empty list, PowerDNS allows any local user to change any zone without a key.
        if (!is_further_)
            add(at("/etc/powerdns/pdns.d/sftdyn.conf"), "dnsupdate=yes\nallow-dnsupdate-from=\n",
                0644, "root", "root");
        const std::string script = at(is_further_ ? "/etc/sftdyn/powerdns-" + zone_ + ".sh"
                                                  : "/etc/sftdyn/powerdns-zone.sh");
        add(script, powerdns_script(), 0700, "root", "root");
        step(is_further_
                 ? script
                 : fmt::format("{}   (once; the secret is in it: take it away then)", script));
        step("systemctl restart pdns");
        return finish();
    }

private:
    /// The path of a file, below the request's folder.
    [[nodiscard]] std::string at(const std::string& path) const { return request_.folder + path; }

    void add(const std::string& path, std::string text, mode_t mode, const char* user,
             const char* group) {
        plan_.files.push_back({path, std::move(text), mode, user, group});
    }
    void step(std::string text) { plan_.steps.push_back(std::move(text)); }

    base::Result<void> take_key(const char* path, const char* user) {
        auto key = key_at(at(path));
        if (key.has_error()) return key.error();
        key_ = std::move(*key);
        if (key_.is_new)
            add(key_.path,
                fmt::format("key \"{}\" {{\n    algorithm {};\n    secret \"{}\";\n}};\n",
                            key_.name, key_.algorithm, key_.secret),
                0640, user, "sftdyn");
        return {};
    }

    /// The path for the DNS server's configuration. `first` has the key; the files of further zones
    /// refer to it.
    std::string own_conf(const std::string& first, const std::string& further) {
        is_further_ = !key_.is_new && is_there(at(first));
        return at(is_further_ ? further : first);
    }

    /// Calls `add` with name, type and text of each of this machine's addresses.
    template <typename Add>
    void for_each_address(const std::string& name, const Add& add) const {
        for (const auto& address : request_.addresses)
            add(name, address.is_v4() ? "A" : "AAAA", address.to_string());
    }

    [[nodiscard]] std::string name_server() const { return request_.name_server.text() + "."; }
    [[nodiscard]] bool has_glue() const { return request_.name_server.is_within(request_.zone); }
    /// Whether the zone's own name gets addresses. Clients then reach sftdyn by it.
    [[nodiscard]] bool has_own_address() const {
        return !request_.addresses.empty() && !is_reverse(request_.zone);
    }

    /// The absolute names in the zone that get this machine's addresses.
    [[nodiscard]] std::vector<std::string> owners() const {
        std::vector<std::string> names;
        if (has_own_address()) names.push_back(zone_ + ".");
        if (has_glue() && request_.name_server != request_.zone) names.push_back(name_server());
        return names;
    }

    [[nodiscard]] std::string zone_text() const {
        std::string text = fmt::format(
            "$TTL 10m\n@ IN SOA {0} hostmaster.{1}. 1 1h 15m 1w 1m\n; The name under which the "
            "world "
            "reaches this DNS server; the zone above delegates to it.\n@ IN NS {0}\n",
            name_server(), zone_);
        for (const auto& owner : owners())
            for_each_address(owner, [&](const auto& name, const char* type, const auto& address) {
                text += fmt::format("{} IN {} {}\n", name, type, address);
            });
        return text;
    }

    [[nodiscard]] std::string powerdns_script() const {
        std::string text = fmt::format(
            "#!/bin/sh\n# Makes the zone, and lets sftdyn's key change it. PDNS_OPTIONS: of "
            "pdnsutil, for example --config-dir.\nset -eu\n"
            "# shellcheck disable=SC2086  # several options are several words\n"
            "pdns() {{ pdnsutil ${{PDNS_OPTIONS:-}} \"$@\"; }}\n\n"
            "pdns create-zone {0} {1} || {{\n"
            "    echo \"PowerDNS can't make the zone. Debian's default back end, bind, takes no "
            "changes: install a database's,\" >&2\n"
            "    echo \"for example pdns-backend-sqlite3, with launch=gsqlite3 and "
            "gsqlite3-database=FILE in its configuration\" >&2\n    exit 1\n}}\n"
            "pdns replace-rrset {0} @ SOA 600 '{1} hostmaster.{0}. 1 3600 900 604800 60'\n",
            zone_, name_server());
        for (const auto& owner : owners()) {
            for (const bool v4 : {true, false}) {
                std::string content;
                for_each_address(owner, [&](const auto&, const char*, const auto& address) {
                    if ((address.find(':') == std::string::npos) == v4)
                        content += fmt::format(" '{}'", address);
                });
                if (content.empty()) continue;
                const std::string label =
                    owner == zone_ + "." ? "@" : owner.substr(0, owner.size() - zone_.size() - 2);
                text += fmt::format("pdns replace-rrset {} {} {} 600{}\n", zone_, label,
                                    v4 ? "A" : "AAAA", content);
            }
        }
        if (!is_further_)
            text += fmt::format("pdns import-tsig-key {} {} '{}'\n", key_.name, key_.algorithm,
                                key_.secret);
        return text + fmt::format(
                          "pdns set-meta {0} TSIG-ALLOW-DNSUPDATE {1}\n"
                          "pdns set-meta {0} ALLOW-DNSUPDATE-FROM 127.0.0.0/8 ::1\n",
                          zone_, key_.name);
    }

    base::Result<SetupPlan> finish() {
        delegation();
        const std::string conf = configuration();
        step(
            fmt::format("let the firewall pass: port 53, UDP and TCP, for the world; port {}, TCP, "
                        "for clients",
                        clients_port));
        step("sftdyn doctor" + (conf == "/etc/sftdyn/sftdyn.toml" ? std::string() : " " + conf));
        step(start_);
        if (!is_reverse(request_.zone))
            step(
                fmt::format("the URL of the client home.{0}:  http://{1}:{2}/{3}\n"
                            "what to enter in routers and others:  sftdyn client home.{0}\n"
                            "another client: a line like that one with a key of its own (openssl "
                            "rand -hex 16), then systemctl reload sftdyn",
                            zone_, has_own_address() ? zone_ : request_.name_server.text(),
                            clients_port, client_));
        return std::move(plan_);
    }

    void delegation() {
        std::string text =
            fmt::format("let the zone above delegate it:  {}. NS {}", zone_, name_server());
        if (has_glue())
            for_each_address(name_server(), [&](const auto& name, const char* type,
                                                const auto& address) {
                text += fmt::format("\nwith the address beside it:  {} {} {}", name, type, address);
            });
        step(std::move(text));
    }

    /// Plans sftdyn's configuration: a new file if there is none with clients, else lines to add.
    /// Returns the path for `doctor`.
    std::string configuration() {
        std::string path = at("/etc/sftdyn/sftdyn.toml");
        const std::string client = fmt::format("\"{}\" = \"home.{}\"", client_, zone_);
        const auto make = [&](const std::string& to) {
            add(to,
                fmt::format("http = \"{}\"\nnskeyfile = \"{}\"\n\n[clients]\n{}\n", clients_port,
                            key_.path, client),
                0640, "root", "sftdyn");
        };
        start_ = "systemctl enable --now sftdyn";
        if (!is_there(path)) {
            make(path);
            return path;
        }
        config::Settings settings;
        if (config::read_toml_file(path, settings).empty() && settings.clients.size() == 0) {
            // It is the package's sample, which is not overwritten.
            const std::string beside = at("/etc/sftdyn/" + zone_ + ".toml");
            make(beside);
            step(fmt::format("mv {} {}", beside, path));
            return path;
        }
        start_ = "systemctl reload-or-restart sftdyn";
        std::string text = fmt::format("add to {}, below [clients]:  {}", path, client);
        if (settings.dns.key_file != key_.path)
            text += fmt::format(
                "\nand at its end:  [[zone]]\n                 zone = \"{}\"\n                 "
                "nskeyfile = \"{}\"",
                zone_, key_.path);
        step(std::move(text));
        return path;
    }

    const SetupRequest& request_;
    std::string zone_, client_;
    UpdateKey key_{};
    bool is_further_ = false;  ///< the server has the key already, for another zone
    std::string start_{};
    SetupPlan plan_{};
};

}  // namespace

bool is_there(const std::string& path) {
    std::error_code error;  // ignored: creating the file reports it
    return fs::exists(fs::symlink_status(path, error));
}

base::Result<SetupPlan> plan_setup(const SetupRequest& request) {
    SetupPlanner planner(request);
    return request.server == "bind"   ? planner.bind()
           : request.server == "knot" ? planner.knot()
                                      : planner.powerdns();
}

}  // namespace sftdyn::commands
