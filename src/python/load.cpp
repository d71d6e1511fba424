// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/load.hpp"

#include <atomic>
#include <filesystem>

#include "base/mutex.hpp"
#include "base/shared_library.hpp"

namespace sftdyn::python {
namespace {

namespace fs = std::filesystem;

std::atomic<Interpreter*> interpreter = nullptr;

/// Beside the program, as in the folder it is built in, else where it is installed.
fs::path plugin_path() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (!error && fs::exists(self.parent_path() / SFTDYN_PLUGIN_NAME, error))
        return self.parent_path() / SFTDYN_PLUGIN_NAME;
    return fs::path(SFTDYN_PLUGIN_FOLDER) / SFTDYN_PLUGIN_NAME;
}

base::Result<Interpreter*> load() {
    const fs::path path = plugin_path();
    std::error_code error;
    if (!fs::exists(path, error))
        return base::Error{"Python confs need a plugin that is not installed", path.string(),
                           "install the package sftdyn-python, or write the configuration as TOML, "
                           "in a file whose name ends in .toml"};
    // Its symbols are for the modules that a conf imports: they expect the interpreter's.
    base::SharedLibrary plugin(path.c_str(), base::SharedLibrary::Symbols::global);
    if (!plugin.is_loaded())
        return base::Error{"the plugin can't be loaded: " + plugin.error(), path.string(),
                           "install the package sftdyn-python again"};
    const auto entry = plugin.function<PluginEntry>(plugin_symbol);
    Interpreter* made = entry == nullptr ? nullptr : entry(SFTDYN_VERSION);
    if (made == nullptr)
        return base::Error{"the plugin is of another version than sftdyn", path.string(),
                           "install sftdyn and sftdyn-python of the same version (" SFTDYN_VERSION
                           ")"};
    return made;
}

}  // namespace

base::Result<Interpreter*> load_interpreter() {
    static base::Mutex mutex;
    const base::MutexLock lock(mutex);
    if (Interpreter* loaded = interpreter.load()) return loaded;
    auto made = load();
    if (made.has_value()) interpreter = *made;
    return made;
}

Interpreter* loaded_interpreter() { return interpreter.load(); }

}  // namespace sftdyn::python
