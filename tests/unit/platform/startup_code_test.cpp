// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/startup_code.hpp"

#include <link.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace sftdyn::platform {
namespace {

/// Of the pages that are in memory, in KiB: of code alone, or of all else.
std::size_t resident(bool code) {
    std::ifstream maps("/proc/self/smaps");
    std::size_t out = 0;
    bool counts = false;
    for (std::string line; std::getline(maps, line);) {
        const std::size_t mode = line.find(' ');
        if (mode != std::string::npos && line[mode - 1] != ':')
            counts = (line.substr(mode + 1, 4) == "r-xp") == code;
        if (counts && line.starts_with("Rss:")) out += std::stoul(line.substr(4));
    }
    return out;
}

/// Reads an octet of each page of code of every shared object.
int touch_code(dl_phdr_info* object, std::size_t, void* sum) {
    for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        const auto wanted = static_cast<unsigned>(PF_X | PF_R);
        if (segment.p_type != PT_LOAD || (segment.p_flags & wanted) != wanted) continue;
        const auto* begin =
            reinterpret_cast<const volatile char*>(object->dlpi_addr + segment.p_vaddr);
        for (std::size_t at = 0; at < segment.p_filesz; at += 4096)
            *static_cast<unsigned*>(sum) += static_cast<unsigned char>(begin[at]);
    }
    return 0;
}

int written_before = 0;

TEST(StartupCode, GoesAndComesBackAsItIsCalled) {
    unsigned before = 0, after = 0;
    written_before = 4711;
    dl_iterate_phdr(touch_code, &before);
    const std::size_t all = resident(true);
    release_startup_code();
    const std::size_t left = resident(true);
    // What the test itself runs is back at once.
    EXPECT_LT(left, all / 2) << "of " << all << " KiB";
    EXPECT_EQ(written_before, 4711) << "data stays";
    dl_iterate_phdr(touch_code, &after);
    EXPECT_EQ(after, before) << "code is what it was";
}

}  // namespace
}  // namespace sftdyn::platform
