// SPDX-License-Identifier: GPL-3.0-or-later
// An owned file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace sftdyn::base {

/// Closes its descriptor on destruction; -1 is none.
class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { reset(); }

    [[nodiscard]] int get() const { return number_; }
    /// Closes the descriptor now.
    void reset() {
        if (number_ >= 0) close(std::exchange(number_, -1));
    }
    /// Gives up ownership and returns the descriptor.
    [[nodiscard]] int release() { return std::exchange(number_, -1); }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

}  // namespace sftdyn::base
