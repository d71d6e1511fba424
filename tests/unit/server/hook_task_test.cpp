// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_task.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "server/fake_conf.hpp"
#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

class HookTaskTest : public RequestTest {
protected:
    std::shared_ptr<HookTask> task(std::string_view key) {
        auto context = request(answer_);
        return std::make_shared<HookTask>(
            context, http::Request{.method = "GET", .target = "/", .client = {}, .fields = fields_},
            key);
    }

    FakeConf conf;
    std::unique_ptr<python::Call> call = conf.call("192.0.2.1", python::Fields({}), "");

private:
    Answer answer_;
    std::vector<http::Field> fields_;
};

TEST_F(HookTaskTest, OneOfManyClaimsIt) {
    const auto asked = task("key");
    asked->set_client(boost::asio::ip::make_address("198.51.100.7"));
    std::atomic<unsigned> claims = 0;
    std::shared_ptr<RequestContext> claimed;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            if (auto request = asked->claim()) {
                ++claims;
                claimed = std::move(request);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(claims, 1U);
    EXPECT_EQ(claimed->source().to_string(), "198.51.100.7") << "it is the client's";
    EXPECT_EQ(asked->peer.to_string(), "192.0.2.1");
}

TEST_F(HookTaskTest, AClaimedRequestLeavesWhatTheMonitorReads) {
    const auto asked = task("key");
    const auto deferred = asked->claim()->defer();  // as a refusal that is delayed
    EXPECT_EQ(asked->settings, settings);
    EXPECT_EQ(asked->began, now);
    EXPECT_EQ(asked->claim(), nullptr);
    EXPECT_EQ(&deferred->settings(), settings.get());
}

TEST_F(HookTaskTest, OfWhatAHookGaveTheKeyIsNotShown) {
    const auto asked = task("secret%2Bkey");
    EXPECT_EQ(asked->shown("host.example.org", *call), "host.example.org");
    for (const char* text : {"a secret%2Bkey b", "a secret+key b"}) {
        const auto shown = asked->shown(text, *call);
        EXPECT_EQ(shown.find("secret"), std::string::npos) << shown;
        EXPECT_TRUE(shown.starts_with("a ") && shown.ends_with(" b")) << shown;
    }
    EXPECT_EQ(asked->shown("two\nlines \x1b[31m", *call), "two\\x0alines \\x1b[31m");
    EXPECT_EQ(asked->shown(std::string(1000, 'a'), *call), std::string(200, 'a'));
}

TEST_F(HookTaskTest, OfAMessageWhatItQuotesIsLookedThrough) {
    const auto asked = task("hidden-key");
    EXPECT_EQ(asked->shown_quote("hidden-key", *call), "hidden-key") << "it quotes nothing";
    const auto shown = asked->shown_quote("line 2: \"add hidden-key \" \": unknown", *call);
    EXPECT_TRUE(shown.starts_with("line 2: \"add ") && shown.ends_with("\": unknown")) << shown;
    EXPECT_EQ(shown.find("hidden-key"), std::string::npos) << shown;
}

}  // namespace
}  // namespace sftdyn::server
