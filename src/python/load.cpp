// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/load.hpp"

#include <filesystem>
#include <utility>

#include "base/shared_library.hpp"

namespace sftdyn::python {
namespace {

namespace fs = std::filesystem;

/// The program's own folder, as in a build, and the plugin folder of an installation.
std::vector<std::string> program_folders() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) return {SFTDYN_PLUGIN_FOLDER};
    return {self.parent_path().string(), SFTDYN_PLUGIN_FOLDER};
}

PluginLoader& program_loader() {
    static PluginLoader loader(program_folders(), SFTDYN_VERSION);
    return loader;
}

}  // namespace

const char* PluginLoader::file_name() { return SFTDYN_PLUGIN_NAME; }

base::Result<Interpreter*> PluginLoader::load() {
    const base::MutexLock lock(mutex_);
    if (Interpreter* loaded = interpreter_.load()) return loaded;
    auto made = make();
    if (made.has_value()) interpreter_ = *made;
    return made;
}

/// The plugin's path in the first folder that has it, or else in the last one.
std::string PluginLoader::path() const {
    fs::path path;
    for (const auto& folder : folders_) {
        path = fs::path(folder) / file_name();
        std::error_code error;
        if (fs::exists(path, error)) break;
    }
    return path.string();
}

base::Result<Interpreter*> PluginLoader::make() const {
    const std::string file = path();
    std::error_code error;
    if (!fs::exists(file, error))
        return base::Error{"Python confs need a plugin that is not installed", file,
                           "install the package sftdyn-python, or write the configuration as TOML, "
                           "in a file whose name ends in .toml"};
    // Global, since the modules that a conf imports need the interpreter's symbols.
    base::SharedLibrary plugin(file.c_str(), base::SharedLibrary::Symbols::global);
    if (!plugin.is_loaded())
        return base::Error{"the plugin can't be loaded: " + plugin.error(), file,
                           "install the package sftdyn-python again"};
    const auto entry = plugin.function<PluginEntry>(plugin_symbol);
    std::string failure;
    Interpreter* made = entry == nullptr ? nullptr : entry(version_.c_str(), failure);
    if (!failure.empty())
        return base::Error{"Python can't be started: " + failure, file,
                           "is the system's Python intact? (apt-get install --reinstall python3)"};
    if (made == nullptr)
        return base::Error{
            "the plugin is of another version than sftdyn", file,
            "install sftdyn and sftdyn-python of the same version (" + version_ + ")"};
    return made;
}

base::Result<Interpreter*> load_interpreter() { return program_loader().load(); }

Interpreter* loaded_interpreter() { return program_loader().loaded(); }

}  // namespace sftdyn::python
