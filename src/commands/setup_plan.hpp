// SPDX-License-Identifier: GPL-3.0-or-later
// The plan of `setup`: the files for one zone of one DNS server, and the remaining manual steps.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"
#include "dns/name.hpp"

namespace sftdyn::commands {

/// The input of a plan.
struct SetupRequest {
    std::string server{};  ///< "bind", "knot" or "powerdns"
    dns::Name zone{};
    /// The zone's name server, by the name in the parent zone's delegation.
    dns::Name name_server{};
    /// This machine's addresses, for `name_server` if it is in the zone, and for the zone's own
    /// name unless it is a reverse zone.
    std::vector<boost::asio::ip::address> addresses{};
    std::string folder{};  ///< prefix of all paths; empty: none
};

/// A file to make.
struct SetupFile {
    std::string path;  ///< absolute
    std::string text;
    mode_t mode;
    std::string user, group;  ///< the file's owner
};

/// The files and steps that `setup` writes or prints.
struct SetupPlan {
    std::vector<SetupFile> files{};
    std::vector<std::string> steps{};  ///< each may have several lines
};

/// Whether the path exists, also as a dangling symbolic link.
[[nodiscard]] bool is_there(const std::string& path);

/// Makes the plan, with new random keys. If the TSIG key and the DNS server's configuration with it
/// exist already for another zone, the plan uses both.
[[nodiscard]] base::Result<SetupPlan> plan_setup(const SetupRequest& request);

}  // namespace sftdyn::commands
