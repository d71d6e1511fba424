// SPDX-License-Identifier: GPL-3.0-or-later
// A shared library that is loaded only when needed, since it costs memory. It stays loaded.
#pragma once

#include <string>

namespace sftdyn::base {

/// Loads a library in its constructor and calls its functions by name. A failure does not throw:
/// `is_loaded` is false, and `error` says why. Used on one thread.
class SharedLibrary {
public:
    enum class Symbols {
        local,
        global  ///< visible to libraries that are loaded later
    };

    /// `name` is a path, or a name that the loader searches for. After a failure `error()` says
    /// why.
    explicit SharedLibrary(const char* name, Symbols symbols = Symbols::local);

    /// Null when the library is not loaded or has no such function; `error()` says why.
    template <class Function>
    [[nodiscard]] Function* function(const char* name) {
        return reinterpret_cast<Function*>(symbol(name));
    }
    [[nodiscard]] bool is_loaded() const { return library_ != nullptr; }
    /// The loader's message for the last failure.
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    void* symbol(const char* name);

    void* library_;
    std::string error_{};
};

}  // namespace sftdyn::base
