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

/// One record of a prerequisite or update section; its class says what it means (RFC 2136 §2.4, §2.5).
struct ScriptRecord {
    enum class Class : std::uint16_t { in = 1, none = 254, any = 255 };
    Name owner;
    Type type{};
    Class rclass = Class::in;
    std::uint32_t ttl = 0;  ///< seconds
    std::string rdata{};

    friend bool operator==(const ScriptRecord&, const ScriptRecord&) = default;
};

/// What one `send` sends.
struct ScriptMessage {
    std::optional<Name> zone{};  ///< as `zone` said; else it is asked for `home()`
    std::vector<ScriptRecord> prerequisites{};
    std::vector<ScriptRecord> updates{};

    [[nodiscard]] bool empty() const { return prerequisites.empty() && updates.empty(); }
    /// The name whose zone the message is for, when it is not said: its first update's, or else prerequisite's.
    [[nodiscard]] const Name& home() const { return updates.empty() ? prerequisites.front().owner : updates.front().owner; }
};

struct Script {
    std::vector<ScriptMessage> messages{};  ///< in order, none of them empty
    std::vector<std::string> remarks{};     ///< lines that were passed over, and why
};

/// Reads a script line by line. An error's `where` is "line N", its `what` names the line's fault with its text.
/// `server` is an error, `local`, `key` and what only concerns a person at a terminal are passed over: as under
/// `nsupdate -l`. What follows the last `send` is not sent, as by nsupdate; `unsent` says what becomes of it.
enum class Unsent { drop, send };
[[nodiscard]] base::Result<Script> parse_script(std::span<const std::string> lines, Unsent unsent);

}  // namespace sftdyn::dns
