// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/sandbox.hpp"

#include <cap-ng.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/sanitized.hpp"
#include "base/system_error.hpp"
#include "base/system_user.hpp"
#include "platform/landlock.hpp"
#include "platform/seccomp.hpp"

namespace sftdyn::platform {
namespace {

namespace log = base::log;

base::Result<void> become(const std::string& user) {
    const auto failed = [&](const char* what) {
        return base::Error{fmt::format("can't become the user {}: {}: {}", user, what,
                                       base::system_error_text(errno)),
                           "", "start it as root, or leave out [process] user"};
    };
    if (geteuid() != 0) {
        const auto self = base::find_user(geteuid());
        if (self && user == self->name) return {};
        return base::Error{fmt::format("can't become the user {}: only root can", user), "",
                           "start it as root, or leave out [process] user"};
    }
    const auto entry = base::find_user(user);
    if (!entry && errno != 0) return failed("looking it up");
    if (!entry)
        return base::Error{
            fmt::format("can't become the user {}: there is no user of that name", user), "",
            "name a user of this machine (getent passwd)"};
    const auto& [name, uid, gid] = *entry;
    if (initgroups(user.c_str(), gid) != 0) return failed("initgroups");
    if (setresgid(gid, gid, gid) != 0) return failed("setresgid");
    if (setresuid(uid, uid, uid) != 0) return failed("setresuid");
    return {};
}

void drop_capabilities() {
    const bool known = capng_get_caps_process() == 0;
    if (!known)
        log::warn("the process's capabilities can't be read: {}", base::system_error_text(errno));
    const bool may_bound = known && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
    capng_clear(CAPNG_SELECT_ALL);
    // A process that stays root could not read even BIND's key without this capability.
    if (geteuid() == 0)
        capng_update(
            CAPNG_ADD,
            static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET),
            CAP_DAC_READ_SEARCH);
    // Without CAP_SETPCAP the bounding set can't be reduced; no_new_privs makes it irrelevant.
    if (capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) != 0)
        log::warn("capabilities could not be dropped: {}", base::system_error_text(errno));
}

void forbid_core_dumps() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        log::warn("core dumps could not be forbidden: {}", base::system_error_text(errno));
    if (!base::sanitized && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        log::warn("core dumps could not be forbidden: {}", base::system_error_text(errno));
}

void use_landlock(const SandboxSettings& wanted) {
    const LandlockRules rules{wanted.files, wanted.sockets, wanted.writable};
    if (const auto restricted = restrict_files(rules); restricted.has_error())
        return log::warn("no Landlock: {}", restricted.error().text());
    // seccomp closes these gaps.
    if (const std::string gaps = landlock_gaps(landlock_abi()); !gaps.empty() && !wanted.seccomp)
        log::warn(
            "Landlock of this kernel does not prevent: {}; a newer kernel does, and so does "
            "[process] seccomp = true",
            gaps);
}

void use_seccomp(const SandboxSettings& wanted) {
    const auto filtered =
        filter_calls({!wanted.writable.empty(), !wanted.sockets.empty(), wanted.connected});
    if (filtered.has_error()) log::warn("no seccomp filter: {}", filtered.error().text());
}

}  // namespace

base::Result<void> drop_privileges(const std::optional<std::string>& user) {
    if (user) {
        if (auto became = become(*user); became.has_error()) return became;
    }
    drop_thread_privileges();
    forbid_core_dumps();
    return {};
}

void drop_thread_privileges() {
    drop_capabilities();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log::warn("no_new_privs could not be set: {}", base::system_error_text(errno));
}

void enter_sandbox(const SandboxSettings& wanted) {
    if (wanted.landlock) use_landlock(wanted);
    if (wanted.seccomp) use_seccomp(wanted);
}

void enter_helper_sandbox(bool landlock, bool seccomp) {
    if (landlock) {
        if (const auto restricted = restrict_tracing(); restricted.has_error())
            log::debug("the event command's helper: no Landlock: {}", restricted.error().text());
    }
    if (!seccomp) return;
    if (const auto filtered = filter_calls_of_helper(); filtered.has_error())
        log::warn("the event command's helper: no seccomp filter: {}", filtered.error().text());
}

}  // namespace sftdyn::platform
