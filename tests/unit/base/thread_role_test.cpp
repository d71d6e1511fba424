// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/thread_role.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

namespace sftdyn::base {
namespace {

// What Clang would stop in one function is each in a function of its own.
void assert_here(const ThreadRole& role) { role.assert_held(); }

void bind_for_a_moment(ThreadRole& role) { const ThreadRole::Binding binding(role); }

void assert_on_another_thread(const ThreadRole& role) {
    std::thread([&role] { role.assert_held(); }).join();
}

TEST(ThreadRoleTest, IsAnybodysWhileNoThreadIsBound) {
    ThreadRole role;
    assert_here(role);
    assert_on_another_thread(role);
    bind_for_a_moment(role);
    assert_here(role);
    assert_on_another_thread(role);
}

TEST(ThreadRoleTest, IsTheBoundThreads) {
    ThreadRole role;
    const ThreadRole::Binding binding(role);
    assert_here(role);
}

#ifdef NDEBUG
TEST(ThreadRoleTest, IsEmptyWithoutAssertions) { EXPECT_TRUE(std::is_empty_v<ThreadRole>); }
#else
TEST(ThreadRoleDeathTest, EndsTheProgramOnAnotherThread) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ThreadRole role;
    const ThreadRole::Binding binding(role);
    EXPECT_DEATH(assert_on_another_thread(role), "another thread");
}

TEST(ThreadRoleDeathTest, HasOneThreadAtATime) {
    ThreadRole role;
    const ThreadRole::Binding binding(role);
    EXPECT_DEATH(bind_for_a_moment(role), "has a thread already");
}
#endif

}  // namespace
}  // namespace sftdyn::base
