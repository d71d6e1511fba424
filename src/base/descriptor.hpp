// SPDX-License-Identifier: GPL-3.0-or-later
// A file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace sftdyn::base {

/// -1: none.
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
    /// Closes it now.
    void reset() {
        if (number_ >= 0) close(std::exchange(number_, -1));
    }
    /// It is somebody else's from now on.
    [[nodiscard]] int release() { return std::exchange(number_, -1); }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

}  // namespace sftdyn::base
