// SPDX-License-Identifier: GPL-3.0-or-later
// A table in shards, so that threads seldom contend for a lock.
#pragma once

#include <array>
#include <cstddef>

namespace sftdyn::base {

/// The shards of a table. A `Shard` has a mutex of its own and the data that the mutex guards; no
/// two shards share a cache line. The caller maps each key to a number, which selects the shard.
template <class Shard>
class Sharded {
public:
    static constexpr std::size_t count = 64;

    [[nodiscard]] Shard& of(std::size_t number) { return parts_[number % count].shard; }
    [[nodiscard]] const Shard& of(std::size_t number) const { return parts_[number % count].shard; }

    /// Calls `visit` for each shard in turn.
    template <class Visit>
    void for_each(Visit visit) {
        for (Part& part : parts_) visit(part.shard);
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (const Part& part : parts_) visit(part.shard);
    }

private:
    static constexpr std::size_t cache_line = 64;
    struct alignas(cache_line) Part {
        Shard shard{};
    };
    std::array<Part, count> parts_{};
};

}  // namespace sftdyn::base
