// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/zone_serial.hpp"

#include <cassert>
#include <utility>

namespace sftdyn::update {
namespace {

// For this long after a SOA query without a usable answer, the records themselves are queried.
constexpr base::Duration serial_pause = std::chrono::seconds(10);

constexpr std::uint32_t epochs = std::uint32_t(1) << ZoneStamp::epoch_bits;

}  // namespace

void ZoneSerial::suspend() {
    is_suspended_ = true;
    spoiled_ = sent_.has_value();
}

void ZoneSerial::update_sent() {
    ++unresolved_;
    suspend();
    check();
}

void ZoneSerial::update_resolved() {
    assert(unresolved_ > 0);
    --unresolved_;
    check();
}

void ZoneSerial::forget() {
    suspend();
    if (anchor_) stamp_->set(0, {});
    anchor_.reset();
    pause_until_ = {};
    check();
}

void ZoneSerial::begin_reading(base::TimePoint sent) {
    assert(!sent_);
    sent_ = sent;
    spoiled_ = unresolved_ > 0;
}

bool ZoneSerial::end_reading(const std::optional<SerialReading>& reading, base::TimePoint now) {
    assert(sent_);
    const base::TimePoint sent = *std::exchange(sent_, std::nullopt);
    if (std::exchange(spoiled_, false)) return false;
    if (!reading) {
        pause_until_ = now + serial_pause;
        return false;
    }
    if (anchor_ != reading) {
        // Something has changed, or another address has answered, which may serve another version.
        anchor_ = reading;
        // A mark of the epoch that had this number before is much older than any record is
        // believed.
        epoch_ = epoch_ + 1 == epochs ? 1 : epoch_ + 1;
    }
    // With the serial of before, an UPDATE of ours has changed nothing: the epoch goes on.
    is_suspended_ = false;
    confirmed_at_ = sent;
    stamp_->set(epoch_, sent);
    check();
    return true;
}

void ZoneSerial::check() const {
    assert(is_suspended_ || (anchor_ && stamp_ != nullptr && unresolved_ == 0 && epoch_ != 0));
    assert(!spoiled_ || sent_);
}

}  // namespace sftdyn::update
