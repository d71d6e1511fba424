// SPDX-License-Identifier: GPL-3.0-or-later
// Parses scripts of nsupdate(1), as BIND 9.18 does.
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

/// A parsed script: its UPDATEs and warnings.
struct Script {
    std::vector<UpdateMessage> messages{};  ///< in order, none of them empty
    std::vector<std::string> warnings{};    ///< about ignored lines
};

/// Parses a script line by line. An error's `where` is "line N"; its `what` describes the fault and
/// quotes the line, except after `key`. As with `nsupdate -l`, `server` is an error; `local`, `key`
/// and interactive commands are ignored. nsupdate does not send what follows the last `send`;
/// `unsent` decides whether it is dropped or sent.
enum class Unsent { drop, send };
[[nodiscard]] base::Result<Script> parse_script(std::span<const std::string> lines, Unsent unsent);

}  // namespace sftdyn::dns
