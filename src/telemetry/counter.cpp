// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/counter.hpp"

namespace sftdyn::telemetry {

std::size_t thread_place() {
    static std::atomic<std::size_t> next = 0;
    thread_local const std::size_t place = next.fetch_add(1, std::memory_order_relaxed);
    return place;
}

std::uint64_t Counter::value() const {
    std::uint64_t sum = 0;
    for (const Part& part : parts_) sum += part.value.load(std::memory_order_relaxed);
    return sum;
}

}  // namespace sftdyn::telemetry
