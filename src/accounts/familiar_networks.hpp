// SPDX-License-Identifier: GPL-3.0-or-later
// Remembers from which networks a user's password was correct before, so that an attacker behind
// the same address can't lock that user out.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/keyed_hash.hpp"
#include "base/mutex.hpp"

namespace sftdyn::accounts {

/// The networks of each user's last correct passwords, as keyed hashes. The limit is per user: no
/// user displaces the entries of another. Owned by `Authenticator`. Thread-safe.
class FamiliarNetworks {
public:
    /// A use of a password. The views are used during the call only.
    struct Visit {
        std::string_view user;
        std::string_view network;  ///< as text
        std::string_view password;
    };
    static constexpr std::size_t most_of_user = 64;

    [[nodiscard]] bool is_known(const Visit& visit) const;
    /// Called only for a correct password. With too many entries, the user's oldest one is
    /// replaced.
    void remember(const Visit& visit);

private:
    using Digest = base::KeyedHash::Digest;
    [[nodiscard]] Digest digest(const Visit& visit) const;

    base::KeyedHash hash_;
    mutable base::Mutex mutex_;
    /// By the hash of the user: the hashes of its visits, oldest first.
    boost::unordered_flat_map<Digest, std::vector<Digest>, base::KeyedHash::DigestHash> visits_
        GUARDED_BY(mutex_);
};

}  // namespace sftdyn::accounts
