// SPDX-License-Identifier: GPL-3.0-or-later
// Whether the event loop still holds a handler that goes on with something for ever: where it has
// lost the handler to a std::bad_alloc, before or within the call, somebody must begin anew.
#pragma once

#include <utility>

namespace sftdyn::http {

/// Part of the handler: `flag` is true as long as there is a handler with it. Handler and flag are
/// of one thread, and the flag outlives the handler.
class Pending {
public:
    explicit Pending(bool& flag) : flag_(&flag) { flag = true; }
    Pending(Pending&& other) noexcept : flag_(std::exchange(other.flag_, nullptr)) {}
    Pending& operator=(Pending&&) = delete;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() { done(); }

    /// The handler has been called, and may begin anew.
    void done() {
        if (flag_ != nullptr) *std::exchange(flag_, nullptr) = false;
    }

private:
    bool* flag_;
};

}  // namespace sftdyn::http
