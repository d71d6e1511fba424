// SPDX-License-Identifier: GPL-3.0-or-later
// The secret URL dialect: `GET /<key>` sets the key's host to the client's address.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "accounts/account_directory.hpp"
#include "http/message.hpp"
#include "update/engine.hpp"

namespace sftdyn::protocol::secret_url {

/// The client asks for its own address.
struct WhoAmI {};
/// The request presents a key: the target without its leading slashes, as sent.
struct PresentedKey {
    std::string_view key;
};
struct MethodNotAllowed {};

using Intent = std::variant<WhoAmI, PresentedKey, MethodNotAllowed>;

[[nodiscard]] Intent read(const http::Request& request);

/// Looks up the key as sent, and then percent-decoded. Null when it is unknown.
[[nodiscard]] const accounts::KeyEntry* find(const accounts::AccountDirectory& directory,
                                             std::string_view key);

[[nodiscard]] http::Response who_am_i(const http::Request& request);
[[nodiscard]] http::Response method_not_allowed();
/// `uptodate` is the body for a record that has the address already.
[[nodiscard]] http::Response answer(const update::UpdateOutcome& result, std::string_view uptodate);

}  // namespace sftdyn::protocol::secret_url
