// SPDX-License-Identifier: GPL-3.0-or-later
// The key of an RRset: one owner name and type.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "dns/record.hpp"

namespace sftdyn::update {

/// A host's number in the `HostTable`. It stays the same until the program ends, across reloads
/// too.
using HostId = std::uint32_t;

/// The key of an RRset: its owner name, as a number, and its type. A value.
struct RrsetKey {
    HostId host{};
    dns::Type type{};
    friend bool operator==(const RrsetKey&, const RrsetKey&) = default;

    /// Both in one number, for hashing.
    [[nodiscard]] std::uint64_t packed() const {
        return std::uint64_t(host) << 16 | static_cast<std::uint16_t>(type);
    }
};

}  // namespace sftdyn::update

/// The hash for the engine's tables.
template <>
struct std::hash<sftdyn::update::RrsetKey> {
    std::size_t operator()(const sftdyn::update::RrsetKey& rrset) const noexcept {
        // Fibonacci hashing: neighbouring hosts spread over all buckets.
        return static_cast<std::size_t>(rrset.packed() * 0x9e3779b97f4a7c15U);
    }
};
