// SPDX-License-Identifier: GPL-3.0-or-later
// The secret URL dialect: `GET /<key>` moves the key's host to where the request came from.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "accounts/account_directory.hpp"
#include "http/message.hpp"
#include "update/engine.hpp"

namespace sftdyn::protocol::secret_url {

/// The request asks for its own address.
struct WhoAmI {};
/// The request presents a key: the target without its leading slashes, as sent.
struct PresentedKey {
    std::string_view key;
};
struct MethodNotAllowed {};

using Intent = std::variant<WhoAmI, PresentedKey, MethodNotAllowed>;

[[nodiscard]] Intent read(const http::Request& request);

/// What a key is for: as it was sent, else with `%XX` undone. Null: it is no key.
[[nodiscard]] const accounts::KeyEntry* find(const accounts::AccountDirectory& directory,
                                             std::string_view key);

[[nodiscard]] http::Response who_am_i(const http::Request& request);
[[nodiscard]] http::Response method_not_allowed();
/// `uptodate` is the word for a record that had the address already.
[[nodiscard]] http::Response answer(const update::UpdateOutcome& result, std::string_view uptodate);

}  // namespace sftdyn::protocol::secret_url
