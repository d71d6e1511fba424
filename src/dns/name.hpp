// SPDX-License-Identifier: GPL-3.0-or-later
// A domain name in wire format (RFC 1035 §3.1), in lower case, so that equal names have equal
// octets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sftdyn::dns {

/// A value that is always a valid name; the parsing functions return an error for anything else.
class Name {
public:
    /// The root.
    Name() : wire_(1, '\0') {}

    /// Parses presentation format (RFC 1035 §5.1), with or without the final dot.
    static base::Result<Name> parse(std::string_view text);

    /// As `parse`, for the name of a host: letters, digits, `-` and `_` in each label, at least one
    /// label; the first label may be `*`.
    static base::Result<Name> parse_host(std::string_view text);

    /// Copies an uncompressed name in wire format, which must be valid.
    static Name from_wire(const std::uint8_t* wire);

    [[nodiscard]] const std::uint8_t* wire() const {
        return reinterpret_cast<const std::uint8_t*>(wire_.data());
    }
    [[nodiscard]] std::size_t size() const { return wire_.size(); }
    [[nodiscard]] const std::string& bytes() const { return wire_; }

    /// Presentation format without the final dot; the root is ".".
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool is_root() const { return wire_.size() == 1; }
    /// True when the name is at or below the apex of `zone`.
    [[nodiscard]] bool is_within(const Name& zone) const;
    /// The name without its first label; the root's parent is the root.
    [[nodiscard]] Name parent() const;

    friend bool operator==(const Name&, const Name&) = default;
    friend auto operator<=>(const Name&, const Name&) = default;

private:
    std::string wire_;
};

}  // namespace sftdyn::dns
