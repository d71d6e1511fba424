// SPDX-License-Identifier: GPL-3.0-or-later
// The files of one TOML configuration: itself, and those that it includes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "config/client_list.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

/// Owns the path and the diagnostics of each file. A file's number is that of a SourceLine.
class TomlFiles {
public:
    /// `path`: of the configuration itself, which is number 0.
    explicit TomlFiles(const std::string& path) { add(path); }

    /// Adds a file; its number is the next one. References stay valid.
    TomlContext& add(const std::string& path) {
        return contexts_.emplace_back(path, static_cast<std::uint32_t>(contexts_.size()));
    }
    [[nodiscard]] TomlContext& operator[](std::uint32_t number) { return contexts_[number]; }

    /// Where a line is, for a message about file `reader`: "line 7", or "/etc/sftdyn/c.toml:7".
    [[nodiscard]] std::string text_of(SourceLine source, std::uint32_t reader) const {
        return source.file == reader
                   ? fmt::format("line {}", source.line)
                   : fmt::format("{}:{}", contexts_[source.file].path, source.line);
    }

    /// Of all files, file by file, each sorted by position. Moves them out.
    [[nodiscard]] Diagnostics diagnostics() {
        return of_all([](TomlContext& context) { return context.diagnostics(); });
    }
    [[nodiscard]] Diagnostics warnings() {
        return of_all([](TomlContext& context) { return context.warnings(); });
    }

private:
    template <class Get>
    Diagnostics of_all(const Get& get) {
        Diagnostics all;
        for (TomlContext& context : contexts_) {
            for (auto& one : get(context)) all.push_back(std::move(one));
        }
        return all;
    }

    std::deque<TomlContext> contexts_;
};

}  // namespace sftdyn::config
