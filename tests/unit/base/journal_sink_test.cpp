// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/journal_sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/unix_datagram.hpp"
#include "child_process.hpp"
#include "datagram_receiver.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::base::log {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

/// A test that is the journal.
class JournalSinkTest : public testing::Test {
protected:
    ~JournalSinkTest() override { fields_now = nullptr; }

    void say(spdlog::level::level_enum level, std::string_view text) const {
        sink->log(spdlog::details::log_msg("", level, {text.data(), text.size()}));
    }

    DatagramReceiver journal;
    const std::shared_ptr<spdlog::sinks::sink> sink =
        journal_sink_to(connect_unix_datagram(journal.name()));
};

TEST_F(JournalSinkTest, ALineIsAMessageWithItsPriority) {
    using spdlog::level::level_enum;
    const std::pair<level_enum, const char*> priorities[] = {
        {level_enum::critical, "2"}, {level_enum::err, "3"},   {level_enum::warn, "4"},
        {level_enum::info, "6"},     {level_enum::debug, "7"}, {level_enum::trace, "7"}};
    for (const auto& [level, priority] : priorities) {
        say(level, "a line = x");
        EXPECT_THAT(journal.received(),
                    ElementsAre(fmt::format(
                        "MESSAGE=a line = x\nPRIORITY={}\nSYSLOG_IDENTIFIER=sftdyn\n", priority)));
    }
}

TEST_F(JournalSinkTest, TheEventsFieldsStandBehind) {
    const Fields fields{{"SFTDYN_HOST", "h.example.org"}, {"SFTDYN_EMPTY", ""}};
    fields_now = &fields;
    say(spdlog::level::info, "text");
    const std::string line = "MESSAGE=text\nPRIORITY=6\nSYSLOG_IDENTIFIER=sftdyn\n";
    EXPECT_THAT(journal.received(),
                ElementsAre(line + "SFTDYN_HOST=h.example.org\nSFTDYN_EMPTY=\n"));
    fields_now = nullptr;
    say(spdlog::level::info, "text");
    EXPECT_THAT(journal.received(), ElementsAre(line));
}

TEST_F(JournalSinkTest, AValueOfSeveralLinesStandsBehindItsSize) {
    std::string entry;
    append_journal_field(entry, "A", "x\ny");
    append_journal_field(entry, "B", std::string(0x1234, '\n'));
    append_journal_field(entry, "C", "z");
    EXPECT_EQ(entry, "A\n\3\0\0\0\0\0\0\0x\ny\n"s + "B\n\x34\x12\0\0\0\0\0\0"s +
                         std::string(0x1234, '\n') + "\nC=z\n");
}

TEST_F(JournalSinkTest, AJournalThatStandsStillStopsNobodyAndIsToldWhatItMissed) {
    constexpr std::size_t lines = 1000;  // more than its queue takes (unix(7), max_dgram_qlen)
    for (std::size_t i = 0; i < lines; ++i) say(spdlog::level::info, "line");
    const std::size_t taken = journal.received().size();
    ASSERT_LT(taken, lines);
    say(spdlog::level::info, "next");
    const auto said = journal.received();
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[0],
              fmt::format("MESSAGE={} lines before this one are lost: the journal did not read "
                          "them\nPRIORITY=4\nSYSLOG_IDENTIFIER=sftdyn\n",
                          lines - taken));
    EXPECT_EQ(said[1], "MESSAGE=next\nPRIORITY=6\nSYSLOG_IDENTIFIER=sftdyn\n");
}

TEST_F(JournalSinkTest, WhatTheJournalDoesNotTakeGoesToStandardError) {
    const TemporaryFolder folder;
    const std::string path = folder.write("stderr", "");
    const std::string large(1 << 20, 'a');  // more than a datagram may have
    in_child([&] {
        dup2(open(path.c_str(), O_WRONLY), STDERR_FILENO);
        say(spdlog::level::warn, "another");
        say(spdlog::level::err, large + "\ntwo lines");
        std::fflush(stderr);
        return std::string();
    });
    EXPECT_EQ(text_of_file(path), "<3>" + large + "\n<3>two lines\n");
    EXPECT_EQ(journal.received().size(), 1U);
}

TEST_F(JournalSinkTest, ItIsTheJournalOnlyWhereStandardErrorIsTheStreamThatIsNamed) {
    const auto child = [this](auto stream, std::string_view path = {}) {
        return in_child([&, path] {
            struct stat status {};
            fstat(STDERR_FILENO, &status);
            const std::string value = stream(status);
            value.empty() ? unsetenv("JOURNAL_STREAM") : setenv("JOURNAL_STREAM", value.c_str(), 1);
            std::string out = is_journal() ? "journal" : "another";
            if (journal_sink(path.empty() ? journal.name() : path) != nullptr)
                out += " with a sink";
            if (journal_socket() >= 0) out += " and a socket";
            return out;
        });
    };
    EXPECT_EQ(child([](const auto&) { return std::string(); }), "another");
    EXPECT_EQ(child([](const auto& own) { return fmt::format("{}:{}", own.st_dev, own.st_ino); }),
              "journal with a sink and a socket");
    EXPECT_EQ(child([](const auto& own) { return fmt::format("{}:{}", own.st_dev, own.st_ino); },
                    "/no/such/socket"),
              "journal");
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
