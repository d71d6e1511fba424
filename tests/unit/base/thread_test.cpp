// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/thread.hpp"

#include <sys/resource.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/sanitized.hpp"

namespace sftdyn::base {
namespace {

TEST(StartThread, Runs) {
    bool has_run = false;
    auto thread = start_thread([&has_run] { has_run = true; });
    ASSERT_TRUE(thread);
    thread->join();
    EXPECT_TRUE(has_run);
}

/// Without address space there is no stack.
[[noreturn]] void start_without_room() {
    const rlimit none{1U << 20, 1U << 20};
    if (setrlimit(RLIMIT_AS, &none) != 0) std::exit(1);
    std::exit(start_thread([] {}) ? 2 : 0);
}

TEST(StartThread, WithoutRoomThereIsNone) {
    if (sanitized) GTEST_SKIP() << "its run-time takes address space as it likes";
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that has no stack left over
    EXPECT_EXIT(start_without_room(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sftdyn::base
