// SPDX-License-Identifier: GPL-3.0-or-later
// Hashed passwords (argon2id, RFC 9106). Verifying one takes milliseconds and megabytes by design,
// so results are remembered.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/keyed_hash.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"

namespace sftdyn::accounts {

/// The encoded hash of a password, with a random salt: 19 MiB, two passes, one lane (OWASP's
/// recommendation).
[[nodiscard]] base::Result<std::string> hash_password(std::string_view password);

/// Checks that `hash` is an encoded argon2id, argon2i or argon2d hash that can be verified, with at
/// most 256 MiB.
[[nodiscard]] base::Result<void> check_password_hash(const std::string& hash);

/// Verifies the password on this thread alone, which is slow by design. An error means that the
/// result is unknown: there is no memory, or `hash` does not pass `check_password_hash`.
[[nodiscard]] base::Result<bool> verify_password(const std::string& hash,
                                                 std::string_view password);

/// The results of earlier verifications. Thread-safe. A result is stored for the user name that was
/// tried, so that the same password with another name takes as long as any other.
class VerifiedPasswords {
public:
    /// One attempt with a password. The views are used during the call only.
    struct PasswordAttempt {
        std::string_view user;
        std::string_view hash;
        std::string_view password;
    };
    using Digest = base::KeyedHash::Digest;
    /// Equal for equal attempts, and only for them.
    [[nodiscard]] Digest digest(const PasswordAttempt& attempt) const;
    /// The remembered result; `nullopt`: the password must be verified.
    [[nodiscard]] std::optional<bool> known(const PasswordAttempt& attempt) const;
    void remember(const PasswordAttempt& attempt, bool right);
    [[nodiscard]] std::size_t size() const;

private:
    base::KeyedHash hash_;
    mutable base::Mutex mutex_;
    boost::unordered_flat_map<Digest, bool, base::KeyedHash::DigestHash> verified_
        GUARDED_BY(mutex_);
};

}  // namespace sftdyn::accounts
