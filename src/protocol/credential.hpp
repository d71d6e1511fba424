// SPDX-License-Identifier: GPL-3.0-or-later
// What a request shows of who asks. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {

/// A user with a password, or a secret alone.
struct Credential {
    std::optional<std::string> user{};  ///< absent: `secret` stands alone
    std::optional<base::Secret> secret{};
    /// Without a user: it may be the password of a host's user, too; else it is a key.
    bool may_be_password = false;
};

/// Of an Authorization field: Basic (RFC 7617), or a key as Token or Bearer. Empty: it is neither,
/// or has no secret in it.
[[nodiscard]] Credential credential_of(std::string_view authorization);
/// Of parameters, as the makers of network storage send it.
[[nodiscard]] Credential credential_of(const Parameters& parameters);

/// What is no UTF-8 (RFC 3629) is Latin-1, which older clients send: as UTF-8.
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace sftdyn::protocol
