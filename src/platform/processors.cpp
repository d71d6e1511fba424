// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/processors.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>

namespace sftdyn::platform {
namespace {

namespace fs = std::filesystem;

/// The path of the process's control group, from the line "0::/path". It is "/" without such a
/// line, and in a container with a cgroup namespace of its own.
fs::path group_of(const fs::path& proc) {
    std::ifstream file(proc / "cgroup");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("0::/")) return line.substr(3);
    }
    return "/";
}

/// The quota of a group in processors, rounded up; 0: no quota. The file has "max 100000", or
/// microseconds of processor time and of real time.
std::uint64_t processors_of(const fs::path& group) {
    std::ifstream file(group / "cpu.max");
    std::uint64_t quota = 0, period = 0;
    if (!(file >> quota >> period) || quota == 0 || period == 0) return 0;
    return (quota + period - 1) / period;
}

}  // namespace

unsigned usable_processors(const fs::path& proc, const fs::path& groups) {
    std::uint64_t most = std::max(std::thread::hardware_concurrency(), 1U);
    for (fs::path group = group_of(proc);; group = group.parent_path()) {
        if (const auto quota = processors_of(groups / group.relative_path()); quota != 0)
            most = std::min(most, quota);
        if (!group.has_relative_path()) break;
    }
    return static_cast<unsigned>(most);
}

}  // namespace sftdyn::platform
