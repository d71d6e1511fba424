// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/processors.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace sftdyn::platform {
namespace {

namespace fs = std::filesystem;

/// A machine with control groups of the test's making.
class ProcessorsTest : public testing::Test {
protected:
    void write(const fs::path& path, const std::string& text) const {
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    void quota(const std::string& group, const std::string& text) const {
        write(groups() / group / "cpu.max", text);
    }
    [[nodiscard]] fs::path proc() const { return fs::path(folder.path()) / "proc"; }
    [[nodiscard]] fs::path groups() const { return fs::path(folder.path()) / "groups"; }
    [[nodiscard]] unsigned found() const { return usable_processors(proc(), groups()); }

    TemporaryFolder folder;
    const unsigned all = std::max(std::thread::hardware_concurrency(), 1U);
};

TEST_F(ProcessorsTest, WithoutAQuotaAllAreUsable) {
    EXPECT_EQ(found(), all) << "there are no control groups";
    write(proc() / "cgroup", "0::/system.slice/sftdyn.service\n");
    EXPECT_EQ(found(), all);
    quota("system.slice/sftdyn.service", "max 100000\n");
    for (const char* none : {"", "0 100000", "junk", "100000"}) {
        quota("system.slice", none);
        EXPECT_EQ(found(), all) << none;
    }
}

TEST_F(ProcessorsTest, AQuotaIsRoundedUp) {
    write(proc() / "cgroup", "1:name=systemd:/x\n0::/system.slice/sftdyn.service\n");
    for (const auto& [text, processors] : {std::pair("50000 100000", 1U),
                                           {"100000 100000", 1U},
                                           {"150000 100000", 2U},
                                           {"1 100000", 1U}}) {
        quota("system.slice/sftdyn.service", text);
        EXPECT_EQ(found(), std::min(processors, all)) << text;
    }
    quota("system.slice/sftdyn.service", "99900000 100000");
    EXPECT_EQ(found(), all) << "no more than there are";
}

TEST_F(ProcessorsTest, TheSmallestOnTheWayUpCounts) {
    write(proc() / "cgroup", "0::/a/b\n");
    quota("a/b", "9900000 100000");
    quota("a", "90000 100000");
    EXPECT_EQ(found(), 1U);
}

/// A container sees its own group as the root.
TEST_F(ProcessorsTest, TheRootsQuotaCounts) {
    write(proc() / "cgroup", "0::/\n");
    quota("", "50000 100000");
    EXPECT_EQ(found(), 1U);
}

}  // namespace
}  // namespace sftdyn::platform
