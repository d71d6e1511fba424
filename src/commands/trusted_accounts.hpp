// SPDX-License-Identifier: GPL-3.0-or-later
// The accounts that may own, read or change a file with secrets.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "config/settings.hpp"

namespace sftdyn::commands {

/// The trusted accounts: root, the service's user, and the user who runs this command. For a TSIG
/// key also the users of DNS servers, for a private key also the group ssl-cert. The users' own
/// groups are trusted too.
class TrustedAccounts {
public:
    /// The kind of secret. It decides which further accounts are trusted.
    enum class SecretKind { clients_keys, tsig_key, private_key };

    TrustedAccounts(const config::Settings& settings, SecretKind secret);

    [[nodiscard]] bool is_user(uid_t user) const { return users_.contains(user); }
    [[nodiscard]] bool is_group(gid_t group) const { return groups_.contains(group); }

private:
    std::set<uid_t> users_{0};
    std::set<gid_t> groups_{0};
};

/// The user that the service runs as: `[process] user`, else the package's.
[[nodiscard]] std::string name_of_service_user(const config::Settings& settings);

/// "the user alice", "the group users"; by number where there is no name.
[[nodiscard]] std::string text_of_user(uid_t user);
[[nodiscard]] std::string text_of_group(gid_t group);

}  // namespace sftdyn::commands
