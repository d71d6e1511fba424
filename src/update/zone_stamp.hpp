// SPDX-License-Identifier: GPL-3.0-or-later
// What all threads may know of a zone's serial.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ratio>

#include "base/clock.hpp"

namespace sftdyn::update {

/// The current epoch of a zone, and when the server has confirmed it (docs/engine.md). Written by
/// the engine's thread through `ZoneSerial`; read by all threads with one atomic load. Owned by
/// `ServedCache`.
class ZoneStamp {
public:
    static constexpr unsigned epoch_bits = 27;

    ZoneStamp() = default;
    ZoneStamp(const ZoneStamp&) = delete;
    ZoneStamp& operator=(const ZoneStamp&) = delete;
    ~ZoneStamp() = default;

    /// Epoch 0: nothing is confirmed. The time is rounded down to 1/64 s.
    void set(std::uint32_t epoch, base::TimePoint confirmed_at) {
        const auto ticks = std::chrono::floor<Tick>(confirmed_at.time_since_epoch()).count();
        state_.store(std::uint64_t(epoch) << time_bits | (std::uint64_t(ticks) & time_mask),
                     std::memory_order_release);
    }
    /// Whether `epoch` is the current one, and was confirmed at `since` or later.
    [[nodiscard]] bool confirms(std::uint32_t epoch, base::TimePoint since) const {
        const std::uint64_t state = state_.load(std::memory_order_acquire);
        const Tick ticks(static_cast<std::int64_t>(state & time_mask));
        return epoch != 0 && state >> time_bits == epoch && base::TimePoint(ticks) >= since;
    }

private:
    static constexpr unsigned time_bits = 64 - epoch_bits;
    static constexpr std::uint64_t time_mask = (std::uint64_t(1) << time_bits) - 1;
    using Tick = std::chrono::duration<std::int64_t, std::ratio<1, 64>>;

    std::atomic<std::uint64_t> state_{0};  ///< the epoch, and the time in ticks
};

/// What a served record was learned in: an epoch of a zone. A value; without a zone, no serial
/// confirms the record.
struct SerialMark {
    const ZoneStamp* zone = nullptr;
    std::uint32_t epoch = 0;
    friend bool operator==(const SerialMark&, const SerialMark&) = default;
};

}  // namespace sftdyn::update
