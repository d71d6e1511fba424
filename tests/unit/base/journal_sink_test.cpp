// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/journal_sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "child_process.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::base::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> sent;  // since the last test began

int take_fields(const iovec* fields, int count) {
    for (int i = 0; i < count; ++i)
        sent.emplace_back(static_cast<const char*>(fields[i].iov_base), fields[i].iov_len);
    return 0;
}
int take_nothing(const iovec*, int) { return -1; }

void say(SendToJournal send, spdlog::level::level_enum level, std::string_view text) {
    journal_sink_to(send)->log(spdlog::details::log_msg("", level, {text.data(), text.size()}));
}

class JournalSinkTest : public testing::Test {
protected:
    JournalSinkTest() { sent.clear(); }
    ~JournalSinkTest() override { fields_now = nullptr; }
};

TEST_F(JournalSinkTest, ALineIsAMessageWithItsPriority) {
    using spdlog::level::level_enum;
    const std::pair<level_enum, const char*> priorities[] = {
        {level_enum::critical, "2"}, {level_enum::err, "3"},   {level_enum::warn, "4"},
        {level_enum::info, "6"},     {level_enum::debug, "7"}, {level_enum::trace, "7"}};
    for (const auto& [level, priority] : priorities) {
        sent.clear();
        say(take_fields, level, "two\nlines = x");
        EXPECT_THAT(sent, ElementsAre("MESSAGE=two\nlines = x", std::string("PRIORITY=") + priority,
                                      "SYSLOG_IDENTIFIER=sftdyn"));
    }
}

TEST_F(JournalSinkTest, TheEventsFieldsStandBehind) {
    const Fields fields{{"SFTDYN_HOST", "h.example.org"}, {"SFTDYN_EMPTY", ""}};
    fields_now = &fields;
    say(take_fields, spdlog::level::info, "text");
    ASSERT_EQ(sent.size(), 5U);
    EXPECT_EQ(sent[3], "SFTDYN_HOST=h.example.org");
    EXPECT_EQ(sent[4], "SFTDYN_EMPTY=");
    fields_now = nullptr;
    sent.clear();
    say(take_fields, spdlog::level::info, "text");
    EXPECT_EQ(sent.size(), 3U);
}

TEST_F(JournalSinkTest, WhatTheJournalDoesNotTakeGoesToStandardError) {
    const TemporaryFolder folder;
    const std::string path = folder.write("stderr", "");
    in_child([&] {
        dup2(open(path.c_str(), O_WRONLY), STDERR_FILENO);
        say(take_nothing, spdlog::level::warn, "a line");
        say(take_fields, spdlog::level::warn, "another");
        std::fflush(stderr);
        return std::string();
    });
    EXPECT_EQ(text_of_file(path), "a line\n");
}

TEST_F(JournalSinkTest, ItIsTheJournalOnlyWhereStandardErrorIsTheStreamThatIsNamed) {
    const auto child = [](auto stream) {
        return in_child([&] {
            struct stat status {};
            fstat(STDERR_FILENO, &status);
            const std::string value = stream(status);
            value.empty() ? unsetenv("JOURNAL_STREAM") : setenv("JOURNAL_STREAM", value.c_str(), 1);
            return std::string(is_journal() ? "journal" : "another") +
                   (journal_sink() != nullptr ? " with a sink" : "");
        });
    };
    EXPECT_EQ(child([](const auto&) { return std::string(); }), "another");
    EXPECT_EQ(child([](const auto& own) { return fmt::format("{}:{}", own.st_dev, own.st_ino); }),
              "journal with a sink");
    EXPECT_EQ(
        child([](const auto& own) { return fmt::format("{}:{}", own.st_dev, own.st_ino + 1); }),
        "another");
    EXPECT_EQ(
        child([](const auto& own) { return fmt::format("{}:{}", own.st_dev + 1, own.st_ino); }),
        "another");
    EXPECT_EQ(child([](const auto&) { return std::string("nonsense"); }), "another");
}

}  // namespace
}  // namespace sftdyn::base::log
