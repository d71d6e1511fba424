// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/script_cache.hpp"

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
        scripted.begin(rrset, script);
        scripted.end(rrset, rdata, true, start);
    }

    base::TimePoint start{std::chrono::hours(1)};
    HostTable hosts;
    ScriptCache scripted{hosts};
    RrsetKey v4{hosts.number(name("host.example")), dns::Type::a}, v6{v4.host, dns::Type::aaaa};
    RrsetKey other{hosts.number(name("other.example")), dns::Type::a};
};

TEST_F(ScriptedTest, ACommittedScriptIsBelieved) {
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    scripted.begin(v4, {});
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    scripted.end(v4, "1", true, start);
    EXPECT_TRUE(scripted.is_scripted(v4, "1", start));
    EXPECT_FALSE(scripted.is_scripted(v4, "2", start));
    EXPECT_FALSE(scripted.is_scripted(v6, "1", start));
}

TEST_F(ScriptedTest, AFailedOneIsNot) {
    run(v4, "1", {});
    scripted.begin(v4, {});
    scripted.end(v4, "1", false, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
}

TEST_F(ScriptedTest, OfTwoAtOnceNeitherIs) {
    scripted.begin(v4, {});
    scripted.begin(v4, {});
    scripted.end(v4, "1", true, start);
    scripted.end(v4, "2", true, start);
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
    scripted.begin(v4, {});
    scripted.forget(v4);
    scripted.end(v4, "1", true, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
}

TEST_F(ScriptedTest, ItIsBelievedFromWhenItWasConfirmed) {
    run(v4, "1", {});
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start + std::chrono::seconds(1)));
    EXPECT_TRUE(scripted.is_scripted(v4, "1", base::TimePoint::min()));
}

TEST_F(ScriptedTest, AnotherConfEndsAll) {
    run(v4, "1", {});
    scripted.begin(other, {});
    scripted.forget_all();
    scripted.end(other, "2", true, start);
    EXPECT_FALSE(scripted.is_scripted(v4, "1", start));
    EXPECT_FALSE(scripted.is_scripted(other, "2", start));
}

}  // namespace
}  // namespace sftdyn::update
