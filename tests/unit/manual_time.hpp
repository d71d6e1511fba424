// SPDX-License-Identifier: GPL-3.0-or-later
// Time that passes when a test says so.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/time_source.hpp"

namespace sftdyn {

/// Its timers call back from within `pass` and `pass_to_next`, in the order of their times.
class ManualTime : public base::TimeSource {
public:
    /// What is set may own the last of its timers.
    ~ManualTime() override {
        while (!set_.empty()) set_.extract(set_.begin());
    }

    [[nodiscard]] base::TimePoint now() const override { return now_; }
    [[nodiscard]] std::unique_ptr<base::Timer> timer() override {
        return std::make_unique<ManualTimer>(*this);
    }

    /// So much time passes, and all that expires meanwhile is called.
    void pass(base::Duration duration) {
        const base::TimePoint end = now_ + duration;
        while (!set_.empty() && set_.begin()->first.first <= end) pass_to_next();
        now_ = end;
    }
    /// The next that is set expires. False: nothing is set.
    bool pass_to_next() {
        if (set_.empty()) return false;
        auto next = set_.extract(set_.begin());
        now_ = std::max(now_, next.key().first);
        next.mapped().expired();
        return true;
    }
    /// How many timers are set.
    [[nodiscard]] std::size_t set() const { return set_.size(); }
    /// How long until the next expires.
    [[nodiscard]] base::Duration until_next() const { return set_.begin()->first.first - now_; }

private:
    class ManualTimer : public base::Timer {
    public:
        explicit ManualTimer(ManualTime& time) : time_(time) {}
        ~ManualTimer() override { time_.drop(this); }
        void set(base::TimePoint at, Expired expired) override {
            time_.drop(this);
            time_.set_.emplace(std::pair(at, ++time_.settings_), Set{this, std::move(expired)});
        }
        void cancel() override { time_.drop(this); }

    private:
        ManualTime& time_;
    };
    struct Set {
        const base::Timer* timer;
        base::Timer::Expired expired;
    };
    void drop(const base::Timer* timer) {
        for (auto one = set_.begin(); one != set_.end(); ++one) {
            if (one->second.timer != timer) continue;
            // What goes with it may drop others.
            const auto dropped = set_.extract(one);
            return;
        }
    }

    base::TimePoint now_{std::chrono::hours(1)};
    std::uint64_t settings_ = 0;  ///< those of one time expire in the order of their setting
    std::map<std::pair<base::TimePoint, std::uint64_t>, Set> set_;
};

}  // namespace sftdyn
