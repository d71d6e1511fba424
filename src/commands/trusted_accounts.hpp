// SPDX-License-Identifier: GPL-3.0-or-later
// Whose a file of secrets may be: who else could change it, or read it, is told of.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "config/settings.hpp"

namespace sftdyn::commands {

/// Who is root, who the service runs as, and who runs this command; for a TSIG key also the DNS
/// servers' users. Their own groups are trusted with them.
class TrustedAccounts {
public:
    /// What a file is: others have a part in it.
    enum class Secret { clients_keys, tsig_key, private_key };

    TrustedAccounts(const config::Settings& settings, Secret secret);

    [[nodiscard]] bool is_user(uid_t user) const { return users_.contains(user); }
    [[nodiscard]] bool is_group(gid_t group) const { return groups_.contains(group); }

private:
    std::set<uid_t> users_{0};
    std::set<gid_t> groups_{0};
};

/// Whom the service runs as: `[process] user`, or the package's.
[[nodiscard]] std::string name_of_service_user(const config::Settings& settings);

/// "the user alice", "the group users"; by number where there is no name.
[[nodiscard]] std::string text_of_user(uid_t user);
[[nodiscard]] std::string text_of_group(gid_t group);

}  // namespace sftdyn::commands
