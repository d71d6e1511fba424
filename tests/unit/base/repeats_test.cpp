#include "base/repeats.hpp"

#include <vector>

#include <gmock/gmock.h>

using namespace std::chrono_literals;
using sftdyn::base::Repeats;
using sftdyn::base::TimePoint;
using testing::ElementsAre;

namespace {

class RepeatsTest : public testing::Test {
protected:
    std::vector<std::string> said;
    Repeats repeats{[this](const std::string& line) { said.push_back(line); }, 60s};
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

TEST_F(RepeatsTest, ManyKindsDoNotGrowWithoutBound) {
    for (int i = 0; i < 3000; ++i) repeats.add(std::to_string(i), "x", start);
    EXPECT_EQ(said.size(), 3000U);
}

}  // namespace
