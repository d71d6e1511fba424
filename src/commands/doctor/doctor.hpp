// SPDX-License-Identifier: GPL-3.0-or-later
// The `doctor` command: walks the whole way from the configuration to the DNS, and says in plain
// words what is wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/command_line.hpp"
#include "config/load.hpp"

namespace sftdyn::commands {

/// What was looked at, and how it is.
struct Finding {
    enum class Level { good, note, skipped, warning, bad } level{};
    std::string check{};  ///< one word, the same in every version: "key", "zone", …
    std::string what{};
    std::string remedy{};
};
using Findings = std::vector<Finding>;

/// Where this machine's own named is told what to do, and by whom.
struct NamedPlaces {
    std::string conf = "/etc/bind/named.conf";
    std::string apparmor = "/sys/kernel/security/apparmor/profiles";
};

/// What the checks share.
struct Patient {
    config::Loaded loaded{};
    std::string user{};              ///< whom the service runs as
    bool is_stand_in = false;        ///< `user` asks in the service's place, and sees less than it
    std::vector<dns::Name> hosts{};  ///< all of them
    NamedPlaces named{};
    std::optional<dns::ServerAddress>
        resolver{};  ///< to ask as the world does; absent: the system's
};

struct ZoneAtHome;

// Each adds its findings.
void look_at_files(const Patient& patient, Findings& findings);
void look_at_certificates(const Patient& patient, Findings& findings);
void look_at_listeners(const Patient& patient, Findings& findings);
/// The folders of the control socket and the state, and the event command.
void look_at_admin(const Patient& patient, Findings& findings);
void look_at_limits(const Patient& patient, Findings& findings);
/// What the running program has noticed, if it runs with this configuration and can be asked.
void look_at_running(const Patient& patient, Findings& findings);
void look_at_dns(const Patient& patient, Findings& findings);
/// Where this machine's own named keeps the zone, and whether it may write there.
void look_at_zone_file(const dns::Name& zone, const NamedPlaces& places, Findings& findings);
/// Whether the world finds the zone, of which `home` has what its own server says (delegation.hpp).
void look_at_delegation(const Patient& patient, ZoneAtHome home, Findings& findings);

void add_doctor(CommandLine& line);

}  // namespace sftdyn::commands
