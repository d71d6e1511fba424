// SPDX-License-Identifier: GPL-3.0-or-later
// Confs that the plugin runs.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "python/conf.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::python {

/// The plugin's: one for the test program.
inline Interpreter& interpreter() {
    static Interpreter* const made = [] {
        void* plugin = dlopen(SFTDYN_PLUGIN, RTLD_NOW | RTLD_GLOBAL);
        if (plugin == nullptr) throw std::runtime_error(dlerror());
        const auto entry = reinterpret_cast<PluginEntry*>(dlsym(plugin, plugin_symbol));
        std::string failure;
        EXPECT_EQ(entry("0.0", failure), nullptr) << "of another version";
        EXPECT_EQ(failure, "");
        Interpreter* const started = entry(SFTDYN_VERSION, failure);
        EXPECT_EQ(failure, "");
        return started;
    }();
    return *made;
}

class PluginTest : public testing::Test {
protected:
    base::Result<std::shared_ptr<const Conf>> try_run(const std::string& text) {
        folder.write("conf", text);
        return interpreter().run(path);
    }
    std::shared_ptr<const Conf> run(const std::string& text) {
        auto conf = try_run(text);
        if (conf.has_error()) throw std::runtime_error(conf.error().text());
        return *conf;
    }
    static std::string get_ip(const Conf& conf, const Fields& fields = {},
                              const std::string& key = "key") {
        const auto said = conf.call("192.0.2.1", fields, key)->get_ip();
        return said.has_error() ? "error: " + said.error().text : text_of(*said);
    }
    static std::string get_host(const Conf& conf, const std::string& key) {
        const auto said = conf.call("192.0.2.1", {}, key)->get_host(key);
        return said.has_error() ? "error: " + said.error().text : text_of(*said);
    }
    static std::string text_of(const Given& given) {
        if (!given.is_true) return "";
        return given.text ? *given.text : "an object: " + given.type;
    }
    static std::vector<std::string> commands(const Conf& conf, const Fields& fields = {}) {
        const auto call = conf.call("192.0.2.1", fields, "key");
        static_cast<void>(call->get_ip());
        const auto said = call->nsupdate_commands("host.example");
        return said.has_error() ? std::vector<std::string>{"error: " + said.error().text} : *said;
    }

    TemporaryFolder folder;
    const std::string path = folder / "conf";
};

}  // namespace sftdyn::python
