// SPDX-License-Identifier: GPL-3.0-or-later
// The credential of a request. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {

/// A user with a password, or only a secret.
struct Credential {
    std::optional<std::string> user{};  ///< absent: there is only `secret`
    std::optional<base::Secret> secret{};
    /// Without a user: true if `secret` may also be the password of a host's user; false if it can
    /// only be a key.
    bool may_be_password = false;
};

/// The credential in an Authorization field: Basic (RFC 7617), or a key as Token or Bearer. Empty:
/// another scheme, or no secret.
[[nodiscard]] Credential credential_of(std::string_view authorization);
/// The credential in parameters, as network storage devices send it.
[[nodiscard]] Credential credential_of(const Parameters& parameters);

/// Returns the text as UTF-8. Text that is not valid UTF-8 (RFC 3629) is taken for Latin-1, which
/// older clients send.
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace sftdyn::protocol
