// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/access_as_user.hpp"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system_user.hpp"

namespace sftdyn::platform {

bool may(const std::string& user, const std::string& path, int mode) {
    const auto entry = base::find_user(user);
    if (!entry || geteuid() != 0) return access(path.c_str(), mode) == 0;
    const pid_t child = fork();
    if (child == 0) {
        const bool become = initgroups(user.c_str(), entry->gid) == 0 && setgid(entry->gid) == 0 &&
                            setuid(entry->uid) == 0;
        _exit(become && access(path.c_str(), mode) == 0 ? 0 : 1);
    }
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

}  // namespace sftdyn::platform
