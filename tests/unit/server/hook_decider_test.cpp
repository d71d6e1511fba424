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
        auto decision = decider.decide(task);
        client = task.client().to_string();
        return decision;
    }

    std::shared_ptr<FakeConf> conf = std::make_shared<FakeConf>();
    HookDecider decider{updates, hosts};
    std::string client{};  ///< of the last task
};

TEST_F(HookDeciderTest, WithoutAKeyTheAnswerIsWhatGetIpSaid) {
    conf->get_ip = [](const std::string& source) { return "for " + source; };
    const auto decision = decide("");
    EXPECT_EQ(decision.action, Action::address);
    EXPECT_EQ(decision.address_text, "for 192.0.2.1");
    EXPECT_EQ(client, "192.0.2.1") << "what is no address is nobody's";
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
        EXPECT_EQ(decide("secret-key").action, Action::get_host_failed) << said;
    }
    for (const auto& line : lines("error"))
        EXPECT_EQ(line.find("secret"), std::string::npos) << line;
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

TEST_F(HookDeciderTest, AFailureOfAKindIsSaidOnce) {
    conf->get_ip = [](const std::string&) -> python::HookResult<std::string> {
        return python::HookError("get_ip/raised", "get_ip raised an exception");
    };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(decide("key").action, Action::failed);
    EXPECT_EQ(lines("error"), Lines{"get_ip raised an exception"});
    decider.finish();
    EXPECT_EQ(lines("error"), Lines{"2 more like it since; the last: get_ip raised an exception"});
}

}  // namespace
}  // namespace sftdyn::server
