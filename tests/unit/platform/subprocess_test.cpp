// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/subprocess.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <iterator>

#include <gtest/gtest.h>

namespace sftdyn::platform {
namespace {

TEST(Subprocess, ItsOutputIsReadToTheEnd) {
    EXPECT_EQ(output_of({"printf", "a\nb"}), "a\nb");
    EXPECT_EQ(output_of({"true"}), "");
    // More than a pipe holds.
    const auto large = output_of({"sh", "-c", "head -c 300000 /dev/zero; printf end"});
    ASSERT_TRUE(large);
    EXPECT_EQ(large->size(), 300003U);
    EXPECT_TRUE(large->ends_with("end"));
}

TEST(Subprocess, WordsAreHandedOverAsTheyAre) {
    EXPECT_EQ(output_of({"printf", "%s|", "a b", "$HOME", "*", ""}), "a b|$HOME|*||");
}

TEST(Subprocess, WhatItComplainsOfIsNotItsOutput) {
    EXPECT_EQ(output_of({"sh", "-c", "echo wrong >&2; echo right"}), "right\n");
}

TEST(Subprocess, AnEndThatIsNoSuccessIsNothing) {
    for (const char* script : {"echo text; exit 1", "echo text; kill -9 $$", "exit 127"})
        EXPECT_FALSE(output_of({"sh", "-c", script})) << script;
    EXPECT_FALSE(output_of({"/no/such/program"}));
    EXPECT_FALSE(output_of({"no-such-program-in-the-path"}));
}

TEST(Subprocess, NothingIsLeftBehind) {
    const auto descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    const auto before = descriptors();
    for (const char* program : {"true", "false", "no-such-program-in-the-path"})
        static_cast<void>(output_of({program}));
    EXPECT_EQ(descriptors(), before);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process that nobody waits for";
    EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace sftdyn::platform
