// SPDX-License-Identifier: GPL-3.0-or-later
// The dialects in which a client names hosts and addresses: one table, a row for each way.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {

/// Whose words a client is answered with.
enum class Dialect : std::uint8_t {
    secret_url,
    dyndns2,
    duckdns,
    freedns,
    dynv6,
    namecheap,
    regfish,
    ydns,
    easydns
};

/// One way to ask: a path, and what tells it from others with the same path.
struct DialectRow {
    std::string_view service;  ///< whose it is
    Dialect dialect;           ///< whose words answer it
    /// Segments between slashes. `{host}`, `{key}` and `{ip}` stand for any; `*` for any path at
    /// all, which takes an Authorization field.
    std::string_view path;
    /// Parameters that must be there, or with `!` in front must not, separated by spaces.
    std::string_view marks{};
    bool bare_key = false;  ///< the first parameter is a word alone, and the key
};
/// In their order: the first that fits counts.
[[nodiscard]] std::span<const DialectRow> dialect_rows();

/// The row for a request; null: it is none of them.
[[nodiscard]] const DialectRow* find_dialect(const std::vector<std::string_view>& path,
                                             const Parameters& parameters, bool is_authorized);

/// Whether a path alone can be one of them.
[[nodiscard]] bool is_path_of_dialect(const std::vector<std::string_view>& path);

/// What stands in a path for `{host}`, `{key}` or `{ip}`; empty: the row has none.
[[nodiscard]] std::string_view segment_for(std::string_view placeholder, const DialectRow& row,
                                           const std::vector<std::string_view>& path);

}  // namespace sftdyn::protocol
