// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_decider.hpp"

#include "server/fake_conf.hpp"
#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using Action = HookDecision::Action;

class HookDeciderTest : public RequestTest {
protected:
    HookDecision decide(std::string_view key) {
        accounts::AccountDirectory directory;
        EXPECT_TRUE(directory.add("key", {.host = host("h.dyn.example.org"), .ttl = 7}));
        use(std::move(directory));
        AnswerSettings fresh = *settings;
        fresh.hooks = conf;
        fresh.hook_ttl = 9;
        settings = std::make_shared<const AnswerSettings>(std::move(fresh));
        Answer answer;
        std::vector<http::Field> fields;
        auto context = request(answer);
        HookTask task(context,
                      http::Request{.method = "GET", .target = "/", .client = {}, .fields = fields},
                      key);
        auto decision = decider.decide(task, *conf);
        client = task.client().to_string();
        return decision;
    }

    std::shared_ptr<FakeConf> conf = std::make_shared<FakeConf>();
    HookDecider decider{updates, hosts};
    std::string client{};  ///< of the last task
};

TEST_F(HookDeciderTest, WithoutAKeyTheAnswerIsWhatGetIpSaid) {
    for (const char* said : {"198.51.100.7", "::ffff:198.51.100.7", "2001:DB8::1"}) {
        conf->get_ip = [said](const std::string&) { return said; };
        const auto decision = decide("");
        EXPECT_EQ(decision.action, Action::address);
        EXPECT_EQ(decision.address_text, said);
    }
    EXPECT_EQ(client, "2001:db8::1");
}

TEST_F(HookDeciderTest, WhatIsNoAddressFailsAndIsNotEchoed) {
    for (const char* said : {"<script>x", "", "192.0.2.1, 192.0.2.2", "fe80::1%lo"}) {
        conf->get_ip = [said](const std::string&) { return said; };
        const auto decision = decide("");
        EXPECT_EQ(decision.action, Action::failed) << said;
        EXPECT_EQ(decision.address_text, "") << said;
        EXPECT_EQ(client, "192.0.2.1") << "what is no address is nobody's";
    }
    EXPECT_EQ(lines("error"),
              Lines{"get_ip returned \"<script>x\": expected an IPv4 or IPv6 address"});
}

TEST_F(HookDeciderTest, AGetIpThatReadsTheKeyMayFailBecauseOfIt) {
    const auto decided = [this] { return std::pair(decide("key").action, decide("").action); };
    const auto raising = [](const std::string&) -> python::HookResult<std::string> {
        return python::HookError("get_ip/raised", "get_ip raised an exception");
    };
    const auto pointless = [](const std::string&) { return "no address"; };
    for (const bool reads_key : {false, true}) {
        conf->reads_key = reads_key;
        const auto expected =
            std::pair(reads_key ? Action::key_failed : Action::failed, Action::failed);
        conf->get_ip = raising;
        EXPECT_EQ(decided(), expected) << "raising, " << reads_key;
        conf->get_ip = pointless;
        EXPECT_EQ(decided(), std::pair(Action::failed, Action::failed)) << reads_key;
        EXPECT_EQ(decide("wrong").action, Action::bad_key) << "whatever get_ip returned";
    }
}

TEST_F(HookDeciderTest, OnlyWhoHasAKeyIsToldThatAnAddressIsNotToBePublished) {
    conf->get_ip = [](const std::string&) { return "0.0.0.0"; };
    EXPECT_EQ(decide("key").action, Action::refused);
    EXPECT_EQ(decide("wrong").action, Action::bad_key);
    conf->get_host = [](const std::string&) -> python::HookResult<std::string> {
        return python::HookError("get_host/raised", "get_host raised an exception");
    };
    EXPECT_EQ(decide("wrong").action, Action::key_failed);
}

TEST_F(HookDeciderTest, AHostIsTheKeysOrWhatGetHostSaid) {
    conf->get_ip = [](const std::string&) { return "2001:db8::1"; };
    auto decision = decide("key");
    ASSERT_EQ(decision.action, Action::update);
    EXPECT_EQ(decision.update.desired.rrset,
              (update::RrsetKey{host("h.dyn.example.org"), dns::Type::aaaa}));
    EXPECT_EQ(decision.update.desired.ttl, 7U);
    EXPECT_EQ(client, "2001:db8::1");
    EXPECT_EQ(decide("wrong").action, Action::bad_key);

    conf->get_host = [](const std::string& key) { return key == "a+b" ? "x.example.org" : ""; };
    decision = decide("a%2Bb");
    ASSERT_EQ(decision.action, Action::update) << "a key is asked for decoded, too";
    EXPECT_EQ(decision.update.desired.rrset.host, host("x.example.org"));
    EXPECT_EQ(decision.update.desired.ttl, 9U);
    EXPECT_EQ(decide("key").action, Action::bad_key);
}

TEST_F(HookDeciderTest, WhatIsNoHostsNameFailsAndIsNotEchoed) {
    for (const char* said : {"secret-key", "a b.example.org", "..", ".", "x.example.org\n"}) {
        conf->get_host = [said](const std::string&) { return said; };
        EXPECT_EQ(decide("secret-key").action, Action::key_failed) << said;
    }
    for (const auto& line : lines("error"))
        EXPECT_EQ(line.find("secret"), std::string::npos) << line;
}

TEST_F(HookDeciderTest, WhatIsTheConfsOwnIsCarriedOutOnceForAHostAndAValue) {
    std::string value = "192.0.2.1,2001:db8::1", of_key = "x.dyn.example.org";
    conf->get_ip = [&](const std::string&) { return value; };
    conf->get_host = [&](const std::string&) { return of_key; };
    std::vector<std::string> script{"update delete x.dyn.example.org A",
                                    "update add x.dyn.example.org 5 A 192.0.2.1"};
    conf->commands = [&](const std::string&) { return script; };
    auto decision = decide("key");
    ASSERT_EQ(decision.action, Action::update);
    EXPECT_FALSE(decision.update.is_desired_record) << "what it asks for is the conf's own";
    EXPECT_EQ(decision.update.desired.rrset.host, host("x.dyn.example.org"));
    ASSERT_NE(decision.update.pair, 0U);
    EXPECT_EQ(decide("key").action, Action::update) << "it was not carried out";
    const auto carry_out = [this](HookUpdate update) {
        updates.submit_hook_update(std::move(update), [](const update::UpdateOutcome&) {});
        run();
    };
    carry_out(decision.update);
    EXPECT_EQ(decide("key").action, Action::unchanged);
    HookUpdate other = decision.update;
    other.pair += 1;
    carry_out(other);
    EXPECT_EQ(decide("key").action, Action::update) << "another pair's has changed its names";

    // A host that is no name: its script says how the engine knows it.
    for (const char* own : {"(a, b)", "label", "a b"}) {
        of_key = own;
        value = "192.0.2.1";
        decision = decide("key");
        ASSERT_EQ(decision.action, Action::update) << own;
        EXPECT_TRUE(decision.has_name);
        EXPECT_EQ(decision.update.desired.rrset.host, host("x.dyn.example.org")) << own;
        script = {"update add y.dyn.example.org 5 A 0.0.0.0"};
        EXPECT_EQ(decide("key").action, Action::refused) << "all addresses are the host's";
        script = {"update add x.dyn.example.org 5 TXT y"};
    }
    script.clear();
    EXPECT_FALSE(decide("key").has_name);
    EXPECT_EQ(conf->forgotten, 0U);
    of_key = "x.dyn.example.org";
    EXPECT_EQ(decide("key").action, Action::update);
    EXPECT_EQ(conf->forgotten, 1U) << "its pair is no longer what it has";
    EXPECT_EQ(decide("").action, Action::address);
    value = "(v4, v6)";
    EXPECT_EQ(decide("").action, Action::failed);
    EXPECT_EQ(lines("error").back(), "get_ip returned tuple: expected an IPv4 or IPv6 address");
}

TEST_F(HookDeciderTest, AScriptThatOnlyReplacesTheAddressIsADesiredRecord) {
    std::vector<std::string> script{"update delete h.dyn.example.org A",
                                    "update add h.dyn.example.org 5 A 192.0.2.1"};
    conf->commands = [&](const std::string&) { return script; };
    auto decision = decide("key");
    ASSERT_EQ(decision.action, Action::update);
    EXPECT_TRUE(decision.update.is_desired_record);
    EXPECT_EQ(decision.update.desired.ttl, 5U);
    EXPECT_EQ(decision.published.to_string(), "192.0.2.1");

    script.emplace_back("update add www.h.dyn.example.org 5 A 192.0.2.1");
    decision = decide("key");
    ASSERT_EQ(decision.action, Action::update);
    EXPECT_FALSE(decision.update.is_desired_record);
    ASSERT_EQ(decision.update.messages.size(), 1U);
    EXPECT_EQ(decision.update.messages[0].updates.size(), 3U);

    script = {"update add h.dyn.example.org 5 A 0.0.0.0"};
    EXPECT_EQ(decide("key").action, Action::refused);
    script = {"update frobnicate"};
    EXPECT_EQ(decide("key").action, Action::failed);
}

TEST_F(HookDeciderTest, ATextIsMadeOnlyForAFailureThatIsLogged) {
    unsigned made = 0;
    conf->get_host = [&](const std::string&) -> python::HookResult<std::string> {
        return python::HookError("get_host/raised", [&] {
            ++made;
            return std::string("get_host raised an exception");
        });
    };
    for (int i = 0; i < 100; ++i) EXPECT_EQ(decide("wrong").action, Action::key_failed);
    EXPECT_EQ(made, 1U);
    std::string of_key = "no name", address = "192.0.2.1";
    std::vector<std::string> script;
    conf->get_host = [&](const std::string&) { return of_key; };
    conf->get_ip = [&](const std::string&) { return address; };
    for (int i = 0; i < 100; ++i) EXPECT_EQ(decide("wrong").action, Action::key_failed);
    EXPECT_EQ(conf->shown, 1U);
    address = "no address";
    for (int i = 0; i < 100; ++i) EXPECT_EQ(decide("").action, Action::failed);
    EXPECT_EQ(conf->shown, 2U);
    of_key = "x.example.org";
    address = "192.0.2.1";
    conf->commands = [&](const std::string&) { return script; };
    script = {"realm \"x\""};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(decide("key").action, Action::update);
    EXPECT_LE(conf->shown, 3U);
    script = {"update \"frobnicate\""};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(decide("key").action, Action::failed);
    EXPECT_LE(conf->shown, 4U);
    EXPECT_EQ(lines("error").size(), 5U) << "each kind has its line";
}

TEST_F(HookDeciderTest, AFailureOfAKindIsSaidOnce) {
    conf->get_ip = [](const std::string&) -> python::HookResult<std::string> {
        return python::HookError("get_ip/raised", "get_ip raised an exception");
    };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(decide("key").action, Action::failed);
    EXPECT_EQ(lines("error"), Lines{"get_ip raised an exception"});
    decider.finish();
    EXPECT_EQ(lines("error"), Lines{"2 more like it since the first: get_ip raised an exception"});
}

}  // namespace
}  // namespace sftdyn::server
