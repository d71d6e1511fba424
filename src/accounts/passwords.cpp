// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/passwords.hpp"

#include <argon2.h>

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/number.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace sftdyn::accounts {
namespace {

constexpr std::uint32_t passes = 2, memory_kib = 19 * 1024, lanes = 1;
constexpr std::size_t salt_octets = 16, hash_octets = 32, least_digest_octets = 8;
constexpr unsigned most_memory_kib = 256 * 1024, most_passes = 100, most_lanes = 16;
// Wrong passwords are unbounded, so the table has a limit; right ones are at most one for each
// client.
constexpr std::size_t most_remembered = 1 << 16;

/// The parts of an encoded hash: $argon2id$v=19$m=19456,t=2,p=1$SALT$DIGEST, the last two in Base64
/// without padding. Without `v` it is the version of 2014.
struct EncodedHash {
    argon2_type type = Argon2_id;
    std::uint32_t version = ARGON2_VERSION_10;
    std::uint32_t memory_kib = 0, passes = 0, lanes = 0;
    std::string salt{}, digest{};
};

/// Removes the prefix `begin` from the text, if it is there.
bool take(std::string_view& text, std::string_view begin) {
    if (!text.starts_with(begin)) return false;
    text.remove_prefix(begin.size());
    return true;
}

/// Removes "NAME=NUMBER" and the character `end` from the text.
bool take_number(std::string_view& text, std::string_view name, char end, std::uint32_t& number) {
    if (!take(text, name)) return false;
    const auto size = text.find(end);
    if (size == std::string_view::npos) return false;
    const auto value = base::parse_number<std::uint32_t>(text.substr(0, size));
    text.remove_prefix(size + 1);
    number = value.value_or(0);
    return value.has_value();
}

std::optional<std::string> unpadded(std::string_view text) {
    const auto octets =
        base::base64_decoded(std::string(text) + std::string(-text.size() % 4, '='));
    if (!octets) return std::nullopt;
    return std::string(octets->reveal());
}

std::optional<EncodedHash> parse_hash(std::string_view text) {
    EncodedHash hash;
    if (take(text, "$argon2id$"))
        hash.type = Argon2_id;
    else if (take(text, "$argon2i$"))
        hash.type = Argon2_i;
    else if (take(text, "$argon2d$"))
        hash.type = Argon2_d;
    else
        return std::nullopt;
    if (text.starts_with("v=") && !take_number(text, "v=", '$', hash.version)) return std::nullopt;
    if (!take_number(text, "m=", ',', hash.memory_kib) ||
        !take_number(text, "t=", ',', hash.passes) || !take_number(text, "p=", '$', hash.lanes))
        return std::nullopt;
    const auto middle = text.find('$');
    if (middle == std::string_view::npos) return std::nullopt;
    auto salt = unpadded(text.substr(0, middle)), digest = unpadded(text.substr(middle + 1));
    if (!salt || !digest) return std::nullopt;
    hash.salt = std::move(*salt);
    hash.digest = std::move(*digest);
    const bool known = hash.version == ARGON2_VERSION_10 || hash.version == ARGON2_VERSION_13;
    if (!known || hash.salt.size() < ARGON2_MIN_SALT_LENGTH ||
        hash.digest.size() < least_digest_octets || hash.passes < ARGON2_MIN_TIME ||
        hash.lanes < ARGON2_MIN_LANES || hash.memory_kib / 8 < hash.lanes)
        return std::nullopt;
    return hash;
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
    const base::Error bad{"password_hash is not a hash that sftdyn can verify", "",
                          "make one with: sftdyn password"};
    // Only parsed: with many clients, verifying each hash would take too long.
    const auto parts = parse_hash(hash);
    if (!parts) return bad;
    if (parts->memory_kib > most_memory_kib || parts->passes > most_passes ||
        parts->lanes > most_lanes) {
        return base::Error{"password_hash would take too long to verify", "",
                           fmt::format("at most m={},t={},p={}; make one with: sftdyn password",
                                       most_memory_kib, most_passes, most_lanes)};
    }
    return {};
}

/// Computes all lanes on this thread, since libargon2 crashes when it can't start its own threads.
base::Result<bool> verify_password(const std::string& hash, std::string_view password) {
    auto parts = parse_hash(hash);
    if (!parts) return base::Error{"it is not a hash that sftdyn can verify"};
    const auto octets = [](auto& text) { return reinterpret_cast<std::uint8_t*>(text.data()); };
    const auto size = [](const auto& text) { return static_cast<std::uint32_t>(text.size()); };
    std::string computed(parts->digest.size(), '\0');
    argon2_context context{};
    context.out = octets(computed);
    context.outlen = size(computed);
    // Only read, since ARGON2_FLAG_CLEAR_PASSWORD is not set.
    context.pwd = reinterpret_cast<std::uint8_t*>(const_cast<char*>(password.data()));
    context.pwdlen = size(password);
    context.salt = octets(parts->salt);
    context.saltlen = size(parts->salt);
    context.t_cost = parts->passes;
    context.m_cost = parts->memory_kib;
    context.lanes = parts->lanes;
    context.threads = 1;
    context.version = parts->version;
    const int rc = argon2_verify_ctx(&context, parts->digest.data(), parts->type);
    base::zeroize(computed);
    if (rc == ARGON2_OK) return true;
    if (rc == ARGON2_VERIFY_MISMATCH) return false;
    return base::Error{argon2_error_message(rc)};
}

VerifiedPasswords::Digest VerifiedPasswords::digest(const PasswordAttempt& attempt) const {
    return hash_.of_all({attempt.user, attempt.hash, attempt.password});
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
