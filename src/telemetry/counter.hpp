// SPDX-License-Identifier: GPL-3.0-or-later
// Counters that many threads increment at once, each in a slot of its own.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sftdyn::telemetry {

/// The number of this thread's slot.
[[nodiscard]] std::size_t thread_place();

/// A monotonic counter. Thread-safe; adding takes no lock.
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

/// A histogram: how many values fell into each range. One thread adds values, any thread may read.
template <std::size_t Bounds>
class Histogram {
public:
    /// The upper bounds of the ranges, ascending and inclusive.
    explicit Histogram(const std::array<double, Bounds>& bounds) : bounds_(bounds) {}

    void add(double value) {
        std::size_t at = 0;
        while (at < Bounds && value > bounds_[at]) ++at;
        counts_[at].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(value, std::memory_order_relaxed);
    }
    [[nodiscard]] const std::array<double, Bounds>& bounds() const { return bounds_; }
    /// The count of the range that ends at bound `at`, or of all values above the last bound.
    [[nodiscard]] std::uint64_t count(std::size_t at) const {
        return counts_[at].load(std::memory_order_relaxed);
    }
    [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

private:
    std::array<double, Bounds> bounds_;
    std::array<std::atomic<std::uint64_t>, Bounds + 1> counts_{};
    std::atomic<double> sum_ = 0;
};

/// A histogram of durations to which many threads add.
template <std::size_t Bounds>
class DurationHistogram {
public:
    /// The upper bounds of the ranges in seconds, ascending and inclusive.
    explicit DurationHistogram(const std::array<double, Bounds>& bounds) : bounds_(bounds) {}

    void add(std::chrono::nanoseconds took) {
        const double seconds = std::chrono::duration<double>(took).count();
        std::size_t at = 0;
        while (at < Bounds && seconds > bounds_[at]) ++at;
        counts_[at].add();
        nanoseconds_.add(static_cast<std::uint64_t>(took.count()));
    }
    [[nodiscard]] const std::array<double, Bounds>& bounds() const { return bounds_; }
    /// The count of the range that ends at bound `at`, or of all values above the last bound.
    [[nodiscard]] std::uint64_t count(std::size_t at) const { return counts_[at].value(); }
    /// In seconds.
    [[nodiscard]] double sum() const { return static_cast<double>(nanoseconds_.value()) / 1e9; }

private:
    std::array<double, Bounds> bounds_;
    std::array<Counter, Bounds + 1> counts_{};
    Counter nanoseconds_{};
};

}  // namespace sftdyn::telemetry
