// SPDX-License-Identifier: GPL-3.0-or-later
// When an UPDATE without an answer is resolved.
#include "update/in_doubt.hpp"

#include <deque>

#include <gtest/gtest.h>

#include "manual_time.hpp"

namespace sftdyn::update {
namespace {

class InDoubtTest : public testing::Test {
protected:
    struct Fence {
        dns::Name zone;
        std::shared_ptr<void> keep;
        InDoubt::Way way;
        unsigned attempt;
        base::Duration patience;
        InDoubt::FenceDone done;
    };

    /// The fence that is under way, or the next if none is.
    Fence& fence() {
        while (fences.empty() && time->pass_to_next()) {
        }
        return fences.front();
    }
    void answer(FenceResult kind, InDoubt::Way answered, const char* why = "") {
        const Fence one = fence();
        fences.pop_front();
        one.done({kind, answered, {dns::ErrorKind::rcode, 5, "fake", why, ""}});
    }
    /// Runs what is to be done now.
    void poll() {
        time->pass(base::Duration(0));
        io.restart();
        io.poll();
    }
    std::uint64_t add(InDoubt::Way sent, bool& resolved, const dns::Name& in) {
        const std::uint64_t number = in_doubt.next_number();
        in_doubt.add(in, number, sent, nullptr, [&resolved] {
            EXPECT_FALSE(resolved) << "twice";
            resolved = true;
        });
        return number;
    }

    boost::asio::io_context io;
    std::shared_ptr<ManualTime> time = std::make_shared<ManualTime>();
    std::deque<Fence> fences;
    std::vector<std::string> reasons;
    InDoubt in_doubt{
        io, time,
        [this](const dns::Name& in, const std::shared_ptr<void>& keep, const InDoubt::Way& over,
               unsigned attempt, base::TimePoint deadline, InDoubt::FenceDone done) {
            fences.push_back({in, keep, over, attempt, deadline - time->now(), std::move(done)});
        },
        [this](const dns::Name&, const dns::DnsError& failure) {
            reasons.push_back(failure.detail);
        }};
    const dns::Name zone = dns::Name::parse("dyn.example.org").value(),
                    other = dns::Name::parse("other.example.org").value();
    int server = 0, second = 0;
    const InDoubt::Way way{&server, 1}, after{&server, 2}, elsewhere{&second, 1};
    bool a = false, b = false;
};

TEST_F(InDoubtTest, AFenceOnTheSameConnectionResolvesWhatWasSentBefore) {
    add(way, a, zone);
    EXPECT_EQ(fence().way, way);
    answer(FenceResult::passed, way);
    EXPECT_TRUE(a);
    poll();
    EXPECT_TRUE(fences.empty());
}

TEST_F(InDoubtTest, ItIsKnownHowLongAZoneHasBeenInDoubt) {
    EXPECT_TRUE(in_doubt.zones().empty());
    add(way, a, zone);
    time->pass(std::chrono::milliseconds(300));
    add(after, b, zone);
    time->pass(std::chrono::milliseconds(100));
    auto zones = in_doubt.zones();
    ASSERT_EQ(zones.size(), 1U);
    EXPECT_EQ(zones[0].zone, zone);
    EXPECT_EQ(zones[0].time, std::chrono::milliseconds(400));
    in_doubt.close();
    EXPECT_TRUE(in_doubt.zones().empty());
    EXPECT_TRUE(a && b);
}

TEST_F(InDoubtTest, AnotherConnectionTakesTwo) {
    for (const InDoubt::Way& other_way : {after, elsewhere}) {
        a = false;
        add(way, a, zone);
        answer(FenceResult::passed, other_way);
        EXPECT_FALSE(a) << "the server may not have read the old connection yet";
        answer(FenceResult::passed, other_way);
        EXPECT_TRUE(a);
    }
}

TEST_F(InDoubtTest, AFenceSentBeforeAnUpdateDoesNotResolveIt) {
    add(way, a, zone);
    fence();
    add(way, b, zone);
    answer(FenceResult::passed, way);
    EXPECT_TRUE(a);
    EXPECT_FALSE(b);
    answer(FenceResult::passed, way);
    EXPECT_TRUE(b);
}

TEST_F(InDoubtTest, TheSecondFenceIsSentAfterTheFirstWasAnswered) {
    add(way, a, zone);
    answer(FenceResult::unanswered, after);  // it may be answered yet
    const Fence second_fence = fence();
    fences.pop_front();
    add(way, b, other);
    second_fence.done({FenceResult::passed, after, {}});
    EXPECT_FALSE(a);
    while (!a) answer(FenceResult::passed, after);
    EXPECT_TRUE(a);
}

TEST_F(InDoubtTest, EachZoneHasAFenceOfItsOwn) {
    add(way, a, zone);
    add(way, b, other);
    fence();
    poll();
    ASSERT_EQ(fences.size(), 2U);
    answer(FenceResult::passed, way);
    EXPECT_NE(a, b);
    answer(FenceResult::passed, way);
    EXPECT_TRUE(a && b);
}

TEST_F(InDoubtTest, WhatIsNotAVerifiedNoErrorResolvesNothing) {
    add(way, a, zone);
    for (const FenceResult kind :
         {FenceResult::refused, FenceResult::unanswered, FenceResult::failed, FenceResult::refused,
          FenceResult::failed}) {
        answer(kind, way, "why");
        EXPECT_FALSE(a);
    }
    EXPECT_EQ(reasons, std::vector<std::string>(4, "why")) << "silence has no reason to tell";
    answer(FenceResult::passed, way);
    EXPECT_TRUE(a);
}

TEST_F(InDoubtTest, ALateAnswerToAFenceCounts) {
    add(way, a, zone);
    const Fence first = fence();
    answer(FenceResult::unanswered, way);
    EXPECT_GT(fence().attempt, first.attempt);
    first.done({FenceResult::passed, way, {}});
    EXPECT_TRUE(a);
}

TEST_F(InDoubtTest, ItsOwnAnswerResolvesIt) {
    const std::uint64_t number = add(way, a, zone);
    add(way, b, zone);
    in_doubt.answered(other, number);
    EXPECT_FALSE(a);
    in_doubt.answered(zone, number);
    EXPECT_TRUE(a);
    EXPECT_FALSE(b);
    in_doubt.answered(zone, number);
}

TEST_F(InDoubtTest, WhatAnEarlierProcessSentIsResolvedByARefusalToo) {
    in_doubt.add_unknown(zone, [this] { a = true; });
    answer(FenceResult::failed, way);
    answer(FenceResult::refused, way);
    EXPECT_FALSE(a);
    answer(FenceResult::refused, way);
    EXPECT_TRUE(a);
}

TEST_F(InDoubtTest, TheServerIsKeptUntilThen) {
    auto keep = std::make_shared<int>(1);
    const std::weak_ptr<int> kept = keep;
    in_doubt.add(zone, in_doubt.next_number(), way, std::move(keep), [this] { a = true; });
    EXPECT_EQ(fence().keep.get(), kept.lock().get());
    answer(FenceResult::passed, way);
    poll();
    EXPECT_TRUE(a && kept.expired());
}

TEST_F(InDoubtTest, WhatItsSignatureDoesNotCoverAnyMoreIsResolved) {
    add(way, a, zone);
    fence();
    time->pass(std::chrono::seconds(600) - base::Duration(1));
    answer(FenceResult::unanswered, way);
    fence();
    EXPECT_FALSE(a);
    time->pass(base::Duration(1));
    answer(FenceResult::unanswered, way);
    poll();
    EXPECT_TRUE(a);
    EXPECT_TRUE(fences.empty());
}

TEST_F(InDoubtTest, EachFenceIsAwaitedLongerThanTheOneBefore) {
    add(way, a, zone);
    for (const int seconds : {1, 2, 4, 5, 5}) {
        EXPECT_EQ(fence().patience, std::chrono::seconds(seconds));
        answer(FenceResult::unanswered, way);
        EXPECT_EQ(time->until_next(), base::Duration(0)) << "it was awaited long enough";
    }
}

TEST_F(InDoubtTest, BetweenFencesThatFailAtOnceIsAPause) {
    add(way, a, zone);
    for (const int pause : {50, 100, 200, 400, 800, 1000, 1000}) {
        answer(FenceResult::failed, way);
        EXPECT_EQ(time->until_next(), std::chrono::milliseconds(pause));
    }
    answer(FenceResult::passed, elsewhere);
    EXPECT_EQ(time->until_next(), base::Duration(0)) << "the server is back";
}

TEST_F(InDoubtTest, AtTheEndAllIsResolvedAndNothingSent) {
    add(way, a, zone);
    const Fence one = fence();
    fences.pop_front();
    in_doubt.close();
    EXPECT_TRUE(a);
    one.done({FenceResult::failed, way, {}});
    bool late = false;
    add(way, late, zone);
    EXPECT_FALSE(late) << "not from within";
    poll();
    EXPECT_TRUE(late);
    EXPECT_TRUE(fences.empty());
}

}  // namespace
}  // namespace sftdyn::update
