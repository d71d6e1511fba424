// SPDX-License-Identifier: GPL-3.0-or-later
// How many queries may be under way at once.
#pragma once

#include <cassert>
#include <deque>
#include <functional>
#include <utility>

namespace sftdyn::update {

/// What is over the limit waits its turn. Owned by `EngineParts`; used on the engine's thread.
class QueryLimiter {
public:
    /// At least one query may be under way.
    explicit QueryLimiter(unsigned limit) { set_limit(limit); }

    /// Queries under way stay so, though they may be more than a lowered limit.
    void set_limit(unsigned limit) { limit_ = limit == 0 ? 1 : limit; }

    /// Calls `ask`, now or when others are done. It begins one query, whose end is told by `done`.
    void when_free(std::function<void()> ask) {
        if (in_flight_ >= limit_) {
            waiting_.push_back(std::move(ask));
            return;
        }
        ++in_flight_;
        ask();
    }

    /// A query has ended.
    void done() {
        assert(in_flight_ > 0);
        --in_flight_;
        if (waiting_.empty() || in_flight_ >= limit_) return;
        const auto ask = std::move(waiting_.front());
        waiting_.pop_front();
        ++in_flight_;
        ask();
        // Who waits, waits for one that is under way: its end calls the next.
        assert(waiting_.empty() || in_flight_ > 0);
    }

    [[nodiscard]] unsigned in_flight() const { return in_flight_; }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
    unsigned limit_ = 1;
    unsigned in_flight_ = 0;
    std::deque<std::function<void()>> waiting_;
};

}  // namespace sftdyn::update
