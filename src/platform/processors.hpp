// SPDX-License-Identifier: GPL-3.0-or-later
// How many processors the process may use.
#pragma once

#include <filesystem>

namespace sftdyn::platform {

/// The number of processors in its affinity mask (sched_setaffinity(2)), limited by the quotas of
/// its control group and of the groups above, rounded up (cgroup v2, cpu.max: systemd's CPUQuota=,
/// a container's limit). At least one. The folders are parameters for tests.
[[nodiscard]] unsigned usable_processors(const std::filesystem::path& proc = "/proc/self",
                                         const std::filesystem::path& groups = "/sys/fs/cgroup");

}  // namespace sftdyn::platform
