// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log_throttle.hpp"

#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "base/journal_sink.hpp"

using namespace std::chrono_literals;
using sftdyn::base::LogThrottle;
using sftdyn::base::TimePoint;
using testing::ElementsAre;

namespace {

class RepeatsTest : public testing::Test {
protected:
    std::vector<std::string> said;
    LogThrottle repeats{[this](const std::string& line) { said.push_back(line); }, 60s};
    TimePoint start{};
};

TEST_F(RepeatsTest, SaysTheFirstOfEachKind) {
    repeats.add("a", "a1", start);
    repeats.add("b", "b1", start);
    repeats.add("a", "a2", start);
    EXPECT_THAT(said, ElementsAre("a1", "b1"));
}

TEST_F(RepeatsTest, SummarisesAfterTheWindow) {
    repeats.add("a", "a1", start);
    repeats.add("a", "a2", start + 10s);
    repeats.add("a", "a3", start + 20s);
    repeats.summarise(start + 59s);
    EXPECT_THAT(said, ElementsAre("a1"));
    repeats.summarise(start + 60s);
    EXPECT_THAT(said, ElementsAre("a1", "2 more like it since; the last: a3"));
    repeats.add("a", "a4", start + 61s);
    EXPECT_EQ(said.back(), "a4");
}

/// Who looks for a host finds the line that says what happened to it, or counts it.
TEST_F(RepeatsTest, ALineHasTheFieldsOfWhatItTells) {
    using sftdyn::base::log::Fields;
    std::vector<Fields> found;
    LogThrottle throttle([&found](const std::string&) {
        const auto* fields = sftdyn::base::log::fields_now;
        found.push_back(fields != nullptr ? *fields : Fields{});
    });
    const auto add = [&](const std::string& host) {
        const sftdyn::base::log::FieldScope scope({{"HOST", host}, {"OUTCOME", "fail"}});
        throttle.add("a", "text", start);
    };
    for (const char* host : {"h1", "h2", "h3", "h2"}) add(host);
    throttle.finish();
    EXPECT_THAT(found, ElementsAre(Fields{{"HOST", "h1"}, {"OUTCOME", "fail"}},
                                   Fields{{"HOST", "h2"}, {"OUTCOME", "fail"}, {"HOST", "h3"}}));
    found.clear();
    for (std::size_t i = 0; i < 1000; ++i) add(std::to_string(i));
    throttle.finish();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found.back().size(), LogThrottle::most_fields);
}

TEST_F(RepeatsTest, ADearTextIsMadeOnlyIfItIsSaid) {
    unsigned made = 0;
    const auto add = [&](const std::string& kind, TimePoint now) {
        repeats.add_lazily(
            kind,
            [&] {
                repeats.summarise(start);  // as a thread whose lock the text's maker waits for
                return kind + std::to_string(++made) + "\nmore";
            },
            now);
    };
    for (int i = 0; i < 100; ++i) add("a", start);
    EXPECT_EQ(made, 1U);
    EXPECT_THAT(said, ElementsAre("a1\nmore"));
    repeats.add("b", "b", start);
    add("b", start);
    EXPECT_EQ(made, 1U) << "that kind was said";
    repeats.add("b", "b", start);
    add("a", start + 60s);
    EXPECT_EQ(made, 2U);
    EXPECT_THAT(said, ElementsAre("a1\nmore", "b", "99 more like it since the first: a1",
                                  "2 more like it since; the last: b", "a2\nmore"));
}

TEST_F(RepeatsTest, OfDearTextsThatAreCountedTogetherOneIsMade) {
    unsigned made = 0;
    const auto add = [&](int kind) {
        repeats.add_lazily(
            std::to_string(kind), [&] { return "text " + std::to_string(++made); }, start);
    };
    for (int kind = 0; kind < 3000; ++kind) add(kind);
    EXPECT_EQ(made, LogThrottle::most_kinds + 1);
    EXPECT_EQ(said.size(), LogThrottle::most_kinds);
    repeats.finish();
    EXPECT_EQ(said.back(), "2900 more like it since the first: text 101");
}

TEST_F(RepeatsTest, WithoutAnyTextTheCountIsSaid) {
    repeats.add("a", "", start);
    repeats.add_lazily(
        "a", [] { return "never"; }, start);
    repeats.finish();
    EXPECT_THAT(said, ElementsAre("", "1 more like it since"));
}

TEST_F(RepeatsTest, LosesNothingAtTheEnd) {
    repeats.add("a", "a1", start);
    repeats.add("a", "a2", start);
    repeats.finish();
    EXPECT_THAT(said, ElementsAre("a1", "1 more like it since; the last: a2"));
}

TEST_F(RepeatsTest, SaysNoSummaryOfNothing) {
    repeats.add("a", "a1", start);
    repeats.finish();
    EXPECT_THAT(said, ElementsAre("a1"));
}

/// Whoever can make up kinds makes no more lines, and no more bookkeeping.
TEST_F(RepeatsTest, ManyKindsAreBoundedTogether) {
    for (int i = 0; i < 3000; ++i)
        repeats.add("kind " + std::to_string(i), "text " + std::to_string(i), start);
    EXPECT_EQ(said.size(), LogThrottle::most_kinds);
    repeats.summarise(start + 60s);
    ASSERT_EQ(said.size(), LogThrottle::most_kinds + 1);
    EXPECT_EQ(said.back(), "2900 more like it since; the last: text 2999");
    repeats.add("kind 1", "again", start + 61s);
    EXPECT_EQ(said.back(), "again");
}

TEST_F(RepeatsTest, AllAreSummarisedByOneCall) {
    std::vector<std::string> others;
    LogThrottle other([&others](const std::string& line) { others.push_back(line); }, 60s);
    {
        LogThrottle gone([&others](const std::string& line) { others.push_back(line); }, 60s);
        gone.add("x", "x", start);
        gone.add("x", "x", start);
    }
    for (int i = 0; i < 3; ++i) repeats.add("a", "a", start);
    for (int i = 0; i < 2; ++i) other.add("b", "b", start + 1s);
    LogThrottle::summarise_all(start + 60s);
    EXPECT_THAT(said, ElementsAre("a", "2 more like it since; the last: a"));
    EXPECT_THAT(others, ElementsAre("x", "b"));
    LogThrottle::summarise_all(start + 61s);
    EXPECT_THAT(others, ElementsAre("x", "b", "1 more like it since; the last: b"));
}

TEST_F(RepeatsTest, ManyThreadsLoseNoCount) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([this] {
            for (int n = 0; n < 1000; ++n) repeats.add("a", "a", start);
        });
    for (auto& thread : threads) thread.join();
    repeats.finish();
    EXPECT_THAT(said, ElementsAre("a", "3999 more like it since; the last: a"));
}

}  // namespace
