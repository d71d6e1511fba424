// SPDX-License-Identifier: GPL-3.0-or-later
// What the configuration names and is not what it must be: the event command, folders.
// The running program would see it with the first event, or not at all.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "config/settings.hpp"

namespace sftdyn::commands {

/// One file or folder that is not what it must be, with the remedy.
struct NamedFileFault {
    const char* subject;  ///< as the doctor calls it: "event-command", "state"
    base::Error error;
};

/// As whoever asks sees it.
[[nodiscard]] std::vector<NamedFileFault> faults_of_named_files(const config::Settings& settings);

/// Folders of sockets and of the state that are not there; something may make them before the
/// start, as systemd does (RuntimeDirectory=, StateDirectory=).
[[nodiscard]] std::vector<base::Error> missing_folders(const config::Settings& settings);

}  // namespace sftdyn::commands
