// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers that many threads count at once, each in a place of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sftdyn::telemetry {

/// Which of the places this thread uses.
[[nodiscard]] std::size_t thread_place();

/// A number that only grows. Thread-safe; adding takes no lock.
class Counter {
public:
    void add(std::uint64_t count = 1) {
        parts_[thread_place() % places].value.fetch_add(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const;

private:
    static constexpr std::size_t places = 8;
    struct alignas(64) Part {
        std::atomic<std::uint64_t> value = 0;
    };
    std::array<Part, places> parts_{};
};

/// How often values fell into each of some ranges; of one thread's counting, read by any.
template <std::size_t Bounds>
class Histogram {
public:
    /// Upper bounds, ascending; each belongs to its range.
    explicit Histogram(const std::array<double, Bounds>& bounds) : bounds_(bounds) {}

    void add(double value) {
        std::size_t at = 0;
        while (at < Bounds && value > bounds_[at]) ++at;
        counts_[at].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(value, std::memory_order_relaxed);
    }
    [[nodiscard]] const std::array<double, Bounds>& bounds() const { return bounds_; }
    /// Of the range that ends at bound `at`, or of all above the last.
    [[nodiscard]] std::uint64_t count(std::size_t at) const {
        return counts_[at].load(std::memory_order_relaxed);
    }
    [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

private:
    std::array<double, Bounds> bounds_;
    std::array<std::atomic<std::uint64_t>, Bounds + 1> counts_{};
    std::atomic<double> sum_ = 0;
};

}  // namespace sftdyn::telemetry
