// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/load.hpp"

#include <dlfcn.h>
#include <sys/auxv.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "temporary_folder.hpp"

namespace sftdyn::python {
namespace {

using testing::HasSubstr;

class PluginLoaderTest : public testing::Test {
protected:
    /// Puts a file there under the plugin's name.
    static void put(const TemporaryFolder& to, const std::string& file) {
        std::filesystem::create_symlink(file, to / PluginLoader::file_name());
    }
    static std::string error_of(PluginLoader& loader) {
        const auto loaded = loader.load();
        return loaded.has_error() ? loaded.error().text() : "it is loaded";
    }
    static std::string is_fake(const base::Result<Interpreter*>& loaded) {
        return loaded.has_error() ? loaded.error().text() : (*loaded)->run("x").error().text();
    }

    TemporaryFolder first, second;
};

TEST_F(PluginLoaderTest, WithoutAPluginThePackageIsNamed) {
    PluginLoader loader({first.path(), second.path()}, "1");
    EXPECT_EQ(error_of(loader),
              second / PluginLoader::file_name() +
                  ": Python confs need a plugin that is not installed; install the package "
                  "sftdyn-python, or write the configuration as TOML, in a file whose name ends in "
                  ".toml");
    EXPECT_EQ(loader.loaded(), nullptr);
}

TEST_F(PluginLoaderTest, TheInterpreterIsTheSameAtEachCall) {
    put(first, SFTDYN_FAKE_PLUGIN);
    PluginLoader loader({first.path()}, "1");
    EXPECT_EQ(loader.loaded(), nullptr) << "nobody has asked for it";
    const auto loaded = loader.load();
    EXPECT_EQ(is_fake(loaded), "x: a fake one");
    EXPECT_EQ(loader.loaded(), *loaded);
    std::filesystem::remove(first / PluginLoader::file_name());
    EXPECT_EQ(*loader.load(), *loaded) << "it is not looked for again";
}

TEST_F(PluginLoaderTest, TheFirstFolderThatHasItCounts) {
    put(second, SFTDYN_FAKE_PLUGIN);
    PluginLoader by_second({first.path(), second.path()}, "1");
    EXPECT_EQ(is_fake(by_second.load()), "x: a fake one");
    first.write(PluginLoader::file_name(), "no library");
    PluginLoader by_first({first.path(), second.path()}, "1");
    EXPECT_THAT(error_of(by_first), HasSubstr(first / PluginLoader::file_name()));
}

TEST_F(PluginLoaderTest, WhatIsNoLibraryCanNotBeLoaded) {
    first.write(PluginLoader::file_name(), "no library");
    PluginLoader loader({first.path()}, "1");
    EXPECT_THAT(error_of(loader),
                testing::AllOf(HasSubstr(": the plugin can't be loaded: "),
                               testing::EndsWith("; install the package sftdyn-python again")));
    EXPECT_EQ(loader.loaded(), nullptr);
}

TEST_F(PluginLoaderTest, AnotherVersionIsRefused) {
    put(first, SFTDYN_FAKE_PLUGIN);
    PluginLoader loader({first.path()}, "2");
    EXPECT_EQ(error_of(loader),
              first / PluginLoader::file_name() +
                  ": the plugin is of another version than sftdyn; install sftdyn and "
                  "sftdyn-python of the same version (2)");
    EXPECT_EQ(loader.loaded(), nullptr);
}

TEST_F(PluginLoaderTest, AFailureOfPythonIsReported) {
    put(first, SFTDYN_FAKE_PLUGIN);
    PluginLoader loader({first.path()}, "faulty");
    EXPECT_THAT(error_of(loader), HasSubstr(": Python can't be started: a fault; "));
    EXPECT_EQ(loader.loaded(), nullptr);
}

TEST_F(PluginLoaderTest, ALibraryWithoutTheEntryIsRefused) {
    Dl_info info{};
    ASSERT_NE(dladdr(reinterpret_cast<void*>(&getauxval), &info), 0);
    put(first, info.dli_fname);
    PluginLoader loader({first.path()}, "1");
    EXPECT_THAT(error_of(loader), HasSubstr("of another version"));
}

TEST_F(PluginLoaderTest, AfterAFailureItMayComeLater) {
    PluginLoader loader({first.path()}, "1");
    EXPECT_NE(error_of(loader), "it is loaded");
    put(first, SFTDYN_FAKE_PLUGIN);
    EXPECT_EQ(is_fake(loader.load()), "x: a fake one");
}

}  // namespace
}  // namespace sftdyn::python
