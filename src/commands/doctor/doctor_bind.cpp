// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's checks of this machine's named: the file of a zone, and whether named may write it.
// named answers an UPDATE with SERVFAIL when it can't write the journal.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "base/system_user.hpp"
#include "commands/doctor/doctor.hpp"
#include "platform/access_as_user.hpp"
#include "platform/subprocess.hpp"

namespace sftdyn::commands {
namespace {

using Level = Finding::Level;
namespace fs = std::filesystem;

constexpr const char* named_user = "bind";  // Debian's

/// The quoted value of a statement in the output of `named-checkconf -p`; empty: there is none.
std::string statement(std::string_view text, const std::string& name) {
    const std::string start = "\t" + name + " \"";
    const std::size_t at = text.find(start);
    if (at == std::string_view::npos) return {};
    const std::size_t begin = at + start.size(), end = text.find('"', begin);
    return std::string(text.substr(begin, end - begin));
}

/// The block of a zone; empty: there is none.
std::string_view zone_block(std::string_view conf, const dns::Name& zone) {
    const std::string start = "zone \"" + zone.text() + "\"";
    const std::size_t at = conf.find(start);
    if (at == std::string_view::npos) return {};
    const std::size_t end = conf.find("\n};", at);
    return conf.substr(at, end == std::string_view::npos ? end : end - at);
}

/// Whether AppArmor confines named, by the kernel's list of profiles.
bool is_confined(const std::string& profiles) {
    std::ifstream file(profiles);
    for (std::string line; std::getline(file, line);) {
        if ((line.starts_with("named ") || line.starts_with("/usr/sbin/named ")) &&
            line.find("(enforce)") != std::string::npos)
            return true;
    }
    return false;
}

bool is_below(const fs::path& path, const char* folder) {
    return path.lexically_normal().string().starts_with(std::string(folder) + "/");
}

}  // namespace

void look_at_zone_file(const dns::Name& zone, const NamedPlaces& places, Findings& findings) {
    const auto conf = platform::output_of({"named-checkconf", "-p", places.conf});
    const std::string_view block = conf ? zone_block(*conf, zone) : std::string_view();
    const std::string name = statement(block, "file");
    if (name.empty()) return;  // another server has the zone
    const fs::path file = fs::path(statement(*conf, "directory")) / name;
    const std::string journal_name = statement(block, "journal");
    const fs::path journal = journal_name.empty()
                                 ? fs::path(file.string() + ".jnl")
                                 : fs::path(statement(*conf, "directory")) / journal_name;
    const std::size_t before = findings.size();
    if (is_confined(places.apparmor)) {
        for (const fs::path& path : {file, journal}) {
            if (is_below(path, "/var/lib/bind") || is_below(path, "/var/cache/bind")) continue;
            findings.push_back(
                {Level::bad, "apparmor",
                 fmt::format("{}: Debian's AppArmor profile does not let named write there",
                             path.string()),
                 fmt::format("move it to /var/lib/bind, and say so in {}", places.conf)});
            if (journal.parent_path() == file.parent_path())
                break;  // the remedy is the same for both
        }
    }
    if (geteuid() != 0 || !base::find_user(named_user))
        return;  // the rights of named can't be checked
    for (const fs::path& folder : {file.parent_path(), journal.parent_path()}) {
        if (platform::may(named_user, folder.string(), W_OK | X_OK)) continue;
        findings.push_back(
            {Level::bad, "zone-file",
             fmt::format("{}: named (user {}) may not write there: updates are answered SERVFAIL",
                         folder.string(), named_user),
             fmt::format("chown {0}:{0} {1}, or move the zone to /var/lib/bind", named_user,
                         folder.string())});
        break;
    }
    if (!platform::may(named_user, file.string(), R_OK | W_OK))
        findings.push_back({Level::bad, "zone-file",
                            fmt::format("{}: named (user {}) may not read and write it",
                                        file.string(), named_user),
                            fmt::format("chown {0}:{0} {1}", named_user, file.string())});
    if (findings.size() == before)
        findings.push_back({Level::good, "zone-file",
                            fmt::format("named may write {} and its journal", file.string()), ""});
}

}  // namespace sftdyn::commands
