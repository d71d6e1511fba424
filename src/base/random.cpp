// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include <openssl/rand.h>

namespace sftdyn::base {
namespace {

/// Buffers random octets: one call to the generator serves many ids.
class Pool {
public:
    template <class T>
    T take() {
        if (next_ + sizeof(T) > bytes_.size()) {
            if (RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size())) != 1) {
                throw std::runtime_error("the system's random generator failed");
            }
            next_ = 0;
        }
        T value;
        std::memcpy(&value, bytes_.data() + next_, sizeof value);
        next_ += sizeof value;
        return value;
    }

private:
    std::array<unsigned char, 512> bytes_{};
    std::size_t next_ = sizeof bytes_;
};

thread_local Pool pool;

}  // namespace

std::uint16_t random_u16() { return pool.take<std::uint16_t>(); }
std::uint64_t random_u64() { return pool.take<std::uint64_t>(); }

std::string random_hex(std::size_t bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes * 2);
    for (std::size_t i = 0; i < bytes; ++i) {
        const auto byte = pool.take<std::uint8_t>();
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace sftdyn::base
