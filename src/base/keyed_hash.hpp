// SPDX-License-Identifier: GPL-3.0-or-later
// SipHash with 128 bits and a random key. Its digests stand for secrets that must be looked up but
// not stored.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace sftdyn::base {

/// Hashes with the key that it was constructed with; a copy has the same key. Immutable, so any
/// thread may use it.
class KeyedHash {
public:
    using Digest = std::array<std::uint64_t, 2>;
    /// For hash tables: a part of a digest is as evenly spread as the whole.
    struct DigestHash {
        std::size_t operator()(const Digest& digest) const {
            return static_cast<std::size_t>(digest[0]);
        }
    };

    /// Makes a new random key.
    KeyedHash();

    [[nodiscard]] Digest operator()(std::string_view text) const;
    /// The digest of several texts. It covers their lengths too, so that texts which are split
    /// differently have different digests.
    [[nodiscard]] Digest of_all(std::initializer_list<std::string_view> texts) const;

private:
    template <typename Feed>
    [[nodiscard]] Digest mac(const Feed& feed) const;

    std::array<std::uint64_t, 2> key_;
};

}  // namespace sftdyn::base
