// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/engine.hpp"

#include <gmock/gmock.h>

#include "update/fake_backend.hpp"
#include "update/usual_limits.hpp"

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::update;
using dns::DnsError;
using dns::Name;
using dns::Type;
using testing::Each;
using testing::ElementsAre;

namespace {

const std::string addr_1("\x7f\0\0\1", 4), addr_2("\x7f\0\0\2", 4);

class EngineTest : public testing::Test {
protected:
    Name host(int number, const std::string& zone = "dyn.example.org") {
        return Name::parse("h" + std::to_string(number) + "." + zone).value();
    }

    /// Submits, and gives the place where the result will be.
    const std::optional<UpdateOutcome>& want(const Name& name, const std::string& rdata,
                                             Type type = Type::a, bool reverse = false) {
        auto& place = results.emplace_back();
        DesiredRecord desired;
        desired.rrset = {hosts.number(name), type};
        desired.rdata = rdata;
        desired.reverse = desired.at_source = reverse;
        if (rdata.empty()) desired.kind = dns::ChangeKind::remove;
        engine.submit(desired, [&place](UpdateOutcome result) {
            EXPECT_FALSE(place.has_value()) << "answered twice";
            place = result;
        });
        return place;
    }
    /// As `want`, for an A and an AAAA record of each host, or whatever the desired_records are
    /// for.
    const std::vector<UpdateOutcome>& want_jointly(
        const std::vector<std::tuple<Name, Type, std::string>>& desired_records) {
        auto& place = group_results.emplace_back();
        std::vector<DesiredRecord> all;
        for (const auto& [name, type, rdata] : desired_records) {
            DesiredRecord desired;
            desired.rrset = {hosts.number(name), type};
            desired.rdata = rdata;
            if (rdata.empty()) desired.kind = dns::ChangeKind::remove;
            all.push_back(desired);
        }
        engine.submit_group(std::move(all), [&place, size = desired_records.size()](
                                                const std::vector<UpdateOutcome>& out) {
            EXPECT_TRUE(place.empty()) << "answered twice";
            EXPECT_EQ(out.size(), size);
            place = out;
        });
        return place;
    }
    const std::optional<UpdateOutcome>& want_messages(const Name& about,
                                                      std::vector<dns::UpdateMessage> messages,
                                                      std::string served = {}) {
        auto& place = results.emplace_back();
        engine.submit_messages(
            {hosts.number(about), Type::a}, std::move(messages),
            [&place](UpdateOutcome result) {
                EXPECT_FALSE(place.has_value()) << "answered twice";
                place = result;
            },
            std::move(served));
        return place;
    }
    static std::vector<UpdateStatus> statuses(const std::vector<UpdateOutcome>& all) {
        std::vector<UpdateStatus> out;
        for (const UpdateOutcome& one : all) out.push_back(one.status);
        return out;
    }
    UpdateStatus status(const std::optional<UpdateOutcome>& result) {
        return result ? result->status : static_cast<UpdateStatus>(99);
    }

    UpdateStatus run(const Name& name, const std::string& rdata, Type type = Type::a) {
        const auto& result = want(name, rdata, type);
        backend.run();
        return status(result);
    }
    void pass(base::Duration time) {
        now += time;
        engine.tick();
    }
    bool known(const Name& name, const std::string& rdata) {
        return known_table.is_served({hosts.number(name), Type::a}, rdata, base::TimePoint::min());
    }

    base::TimePoint now{1h};
    FakeBackend backend;
    HostTable hosts;
    ServedCache known_table;
    std::vector<std::string> failures;
    EngineLimits limits = [] {
        EngineLimits out = usual_limits();
        out.changes_burst = 0;
        return out;
    }();
    Engine engine{backend,
                  hosts,
                  known_table,
                  limits,
                  [this] { return now; },
                  [this](const Name& name, Type, const DnsError& failure) {
                      failures.push_back(name.text() + ": " + failure.detail);
                  }};
    std::deque<std::optional<UpdateOutcome>> results;
    std::deque<std::vector<UpdateOutcome>> group_results;
};

dns::UpdateMessage set_message(const Name& name, const std::string& rdata, Type type = Type::a) {
    dns::UpdateMessage message;
    message.updates.push_back({name, type, dns::UpdateRecord::Class::any, 0, {}});
    message.updates.push_back({name, type, dns::UpdateRecord::Class::in, 30, rdata});
    return message;
}

TEST_F(EngineTest, ChangesWhatDiffersAndKnowsItThen) {
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
    EXPECT_TRUE(known(host(1), addr_1));
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::unchanged);
    EXPECT_EQ(backend.lookups, 1U);
    EXPECT_EQ(backend.searches, 1U);
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, AsksBeforeItSaysUptodate) {
    backend.served(host(1), Type::a) = {addr_1};
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::unchanged);
    EXPECT_EQ(backend.lookups, 1U);
    EXPECT_TRUE(backend.batch_sizes.empty());
}

TEST_F(EngineTest, SeveralRecordsAreNotTheOne) {
    backend.served(host(1), Type::a) = {addr_1, addr_2};
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, FamiliesAreApart) {
    const std::string v6(16, '\1');
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    EXPECT_EQ(run(host(1), v6, Type::aaaa), UpdateStatus::committed);
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::unchanged);
    EXPECT_EQ(run(host(1), v6, Type::aaaa), UpdateStatus::unchanged);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, RemovesAnRRset) {
    backend.served(host(1), Type::a) = {addr_1, addr_2};
    EXPECT_EQ(run(host(1), ""), UpdateStatus::committed);
    EXPECT_TRUE(backend.served(host(1), Type::a).empty());
    EXPECT_EQ(run(host(1), ""), UpdateStatus::unchanged);
}

TEST_F(EngineTest, VerifiesAfterTheInterval) {
    run(host(1), addr_1);
    backend.served(host(1), Type::a) = {addr_2};
    pass(299s);
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::unchanged);
    pass(1s);
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, CollectsWhileAnUpdateIsUnderWay) {
    for (int i = 0; i < 10; ++i) want(host(i), addr_1);
    backend.run_queries();
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1));
    backend.answer(backend.take_update());
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1, 9));
    backend.run();
    for (const auto& result : results) EXPECT_EQ(status(result), UpdateStatus::committed);
}

TEST_F(EngineTest, ABatchIsBoundedByCountAndOctets) {
    limits.batch = 4;
    engine.reconfigure(limits, false);
    for (int i = 0; i < 10; ++i) want(host(i), addr_1);
    backend.run();
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1, 4, 4, 1));
    limits.batch = 1000;
    limits.batch_octets = 300;
    engine.reconfigure(limits, false);
    backend.batch_sizes.clear();
    for (int i = 0; i < 10; ++i) want(host(i), addr_2);
    backend.run();
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1, 3, 3, 3));
}

TEST_F(EngineTest, SeveralUpdatesInFlightWhenTheSettingAllows) {
    limits.updates_in_flight = 3;
    engine.reconfigure(limits, false);
    for (int i = 0; i < 5; ++i) want(host(i), addr_1);
    backend.run_queries();
    EXPECT_EQ(backend.updates.size(), 3U);
    backend.run();
    for (const auto& result : results) EXPECT_EQ(status(result), UpdateStatus::committed);
}

TEST_F(EngineTest, ZonesDoNotWaitForEachOther) {
    backend.zones.push_back(Name::parse("other.org").value());
    const auto& stuck = want(host(1), addr_1);
    backend.run_queries();
    const auto update = backend.take_update();  // never answered
    const auto& result = want(host(1, "other.org"), addr_1);
    backend.run();
    EXPECT_EQ(status(result), UpdateStatus::committed);
    EXPECT_FALSE(stuck.has_value());
}

TEST_F(EngineTest, ARefusedBatchIsSplitUntilTheCulpritStandsAlone) {
    backend.refused = {host(5).text(), host(40).text()};
    for (int i = 0; i < 64; ++i) want(host(i), addr_1);
    backend.run();
    for (int i = 0; i < 64; ++i)
        EXPECT_EQ(status(results[static_cast<std::size_t>(i)]),
                  i == 5 || i == 40 ? UpdateStatus::failed : UpdateStatus::committed)
            << i;
    // 1 + the batch of 63 + at most two halves a level and culprit, of 6 levels.
    EXPECT_LE(backend.batch_sizes.size(), 2U + 2 * 2 * 6);
    EXPECT_EQ(failures.size(), 2U);
}

TEST_F(EngineTest, ACulpritCostsItsNeighboursOnlyTheFirstTime) {
    backend.refused = {host(5).text()};
    for (int i = 0; i < 16; ++i) want(host(i), addr_1);
    backend.run();
    backend.batch_sizes.clear();
    for (int i = 0; i < 16; ++i) want(host(i), addr_2);
    backend.run();
    EXPECT_THAT(backend.batch_sizes, testing::UnorderedElementsAre(1, 1, 14));
    EXPECT_EQ(status(results[16 + 5]), UpdateStatus::failed);
    // Once it succeeds it is one of them again.
    backend.refused.clear();
    EXPECT_EQ(run(host(5), addr_2), UpdateStatus::committed);
    backend.batch_sizes.clear();
    for (int i = 0; i < 16; ++i) want(host(i), addr_1);
    backend.run();
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1, 15));
}

TEST_F(EngineTest, SuspectsDoNotStarveTheOthers) {
    for (int i = 0; i < 50; ++i) backend.refused.insert(host(i).text());
    for (int i = 0; i < 50; ++i) want(host(i), addr_1);
    backend.run();
    for (int i = 0; i < 50; ++i) want(host(i), addr_2);
    backend.run_queries();
    const auto& good = want(host(100), addr_1);
    backend.run_queries();
    for (int messages = 0; messages < 2; ++messages) {
        backend.answer(backend.take_update());
        backend.run_queries();
    }
    EXPECT_EQ(status(good), UpdateStatus::committed);
    backend.run();
}

TEST_F(EngineTest, WishesOfOneHostKeepTheirOrder) {
    for (int i = 0; i < 9; ++i) want(host(1), i % 2 == 0 ? addr_1 : addr_2);
    backend.run();
    for (const auto& result : results) EXPECT_EQ(status(result), UpdateStatus::committed);
    EXPECT_THAT(backend.batch_sizes, Each(1));
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, EqualWishesShareOneChange) {
    for (int i = 0; i < 9; ++i) want(host(1), addr_1);
    backend.run();
    EXPECT_EQ(backend.batch_sizes.size(), 1U);
    EXPECT_EQ(status(results[0]), UpdateStatus::committed);
    for (std::size_t i = 1; i < 9; ++i) EXPECT_EQ(status(results[i]), UpdateStatus::unchanged);
}

TEST_F(EngineTest, ATimeoutIsAFailureAndTheStateIsAskedAnew) {
    run(host(1), addr_1);
    const auto& result = want(host(1), addr_2);
    const auto update = backend.take_update();
    backend.carry_out(update);
    update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    EXPECT_EQ(status(result), UpdateStatus::failed);
    EXPECT_FALSE(known(host(1), addr_1));
    EXPECT_FALSE(known(host(1), addr_2));
    update.resolved();
    const unsigned before = backend.lookups;
    EXPECT_EQ(run(host(1), addr_2), UpdateStatus::unchanged);
    EXPECT_EQ(backend.lookups, before + 1);
}

TEST_F(EngineTest, NothingOvertakesAnUpdateWhoseFateIsOpen) {
    want(host(1), addr_1);
    want(host(2), addr_1);
    backend.run_queries();
    const auto update = backend.take_update();
    update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    const auto& later = want(host(1), addr_2);
    backend.run_queries();
    EXPECT_TRUE(backend.updates.empty());
    backend.carry_out(update);  // the server wakes, and does it after all
    update.resolved();
    backend.run();
    EXPECT_EQ(status(later), UpdateStatus::committed);
    EXPECT_EQ(status(results[1]), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_2));
}

TEST_F(EngineTest, ABlockedZoneAnswersWithinTheDeadlineAndSaysWhy) {
    want(host(1), addr_1);
    backend.run_queries();
    const auto update = backend.take_update();
    update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    const auto& late = want(host(2), addr_1);
    backend.run_queries();
    pass(4900ms);
    EXPECT_FALSE(late.has_value());
    pass(100ms);
    EXPECT_EQ(status(late), UpdateStatus::failed);
    EXPECT_THAT(failures.back(),
                testing::HasSubstr("an earlier UPDATE of the zone is still unanswered"));
    update.resolved();
    backend.run();
    EXPECT_EQ(engine.slots(), 0U);
    EXPECT_EQ(run(host(2), addr_1), UpdateStatus::committed);
}

TEST_F(EngineTest, AnswersWithinTheDeadlineWhateverTheBackendDoes) {
    const auto& searching = want(host(1), addr_1);
    pass(5s);
    EXPECT_EQ(status(searching), UpdateStatus::failed);
    backend.run();
    EXPECT_TRUE(backend.batch_sizes.empty());
    EXPECT_EQ(engine.slots(), 0U);

    const auto& asking = want(host(2), addr_1);
    backend.run_searches();
    pass(5s);
    EXPECT_EQ(status(asking), UpdateStatus::failed);
    backend.run();
    EXPECT_TRUE(backend.batch_sizes.empty());

    const auto& in_flight = want(host(3), addr_1);
    backend.run_queries();
    pass(5s);
    EXPECT_EQ(status(in_flight), UpdateStatus::failed);
    backend.run();
    EXPECT_TRUE(known(host(3), addr_1));  // it came late, but it came
    EXPECT_EQ(engine.slots(), 0U);
    EXPECT_FALSE(engine.busy());
}

TEST_F(EngineTest, AChangeGivenUpWhileItWaitsIsNotSent) {
    want(host(1), addr_1);
    backend.run_queries();
    want(host(2), addr_1);
    backend.run_queries();
    pass(5s);
    backend.run();
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1));
    EXPECT_TRUE(backend.served(host(2), Type::a).empty());
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, AWishBehindOneThatWasGivenUpIsServed) {
    want(host(1), addr_1);
    backend.run_queries();
    want(host(2), addr_1);
    backend.run_queries();
    pass(3s);
    const auto& second = want(host(2), addr_2);
    pass(2s);
    backend.run();
    EXPECT_EQ(status(second), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(2), Type::a), ElementsAre(addr_2));
}

TEST_F(EngineTest, AFailedSearchFailsTheWish) {
    const auto& result = want(host(1, "elsewhere.net"), addr_1);
    backend.run();
    EXPECT_EQ(status(result), UpdateStatus::failed);
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, AZoneThatMovedIsFoundAgain) {
    run(host(1), addr_1);
    backend.refused = {host(1).text()};
    EXPECT_EQ(run(host(1), addr_2), UpdateStatus::failed);
    const unsigned before = backend.searches;
    backend.refused.clear();
    EXPECT_EQ(run(host(1), addr_2), UpdateStatus::committed);
    EXPECT_EQ(backend.searches, before + 1);
}

TEST_F(EngineTest, QueriesInFlightAreBounded) {
    limits.queries_in_flight = 7;
    engine.reconfigure(limits, false);
    for (int i = 0; i < 500; ++i) want(host(i), addr_1);
    backend.run();
    EXPECT_LE(backend.most_queries, 7U);
    for (const auto& result : results) EXPECT_EQ(status(result), UpdateStatus::committed);
}

TEST_F(EngineTest, AFullQueueIsSaidAtOnce) {
    limits.queue = 3;
    engine.reconfigure(limits, false);
    run(host(0), addr_1);
    for (int i = 0; i < 5; ++i) want(host(0), addr_2);
    EXPECT_EQ(status(results[4]), UpdateStatus::overloaded);
    EXPECT_GT(results[4]->retry_after, 0s);
    backend.run();
    EXPECT_EQ(run(host(0), addr_1), UpdateStatus::committed);
}

TEST_F(EngineTest, ABudgetBoundsTheChangesOfAHost) {
    limits.changes_burst = 10;
    engine.reconfigure(limits, false);
    std::size_t committed = 0, abused = 0;
    for (int second = 0; second < 60; ++second) {
        const UpdateStatus got = run(host(1), second % 2 == 0 ? addr_1 : addr_2);
        committed += got == UpdateStatus::committed;
        abused += got == UpdateStatus::over_budget;
        pass(1s);
    }
    EXPECT_EQ(committed, 11U);
    EXPECT_EQ(backend.batch_sizes.size(), 11U);
    EXPECT_GT(abused, 20U);
    EXPECT_EQ(run(host(2), addr_1), UpdateStatus::committed);
    // After the minute there is one more, and then none for the next 30 s.
    const std::string now_served = backend.served(host(1), Type::a)[0];
    EXPECT_EQ(run(host(1), now_served == addr_1 ? addr_2 : addr_1), UpdateStatus::committed);
    const auto& result = want(host(1), now_served);
    backend.run();
    ASSERT_EQ(status(result), UpdateStatus::over_budget);
    EXPECT_LE(result->retry_after, 30s);
    EXPECT_GT(result->retry_after, 0s);
}

TEST_F(EngineTest, AFloodBeyondTheBudgetLeavesNothingBehind) {
    limits.changes_burst = 1;
    engine.reconfigure(limits, false);
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(status(want(host(1), addr_2)), UpdateStatus::over_budget);
    EXPECT_EQ(engine.deadlines(), 0U);
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, AFailedChangeCostsNoBudget) {
    limits.changes_burst = 1;
    engine.reconfigure(limits, false);
    backend.refused = {host(1).text()};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(run(host(1), addr_1), UpdateStatus::failed);
    backend.refused.clear();
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    EXPECT_EQ(run(host(1), addr_2), UpdateStatus::over_budget);
}

TEST_F(EngineTest, ServersThatChangeGiveNoBudgetBackForWhatWasDone) {
    limits.changes_burst = 1;
    limits.updates_in_flight = 2;
    limits.freshness = 0s;
    engine.reconfigure(limits, false);
    const auto& first = want(host(1), addr_1);
    want(host(2), addr_1);
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 2U);
    const auto& second = want(host(1), addr_2);
    auto done = backend.take_update(), lost = backend.take_update();
    ASSERT_EQ(done.changes.front().owner, host(1));
    lost.done(FakeBackend::failure(dns::ErrorKind::timeout));
    backend.answer(done);  // what is behind it can't ask while the other is in doubt
    engine.reconfigure(limits, true);
    lost.resolved();
    backend.run();
    EXPECT_EQ(status(first), UpdateStatus::committed);
    EXPECT_EQ(status(second), UpdateStatus::over_budget);
}

TEST_F(EngineTest, ReconfiguringAsksAnew) {
    run(host(1), addr_1);
    engine.reconfigure(limits, true);
    EXPECT_FALSE(known(host(1), addr_1));
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::unchanged);
    EXPECT_EQ(backend.searches, 2U);
}

TEST_F(EngineTest, ReconfiguringWithWorkUnderWayLosesNothing) {
    for (int i = 0; i < 20; ++i) want(host(i), addr_1);
    backend.run_searches();
    backend.answer(backend.take_query());
    engine.reconfigure(limits, true);
    backend.run();
    // The one that was under way is asked for anew: what the former server said is told to nobody.
    for (const auto& result : results)
        EXPECT_EQ(status(result),
                  &result == &results.front() ? UpdateStatus::unchanged : UpdateStatus::committed);
    EXPECT_EQ(engine.slots(), 0U);
}

class EngineMoveTest : public EngineTest {
protected:
    /// The host moves to a zone of its own, whose server has nothing yet.
    void move() {
        backend.zones = {*Name::parse("h1.dyn.example.org"), *Name::parse("dyn.example.org")};
        backend.served(host(1), Type::a).clear();
        engine.reconfigure(limits, true);
    }
    void expect_moved(const std::optional<UpdateOutcome>& result) {
        backend.run();
        EXPECT_EQ(status(result), UpdateStatus::committed);
        EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
        EXPECT_EQ(backend.last_zone.text(), "h1.dyn.example.org");
        EXPECT_EQ(engine.waiting(), 0U);
        EXPECT_EQ(engine.slots(), 0U);
    }
};

TEST_F(EngineMoveTest, WhileItsZoneIsLookedFor) {
    const auto& result = want(host(1), addr_1);
    move();
    expect_moved(result);
}

TEST_F(EngineMoveTest, WhileItIsAskedFor) {
    const auto& result = want(host(1), addr_1);
    backend.run_searches();
    const auto query = backend.take_query();
    move();
    query.done(ServedRecords{.rdata = {addr_1}});  // the former server has it
    expect_moved(result);
}

TEST_F(EngineMoveTest, WhileItWaitsForItsTurn) {
    EXPECT_EQ(run(host(2), addr_1), UpdateStatus::committed);
    want(host(2), addr_2);
    const auto& result = want(host(1), addr_1);
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    move();
    expect_moved(result);
}

TEST_F(EngineMoveTest, WhileItIsSent) {
    for (const bool refuse : {false, true}) {
        backend.zones = {*Name::parse("dyn.example.org")};
        backend.served(host(1), Type::a).clear();
        engine.reconfigure(limits, true);
        const auto& result = want(host(1), addr_1);
        backend.run_queries();
        ASSERT_EQ(backend.updates.size(), 1U);
        auto update = backend.take_update();
        move();
        if (refuse) {
            update.done(FakeBackend::failure(dns::ErrorKind::rcode));
        } else {
            update.done(dns::Answer{});
        }
        update.resolved();
        expect_moved(result);
    }
}

TEST_F(EngineMoveTest, WhileItsZoneIsBlocked) {
    EXPECT_EQ(run(host(2), addr_1), UpdateStatus::committed);
    want(host(2), addr_2);
    backend.run_queries();
    auto update = backend.take_update();
    update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    const auto& result = want(host(1), addr_1);
    backend.run_searches();
    EXPECT_TRUE(backend.queries.empty());
    move();
    expect_moved(result);
    update.resolved();
    backend.run();
}

TEST_F(EngineMoveTest, TogetherWithAnotherThatWasAnsweredBefore) {
    backend.zones = {*Name::parse("h2.dyn.example.org"), *Name::parse("dyn.example.org")};
    const auto& together = want_jointly({{host(1), Type::a, addr_1}, {host(2), Type::a, addr_1}});
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 2U);
    const bool first = backend.updates.front().changes.front().owner == host(1);
    auto mine = first ? backend.take_update() : std::move(backend.updates.back());
    if (!first) backend.updates.pop_back();
    backend.answer(backend.take_update());
    backend.zones.push_back(*Name::parse("h1.dyn.example.org"));
    move();
    backend.answer(mine);
    backend.run();
    EXPECT_EQ(statuses(together).size(), 2U);
    EXPECT_EQ(statuses(together)[1], UpdateStatus::failed)
        << "nobody knows what the new server has";
    EXPECT_EQ(engine.slots(), 0U);
    EXPECT_EQ(engine.waiting(), 0U);
}

TEST_F(EngineTest, NothingIsAskedOrSentBeforeTheFirstContact) {
    backend.hold_contacts = true;
    const auto& result = want(host(1), addr_1);
    want_messages(host(2), {set_message(host(2), addr_1)});
    backend.run_searches();
    EXPECT_EQ(backend.contacts, 1U);
    EXPECT_TRUE(backend.queries.empty() && backend.updates.empty());
    backend.make_contact();
    backend.run();
    EXPECT_EQ(status(result), UpdateStatus::committed);
    EXPECT_EQ(run(host(1), addr_2), UpdateStatus::committed);
    EXPECT_EQ(backend.contacts, 1U);
}

TEST_F(EngineTest, WhatWaitsFailsWithTheReasonThatTheFenceMeets) {
    EXPECT_EQ(run(host(3), addr_1), UpdateStatus::committed);
    EXPECT_EQ(run(host(4), addr_1), UpdateStatus::committed);
    want(host(3), addr_2);
    const auto& queued = want(host(4), addr_2);
    auto update = backend.take_update();
    update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    const auto& held = want(host(1), addr_1);
    const auto& script = want_messages(host(2), {set_message(host(2), addr_1)});
    backend.run_searches();
    failures.clear();
    DnsError reason = FakeBackend::failure(dns::ErrorKind::bad_key);
    reason.detail = "the key is gone";
    backend.block(reason);
    for (const auto* result : {&queued, &held, &script})
        EXPECT_EQ(status(*result), UpdateStatus::failed);
    ASSERT_EQ(failures.size(), 3U);
    for (const auto& failure : failures)
        EXPECT_THAT(failure, testing::HasSubstr("the key is gone"));
    update.resolved();
    backend.run();
    EXPECT_EQ(engine.slots(), 0U);
    backend.block(FakeBackend::failure(dns::ErrorKind::bad_key));  // nothing is in doubt any more
    EXPECT_EQ(run(host(4), addr_2), UpdateStatus::committed);
}

TEST_F(EngineTest, AShorterTimeoutIsKeptThoughOthersWaitLonger) {
    limits.timeout = 20s;
    engine.reconfigure(limits, false);
    const auto& slow = want(host(1), addr_1);
    limits.timeout = 2s;
    engine.reconfigure(limits, false);
    const auto& quick = want(host(2), addr_1);
    const auto& script = want_messages(host(3), {set_message(host(3), addr_1)});
    pass(3s);
    EXPECT_EQ(status(quick), UpdateStatus::failed);
    EXPECT_EQ(status(script), UpdateStatus::failed);
    EXPECT_EQ(status(slow), static_cast<UpdateStatus>(99));
    backend.run();
}

TEST_F(EngineTest, AZoneMayHaveATimeOfItsOwn) {
    const Name patient = Name::parse("patient.org").value();
    limits.zone_timeouts = {{patient, 20s}, {Name::parse("quick.org").value(), 1s}};
    engine.reconfigure(limits, false);
    const auto& usual = want(host(1), addr_1);
    const auto& slow = want(host(1, "patient.org"), addr_1);
    const auto& quick = want(host(1, "quick.org"), addr_1);
    const auto& script =
        want_messages(host(2, "patient.org"), {set_message(host(2, "patient.org"), addr_1)});
    const auto& group =
        want_jointly({{host(3), Type::a, addr_1}, {host(3, "patient.org"), Type::a, addr_1}});
    constexpr auto waits = static_cast<UpdateStatus>(99);
    pass(2s);
    EXPECT_EQ(status(quick), UpdateStatus::failed);
    EXPECT_EQ(status(usual), waits);
    pass(limits.timeout);
    EXPECT_EQ(status(usual), UpdateStatus::failed);
    EXPECT_EQ(status(slow), waits);
    EXPECT_EQ(status(script), waits);
    EXPECT_TRUE(group.empty()) << "they are done together";
    pass(20s);
    EXPECT_EQ(status(slow), UpdateStatus::failed);
    EXPECT_EQ(status(script), UpdateStatus::failed);
    EXPECT_EQ(group.size(), 2U);
    backend.run();
}

TEST_F(EngineTest, MessagesOfAHostKeepTheirPlaceAmongItsWishes) {
    EXPECT_EQ(run(host(9), addr_1), UpdateStatus::committed);
    want(host(9), addr_2);  // keeps the zone busy
    const auto& desired = want(host(1), addr_1);
    backend.run_queries();
    const auto& script = want_messages(host(1), {set_message(host(1), addr_2)});
    const auto& last = want(host(1), std::string("\x09\x09\x09\x09", 4));
    std::vector<std::string> served;
    while (!backend.updates.empty() || !backend.queries.empty() || !backend.queue.empty()) {
        backend.run_queries();
        if (backend.updates.empty()) break;
        backend.answer(backend.take_update());
        const auto& records = backend.served(host(1), Type::a);
        if (!records.empty() && (served.empty() || served.back() != records.front()))
            served.push_back(records.front());
    }
    EXPECT_THAT(served, ElementsAre(addr_1, addr_2, std::string("\x09\x09\x09\x09", 4)));
    for (const auto* result : {&desired, &script, &last})
        EXPECT_EQ(status(*result), UpdateStatus::committed);
}

TEST_F(EngineTest, TwoScriptsOfAHostDoNotMix) {
    const auto parts = [&](const std::string& rdata) {
        auto whole = set_message(host(1), rdata);
        std::vector<dns::UpdateMessage> out(2);
        out[0].updates = {whole.updates[0]};
        out[1].updates = {whole.updates[1]};
        return out;
    };
    const auto& first = want_messages(host(1), parts(addr_1));
    const auto& second = want_messages(host(1), parts(addr_2));
    backend.run();
    EXPECT_EQ(status(first), UpdateStatus::committed);
    EXPECT_EQ(status(second), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_2));
    EXPECT_EQ(engine.waiting(), 0U);
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, WhatAScriptHasMadeIsLookedAtBeforeItIsMadeAgain) {
    backend.served(host(1), Type::a) = {addr_1};
    const auto& made = want_messages(host(1), {set_message(host(1), addr_1)}, addr_1);
    backend.run();
    EXPECT_EQ(status(made), UpdateStatus::unchanged);
    EXPECT_TRUE(backend.batch_sizes.empty());
    backend.served(host(1), Type::a).clear();
    limits.freshness = 0s;
    engine.reconfigure(limits, false);
    const auto& again = want_messages(host(1), {set_message(host(1), addr_1)}, addr_1);
    backend.run();
    EXPECT_EQ(status(again), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, ThePointerFollowsTheAddress) {
    backend.zones.push_back(Name::parse("0.0.127.in-addr.arpa").value());
    const Name pointer_1 = Name::parse("1.0.0.127.in-addr.arpa").value(),
               pointer_2 = Name::parse("2.0.0.127.in-addr.arpa").value();
    want(host(1), addr_1, Type::a, true);
    backend.run();
    EXPECT_THAT(backend.served(pointer_1, Type::ptr), ElementsAre(host(1).bytes()));
    want(host(1), addr_2, Type::a, true);
    backend.run();
    EXPECT_TRUE(backend.served(pointer_1, Type::ptr).empty());
    EXPECT_THAT(backend.served(pointer_2, Type::ptr), ElementsAre(host(1).bytes()));
    EXPECT_EQ(status(results.back()), UpdateStatus::committed);
}

TEST_F(EngineTest, AForeignPointerStaysWhenTheAddressIsLeft) {
    backend.zones.push_back(Name::parse("0.0.127.in-addr.arpa").value());
    const Name pointer_1 = Name::parse("1.0.0.127.in-addr.arpa").value();
    want(host(1), addr_1, Type::a, true);
    backend.run();
    backend.served(pointer_1, Type::ptr) = {host(9).bytes()};
    want(host(1), addr_2, Type::a, true);
    backend.run();
    EXPECT_THAT(backend.served(pointer_1, Type::ptr), ElementsAre(host(9).bytes()));
}

TEST_F(EngineTest, AForeignPointerIsNotReplaced) {
    backend.zones.push_back(Name::parse("0.0.127.in-addr.arpa").value());
    const Name pointer_1 = Name::parse("1.0.0.127.in-addr.arpa").value();
    backend.served(pointer_1, Type::ptr) = {host(9).bytes()};
    const auto& result = want(host(1), addr_1, Type::a, true);
    backend.run();
    EXPECT_EQ(status(result), UpdateStatus::committed);
    EXPECT_THAT(backend.served(pointer_1, Type::ptr), ElementsAre(host(9).bytes()));
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_THAT(failures.front(),
                testing::HasSubstr("PTR record of another name, h9.dyn.example.org"));
}

TEST_F(EngineTest, APointerThatAppearsMeanwhileIsNotReplaced) {
    backend.zones.push_back(Name::parse("0.0.127.in-addr.arpa").value());
    const Name pointer_1 = Name::parse("1.0.0.127.in-addr.arpa").value();
    want(host(1), addr_1, Type::a, true);
    backend.run_queries();
    backend.answer(backend.take_update());
    backend.run_queries();
    backend.served(pointer_1, Type::ptr) = {host(9).bytes()};
    backend.run();
    EXPECT_THAT(backend.served(pointer_1, Type::ptr), ElementsAre(host(9).bytes()));
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, AnAddressThatTheRequestDidNotComeFromGetsNoPointer) {
    backend.zones.push_back(Name::parse("0.0.127.in-addr.arpa").value());
    const Name pointer_1 = Name::parse("1.0.0.127.in-addr.arpa").value(),
               pointer_2 = Name::parse("2.0.0.127.in-addr.arpa").value();
    want(host(1), addr_1, Type::a, true);
    backend.run();
    DesiredRecord desired;
    desired.rrset = {hosts.number(host(1)), Type::a};
    desired.rdata = addr_2;
    desired.reverse = true;
    engine.submit(desired,
                  [](UpdateOutcome result) { EXPECT_EQ(result.status, UpdateStatus::committed); });
    backend.run();
    EXPECT_TRUE(backend.served(pointer_1, Type::ptr).empty());
    EXPECT_TRUE(backend.served(pointer_2, Type::ptr).empty());
}

TEST_F(EngineTest, WithoutAReverseZoneTheAddressIsStillChanged) {
    const auto& result = want(host(1), addr_1, Type::a, true);
    backend.run();
    EXPECT_EQ(status(result), UpdateStatus::committed);
}

const std::string addr6_1 = std::string(15, '\0') + "\1", addr6_2 = std::string(15, '\0') + "\2";

TEST_F(EngineTest, WhatBelongsTogetherGoesOutInOneMessage) {
    const auto& both = want_jointly({{host(1), Type::a, addr_1},
                                     {host(1), Type::aaaa, addr6_1},
                                     {host(2), Type::aaaa, addr6_2}});
    backend.run();
    EXPECT_THAT(statuses(both), Each(UpdateStatus::committed));
    EXPECT_THAT(backend.batch_sizes, ElementsAre(3));
    EXPECT_THAT(backend.served(host(2), Type::aaaa), ElementsAre(addr6_2));
    // What is right already is not sent again, and both is an answer of its own.
    const auto& one = want_jointly({{host(1), Type::a, addr_1}, {host(1), Type::aaaa, addr6_2}});
    backend.run();
    EXPECT_THAT(statuses(one), ElementsAre(UpdateStatus::unchanged, UpdateStatus::committed));
    const auto& none = want_jointly({{host(1), Type::a, addr_1}, {host(1), Type::aaaa, addr6_2}});
    EXPECT_THAT(statuses(none), Each(UpdateStatus::unchanged));
    EXPECT_EQ(engine.slots(), 0U);
    EXPECT_EQ(engine.waiting(), 0U);
}

TEST_F(EngineTest, WhatBelongsTogetherFailsTogether) {
    want_jointly({{host(1), Type::a, addr_1}, {host(2), Type::a, addr_1}});
    backend.run();
    backend.refused = {"h2.dyn.example.org"};
    const auto& both = want_jointly({{host(1), Type::a, addr_2}, {host(2), Type::a, addr_2}});
    const auto& neighbour = want(host(3), addr_1);
    backend.run();
    EXPECT_THAT(statuses(both), Each(UpdateStatus::failed));
    EXPECT_EQ(status(neighbour), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, JointsThatShareTargetsKeepTheirOrder) {
    const auto& first = want_jointly({{host(1), Type::a, addr_1}, {host(2), Type::a, addr_1}});
    const auto& second = want_jointly({{host(2), Type::a, addr_2}, {host(1), Type::a, addr_2}});
    const auto& alone = want(host(2), addr_1);
    backend.run();
    EXPECT_THAT(statuses(first), Each(UpdateStatus::committed));
    EXPECT_THAT(statuses(second), Each(UpdateStatus::committed));
    EXPECT_EQ(status(alone), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_2));
    EXPECT_THAT(backend.served(host(2), Type::a), ElementsAre(addr_1));
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, AJointThatWaitsTooLongIsGivenUpAsAWhole) {
    run(host(1), addr_1);
    // The first is ready at once; the other's zone is never found.
    const auto& both = want_jointly({{host(1), Type::a, addr_2}, {host(2), Type::a, addr_2}});
    const auto& behind = want(host(1), addr_1);
    pass(6s);
    EXPECT_THAT(statuses(both), Each(UpdateStatus::failed));
    EXPECT_EQ(engine.waiting(), 0U);
    EXPECT_TRUE(behind.has_value());
    backend.run();
    EXPECT_EQ(engine.slots(), 0U);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1)) << "neither, or both";
}

TEST_F(EngineTest, AJointWithAHostWithoutAZoneFailsAsAWhole) {
    const auto& both =
        want_jointly({{host(1), Type::a, addr_1}, {host(1, "nowhere.test"), Type::a, addr_1}});
    backend.run();
    EXPECT_THAT(statuses(both), Each(UpdateStatus::failed));
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre());
    EXPECT_EQ(engine.slots(), 0U);
    EXPECT_EQ(engine.waiting(), 0U);
}

TEST_F(EngineTest, AJointCostsAHostOneChange) {
    EngineLimits tight = limits;
    tight.changes_burst = 1;
    tight.changes_refill = 30s;
    engine.reconfigure(tight, false);
    const auto& first = want_jointly({{host(1), Type::a, addr_1}, {host(1), Type::aaaa, addr6_1}});
    backend.run();
    EXPECT_THAT(statuses(first), Each(UpdateStatus::committed));
    const auto& second = want_jointly({{host(1), Type::a, addr_1}, {host(1), Type::aaaa, addr6_2}});
    EXPECT_THAT(statuses(second), ElementsAre(UpdateStatus::unchanged, UpdateStatus::over_budget));
    // With a neighbour that has a budget: neither changes, and the neighbour keeps its own.
    const auto& third = want_jointly({{host(2), Type::a, addr_1}, {host(1), Type::a, addr_2}});
    backend.run();
    EXPECT_THAT(statuses(third), Each(UpdateStatus::over_budget));
    EXPECT_EQ(run(host(2), addr_1), UpdateStatus::committed);
}

TEST_F(EngineTest, ServersThatChangeWhileAJointGathers) {
    run(host(1), addr_1);
    const auto& both = want_jointly({{host(1), Type::a, addr_2}, {host(2), Type::a, addr_2}});
    engine.reconfigure(limits, true);
    backend.run();
    EXPECT_THAT(statuses(both), Each(UpdateStatus::committed));
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1, 2));
}

TEST_F(EngineTest, ServersThatChangeTwiceWhileAnAtomicGroupIsSent) {
    const auto& both = want_jointly({{host(1), Type::a, addr_1}, {host(2), Type::a, addr_1}});
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    engine.reconfigure(limits, true);
    engine.reconfigure(limits, true);
    backend.run();
    EXPECT_THAT(statuses(both), Each(UpdateStatus::unchanged)) << "it is decided anew, once";
    EXPECT_EQ(engine.waiting(), 0U);
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, ServersThatChangeWhileAMessageIsSentGetAllOfTheScript) {
    const auto& script =
        want_messages(host(1), {set_message(host(1), addr_1), set_message(host(2), addr_2)});
    backend.run_searches();
    backend.answer(backend.take_update());
    backend.run_searches();
    ASSERT_EQ(backend.updates.size(), 1U);
    backend.server = 1;
    engine.reconfigure(limits, true);
    backend.answer(backend.take_update());  // the former server has done both
    EXPECT_EQ(status(script), static_cast<UpdateStatus>(99));
    backend.run();
    EXPECT_EQ(status(script), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
    EXPECT_THAT(backend.served(host(2), Type::a), ElementsAre(addr_2));
    EXPECT_EQ(engine.slots(), 0U);
}

TEST_F(EngineTest, MessagesGoOutOneAfterTheOther) {
    const auto& result =
        want_messages(host(1), {set_message(host(1), addr_1), set_message(host(2), addr_2)});
    backend.run_searches();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_EQ(status(result), static_cast<UpdateStatus>(99));
    backend.answer(backend.take_update());
    backend.run_searches();
    ASSERT_EQ(backend.updates.size(), 1U);
    backend.answer(backend.take_update());
    EXPECT_EQ(status(result), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(2), Type::a), ElementsAre(addr_2));
    EXPECT_EQ(engine.waiting(), 0U);
    pass(1ms);
    EXPECT_EQ(engine.deadlines(), 0U);
}

TEST_F(EngineTest, ARefusedMessageDoesNotKeepBackTheNext) {
    backend.refused = {host(1).text()};
    const auto& result =
        want_messages(host(1), {set_message(host(1), addr_1), set_message(host(2), addr_2)});
    backend.run();
    EXPECT_EQ(status(result), UpdateStatus::failed);
    EXPECT_THAT(backend.served(host(2), Type::a), ElementsAre(addr_2));
    EXPECT_EQ(failures.size(), 1U);
}

TEST_F(EngineTest, AMessageThatIsNotAnsweredEndsItsSeries) {
    const auto& result =
        want_messages(host(1), {set_message(host(1), addr_1), set_message(host(2), addr_2)});
    backend.run_searches();
    auto update = backend.take_update();
    update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    EXPECT_EQ(status(result), UpdateStatus::failed);
    // Nothing is asked or sent that could overtake it.
    const auto& desired = want(host(1), addr_2);
    backend.run_searches();
    EXPECT_TRUE(backend.queries.empty());
    backend.carry_out(update);
    update.resolved();
    backend.run();
    EXPECT_EQ(status(desired), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_2));
    EXPECT_THAT(backend.served(host(2), Type::a), ElementsAre());
}

TEST_F(EngineTest, WhatAMessageChangedIsAskedAnew) {
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    want_messages(host(2), {set_message(host(1), addr_2)});
    backend.run();
    EXPECT_FALSE(known(host(1), addr_1));
    EXPECT_EQ(run(host(1), addr_1), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, AnAnswerThatAMessageHasOvertakenIsNotBelieved) {
    EXPECT_EQ(run(host(2), addr_1), UpdateStatus::committed);  // the zone is known
    backend.served(host(1), Type::a) = {addr_1};
    const auto& desired = want(host(1), addr_1);
    backend.run_searches();
    const auto query = backend.take_query();
    want_messages(host(2), {set_message(host(1), addr_2)});
    backend.run_searches();
    backend.answer(backend.take_update());
    query.done(ServedRecords{.rdata = {addr_1}});  // asked before, and answered after
    EXPECT_EQ(status(desired), static_cast<UpdateStatus>(99));
    backend.run();
    EXPECT_EQ(status(desired), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, MessagesAndBatchesTakeTurns) {
    EXPECT_EQ(run(host(9), addr_1), UpdateStatus::committed);
    for (int i = 1; i <= 3; ++i) want_messages(host(i), {set_message(host(i), addr_1)});
    want(host(4), addr_1);
    backend.run_searches();
    backend.answer(backend.take_update());  // the first message
    backend.run_queries();
    std::string order;
    while (!backend.updates.empty()) {
        order += backend.updates.front().message ? "m" : "b";
        backend.answer(backend.take_update());
        backend.run_queries();
    }
    EXPECT_EQ(order, "mbm");
}

TEST_F(EngineTest, AMessageGoesAlone) {
    EngineLimits wide = limits;
    wide.updates_in_flight = 4;
    engine.reconfigure(wide, false);
    EXPECT_EQ(run(host(9), addr_1), UpdateStatus::committed);
    want(host(1), addr_1);
    backend.run_queries();
    EXPECT_EQ(backend.updates.size(), 1U);
    want_messages(host(2), {set_message(host(2), addr_1)});
    backend.run_searches();
    EXPECT_EQ(backend.updates.size(), 1U) << "not beside a batch";
    backend.answer(backend.take_update());
    ASSERT_EQ(backend.updates.size(), 1U);
    want(host(3), addr_1);
    backend.run_queries();
    EXPECT_EQ(backend.updates.size(), 1U) << "and no batch beside it";
    backend.run();
    EXPECT_THAT(backend.served(host(3), Type::a), ElementsAre(addr_1));
}

TEST_F(EngineTest, MessagesHaveDeadlinesBudgetsAndABoundedQueue) {
    EngineLimits tight = limits;
    tight.changes_burst = 1;
    tight.changes_refill = 30s;
    tight.queue = 2;
    engine.reconfigure(tight, false);
    const auto& first = want_messages(host(1), {set_message(host(1), addr_1)});
    const auto& second = want_messages(host(1), {set_message(host(1), addr_2)});
    EXPECT_EQ(status(second), UpdateStatus::over_budget);
    const auto& third = want_messages(host(2), {set_message(host(2), addr_2)});
    const auto& fourth = want_messages(host(3), {set_message(host(3), addr_2)});
    EXPECT_EQ(status(fourth), UpdateStatus::overloaded);
    pass(6s);
    EXPECT_EQ(status(first), UpdateStatus::failed);
    EXPECT_EQ(status(third), UpdateStatus::failed);
    EXPECT_FALSE(engine.busy());
    backend.run();
    // What failed costs nothing.
    const auto& again = want_messages(host(1), {set_message(host(1), addr_1)});
    backend.run();
    EXPECT_EQ(status(again), UpdateStatus::committed);
}

TEST_F(EngineTest, AZoneThatIsSaidIsBelievedWhereNoneIsKnown) {
    const HostId one = hosts.number(host(1)), two = hosts.number(host(2));
    const Name zone = *Name::parse("dyn.example.org"), other = *Name::parse("example.org");
    EXPECT_TRUE(engine.believe_zone(one, zone));
    EXPECT_TRUE(engine.believe_zone(one, zone));
    EXPECT_FALSE(engine.believe_zone(one, other));
    const auto& desired = want(host(1), addr_1);
    EXPECT_EQ(backend.searches, 0);
    want(host(2), addr_1);  // it is asked for its zone now
    EXPECT_FALSE(engine.believe_zone(two, zone));
    backend.run();
    EXPECT_EQ(status(desired), UpdateStatus::committed);
    EXPECT_TRUE(engine.believe_zone(two, zone));
}

}  // namespace
