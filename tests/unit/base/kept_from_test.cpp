// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/kept_from.hpp"

#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "child_process.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;

TEST(KeptFrom, WithoutASandboxNothingIs) { EXPECT_FALSE(is_kept_from("/root/x")); }

TEST(KeptFrom, WhatIsNotBelowAFolderThatMayBeRead) {
    const TemporaryFolder folder;
    const fs::path top = folder.path();
    for (const char* name : {"open", "open2", "closed"}) fs::create_directory(top / name);
    fs::create_symlink(top / "closed", top / "open/link");
    fs::create_symlink(top / "open", top / "way");
    const std::string text = in_child([&] {
        set_readable({(top / "way").string(), "/dev/null"});
        const auto kept = [&](const char* path) { return is_kept_from((top / path).string()); };
        return fmt::format("{} {} {} {} {} {} {}", kept("open/file"), kept("open"),
                           kept("open/../closed/file"), kept("open/link/file"), kept("open2/file"),
                           kept("way/file"), is_kept_from("/dev/null"));
    });
    EXPECT_EQ(text, "false false true true true false false");
}

}  // namespace
}  // namespace sftdyn::base
