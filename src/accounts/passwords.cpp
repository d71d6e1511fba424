// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/passwords.hpp"

#include <argon2.h>

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "base/random.hpp"
#include "base/secret.hpp"

namespace sftdyn::accounts {
namespace {

constexpr std::uint32_t passes = 2, memory_kib = 19 * 1024, lanes = 1;
constexpr std::size_t salt_octets = 16, hash_octets = 32;
constexpr unsigned most_memory_kib = 256 * 1024, most_passes = 100, most_lanes = 16;
// Wrong ones come as somebody likes; right ones are as many as there are clients.
constexpr std::size_t most_remembered = 1 << 16;

std::optional<argon2_type> type_of(const std::string& hash) {
    if (hash.starts_with("$argon2id$")) return Argon2_id;
    if (hash.starts_with("$argon2i$")) return Argon2_i;
    if (hash.starts_with("$argon2d$")) return Argon2_d;
    return std::nullopt;
}

}  // namespace

base::Result<std::string> hash_password(std::string_view password) {
    std::array<std::uint64_t, salt_octets / sizeof(std::uint64_t)> salt{};
    for (auto& part : salt) part = base::random_u64();
    std::array<char, 256> encoded{};
    const int rc = argon2id_hash_encoded(passes, memory_kib, lanes, password.data(),
                                         password.size(), salt.data(), salt_octets, hash_octets,
                                         encoded.data(), encoded.size());
    if (rc != ARGON2_OK)
        return base::Error{
            fmt::format("the password could not be hashed: {}", argon2_error_message(rc))};
    return {boost::system::in_place_value, encoded.data()};
}

base::Result<void> check_password_hash(const std::string& hash) {
    const base::Error bad{"password_hash is no hash that sftdyn can verify", "",
                          "make one with: sftdyn password"};
    // $argon2id$v=19$m=19456,t=2,p=1$salt$hash; to verify it here would take long, with many
    // clients.
    const std::size_t parameters = hash.find("$m=");
    unsigned memory = 0, time = 0, parallel = 0;
    if (!type_of(hash) || parameters == std::string::npos ||
        std::sscanf(hash.c_str() + parameters, "$m=%u,t=%u,p=%u$", &memory, &time, &parallel) != 3)
        return bad;
    const std::size_t salt = hash.find('$', parameters + 1),
                      digest = salt == std::string::npos ? salt : hash.find('$', salt + 1);
    constexpr std::string_view base64 =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (digest == std::string::npos || digest - salt < 12 || hash.size() - digest < 12) return bad;
    for (std::size_t i = salt + 1; i < hash.size(); ++i) {
        if (i != digest && base64.find(hash[i]) == std::string_view::npos) return bad;
    }
    if (memory > most_memory_kib || time > most_passes || parallel > most_lanes) {
        return base::Error{"password_hash would take too long to verify", "",
                           fmt::format("at most m={},t={},p={}; make one with: sftdyn password",
                                       most_memory_kib, most_passes, most_lanes)};
    }
    return {};
}

bool verify_password(const std::string& hash, std::string_view password) {
    const auto type = type_of(hash);
    return type &&
           argon2_verify(hash.c_str(), password.data(), password.size(), *type) == ARGON2_OK;
}

VerifiedPasswords::Digest VerifiedPasswords::digest(const PasswordAttempt& attempt) const {
    // The lengths in front: no two attempts are one text.
    std::string all = fmt::format("{} {} ", attempt.user.size(), attempt.hash.size());
    all.reserve(all.size() + attempt.user.size() + attempt.hash.size() + attempt.password.size());
    all.append(attempt.user).append(attempt.hash).append(attempt.password);
    const Digest out = hash_(all);
    base::zeroize(all);
    return out;
}

std::optional<bool> VerifiedPasswords::known(const PasswordAttempt& attempt) const {
    const Digest wanted = digest(attempt);
    const base::MutexLock lock(mutex_);
    const auto found = verified_.find(wanted);
    return found == verified_.end() ? std::nullopt : std::optional(found->second);
}

void VerifiedPasswords::remember(const PasswordAttempt& attempt, bool right) {
    const Digest key = digest(attempt);
    const base::MutexLock lock(mutex_);
    if (verified_.size() >= most_remembered)
        boost::unordered::erase_if(verified_, [](const auto& one) { return !one.second; });
    if (verified_.size() >= most_remembered) verified_.clear();
    verified_.insert_or_assign(key, right);
}

std::size_t VerifiedPasswords::size() const {
    const base::MutexLock lock(mutex_);
    return verified_.size();
}

}  // namespace sftdyn::accounts
