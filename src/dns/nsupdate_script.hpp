// SPDX-License-Identifier: GPL-3.0-or-later
// Scripts of nsupdate(1), as BIND 9.18 reads them: what a person would type to change a zone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dns/name.hpp"
#include "dns/record.hpp"

namespace sftdyn::dns {

/// A script that was read: the UPDATEs that it sends, and warnings.
struct Script {
    std::vector<UpdateMessage> messages{};  ///< in order, none of them empty
    std::vector<std::string> warnings{};    ///< lines that were passed over, and why
};

/// Reads a script line by line. An error's `where` is "line N", its `what` names the line's fault
/// with its text. `server` is an error, `local`, `key` and what only concerns a person at a
/// terminal are passed over: as under `nsupdate -l`. What follows the last `send` is not sent, as
/// by nsupdate; `unsent` says what becomes of it.
enum class Unsent { drop, send };
[[nodiscard]] base::Result<Script> parse_script(std::span<const std::string> lines, Unsent unsent);

}  // namespace sftdyn::dns
