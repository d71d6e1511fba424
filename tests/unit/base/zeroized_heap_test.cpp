// SPDX-License-Identifier: GPL-3.0-or-later
// What is freed, and what calls leave on the stack, is looked at where it was. A sanitizer's
// run-time forbids that, and keeps freed memory to itself.
#include "base/zeroized_heap.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "base/sanitized.hpp"

namespace sftdyn::base {
namespace {

constexpr std::size_t block_octets = 600;
constexpr unsigned char mark = 0xa5;

/// How many octets of the mark are there still. The allocator has its own notes at the start.
std::size_t marks_at(std::uintptr_t place, std::size_t octets) {
    const auto* at = reinterpret_cast<const volatile unsigned char*>(place);
    std::size_t out = 0;
    for (std::size_t i = 32; i < octets; ++i) out += at[i] == mark ? 1U : 0U;
    return out;
}

/// The same of a block that was filled and then freed. It is kept from becoming part of another
/// free one.
std::size_t marks_in_freed(
    void (*free_it)(void*) = [](void* block) { ::operator delete(block); },
    std::size_t alignment = 0) {
    void* block = alignment == 0 ? ::operator new(block_octets)
                                 : ::operator new(block_octets, std::align_val_t(alignment));
    void* const fence = ::operator new(16);
    std::memset(block, mark, block_octets);
    const auto place = reinterpret_cast<std::uintptr_t>(block);
    asm volatile("" : "+r"(block) : : "memory");
    free_it(block);
    const std::size_t out = marks_at(place, block_octets);
    ::operator delete(fence);
    return out;
}

class ZeroizedHeapTest : public testing::Test {
protected:
    void SetUp() override {
        if (sanitized) GTEST_SKIP() << "a sanitizer forbids to look at freed memory";
    }
};

TEST_F(ZeroizedHeapTest, WhatIsFreedMeanwhileIsOverwritten) {
    EXPECT_GT(marks_in_freed(), block_octets / 2) << "elsewhere it costs nothing";
    {
        const ZeroizedHeap wiped;
        EXPECT_EQ(marks_in_freed(), 0U);
    }
    EXPECT_GT(marks_in_freed(), block_octets / 2) << "it has an end";
}

TEST_F(ZeroizedHeapTest, InEachFormOfFreeing) {
    const ZeroizedHeap wiped;
#ifdef __cpp_sized_deallocation
    EXPECT_EQ(marks_in_freed([](void* block) { ::operator delete(block, block_octets); }), 0U);
#endif
    EXPECT_EQ(marks_in_freed([](void* block) { ::operator delete[](block); }), 0U);
    EXPECT_EQ(
        marks_in_freed([](void* block) { ::operator delete(block, std::align_val_t(64)); }, 64),
        0U);
#ifdef __cpp_sized_deallocation
    EXPECT_EQ(
        marks_in_freed(
            [](void* block) { ::operator delete(block, block_octets, std::align_val_t(64)); }, 64),
        0U);
#endif
    ::operator delete(nullptr);
}

TEST_F(ZeroizedHeapTest, OneWithinAnotherDoesNotEndIt) {
    const ZeroizedHeap outer;
    { const ZeroizedHeap inner; }
    EXPECT_EQ(marks_in_freed(), 0U);
}

TEST_F(ZeroizedHeapTest, OtherThreadsAreLeftAlone) {
    const ZeroizedHeap wiped;
    std::size_t marks = 0;
    std::thread([&] { marks = marks_in_freed(); }).join();
    EXPECT_GT(marks, block_octets / 2);
}

constexpr std::size_t frame_octets = 64 * 1024;

/// Fills a frame, and says where it was.
[[gnu::noinline]] std::uintptr_t leave_marks() {
    unsigned char frame[frame_octets];
    std::memset(frame, mark, sizeof frame);
    const unsigned char* place = frame;
    asm volatile("" : "+r"(place) : : "memory");
    return reinterpret_cast<std::uintptr_t>(place);
}

TEST_F(ZeroizedHeapTest, TheStackBelowIsOverwrittenAtItsEnd) {
    const std::uintptr_t untouched = leave_marks();
    EXPECT_GT(marks_at(untouched, frame_octets), frame_octets / 2);
    std::optional<ZeroizedHeap> wiped(std::in_place);
    const std::uintptr_t place = leave_marks();
    EXPECT_GT(marks_at(place, frame_octets), frame_octets / 2) << "not before";
    wiped.reset();
    EXPECT_EQ(marks_at(place, frame_octets), 0U);
}

}  // namespace
}  // namespace sftdyn::base
