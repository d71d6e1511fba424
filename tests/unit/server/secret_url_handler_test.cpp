// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/secret_url_handler.hpp"

#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class SecretUrlHandlerTest : public RequestTest {
protected:
    std::string ask(Answer& answer, const char* source = "192.0.2.1") {
        auto context = request(answer, source);
        handler.handle(context, entry);
        return answer.text();
    }
    std::string ask(const char* source = "192.0.2.1") {
        Answer answer;
        ask(answer, source);
        deferrals = answer.deferrals;
        run();
        if (!answer.later.empty()) retry_after = answer.later[0].retry_after;
        return answer.text();
    }

    AddressWatch watch;
    std::vector<std::string> warned;
    base::LogThrottle warnings{[this](const std::string& text) { warned.push_back(text); }};
    SecretUrlHandler handler{updates, hosts, watch, warnings};
    accounts::KeyEntry entry{.host = host("h.dyn.example.org"), .ttl = 77};
    unsigned deferrals = 0;
    std::chrono::seconds retry_after{};
};

TEST_F(SecretUrlHandlerTest, AChangeCrossesToTheEngineAndBack) {
    Answer answer;
    EXPECT_EQ(ask(answer), "none");
    EXPECT_EQ(answer.deferrals, 1U);
    EXPECT_EQ(lines(""), Lines{}) << "it is told at its end";
    run();
    EXPECT_EQ(answer.text(), "200 OK");
    EXPECT_EQ(lines(""), Lines{"info: h.dyn.example.org A 192.0.2.1: OK"});
    EXPECT_EQ(counts(), (Counts{{"secret_url ok", 1}}));
}

TEST_F(SecretUrlHandlerTest, WhatIsKnownToBeServedIsAnsweredAtOnce) {
    ask();
    lines("");
    Answer answer;
    EXPECT_EQ(ask(answer), "200 UPTODATE");
    EXPECT_EQ(answer.deferrals, 0U);
    EXPECT_EQ(lines(""), Lines{"info: h.dyn.example.org A 192.0.2.1: UPTODATE"});
    EXPECT_EQ(counts(), (Counts{{"secret_url ok", 1}, {"secret_url uptodate", 1}}));
    now += settings->freshness;
    EXPECT_EQ(ask(), "200 UPTODATE");
    EXPECT_EQ(deferrals, 0U) << "up to its last moment";
    now += base::Duration(1);
    EXPECT_EQ(ask(), "200 UPTODATE");
    EXPECT_EQ(deferrals, 1U) << "the server was asked";
}

TEST_F(SecretUrlHandlerTest, TheWordIsThatOfTheSettingsThatTheRequestCameUnder) {
    ask();
    Answer answer;
    ask(answer, "2001:db8::1");
    AnswerSettings other = *settings;
    other.uptodate = "nochg";
    settings = std::make_shared<const AnswerSettings>(other);
    EXPECT_EQ(ask(), "200 nochg");
    run();
    EXPECT_EQ(answer.text(), "200 OK");
}

TEST_F(SecretUrlHandlerTest, EachFamilyIsARecordOfItsOwn) {
    EXPECT_EQ(ask("192.0.2.1"), "200 OK");
    EXPECT_EQ(ask("2001:db8::1"), "200 OK");
    EXPECT_EQ(ask("192.0.2.1"), "200 UPTODATE");
    EXPECT_EQ(ask("2001:db8::1"), "200 UPTODATE");
}

TEST_F(SecretUrlHandlerTest, AFailureIsAFailure) {
    backend.refused.insert("h.dyn.example.org");
    EXPECT_EQ(ask(), "500 FAIL");
    EXPECT_EQ(lines(), Lines{"h.dyn.example.org A 192.0.2.1: FAIL"});
    EXPECT_EQ(counts(), (Counts{{"secret_url fail", 1}}));
}

TEST_F(SecretUrlHandlerTest, ASpentBudgetAndAFullQueueSayWhenToComeBack) {
    limits.changes_burst = 1;
    updates.configure(limits, false);
    EXPECT_EQ(ask("192.0.2.1"), "200 OK");
    EXPECT_EQ(ask("192.0.2.2"), "429 ABUSE");
    EXPECT_EQ(retry_after, 30s);
    limits.changes_burst = 0;
    limits.queue = 0;
    updates.configure(limits, false);
    EXPECT_EQ(ask("192.0.2.3"), "503 FAIL");
    EXPECT_GT(retry_after, 0s);
    EXPECT_EQ(lines().back(), "h.dyn.example.org A 192.0.2.3: FAIL (too many wait already)");
    EXPECT_EQ(
        counts(),
        (Counts{{"secret_url ok", 1}, {"secret_url abuse", 1}, {"secret_url overloaded", 1}}));
}

TEST_F(SecretUrlHandlerTest, AnAddressThatTheSettingsDenyIsNotPublished) {
    accounts::AccountDirectory directory;
    directory.set_rules({.deny = base::parse_networks("192.0.2.0/24").value()});
    use(std::move(directory));
    EXPECT_EQ(ask(), "403 BADADDRESS");
    EXPECT_EQ(ask(), "403 BADADDRESS");
    EXPECT_EQ(warned.size(), 1U) << "each request has its line, and one warning stands for all";
    EXPECT_EQ(lines(),
              Lines(2, "h.dyn.example.org from 192.0.2.1: its address must not be published"));
    EXPECT_EQ(counts(), (Counts{{"secret_url refused", 2}}));
    EXPECT_TRUE(backend.batch_sizes.empty());
    EXPECT_EQ(ask("198.51.100.1"), "200 OK");
}

TEST_F(SecretUrlHandlerTest, HostsThatShareALocalAddressAreNoticed) {
    for (const char* name : {"a.dyn.example.org", "b.dyn.example.org", "c.dyn.example.org"}) {
        EXPECT_TRUE(watch.warnings().empty());
        entry.host = host(name);
        EXPECT_EQ(ask("10.0.0.1"), "200 OK");
    }
    ASSERT_EQ(watch.warnings().size(), 1U);
    EXPECT_EQ(watch.warnings()[0].check, "shared-address");
}

TEST_F(SecretUrlHandlerTest, TheRecordHasTheEntrysTtl) {
    Answer answer;
    ask(answer);
    io.poll();
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_EQ(backend.updates[0].changes.at(0).ttl, 77U);
    run();
}

}  // namespace
}  // namespace sftdyn::server
