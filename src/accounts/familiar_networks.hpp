// SPDX-License-Identifier: GPL-3.0-or-later
// From where a user's password was right before: a neighbour behind the same address who guesses
// does not keep that user out.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/keyed_hash.hpp"
#include "base/mutex.hpp"

namespace sftdyn::accounts {

/// For each user the networks of the last right passwords, as keyed hashes. What one user does
/// takes no other's place. Owned by `Authenticator`. Thread-safe.
class FamiliarNetworks {
public:
    /// The views are used during the call only.
    struct Visit {
        std::string_view user;
        std::string_view network;  ///< as text
        std::string_view password;
    };
    static constexpr std::size_t most_of_user = 64;

    [[nodiscard]] bool is_known(const Visit& visit) const;
    /// Of a right password only. The oldest of the user's makes room.
    void remember(const Visit& visit);

private:
    using Digest = base::KeyedHash::Digest;
    struct DigestHash {
        std::size_t operator()(const Digest& digest) const {
            return static_cast<std::size_t>(digest[0]);
        }
    };
    [[nodiscard]] Digest digest(const Visit& visit) const;

    base::KeyedHash hash_;
    mutable base::Mutex mutex_;
    /// By the user's hash; of each, those of its visits, the oldest first.
    boost::unordered_flat_map<Digest, std::vector<Digest>, DigestHash> visits_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::accounts
