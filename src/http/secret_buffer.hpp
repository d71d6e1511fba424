// SPDX-License-Identifier: GPL-3.0-or-later
// Buffers for octets from a client, which may hold a key or a password: everything that is removed
// from them is zeroized.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace sftdyn::http {

/// Owned by one connection, and used on its thread. When memory is short, throws std::bad_alloc and
/// leaves the buffer unchanged.
class SecretBuffer {
public:
    SecretBuffer() = default;
    ~SecretBuffer() { release(); }
    SecretBuffer(const SecretBuffer&) = delete;
    SecretBuffer& operator=(const SecretBuffer&) = delete;

    [[nodiscard]] char* data() { return octets_.get(); }
    [[nodiscard]] const char* data() const { return octets_.get(); }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    /// Grows to at least `capacity` octets, and zeroizes the old memory.
    void grow(std::size_t capacity);
    /// Overwrites [begin, end) with zeros.
    void zeroize(std::size_t begin, std::size_t end) noexcept;
    /// Zeroizes the buffer and releases its memory.
    void release() noexcept;

private:
    std::unique_ptr<char[]> octets_;
    std::size_t capacity_ = 0;
};

/// Text that grows as octets are received.
class SecretText {
public:
    /// `most` is the maximum length of the text: no memory beyond it is allocated.
    void append(std::string_view octets, std::size_t most);
    [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }
    [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

private:
    SecretBuffer buffer_;
    std::size_t size_ = 0;
};

}  // namespace sftdyn::http
