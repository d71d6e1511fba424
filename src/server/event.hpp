// SPDX-License-Identifier: GPL-3.0-or-later
// Events for the administrator's event command, and their messages between the program and the
// helper process that runs the command. Pure functions; messages are parsed as untrusted input.
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

/// The kind of an event.
enum class EventKind : std::uint8_t {
    change = 1,   ///< the host has a new address
    stale = 2,    ///< the host has not checked in for a long time
    failure = 3,  ///< the host could not be given the requested address
};

/// The content of an event.
struct Event {
    EventKind kind = EventKind::change;
    std::string host{};                  ///< in the format of `dns::Name::text`
    dns::Type type = dns::Type::a;       ///< A or AAAA
    boost::asio::ip::address address{};  ///< the new or requested address; unspecified: none
    /// The address of the last event, or that the host still has; unspecified: none or unknown.
    boost::asio::ip::address old_address{};
    std::int64_t checked_in = 0;  ///< seconds since 1970
    friend bool operator==(const Event&, const Event&) = default;
};

/// A message of fixed size. Every octet has a meaning, and unused octets are 0, so only the host's
/// name needs parsing, and nothing can be hidden in a message.
struct EventMessage {
    static constexpr std::size_t size = 312;
    using Octets = std::array<std::uint8_t, size>;

    std::uint64_t id = 0;  ///< repeated in the answer
    Event event{};

    /// Absent: the host's name has characters other than letters, digits, `-`, `_`, dots and a
    /// leading `*`, or an address does not match the type.
    [[nodiscard]] std::optional<Octets> write() const;
    /// Absent unless the octets are exactly a possible output of `write`.
    [[nodiscard]] static std::optional<EventMessage> read(std::string_view octets);
};

/// How a command ended.
enum class EventOutcome : std::uint8_t {
    exited = 1,     ///< `detail` is its status
    signalled = 2,  ///< `detail` is the signal
    timed_out = 3,  ///< the command was killed
    not_run = 4,    ///< `detail` is the errno
};

/// The message with the outcome of a command.
struct EventAnswer {
    static constexpr std::size_t size = 16;
    using Octets = std::array<std::uint8_t, size>;

    std::uint64_t id = 0;
    EventOutcome outcome = EventOutcome::exited;
    std::int32_t detail = 0;

    [[nodiscard]] Octets write() const;
    [[nodiscard]] static std::optional<EventAnswer> read(std::string_view octets);
};

/// Whether the text is a host name in lower case that `dns::Name::parse_host` accepts.
[[nodiscard]] bool is_host_name(std::string_view text);

[[nodiscard]] const char* text_of(EventKind kind);

/// The complete environment of the command: PATH and six variables.
[[nodiscard]] std::vector<std::string> environment_of(const Event& event);

}  // namespace sftdyn::server
