// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key_provider.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

using sftdyn::dns::TsigKeyProvider;

namespace {

class KeySourceTest : public testing::Test {
protected:
    KeySourceTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "key-source-XXXXXX").string();
        folder = mkdtemp(pattern.data());
    }
    ~KeySourceTest() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& file, const std::string& name) {
        const auto path = folder / file;
        std::ofstream(path) << "key \"" << name
                            << "\" { algorithm hmac-sha256; secret \"c2Vj\"; };\n";
        return path.string();
    }
    std::filesystem::path folder;
};

TEST_F(KeySourceTest, ReadsOnceWhileTheFileStays) {
    TsigKeyProvider source({write("a", "one")});
    const auto first = source.current().value();
    EXPECT_EQ(source.current().value(), first);
}

TEST_F(KeySourceTest, ReadsAgainWhenTheFileIsReplaced) {
    TsigKeyProvider source({write("a", "one")});
    EXPECT_EQ(source.current().value()->name(), "one");
    std::filesystem::rename(write("b", "two"), folder / "a");
    EXPECT_EQ(source.current().value()->name(), "two");
}

TEST_F(KeySourceTest, ReadsAgainWhenAFileThatIsIncludedIsReplaced) {
    write("a", "one");
    std::ofstream(folder / "outer") << "include \"a\";\n";
    TsigKeyProvider source({(folder / "outer").string()});
    const auto first = source.current().value();
    EXPECT_EQ(source.current().value(), first);
    std::filesystem::rename(write("b", "two"), folder / "a");
    EXPECT_EQ(source.current().value()->name(), "two");
}

TEST_F(KeySourceTest, WithoutAPathThereIsNoKey) {
    EXPECT_EQ(TsigKeyProvider({}).current().value(), nullptr);
}

TEST_F(KeySourceTest, TakesTheFirstThatExists) {
    TsigKeyProvider source({(folder / "none").string(), write("b", "two")});
    EXPECT_EQ(source.current().value()->name(), "two");
    write("none", "one");
    EXPECT_EQ(source.current().value()->name(), "one");
}

TEST_F(KeySourceTest, AnErrorNamesTheFirstAndIsTriedAgain) {
    TsigKeyProvider source({(folder / "none").string(), (folder / "neither").string()});
    const auto missing = source.current();
    ASSERT_TRUE(missing.has_error());
    EXPECT_EQ(missing.error().where, (folder / "none").string());
    write("none", "one");
    EXPECT_EQ(source.current().value()->name(), "one");
}

TEST_F(KeySourceTest, ABrokenFileDropsTheOldKey) {
    TsigKeyProvider source({write("a", "one")});
    ASSERT_TRUE(source.current().has_value());
    std::ofstream(folder / "a") << "broken";
    EXPECT_TRUE(source.current().has_error());
}

}  // namespace
