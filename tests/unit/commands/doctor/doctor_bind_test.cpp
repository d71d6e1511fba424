// SPDX-License-Identifier: GPL-3.0-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "commands/doctor/doctor.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DoctorBindTest : public testing::Test {
protected:
    DoctorBindTest() {
        fs::create_directories(folder);
        chmod(folder.c_str(), 0777);
        std::ofstream(folder / "zone");
        chmod((folder / "zone").c_str(), 0666);
        chmod(testing::TempDir().c_str(), 01777);
    }
    ~DoctorBindTest() override { fs::remove_all(folder); }

    /// What is found of a zone with that file, and that journal.
    Findings look(const std::string& file, const std::string& journal,
                  const std::string& profiles) {
        std::ofstream(folder / "named.conf")
            << "options { directory \"" << folder.string()
            << "\"; };\nzone \"dyn.example.org\" { type primary; file \"" << file << "\"; "
            << (journal.empty() ? "" : "journal \"" + journal + "\"; ")
            << "allow-update { none; }; };\n";
        std::ofstream(folder / "profiles") << profiles;
        Findings findings;
        look_at_zone_file(*dns::Name::parse("dyn.example.org"),
                          {(folder / "named.conf").string(), (folder / "profiles").string()},
                          findings);
        return findings;
    }

    const fs::path folder =
        fs::path(testing::TempDir()) / ("doctor-bind-" + std::to_string(getpid()));
};

TEST_F(DoctorBindTest, AppArmorLetsNamedWriteInItsFoldersOnly) {
    const auto confined = look("zone", "", "/usr/bin/man (enforce)\nnamed (enforce)\n");
    ASSERT_FALSE(confined.empty());
    EXPECT_EQ(confined[0].check, "apparmor");
    EXPECT_EQ(confined[0].level, Finding::Level::bad);
    EXPECT_THAT(confined[0].what, HasSubstr((folder / "zone").string()));
    EXPECT_THAT(confined[0].remedy, HasSubstr("/var/lib/bind"));
    const auto told = std::count_if(confined.begin(), confined.end(), [](const Finding& finding) {
        return finding.check == "apparmor";
    });
    EXPECT_EQ(told, 1) << "the journal comes along";
    const auto journal =
        look("/var/lib/bind/zone", (folder / "journal").string(), "/usr/sbin/named (enforce)\n");
    EXPECT_EQ(journal.at(0).check, "apparmor");
    EXPECT_THAT(journal.at(0).what, HasSubstr((folder / "journal").string()));
    for (const char* profiles :
         {"named (complain)\n", "/usr/sbin/named-checkconf (enforce)\n", ""}) {
        for (const auto& finding : look("zone", "", profiles)) EXPECT_NE(finding.check, "apparmor");
    }
    for (const auto& finding :
         look("/var/lib/bind/zone", "/var/cache/bind/zone.jnl", "named (enforce)\n"))
        EXPECT_NE(finding.check, "apparmor");
}

TEST_F(DoctorBindTest, AnotherServersZoneIsLeftAlone) {
    Findings findings;
    look("zone", "", "named (enforce)\n");
    look_at_zone_file(*dns::Name::parse("other.example"),
                      {(folder / "named.conf").string(), (folder / "profiles").string()}, findings);
    look_at_zone_file(*dns::Name::parse("dyn.example.org"),
                      {(folder / "none").string(), (folder / "profiles").string()}, findings);
    EXPECT_TRUE(findings.empty());
}

}  // namespace
}  // namespace sftdyn::commands
