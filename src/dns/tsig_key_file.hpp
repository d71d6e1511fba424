// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a TSIG key from a file as the DNS servers' tools write it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dns/tsig_key.hpp"

namespace sftdyn::dns {

/// Reads the file at `path`: BIND's `key "name" { algorithm …; secret …; };` (tsig-keygen,
/// rndc-confgen, the session key), or one file of a `K<name>.+<algorithm>+<id>.private`/`.key` pair
/// (dnssec-keygen). An error names the path, the line, and for a file that can't be opened the user
/// who tried. A file in BIND's form may `include` others, whose relative paths begin in its folder.
/// `on_file` is told the path of each file before it is read.
using OnKeyFile = std::function<void(const std::string& path)>;
[[nodiscard]] base::Result<TsigKey> read_key_file(const std::string& path,
                                                  const OnKeyFile& on_file = {});

/// The paths of all files that are read for `path`.
[[nodiscard]] std::vector<std::string> key_file_parts(const std::string& path);

/// The file that is read for `path`: for either file of a pair, or the name without its ending, the
/// `.private` one.
[[nodiscard]] std::string key_file_path(const std::string& path);

/// The text of a file in BIND's form, which includes no other; `path` is for messages.
[[nodiscard]] base::Result<TsigKey> parse_bind_key(std::string_view text, const std::string& path);

/// The text of a `.private` file; the key's name comes from the file's name.
[[nodiscard]] base::Result<TsigKey> parse_private_key(std::string_view text,
                                                      const std::string& path);

}  // namespace sftdyn::dns
