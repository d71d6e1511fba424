// SPDX-License-Identifier: GPL-3.0-or-later
// Checks the event command and the folders that the configuration names. The running program would
// notice an error only at the first event, or never.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "config/settings.hpp"

namespace sftdyn::commands {

/// An error of one file or folder, with the remedy.
struct NamedFileFault {
    const char* subject;  ///< the doctor's name for it: "event-command", "state"
    base::Error error;
};

/// Checks with the rights of the calling user.
[[nodiscard]] std::vector<NamedFileFault> faults_of_named_files(const config::Settings& settings);

/// Missing folders of sockets and of the state. They may still be made before the start, as systemd
/// does (RuntimeDirectory=, StateDirectory=).
[[nodiscard]] std::vector<base::Error> missing_folders(const config::Settings& settings);

}  // namespace sftdyn::commands
