// SPDX-License-Identifier: GPL-3.0-or-later
// A TSIG key (RFC 8945 §4): its name, algorithm and shared secret.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "dns/knot.hpp"

namespace sftdyn::dns {

/// Owns libknot's key; the secret is zeroized with it. Immutable, and shared as `TsigKeyPtr`.
class TsigKey {
public:
    /// `algorithm` is a name of RFC 8945 §6 ("hmac-sha256"), in any case; `secret` is in Base64.
    static base::Result<TsigKey> make(std::string_view name, std::string_view algorithm,
                                      const base::Secret& secret);

    TsigKey(TsigKey&& other) noexcept;
    TsigKey(const TsigKey&) = delete;
    TsigKey& operator=(const TsigKey&) = delete;
    TsigKey& operator=(TsigKey&&) = delete;
    ~TsigKey();

    [[nodiscard]] std::string name() const;
    [[nodiscard]] std::string algorithm() const;
    /// For calls of libknot.
    [[nodiscard]] const knot_tsig_key_t& raw() const { return key_; }

private:
    TsigKey() = default;
    knot_tsig_key_t key_{};
};

using TsigKeyPtr = std::shared_ptr<const TsigKey>;

/// The algorithms of RFC 8945 §6 that sftdyn supports, comma-separated, for error messages.
[[nodiscard]] const char* known_algorithms();

}  // namespace sftdyn::dns
