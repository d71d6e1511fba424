// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/trusted_accounts.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "base/system_user.hpp"

namespace sftdyn::commands {
namespace {

// The user names of DNS servers in distributions.
constexpr const char* dns_servers[] = {"bind", "named", "knot", "pdns"};
// Debian's group for programs that use certificates.
constexpr const char* certificate_group = "ssl-cert";

}  // namespace

TrustedAccounts::TrustedAccounts(const config::Settings& settings, SecretKind secret) {
    const auto add = [this](const base::SystemUser& user) {
        users_.insert(user.uid);
        groups_.insert(user.gid);
    };
    if (const auto service = base::find_user(name_of_service_user(settings))) add(*service);
    users_.insert(geteuid());
    // A primary group that several users may share, as "users", is not trusted.
    if (const auto self = base::find_user(geteuid())) {
        const auto group = base::find_group(self->gid);
        if (group && group->name == self->name) groups_.insert(self->gid);
    }
    if (secret == SecretKind::tsig_key) {
        for (const char* name : dns_servers) {
            if (const auto server = base::find_user(std::string(name))) add(*server);
        }
    }
    if (secret == SecretKind::private_key) {
        if (const auto group = base::find_group(std::string(certificate_group)))
            groups_.insert(group->gid);
    }
}

std::string name_of_service_user(const config::Settings& settings) {
    return settings.user.value_or("sftdyn");
}

std::string text_of_user(uid_t user) {
    const auto found = base::find_user(user);
    return found ? "the user " + found->name : fmt::format("the user with the number {}", user);
}

std::string text_of_group(gid_t group) {
    const auto found = base::find_group(group);
    return "the group " + (found ? found->name : std::to_string(group));
}

}  // namespace sftdyn::commands
