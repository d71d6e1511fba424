// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/zeroized_heap.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include <openssl/crypto.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SFTDYN_ADDRESS_SANITIZER
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SFTDYN_ADDRESS_SANITIZER
#endif

namespace sftdyn::base {
namespace {

constexpr std::size_t stack_octets = 256 * 1024;  // more than the depth of a parser's calls

constinit thread_local unsigned zeroized_heaps = 0;  // alive on this thread

/// Overwrites what earlier calls left below the caller's frame, and returns the pages to the
/// kernel.
[[gnu::noinline]] void wipe_stack() noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): it is overwritten
    std::array<char, stack_octets> below;
    OPENSSL_cleanse(below.data(), below.size());
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = (reinterpret_cast<std::uintptr_t>(below.data()) + page - 1) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(below.data()) + below.size()) / page * page;
    // On failure the pages stay, filled with zeros.
    static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));
}

/// Overwrites what copying and comparing left in vector registers: sooner or later these are
/// spilled to a stack, also in a forked process. Calls the library's own functions, with a size of
/// each class that they implement differently.
[[gnu::noinline]] void wipe_registers() noexcept {
    void* (*const volatile copy)(void*, const void*, std::size_t) = std::memcpy;
    void* (*const volatile move)(void*, const void*, std::size_t) = std::memmove;
    int (*const volatile compare)(const void*, const void*, std::size_t) = std::memcmp;
    const std::array<char, 4096> zeros{};
    std::array<char, 4096> target{};
    for (const std::size_t size : {8U, 16U, 24U, 32U, 48U, 64U, 96U, 128U, 192U, 256U, 384U, 512U,
                                   768U, 1024U, 2048U, 4096U}) {
        copy(target.data(), zeros.data(), size);
        move(target.data(), zeros.data(), size);
        static_cast<void>(compare(target.data(), zeros.data(), size));
    }
}

#ifndef SFTDYN_ADDRESS_SANITIZER
void give_back(void* block) noexcept {
    if (zeroized_heaps != 0 && block != nullptr) [[unlikely]]
        OPENSSL_cleanse(block, malloc_usable_size(block));
    std::free(block);  // NOLINT(cppcoreguidelines-no-malloc): operator new uses malloc
}
#endif

}  // namespace

ZeroizedHeap::ZeroizedHeap() noexcept { ++zeroized_heaps; }

ZeroizedHeap::~ZeroizedHeap() {
    wipe_stack();
    wipe_registers();
    --zeroized_heaps;
}

}  // namespace sftdyn::base

// Replaced for the whole program (C++20 [replacement.functions]); the other forms call one of
// these.
#ifndef SFTDYN_ADDRESS_SANITIZER
void operator delete(void* block) noexcept { sftdyn::base::give_back(block); }
void operator delete(void* block, std::size_t) noexcept { sftdyn::base::give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { sftdyn::base::give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    sftdyn::base::give_back(block);
}
#endif
