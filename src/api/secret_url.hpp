// The secret URL dialect: `GET /<key>` moves the key's host to where the request came from.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "api/message.hpp"
#include "hosts/directory.hpp"
#include "update/engine.hpp"

namespace sftdyn::api::secret_url {

/// The request asks for its own address.
struct WhoAmI {};
/// The request presents a key: the target without its leading slashes, as sent.
struct Update {
    std::string_view key;
};
struct MethodNotAllowed {};

using Intent = std::variant<WhoAmI, Update, MethodNotAllowed>;

[[nodiscard]] Intent read(const Request& request);

/// What a key is for: as it was sent, else with `%XX` undone. Null: it is no key.
[[nodiscard]] const hosts::Entry* find(const hosts::Directory& directory, std::string_view key);

[[nodiscard]] Response who_am_i(const Request& request);
[[nodiscard]] Response method_not_allowed();
/// `uptodate` is the word for a record that had the address already.
[[nodiscard]] Response answer(const update::Result& result, std::string_view uptodate);

/// The outcome as the log says it.
[[nodiscard]] const char* log_word(update::Verdict verdict);

}  // namespace sftdyn::api::secret_url
