// SPDX-License-Identifier: GPL-3.0-or-later
// Tells whether the event loop still holds a handler of an endless activity. When a std::bad_alloc
// has destroyed the handler, before or during its call, the activity must be started again.
#pragma once

#include <utility>

namespace sftdyn::http {

/// Captured by the handler: `flag` is true while such a handler exists. Handler and flag belong to
/// one thread, and the flag outlives the handler.
class Pending {
public:
    explicit Pending(bool& flag) : flag_(&flag) { flag = true; }
    Pending(Pending&& other) noexcept : flag_(std::exchange(other.flag_, nullptr)) {}
    Pending& operator=(Pending&&) = delete;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() { done(); }

    /// Called when the handler runs, which may then start another.
    void done() {
        if (flag_ != nullptr) *std::exchange(flag_, nullptr) = false;
    }

private:
    bool* flag_;
};

}  // namespace sftdyn::http
