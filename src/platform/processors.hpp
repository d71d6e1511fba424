// SPDX-License-Identifier: GPL-3.0-or-later
// How many processors the process may use.
#pragma once

#include <filesystem>

namespace sftdyn::platform {

/// Those of its affinity (sched_setaffinity(2)), or as many as the quotas of its control group and
/// of those above it come to, rounded up, if that is less (cgroup v2, cpu.max: systemd's CPUQuota=,
/// a container's limit). At least one. The folders are a test's to give.
[[nodiscard]] unsigned usable_processors(const std::filesystem::path& proc = "/proc/self",
                                         const std::filesystem::path& groups = "/sys/fs/cgroup");

}  // namespace sftdyn::platform
