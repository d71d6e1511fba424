// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/script_cache.hpp"

#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "names.hpp"

namespace sftdyn::update {
namespace {

class ScriptedTest : public testing::Test {
protected:
    static std::vector<dns::UpdateMessage> touching(const char* owner, dns::Type type) {
        dns::UpdateMessage message;
        message.updates.push_back({name(owner), type, dns::UpdateRecord::Class::any, 0, {}});
        return {message};
    }
    void run(const RrsetKey& rrset, const std::string& rdata,
             const std::vector<dns::UpdateMessage>& script) {
        scripted.end(scripted.begin(rrset, 0, script), rdata, true, start);
    }
    ScriptCache::Script begin_pair(std::uint64_t pair, const char* owner) {
        return scripted.begin({}, pair, touching(owner, dns::Type(16)));
    }
    void end(const ScriptCache::Script& script, bool committed = true) {
        scripted.end(script, "", committed, start);
    }
    void run_pair(std::uint64_t pair, const char* owner) { end(begin_pair(pair, owner)); }

    base::TimePoint start{std::chrono::hours(1)};
    HostTable hosts;
    ScriptCache scripted{hosts};
    RrsetKey v4{hosts.number(name("host.example")), dns::Type::a}, v6{v4.host, dns::Type::aaaa};
    RrsetKey other{hosts.number(name("other.example")), dns::Type::a};
};

TEST_F(ScriptedTest, ACommittedScriptIsBelieved) {
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    const auto script = scripted.begin(v4, 0, {});
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    scripted.end(script, "1", true, start);
    EXPECT_TRUE(scripted.is_scripted(v4, "1", start));
    EXPECT_FALSE(scripted.is_scripted(v4, "2", start));
    EXPECT_FALSE(scripted.is_scripted(v6, "1", start));
}

TEST_F(ScriptedTest, AFailedOneIsNot) {
    run(v4, "1", {});
    scripted.end(scripted.begin(v4, 0, {}), "1", false, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
}

TEST_F(ScriptedTest, OfTwoAtOnceNeitherIs) {
    const auto first = scripted.begin(v4, 0, {}), second = scripted.begin(v4, 0, {});
    scripted.end(first, "1", true, start);
    scripted.end(second, "2", true, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    EXPECT_FALSE(scripted.is_scripted(v4, "2", start));
    run(v4, "2", {});
    EXPECT_TRUE(scripted.is_scripted(v4, "2", start));
}

TEST_F(ScriptedTest, AScriptThatTouchesAnotherHostEndsWhatIsBelievedOfIt) {
    for (const dns::Type type : {dns::Type::a, dns::Type(255)}) {
        run(v4, "1", {});
        run(other, "2", touching("host.example", type));
        EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
        EXPECT_TRUE(scripted.is_scripted(other, "2", start));
    }
    run(v4, "1", {});
    run(other, "2", touching("host.example", dns::Type::aaaa));
    run(other, "2", touching("host.example", dns::Type(16)));
    EXPECT_TRUE(scripted.is_scripted(v4, "1", start));
}

TEST_F(ScriptedTest, AScriptThatDeletesAllOfAHostEndsTheOtherFamily) {
    run(v6, "6", touching("host.example", dns::Type(255)));
    run(v4, "4", touching("host.example", dns::Type(255)));
    EXPECT_TRUE(scripted.is_scripted(v4, "4", start));
    EXPECT_FALSE(scripted.is_scripted(v6, "6", start));
}

TEST_F(ScriptedTest, WhatElseChangesTheHostEndsIt) {
    run(v4, "1", {});
    scripted.forget(v4);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    const auto script = scripted.begin(v4, 0, {});
    scripted.forget(v4);
    scripted.end(script, "1", true, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
}

TEST_F(ScriptedTest, ItIsBelievedFromWhenItWasConfirmed) {
    run(v4, "1", {});
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start + std::chrono::seconds(1)));
    EXPECT_TRUE(scripted.is_scripted(v4, "1", base::TimePoint::min()));
}

TEST_F(ScriptedTest, AScriptThatTouchesAnotherHostIsUnderWayForItToo) {
    const auto slow = scripted.begin(other, 0, touching("host.example", dns::Type::a));
    run(v4, "1", {});
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start)) << "the other one may yet be sent";
    scripted.end(slow, "2", true, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    EXPECT_TRUE(scripted.is_scripted(other, "2", start));
    run(v4, "1", {});
    EXPECT_TRUE(scripted.is_scripted(v4, "1", start));
}

TEST_F(ScriptedTest, APairIsBelievedUntilSomethingElseTouchesANameOfItsScript) {
    const auto believed = [this] { return scripted.is_scripted(1); };
    const std::vector<std::pair<const char*, std::function<void()>>> touches = {
        {"another pair's script", [this] { run_pair(2, "host.example"); }},
        {"another pair's, that failed", [this] { end(begin_pair(2, "host.example"), false); }},
        {"its own, that failed", [this] { end(begin_pair(1, "host.example"), false); }},
        {"its own, for another name, that failed",
         [this] { end(begin_pair(1, "else.example"), false); }},
        {"a host's script", [this] { run(v4, "1", touching("host.example", dns::Type::a)); }},
        {"another host's", [this] { run(other, "1", touching("host.example", dns::Type(16))); }},
        {"a change of a record", [this] { scripted.forget(v6); }},
        {"another configuration", [this] { scripted.forget_all(); }},
    };
    EXPECT_FALSE(believed());
    for (const auto& [what, touch] : touches) {
        run_pair(1, "host.example");
        EXPECT_TRUE(believed()) << what;
        run_pair(3, "else.example");
        scripted.forget(other);
        EXPECT_TRUE(believed()) << what << ": other names' changes";
        touch();
        EXPECT_FALSE(believed()) << what;
    }
}

TEST_F(ScriptedTest, APairsScriptEndsWhatIsBelievedOfAHost) {
    run(v4, "1", {});
    run_pair(1, "host.example");
    EXPECT_TRUE(scripted.is_scripted(v4, "1", start)) << "it was a record of another type";
    end(scripted.begin(v4, 1, touching("host.example", dns::Type::a)));
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    EXPECT_FALSE(scripted.is_scripted(v4, "", start)) << "it is for the pair";
    EXPECT_TRUE(scripted.is_scripted(1));
}

TEST_F(ScriptedTest, OfPairsThatAreUnderWayAtOnceForANameNoneIsBelieved) {
    const auto first = begin_pair(1, "host.example"), second = begin_pair(2, "host.example");
    const auto apart = begin_pair(3, "other.example");
    EXPECT_FALSE(scripted.is_scripted(3));
    for (const auto* script : {&first, &second, &apart}) end(*script);
    EXPECT_FALSE(scripted.is_scripted(1));
    EXPECT_FALSE(scripted.is_scripted(2));
    EXPECT_TRUE(scripted.is_scripted(3));

    const auto slow = begin_pair(1, "host.example");
    run_pair(2, "host.example");
    EXPECT_FALSE(scripted.is_scripted(2)) << "the slow one may yet be sent";
    end(slow);
    EXPECT_FALSE(scripted.is_scripted(1));
    EXPECT_FALSE(scripted.is_scripted(2));

    const auto disturbed = begin_pair(1, "host.example");
    scripted.forget(v4);
    end(disturbed);
    EXPECT_FALSE(scripted.is_scripted(1));
    const auto old = begin_pair(1, "host.example");
    scripted.forget_all();
    end(old);
    EXPECT_FALSE(scripted.is_scripted(1)) << "it was the former configuration's";
    run_pair(1, "host.example");
    EXPECT_TRUE(scripted.is_scripted(1));
}

TEST_F(ScriptedTest, AScriptThatChangesNothingIsBelieved) {
    end(scripted.begin({}, 1, {}));
    EXPECT_TRUE(scripted.is_scripted(1));
    scripted.forget_all();
    EXPECT_FALSE(scripted.is_scripted(1));
}

TEST_F(ScriptedTest, PairsAndTheirNamesAreBounded) {
    const auto pairs = static_cast<std::uint64_t>(ScriptCache::most_known);
    const auto slow = begin_pair(pairs + 2, "host.example");
    run_pair(1, "other.example");  // counts as two
    for (std::uint64_t pair = 2; pair < pairs; ++pair) end(scripted.begin({}, pair, {}));
    EXPECT_TRUE(scripted.is_scripted(1));
    EXPECT_TRUE(scripted.is_scripted(pairs - 1));
    end(scripted.begin({}, pairs, {}));
    EXPECT_FALSE(scripted.is_scripted(1));
    EXPECT_FALSE(scripted.is_scripted(pairs - 1));
    EXPECT_TRUE(scripted.is_scripted(pairs));
    end(slow);
    EXPECT_TRUE(scripted.is_scripted(pairs + 2)) << "nothing has touched its name";
}

TEST_F(ScriptedTest, AnotherConfEndsAll) {
    run(v4, "1", {});
    const auto script = scripted.begin(other, 0, {});
    scripted.forget_all();
    scripted.end(script, "2", true, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    EXPECT_FALSE(scripted.is_scripted(other, "2", start));
}

}  // namespace
}  // namespace sftdyn::update
