// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/named_files.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

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
                   "give the program's full path");
    if (!S_ISREG(status.st_mode))
        return add("is not a program but a folder or another kind of file",
                   "give the program's full path");
    if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        add("can't be run: nobody may execute it", fmt::format("chmod a+x {}", program));
}

void look_at_state(const std::string& folder, std::vector<NamedFileFault>& faults) {
    struct stat status {};
    // A missing folder is not an error: systemd makes it.
    if (stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
        faults.push_back({"state",
                          {"[admin] state is not a folder", folder,
                           "name a folder: hosts.sqlite is made in it"}});
}

}  // namespace

std::vector<NamedFileFault> faults_of_named_files(const config::Settings& settings) {
    std::vector<NamedFileFault> faults;
    if (!settings.admin.event_command.empty())
        look_at_event_command(settings.admin.event_command.front(), faults);
    if (settings.admin.state) look_at_state(*settings.admin.state, faults);
    return faults;
}

std::vector<base::Error> missing_folders(const config::Settings& settings) {
    std::vector<base::Error> missing;
    const auto look = [&missing](const char* name, const std::filesystem::path& folder) {
        struct stat status {};
        if (folder.empty() || stat(folder.c_str(), &status) == 0 || errno != ENOENT) return;
        missing.push_back(
            {fmt::format("the folder of {} is not there", name), folder.string(),
             "make it before sftdyn starts, or let systemd make it (RuntimeDirectory=, "
             "StateDirectory=)"});
    };
    const auto look_at = [&look](const char* name, const std::vector<config::Listen>& listens) {
        for (const auto& listen : listens)
            look(name, std::filesystem::path(listen.path).parent_path());
    };
    look_at("http", settings.http);
    look_at("https", settings.https);
    look_at("[admin] metrics", settings.admin.metrics);
    const auto& admin = settings.admin;
    if (admin.control) look("[admin] control", std::filesystem::path(*admin.control).parent_path());
    if (admin.state) look("[admin] state", *admin.state);
    return missing;
}

}  // namespace sftdyn::commands
