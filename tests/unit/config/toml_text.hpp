// SPDX-License-Identifier: GPL-3.0-or-later
// A text of TOML, read as a configuration.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "config/toml_reader.hpp"

namespace sftdyn::config {

/// What a text says, and what is wrong with it: "LINE:COLUMN: what; mend".
struct ReadText {
    explicit ReadText(std::string_view text) {
        const std::string path = "/etc/sftdyn/c.toml";
        for (const auto& diagnostic : read_toml(text, path, settings)) {
            const std::string whole = diagnostic.text();
            said.push_back(whole.starts_with(path + ':') ? whole.substr(path.size() + 1) : whole);
        }
    }
    Settings settings{};
    std::vector<std::string> said{};
};

/// A diagnostic that a text must give, and no other.
struct WrongText {
    const char* name;
    const char* text;
    const char* start;   ///< "LINE:COLUMN: what", whole or from its start
    const char* remedy;  ///< a part of the remedy

    friend void PrintTo(const WrongText& row, std::ostream* out) { *out << row.text; }
};

}  // namespace sftdyn::config
