// SPDX-License-Identifier: GPL-3.0-or-later
// Something that the administrator's event command is told of, and the messages about it between
// the program and the process that runs the command. Pure functions; the messages are read as what
// anybody could have written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "dns/record.hpp"

namespace sftdyn::server {

/// Why the command is run.
enum class EventKind : std::uint8_t {
    change = 1,   ///< the host has another address
    stale = 2,    ///< it has not checked in for long
    failure = 3,  ///< it could not be given the address that it asked for
};

/// What the command is told.
struct Event {
    EventKind kind = EventKind::change;
    std::string host{};                  ///< as `dns::Name::text` gives it
    dns::Type type = dns::Type::a;       ///< A or AAAA
    boost::asio::ip::address address{};  ///< now, or that was asked for; unspecified: none
    /// That the command was last told of, or that the host still has; unspecified: none, or
    /// unknown.
    boost::asio::ip::address old_address{};
    std::int64_t checked_in = 0;  ///< seconds since 1970
    friend bool operator==(const Event&, const Event&) = default;
};

/// A message of one size, all of whose octets have a meaning: what is not used is 0. So there is
/// nothing to parse but a host's name, and no room for anything else.
struct EventMessage {
    static constexpr std::size_t size = 312;
    using Octets = std::array<std::uint8_t, size>;

    std::uint64_t id = 0;  ///< the answer names it
    Event event{};

    /// None: the host's name is none that is told of (not of letters, digits, `-`, `_`, dots and a
    /// leading `*`), or an address is not of the type.
    [[nodiscard]] std::optional<Octets> write() const;
    /// None unless it is exactly what `write` gives for something.
    [[nodiscard]] static std::optional<EventMessage> read(std::string_view octets);
};

/// How a command ended.
enum class EventOutcome : std::uint8_t {
    exited = 1,     ///< `detail` is its status
    signalled = 2,  ///< `detail` is the signal
    timed_out = 3,  ///< it was killed
    not_run = 4,    ///< `detail` is the error's number
};

/// The outcome of a command.
struct EventAnswer {
    static constexpr std::size_t size = 16;
    using Octets = std::array<std::uint8_t, size>;

    std::uint64_t id = 0;
    EventOutcome outcome = EventOutcome::exited;
    std::int32_t detail = 0;

    [[nodiscard]] Octets write() const;
    [[nodiscard]] static std::optional<EventAnswer> read(std::string_view octets);
};

/// Whether the text is a host's name in lower case, as `dns::Name::parse_host` takes it.
[[nodiscard]] bool is_host_name(std::string_view text);

[[nodiscard]] const char* text_of(EventKind kind);

/// The whole environment of the command: PATH, and six variables.
[[nodiscard]] std::vector<std::string> environment_of(const Event& event);

}  // namespace sftdyn::server
