// SPDX-License-Identifier: GPL-3.0-or-later
// A domain name in wire form (RFC 1035 §3.1), lower case, so that equal names are equal bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sftdyn::dns {

/// A value that is always a valid name: what makes one returns an error for any other text.
class Name {
public:
    /// The root.
    Name() : wire_(1, '\0') {}

    /// Reads presentation form (RFC 1035 §5.1), with or without the final dot.
    static base::Result<Name> parse(std::string_view text);

    /// As `parse`, for the name of a host: letters, digits, `-` and `_` in each label, at least one
    /// label; the first label may be `*`.
    static base::Result<Name> parse_host(std::string_view text);

    /// Takes an uncompressed wire-form name that is known to be valid.
    static Name from_wire(const std::uint8_t* wire);

    [[nodiscard]] const std::uint8_t* wire() const {
        return reinterpret_cast<const std::uint8_t*>(wire_.data());
    }
    [[nodiscard]] std::size_t size() const { return wire_.size(); }
    [[nodiscard]] const std::string& bytes() const { return wire_; }

    /// Presentation form without the final dot; the root is ".".
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool is_root() const { return wire_.size() == 1; }
    /// True for the zone's own name too.
    [[nodiscard]] bool is_within(const Name& zone) const;
    /// The name without its first label; the root's parent is the root.
    [[nodiscard]] Name parent() const;

    friend bool operator==(const Name&, const Name&) = default;
    friend auto operator<=>(const Name&, const Name&) = default;

private:
    std::string wire_;
};

}  // namespace sftdyn::dns
