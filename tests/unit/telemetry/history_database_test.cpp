// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/history_database.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "names.hpp"

namespace sftdyn::telemetry {
namespace {

using boost::asio::ip::make_address;

class HistoryDatabaseTest : public testing::Test {
protected:
    ~HistoryDatabaseTest() override {
        for (const char* of : {"", "-journal"}) std::filesystem::remove(path + of);
    }

    const std::string path = testing::TempDir() + "/hosts-" + std::to_string(getpid()) + ".sqlite";
};

TEST_F(HistoryDatabaseTest, OldHostsAreForgotten) {
    update::HostTable hosts;
    History history;
    history.note({hosts.number(name("old.example")), dns::Type::a}, make_address("192.0.2.1"),
                 RequestOutcome::ok, 100);
    history.note({hosts.number(name("new.example")), dns::Type::a}, make_address("192.0.2.1"),
                 RequestOutcome::ok, 200);
    auto database = Database::open(path);
    ASSERT_FALSE((*database)->save(history.take_unsaved(), hosts).has_error());
    History again;
    EXPECT_EQ((*database)->load(again, hosts, 150).value(), 1U);
    EXPECT_TRUE(again.knows(hosts.number(name("new.example"))));
    EXPECT_FALSE(again.knows(hosts.number(name("old.example"))));
}

TEST_F(HistoryDatabaseTest, ADatabaseOfAnothersMakingIsNotUsed) {
    for (const char* sql :
         {"CREATE VIEW hosts AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
          "SELECT 'h' || i AS host, 'A' AS type, '' AS address, 1 AS checked_in, 1 AS changed, "
          "'ok' AS outcome, 0 AS stale FROM n",
          "CREATE TABLE hosts (host TEXT, type TEXT, address TEXT, checked_in INTEGER, changed "
          "INTEGER, outcome TEXT, stale INTEGER)",
          "CREATE TABLE other (x)", "CREATE VIEW v AS SELECT 1"}) {
        std::filesystem::remove(path);
        ASSERT_EQ(std::system(("sqlite3 '" + path + "' \"" + sql + "\"").c_str()), 0);
        const auto database = Database::open(path);
        ASSERT_TRUE(database.has_error()) << sql;
        EXPECT_NE(database.error().text().find("move it away"), std::string::npos);
    }
    // A trigger beside our own tables.
    std::filesystem::remove(path);
    ASSERT_TRUE(Database::open(path).has_value());
    ASSERT_EQ(
        std::system(("sqlite3 '" + path +
                     "' 'CREATE TRIGGER t AFTER INSERT ON hosts BEGIN DELETE FROM hosts; END'")
                        .c_str()),
        0);
    EXPECT_TRUE(Database::open(path).has_error());
}

TEST_F(HistoryDatabaseTest, ItsFolderMayBeALinkButTheFileMayNot) {
    const std::filesystem::path link = path + "-folder";
    std::filesystem::create_directory_symlink(std::filesystem::path(path).parent_path(), link);
    const auto by_link = link / std::filesystem::path(path).filename();
    EXPECT_TRUE(Database::open(by_link).has_value());
    EXPECT_TRUE(std::filesystem::exists(path));
    std::filesystem::remove(link);
    std::filesystem::create_symlink(path, link);
    EXPECT_TRUE(Database::open(link).has_error());
    std::filesystem::remove(link);
}

TEST_F(HistoryDatabaseTest, WhatIsNoDatabaseIsAnError) {
    std::ofstream(path) << std::string(5000, 'x');
    const auto database = Database::open(path);
    ASSERT_TRUE(database.has_error());
    EXPECT_NE(database.error().text().find(path), std::string::npos);
    EXPECT_TRUE(Database::open("/no/such/folder/hosts.sqlite").has_error());
}

}  // namespace
}  // namespace sftdyn::telemetry
