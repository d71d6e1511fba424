// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/named_files.hpp"

#include <sys/stat.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/system_error.hpp"

namespace sftdyn::commands {
namespace {

void look_at_event_command(const std::string& program, std::vector<NamedFileFault>& faults) {
    const auto add = [&](std::string what, std::string remedy) {
        faults.push_back(
            {"event-command",
             {"[admin] event_command " + std::move(what), program, std::move(remedy)}});
    };
    struct stat status {};
    if (stat(program.c_str(), &status) != 0)
        return add(fmt::format("can't be run: {}", base::system_error_text(errno)),
                   "name a program by its whole path");
    if (!S_ISREG(status.st_mode))
        return add("is no program, but a folder or the like", "name a program by its whole path");
    if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        add("can't be run: nobody may execute it", fmt::format("chmod a+x {}", program));
}

void look_at_state(const std::string& folder, std::vector<NamedFileFault>& faults) {
    struct stat status {};
    // systemd makes one that is not there yet.
    if (stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
        faults.push_back(
            {"state",
             {"[admin] state is no folder", folder, "name a folder: hosts.sqlite is made in it"}});
}

}  // namespace

std::vector<NamedFileFault> faults_of_named_files(const config::Settings& settings) {
    std::vector<NamedFileFault> faults;
    if (!settings.admin.event_command.empty())
        look_at_event_command(settings.admin.event_command.front(), faults);
    if (settings.admin.state) look_at_state(*settings.admin.state, faults);
    return faults;
}

}  // namespace sftdyn::commands
