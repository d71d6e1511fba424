// SPDX-License-Identifier: GPL-3.0-or-later
// Reads TSIG keys from the file formats of DNS servers' tools.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dns/tsig_key.hpp"

namespace sftdyn::dns {

/// Reads the file at `path`: either BIND's `key "name" { algorithm …; secret …; };` (tsig-keygen,
/// rndc-confgen, the session key), or one file of a `K<name>.+<algorithm>+<id>.private`/`.key` pair
/// (dnssec-keygen). An error names the path and the line; for a file that can't be opened, it names
/// the user of the process. A file in BIND's format may `include` others; relative paths start from
/// its folder. `on_file` is called with the path of each file before it is read.
using OnKeyFile = std::function<void(const std::string& path)>;
[[nodiscard]] base::Result<TsigKey> read_key_file(const std::string& path,
                                                  const OnKeyFile& on_file = {});

/// The paths of all files that are read for the key at `path`.
[[nodiscard]] std::vector<std::string> key_file_parts(const std::string& path);

/// The file that is read for `path`: the `.private` file if `path` is a file of a pair, or its name
/// without the suffix.
[[nodiscard]] std::string key_file_path(const std::string& path);

/// Parses a file in BIND's format without `include`. `path` is used in error messages.
[[nodiscard]] base::Result<TsigKey> parse_bind_key(std::string_view text, const std::string& path);

/// Parses a `.private` file. The key's name is taken from the file's name in `path`.
[[nodiscard]] base::Result<TsigKey> parse_private_key(std::string_view text,
                                                      const std::string& path);

}  // namespace sftdyn::dns
