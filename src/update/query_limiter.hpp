// SPDX-License-Identifier: GPL-3.0-or-later
// Limits the number of queries in flight.
#pragma once

#include <cassert>
#include <deque>
#include <functional>
#include <utility>

namespace sftdyn::update {

/// Queries over the limit wait in order of arrival. Owned by `EngineParts`; used on the engine's
/// thread.
class QueryLimiter {
public:
    /// A limit of 0 counts as 1.
    explicit QueryLimiter(unsigned limit) { set_limit(limit); }

    /// Queries in flight continue, even if they exceed a lowered limit.
    void set_limit(unsigned limit) { limit_ = limit == 0 ? 1 : limit; }

    /// Calls `ask` now, or when a query has ended. `ask` begins one query; call `done` when that
    /// has ended.
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
        // Waiting queries need one in flight, whose end starts the next.
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
