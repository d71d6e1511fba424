// SPDX-License-Identifier: GPL-3.0-or-later
// Octets that came from a client, and may hold a key or a password: whatever leaves this buffer is
// zeroized.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace sftdyn::http {

/// Owned by one connection, and used on its thread. What needs memory and gets none throws
/// std::bad_alloc, and leaves the buffer as it was.
class SecretBuffer {
public:
    SecretBuffer() = default;
    ~SecretBuffer() { release(); }
    SecretBuffer(const SecretBuffer&) = delete;
    SecretBuffer& operator=(const SecretBuffer&) = delete;

    [[nodiscard]] char* data() { return octets_.get(); }
    [[nodiscard]] const char* data() const { return octets_.get(); }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    /// Makes it hold at least `capacity` octets. What moves leaves zeros behind.
    void grow(std::size_t capacity);
    /// Overwrites [begin, end) with zeros.
    void zeroize(std::size_t begin, std::size_t end) noexcept;
    /// Zeroizes all of it, and gives the memory back.
    void release() noexcept;

private:
    std::unique_ptr<char[]> octets_;
    std::size_t capacity_ = 0;
};

/// A text of octets that grows as they come.
class SecretText {
public:
    /// `most` is how long the text can become: memory for more is never taken.
    void append(std::string_view octets, std::size_t most);
    [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }
    [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

private:
    SecretBuffer buffer_;
    std::size_t size_ = 0;
};

}  // namespace sftdyn::http
