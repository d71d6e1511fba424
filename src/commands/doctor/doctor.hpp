// SPDX-License-Identifier: GPL-3.0-or-later
// The `doctor` command: checks everything from the configuration to the DNS, and reports errors
// with their remedies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/command_line.hpp"
#include "config/load.hpp"

namespace sftdyn::commands {

/// The result of one check.
struct Finding {
    enum class Level { good, note, skipped, warning, bad } level{};
    std::string check{};  ///< one word, the same in every version: "key", "zone", …
    std::string what{};
    std::string remedy{};
};
using Findings = std::vector<Finding>;

/// Where this machine's named has its configuration, and AppArmor its list of profiles.
struct NamedPlaces {
    std::string conf = "/etc/bind/named.conf";
    std::string apparmor = "/sys/kernel/security/apparmor/profiles";
};

/// The input of the checks.
struct Patient {
    config::Loaded loaded{};
    std::string user{};        ///< the service's user, whose rights are checked
    bool is_stand_in = false;  ///< `user` is the caller instead, who may have fewer rights
    std::vector<dns::Name> hosts{};
    NamedPlaces named{};
    /// The resolver for the check of the delegation; absent: the system's.
    std::optional<dns::ServerAddress> resolver{};
};

struct ZoneAtHome;

// Each check appends its findings.
void look_at_files(const Patient& patient, Findings& findings);
void look_at_certificates(const Patient& patient, Findings& findings);
void look_at_listeners(const Patient& patient, Findings& findings);
/// The folders of the control socket and the state, and the event command.
void look_at_admin(const Patient& patient, Findings& findings);
void look_at_limits(const Patient& patient, Findings& findings);
/// The warnings of the running program, if it runs with this configuration and can be asked.
void look_at_running(const Patient& patient, Findings& findings);
void look_at_dns(const Patient& patient, Findings& findings);
/// Whether this machine's named may write the file of the zone and its journal.
void look_at_zone_file(const dns::Name& zone, const NamedPlaces& places, Findings& findings);
/// Whether public resolvers find the zone (delegation.hpp). `home` has the data of its own server.
void look_at_delegation(const Patient& patient, ZoneAtHome home, Findings& findings);

void add_doctor(CommandLine& line);

}  // namespace sftdyn::commands
