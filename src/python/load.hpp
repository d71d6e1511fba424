// SPDX-License-Identifier: GPL-3.0-or-later
// Loads the plugin that runs Python confs, if a conf is used.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "python/conf.hpp"

namespace sftdyn::python {

/// Finds and loads the plugin, and keeps its interpreter. Thread-safe. After a failure, loading may
/// be tried again.
class PluginLoader {
public:
    /// `folders` are searched in order; the plugin must have the same `version`.
    PluginLoader(std::vector<std::string> folders, std::string version)
        : folders_(std::move(folders)), version_(std::move(version)) {}

    /// The name of the plugin's file.
    [[nodiscard]] static const char* file_name();

    /// The interpreter, the same at each call. An error names the missing package.
    [[nodiscard]] base::Result<Interpreter*> load();
    /// The interpreter if it is loaded already, else null.
    [[nodiscard]] Interpreter* loaded() const { return interpreter_.load(); }

private:
    [[nodiscard]] std::string path() const;
    [[nodiscard]] base::Result<Interpreter*> make() const;

    const std::vector<std::string> folders_;
    const std::string version_;
    base::Mutex mutex_{};  ///< one thread loads at a time
    std::atomic<Interpreter*> interpreter_ = nullptr;
};

/// As `PluginLoader::load`, for the plugin beside the program, or else in its installation folder.
[[nodiscard]] base::Result<Interpreter*> load_interpreter();

/// As `PluginLoader::loaded`.
[[nodiscard]] Interpreter* loaded_interpreter();

}  // namespace sftdyn::python
