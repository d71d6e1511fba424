// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/shared_library.hpp"

#include <dlfcn.h>

namespace sftdyn::base {
namespace {

std::string last_error() {
    const char* text = dlerror();
    return text == nullptr ? "" : text;
}

}  // namespace

SharedLibrary::SharedLibrary(const char* name, Symbols symbols)
    : library_(dlopen(name, RTLD_NOW | (symbols == Symbols::global ? RTLD_GLOBAL : RTLD_LOCAL))) {
    if (library_ == nullptr) error_ = last_error();
}

void* SharedLibrary::symbol(const char* name) {
    if (library_ == nullptr) return nullptr;
    void* found = dlsym(library_, name);
    if (found == nullptr) error_ = last_error();
    return found;
}

}  // namespace sftdyn::base
