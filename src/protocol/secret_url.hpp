// SPDX-License-Identifier: GPL-3.0-or-later
// The secret URL dialect: `GET /<key>` moves the key's host to where the request came from.
#pragma once

#include <optional>
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

/// A key with something behind it.
struct LongerTarget {
    const accounts::KeyEntry* entry = nullptr;
    std::string_view key;     ///< as sent
    std::string_view behind;  ///< without the slash that it begins with
};
/// The key that `target` begins with, where it is none as a whole: up to its query or to a slash,
/// the longest first, or up to the name of one of its hosts, which inadyn appends.
[[nodiscard]] std::optional<LongerTarget> find_longer(const accounts::AccountDirectory& directory,
                                                      const update::HostTable& names,
                                                      std::string_view target);

/// What a browser or a search engine asks for by itself; it is no guess where it is no key.
[[nodiscard]] bool is_asked_by_browsers(std::string_view target);

[[nodiscard]] http::Response who_am_i(const http::Request& request);
[[nodiscard]] http::Response method_not_allowed();
[[nodiscard]] http::Response no_page();
/// `uptodate` is the word for a record that had the address already.
[[nodiscard]] http::Response answer(const update::UpdateOutcome& result, std::string_view uptodate);

}  // namespace sftdyn::protocol::secret_url
