// SPDX-License-Identifier: GPL-3.0-or-later
// Brings in the plugin that runs Python confs, when there is one to run.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "python/conf.hpp"

namespace sftdyn::python {

/// Finds the plugin, and keeps the interpreter that it makes. Thread-safe. A failure may be tried
/// again.
class PluginLoader {
public:
    /// `folders` are looked into in their order; `version` is the one that the plugin must be of.
    PluginLoader(std::vector<std::string> folders, std::string version)
        : folders_(std::move(folders)), version_(std::move(version)) {}

    /// The name of the plugin's file.
    [[nodiscard]] static const char* file_name();

    /// The interpreter: the same at each call. An error names the package that is missing.
    [[nodiscard]] base::Result<Interpreter*> load();
    /// The same if it is there already; else null.
    [[nodiscard]] Interpreter* loaded() const { return interpreter_.load(); }

private:
    [[nodiscard]] std::string path() const;
    [[nodiscard]] base::Result<Interpreter*> make() const;

    const std::vector<std::string> folders_;
    const std::string version_;
    base::Mutex mutex_{};  ///< one loads at a time
    std::atomic<Interpreter*> interpreter_ = nullptr;
};

/// The program's interpreter, of a plugin beside the program, or where it is installed. As
/// `PluginLoader::load`.
[[nodiscard]] base::Result<Interpreter*> load_interpreter();

/// As `PluginLoader::loaded`.
[[nodiscard]] Interpreter* loaded_interpreter();

}  // namespace sftdyn::python
