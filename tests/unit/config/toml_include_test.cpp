// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_include.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "config/toml_reader.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::config {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A folder with a configuration, which includes `clients.d`.
class TomlIncludeTest : public testing::Test {
protected:
    TomlIncludeTest() {
        fs::create_directory(folder / "clients.d");
        main("[clients]\n\"main\" = \"main.example.org\"\n");
    }
    void main(const std::string& text) const {
        folder.write("c.toml", "include = \"clients.d\"\n" + text);
    }
    void file(const std::string& name, const std::string& text) const {
        folder.write("clients.d/" + name, text);
    }
    /// The diagnostics, without the folder's path.
    std::vector<std::string> said() {
        settings = Settings();
        std::vector<std::string> out;
        const std::string path = folder.path().string() + "/";
        for (const auto& diagnostic : read_toml_file(folder / "c.toml", settings)) {
            std::string text = diagnostic.text();
            for (std::size_t at = 0; (at = text.find(path, at)) != std::string::npos;)
                text.erase(at, path.size());
            out.push_back(std::move(text));
        }
        return out;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& path : included_files(folder / "clients.d").value().paths)
            out.push_back(fs::path(path).filename());
        return out;
    }
    std::string version() const { return included_files(folder / "clients.d").value().version; }

    const TemporaryFolder folder;
    Settings settings{};
};

TEST_F(TomlIncludeTest, FilesAreSortedAndOthersAreLeftOut) {
    EXPECT_THAT(names(), IsEmpty());
    for (const char* name : {"b.toml", "10.toml", "9.toml", "B.toml", ".hidden.toml", "a.toml~",
                             "a.toml.dpkg-old", "toml", ".toml", "readme.md"})
        file(name, "");
    EXPECT_THAT(names(), ElementsAre("10.toml", "9.toml", "B.toml", "b.toml"));
}

TEST_F(TomlIncludeTest, TheVersionDiffersAfterEachChange) {
    std::vector<std::string> seen{version()};
    const auto expect_new = [&] {
        EXPECT_EQ(std::count(seen.begin(), seen.end(), version()), 0) << version();
        seen.push_back(version());
        EXPECT_EQ(seen.back(), version());
    };
    file("a.toml", "[clients]\n");
    expect_new();
    file("a.toml", "[clients]\n#\n");
    expect_new();
    file("b.toml", "[clients]\n");
    expect_new();
    fs::rename(folder / "clients.d/b.toml", folder / "clients.d/c.toml");
    expect_new();
    fs::remove(folder / "clients.d/c.toml");
    EXPECT_EQ(version(), seen[2]);
    file("c.md", "");
    EXPECT_EQ(version(), seen[2]);
}

TEST_F(TomlIncludeTest, AFolderThatCantBeReadIsToldOfWithTheMend) {
    EXPECT_THAT(included_files(folder / "none").error().remedy,
                StartsWith("make it (mkdir " + (folder / "none") + ")"));
    EXPECT_THAT(included_files(folder / "c.toml").error().remedy, StartsWith("name the folder"));
    file("a\n.toml", "");
    EXPECT_THAT(included_files(folder / "clients.d").error().what,
                HasSubstr("another control character"));
}

TEST_F(TomlIncludeTest, AllFilesAreOneConfiguration) {
    EXPECT_THAT(said(), IsEmpty());
    EXPECT_EQ(settings.client_count(), 1U);
    file("b.toml", "[clients]\n\"b\" = \"b.example.org\"\n\"m2\" = \"main.example.org\"\n");
    file("a.toml",
         "# a comment\n[clients.nas]\nkey = \"n\"\nhosts = [\"nas.example.org\"]\n"
         "[clients]\n\"x\" = { host = \"x.example.org\", ttl = 7 }\n");
    file("empty.toml", "# nobody yet\n");
    EXPECT_THAT(said(), IsEmpty());
    ASSERT_EQ(settings.clients.size(), 3U);
    EXPECT_THAT(settings.included,
                ElementsAre(EndsWith("/a.toml"), EndsWith("/b.toml"), EndsWith("/empty.toml")));
    const std::string conf = folder / "c.toml";
    const auto place = [&](SourceLine source) { return text_of(settings, conf, source); };
    EXPECT_EQ(place(settings.clients.source(0)), conf + ":3");
    EXPECT_EQ(place(*settings.clients.source_of_key("x")), folder / "clients.d/a.toml:6");
    EXPECT_EQ(place(*settings.clients.source_of_key("b")), folder / "clients.d/b.toml:2");
    ASSERT_EQ(settings.named_clients.size(), 2U);
    EXPECT_EQ(place(settings.named_clients[0].source), folder / "clients.d/a.toml:2");
    EXPECT_EQ(place(settings.named_clients[1].source), folder / "clients.d/b.toml:3")
        << "a further key of a host";
}

TEST_F(TomlIncludeTest, HostsOfFilesBelongToTheZonesOfTheConfiguration) {
    main("[dns]\nzone = \"example.org\"\n");
    file("a.toml", "[clients]\n\"a\" = \"a.example.net\"\n");
    EXPECT_THAT(said(), ElementsAre(StartsWith("clients.d/a.toml:2:7: this host is not in the "
                                               "zone that [dns] names")));
}

TEST_F(TomlIncludeTest, WhatStandsInTwoFilesIsToldWithBoth) {
    main(
        "[clients]\n\"one\" = \"a.example.org\"\n[clients.two]\nkey = \"zwei\"\n"
        "hosts = [\"two.example.org\"]\n");
    file("a.toml", "[clients]\n\"one\" = \"b.example.org\"\n\"zwei\" = \"c.example.org\"\n");
    file("b.toml",
         "[clients.two]\nkey = \"b\"\nhosts = [\"d.example.org\"]\n"
         "[clients.u]\nuser = \"u\"\npassword = \"p\"\nhosts = [\"e.example.org\"]\n");
    file("c.toml",
         "\n[clients.v]\nuser = \"u\"\npassword = \"p\"\nkey = \"b\"\nhosts = [\"f.example.org\"]\n"
         "[clients.w]\nkey = \"one\"\nhosts = [\"g.example.org\"]\n");
    EXPECT_THAT(
        said(),
        ElementsAre(
            // The plain line's key is the earlier one, whatever the order of the files.
            StartsWith("c.toml:4:1: this client's key appears twice (first in clients.d/a.toml:3)"),
            StartsWith("clients.d/a.toml:2:1: this key appears twice (first in c.toml:3); give"),
            StartsWith("clients.d/b.toml:1:1: this client's name appears twice (first in "
                       "c.toml:4); keep one of them"),
            StartsWith("clients.d/c.toml:2:1: this client's key appears twice (first in "
                       "clients.d/b.toml:1)"),
            StartsWith("clients.d/c.toml:2:1: this client's user appears twice (first in "
                       "clients.d/b.toml:4)"),
            StartsWith("clients.d/c.toml:7:1: this client's key appears twice (first in "
                       "c.toml:3)")));
}

struct BadFile {
    const char* name;
    const char* text;
    const char* said;
};

/// S3CR3T stands where a key may be.
class TomlIncludeFileTest : public TomlIncludeTest, public testing::WithParamInterface<BadFile> {};

TEST_P(TomlIncludeFileTest, IsToldWithItsPlaceAndIsNotQuoted) {
    file("a.toml", "[clients]\n\"a\" = \"a.example.org\"\n");
    file("bad.toml", GetParam().text);
    const auto found = said();
    ASSERT_EQ(found.size(), 1U) << testing::PrintToString(found);
    EXPECT_THAT(found[0], StartsWith(std::string("clients.d/bad.toml") + GetParam().said));
    EXPECT_THAT(found[0], testing::Not(HasSubstr("S3CR3T")));
}

const BadFile bad_files[] = {
    {"Empty", "", ": this included file is empty; was it cut off"},
    {"Blank", " \r\n\n", ": this included file is empty"},
    {"Syntax", "[clients]\n\"S3CR3T = \"b.example.org\"\n", ":2:"},
    {"Host", "[clients]\n\"S3CR3T\" = \"b b.org\"\n",
     ":2:12: this host is not a valid domain name"},
    {"Type", "[clients]\n\"S3CR3T\" = 7\n", ":2:12: a client's value is of the wrong type"},
    {"NoHeader", "\n\"S3CR3T\" = \"b.example.org\"\n",
     ":2:1: an included file may have clients only; clients stand below a line [clients]"},
    {"Setting", "http = \"8080\"\n", ":1:1: an included file may have clients only"},
    {"Table", "[S3CR3T]\nhost = \"b.example.org\"\n", ":1:"},
    {"Dns", "[dns]\nserver = \"127.0.0.1\"\n", ":1:"},
    {"Include", "include = \"further.d\"\n", ":1:1: an included file may have clients only"},
    {"ClientsIsNoTable", "clients = \"S3CR3T\"\n", ":1:11: clients is of the wrong type"},
    {"Utf16", "\xff\xfe[\0", ":1:1: this is UTF-16"},
};

INSTANTIATE_TEST_SUITE_P(Files, TomlIncludeFileTest, testing::ValuesIn(bad_files),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(TomlIncludeTest, EverythingWrongIsToldAtOnce) {
    main("http = true\n[limits]\nthreads = 999\n");
    file("a.toml", "[clients]\n\"a\" = 7\n\"b\" = 8\n");
    fs::create_directory(folder / "clients.d/b.toml");
    fs::create_symlink("nowhere", folder / "clients.d/c.toml");
    file("d.toml", "[clients\n");
    EXPECT_THAT(
        said(),
        ElementsAre(StartsWith("c.toml:2:8:"), StartsWith("c.toml:4:11:"),
                    StartsWith("clients.d/a.toml:2:7:"), StartsWith("clients.d/a.toml:3:7:"),
                    StartsWith("clients.d/b.toml: this included file can't be read: it is a "
                               "folder; correct it, or take it out"),
                    StartsWith("clients.d/c.toml: this included file can't be read: No such "
                               "file"),
                    StartsWith("clients.d/d.toml:1:")));
}

TEST_F(TomlIncludeTest, TheSettingIsAFolder) {
    const auto with = [this](const std::string& value) {
        folder.write("c.toml", "include = " + value + "\n[clients]\n");
        return said();
    };
    EXPECT_THAT(with("\"clients.d\""), IsEmpty());
    EXPECT_THAT(with("\"clients.d/\""), IsEmpty());
    EXPECT_THAT(with('"' + (folder / "clients.d") + '"'), IsEmpty());
    EXPECT_THAT(with("\"clients.d/*.toml\""),
                ElementsAre(StartsWith("c.toml:1:11: include names a folder, not a pattern; write "
                                       "include = \"clients.d\"")));
    EXPECT_THAT(with("\"none.d\""),
                ElementsAre(StartsWith("c.toml:1:11: none.d: the folder of include can't be read: "
                                       "No such file or directory; make it (mkdir none.d), or")));
    EXPECT_THAT(with("\"c.toml\""), ElementsAre(HasSubstr("Not a directory; name the folder")));
    EXPECT_THAT(with("\"\""), ElementsAre(StartsWith("c.toml:1:11: include is empty")));
    EXPECT_THAT(with("false"), ElementsAre(HasSubstr("include is of the wrong type")));
    EXPECT_THAT(with("[\"clients.d\"]"), ElementsAre(HasSubstr("include is of the wrong type")));
}

TEST_F(TomlIncludeTest, WarningsAreThoseOfAllFiles) {
    file("a.toml", "[clients]\n\"dyn.example.org/k\" = \"a.example.org\"\n");
    EXPECT_THAT(said(), IsEmpty());
    ASSERT_EQ(settings.warnings.size(), 1U);
    EXPECT_EQ(settings.warnings[0].where, folder / "clients.d/a.toml:2:1");
}

}  // namespace
}  // namespace sftdyn::config
