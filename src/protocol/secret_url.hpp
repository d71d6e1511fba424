// SPDX-License-Identifier: GPL-3.0-or-later
// The secret URL dialect: `GET /<key>` sets the address of the key's host to the source of the
// request.
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
/// The method is not GET.
struct MethodNotAllowed {};

/// What a request asks for.
using Intent = std::variant<WhoAmI, PresentedKey, MethodNotAllowed>;

[[nodiscard]] Intent read(const http::Request& request);

/// The entry of a key, as sent or percent-decoded; null: unknown key.
[[nodiscard]] const accounts::KeyEntry* find(const accounts::AccountDirectory& directory,
                                             std::string_view key);

/// A target that continues after a key.
struct LongerTarget {
    const accounts::KeyEntry* entry = nullptr;
    std::string_view key;     ///< as sent
    std::string_view behind;  ///< without its leading slash
};
/// Finds a key at the start of `target`, if the whole target is not a key: the longest one that
/// ends before the query or a slash, or before the name of one of its hosts, which inadyn appends.
[[nodiscard]] std::optional<LongerTarget> find_longer(const accounts::AccountDirectory& directory,
                                                      const update::HostTable& names,
                                                      std::string_view target);

/// Whether browsers or search engines request this target by themselves. If it is not a key, it
/// does not count as a guess.
[[nodiscard]] bool is_asked_by_browsers(std::string_view target);

[[nodiscard]] http::Response who_am_i(const http::Request& request);
[[nodiscard]] http::Response method_not_allowed();
[[nodiscard]] http::Response no_page();
/// `uptodate` is the word for an unchanged record.
[[nodiscard]] http::Response answer(const update::UpdateOutcome& result, std::string_view uptodate);

}  // namespace sftdyn::protocol::secret_url
