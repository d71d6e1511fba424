// SPDX-License-Identifier: GPL-3.0-or-later
// The table of dialects in which clients name hosts and addresses, with one row for each form of
// request.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {

/// The dialect of the answer.
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

/// One form of request: a path, and conditions that distinguish it from others with the same path.
struct DialectRow {
    std::string_view service;  ///< the service that it comes from
    Dialect dialect;           ///< the dialect of its answers
    /// Segments between slashes. `{host}`, `{key}` and `{ip}` match any segment. `*` matches any
    /// path if there is an Authorization field.
    std::string_view path;
    /// Required parameters, separated by spaces; a parameter with the prefix `!` must be absent.
    std::string_view marks{};
    bool bare_key = false;  ///< the first parameter has no value, and is the key
};
/// All rows, in order; the first match counts.
[[nodiscard]] std::span<const DialectRow> dialect_rows();

/// The row of a request; null: no row matches.
[[nodiscard]] const DialectRow* find_dialect(const std::vector<std::string_view>& path,
                                             const Parameters& parameters, bool is_authorized);

/// Whether any row matches the path, regardless of parameters.
[[nodiscard]] bool is_path_of_dialect(const std::vector<std::string_view>& path);

/// The segment of a path in the place of `{host}`, `{key}` or `{ip}`; empty: the row has no such
/// placeholder.
[[nodiscard]] std::string_view segment_for(std::string_view placeholder, const DialectRow& row,
                                           const std::vector<std::string_view>& path);

}  // namespace sftdyn::protocol
