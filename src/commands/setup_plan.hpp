// SPDX-License-Identifier: GPL-3.0-or-later
// What `setup` makes: the files for one zone of one DNS server, and what is left to do.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"
#include "dns/name.hpp"

namespace sftdyn::commands {

/// What the files are made for.
struct SetupRequest {
    std::string server{};  ///< "bind", "knot" or "powerdns"
    dns::Name zone{};
    /// The zone's name server, under the name that the zone above delegates to.
    dns::Name name_server{};
    /// Of this machine: the records of `name_server` if it is in the zone, and of the zone's own
    /// name.
    std::vector<boost::asio::ip::address> addresses{};
    std::string folder{};  ///< the files are below this one; empty: in their places
};

/// A file to make.
struct SetupFile {
    std::string path;  ///< absolute
    std::string text;
    mode_t mode;
    std::string user, group;  ///< the file's owner
};

/// What `setup` writes or prints.
struct SetupPlan {
    std::vector<SetupFile> files{};
    std::vector<std::string> steps{};  ///< may have several lines each
};

/// Whether a path names anything: also a symbolic link that leads nowhere.
[[nodiscard]] bool is_there(const std::string& path);

/// Makes the plan, with new random keys. Where the TSIG key, and the DNS server's configuration
/// that names it, are there already from another zone, both are used.
[[nodiscard]] base::Result<SetupPlan> plan_setup(const SetupRequest& request);

}  // namespace sftdyn::commands
