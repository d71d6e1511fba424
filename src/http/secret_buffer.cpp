// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/secret_buffer.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace sftdyn::http {

void SecretBuffer::grow(std::size_t capacity) {
    if (capacity <= capacity_) return;
    // Not value-initialised: every octet is written before it is read.
    std::unique_ptr<char[]> larger(new char[capacity]);
    if (capacity_ > 0) std::memcpy(larger.get(), octets_.get(), capacity_);
    release();
    octets_ = std::move(larger);
    capacity_ = capacity;
}

void SecretBuffer::zeroize(std::size_t begin, std::size_t end) noexcept {
    if (begin < end) OPENSSL_cleanse(octets_.get() + begin, end - begin);
}

void SecretBuffer::release() noexcept {
    zeroize(0, capacity_);
    octets_.reset();
    capacity_ = 0;
}

void SecretText::append(std::string_view octets, std::size_t most) {
    if (octets.empty()) return;
    const std::size_t needed = size_ + octets.size();
    if (needed > buffer_.capacity())
        buffer_.grow(std::max(needed, std::min(2 * buffer_.capacity(), most)));
    std::memcpy(buffer_.data() + size_, octets.data(), octets.size());
    size_ = needed;
}

}  // namespace sftdyn::http
