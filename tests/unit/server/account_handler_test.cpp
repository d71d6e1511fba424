// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/account_handler.hpp"

#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class AccountHandlerTest : public RequestTest {
protected:
    AccountHandlerTest() {
        client.name = "home";
        client.hosts.push_back({.host = host("a.dyn.example.org")});
        client.hosts.push_back({.host = host("b.dyn.example.org")});
        host("other.dyn.example.org");
        directory_with({});
    }
    void directory_with(base::AddressRules rules) {
        accounts::AccountDirectory directory;
        const auto number = directory.add(client);
        EXPECT_TRUE(directory.add("token", {.client = number}));
        directory.set_rules(std::move(rules));
        use(std::move(directory));
    }

    static protocol::AddressUpdate update(std::vector<std::string> hostnames) {
        protocol::AddressUpdate asked;
        asked.secret = base::Secret("token");
        asked.hostnames = std::move(hostnames);
        return asked;
    }
    void begin(Answer& answer, protocol::AddressUpdate asked, const char* source = "192.0.2.1") {
        auto context = request(answer, source);
        handler.handle(context, std::move(asked));
    }
    std::string ask(protocol::AddressUpdate asked, const char* source = "192.0.2.1") {
        Answer answer;
        begin(answer, std::move(asked), source);
        deferrals = answer.deferrals;
        run();
        return answer.text();
    }

    accounts::Client client;
    AddressWatch watch;
    std::vector<std::string> warned;
    base::LogThrottle warnings{[this](const std::string& text) { warned.push_back(text); }};
    Authenticator authenticator{io, [this] { return now; }, 1ms};
    AccountHandler handler{authenticator, updates, hosts, watch, warnings};
    unsigned deferrals = 0;
};

TEST_F(AccountHandlerTest, AHostIsChangedAndThenKnown) {
    EXPECT_EQ(ask(update({"a.dyn.example.org"})), "200 good 192.0.2.1");
    EXPECT_EQ(deferrals, 1U);
    EXPECT_EQ(ask(update({"a.dyn.example.org"})), "200 nochg 192.0.2.1");
    EXPECT_EQ(deferrals, 0U);
    EXPECT_EQ(lines(""), (Lines{"info: a.dyn.example.org A 192.0.2.1: OK",
                                "info: a.dyn.example.org A 192.0.2.1: UPTODATE"}));
    EXPECT_EQ(counts(), (Counts{{"dyndns2 ok", 1}, {"dyndns2 uptodate", 1}}));
}

TEST_F(AccountHandlerTest, EachHostHasItsWordItsLineAndItsCount) {
    backend.refused.insert("b.dyn.example.org");
    EXPECT_EQ(ask(update({"a.dyn.example.org", "b.dyn.example.org", "other.dyn.example.org",
                          "unknown.example.net", "nodot", "A.dyn.example.org"})),
              "200 good 192.0.2.1\ndnserr\n!yours\nnohost\nnotfqdn\ngood 192.0.2.1");
    EXPECT_EQ(
        lines(),
        (Lines{"a.dyn.example.org A 192.0.2.1: OK", "b.dyn.example.org A 192.0.2.1: FAIL",
               "other.dyn.example.org from 192.0.2.1: !yours",
               "unknown.example.net from 192.0.2.1: nohost", "nodot from 192.0.2.1: notfqdn"}));
    EXPECT_EQ(counts(), (Counts{{"dyndns2 ok", 1}, {"dyndns2 fail", 1}, {"dyndns2 refused", 3}}));
}

struct Refusal {
    const char* name;
    std::function<void(protocol::AddressUpdate&)> change;
    const char* answer;
    const char* line;
    const char* count;
    std::size_t warnings;
};
class RefusedUpdate : public AccountHandlerTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusedUpdate, HasOneLineAndOneCount) {
    auto asked = update({"a.dyn.example.org"});
    GetParam().change(asked);
    EXPECT_EQ(ask(std::move(asked)), GetParam().answer);
    EXPECT_EQ(deferrals, 0U);
    EXPECT_EQ(lines(), Lines{GetParam().line});
    EXPECT_EQ(counts(), (Counts{{GetParam().count, 1}}));
    EXPECT_EQ(warned.size(), GetParam().warnings);
    EXPECT_TRUE(backend.batch_sizes.empty());
}
INSTANTIATE_TEST_SUITE_P(
    AccountHandler, RefusedUpdate,
    testing::Values(
        Refusal{"NotUnderstood", [](auto& asked) { asked.fault = {"a fault"}; }, "400 911",
                "a request from 192.0.2.1: a fault", "dyndns2 refused", 1},
        Refusal{"TooManyHosts",
                [](auto& asked) { asked.hostnames.assign(protocol::most_hosts + 1, "x.y"); },
                "400 numhost", "a request from 192.0.2.1: it names more hosts than are allowed",
                "dyndns2 refused", 0},
        Refusal{"NoAddress", [](auto& asked) { asked.unusable = "non\nsense"; }, "500 911",
                "a request from 192.0.2.1: the address must not be published, or is invalid",
                "dyndns2 refused", 1},
        Refusal{"AnotherAddress",
                [](auto& asked) {
                    asked.v4 = {boost::asio::ip::make_address("198.51.100.1"), "198.51.100.1"};
                },
                "403 !yours", "a.dyn.example.org from 192.0.2.1: !yours", "dyndns2 refused", 1},
        Refusal{"NoCredential", [](auto& asked) { asked.secret.reset(); }, "401 badauth",
                "a request from 192.0.2.1: no credential", "dyndns2 no_credential", 0},
        Refusal{"WrongToken",
                [](auto& asked) {
                    asked.secret = base::Secret("wrong");
                    asked.dialect = protocol::Dialect::duckdns;
                },
                "403 KO", "a wrong credential from 192.0.2.1", "duckdns badkey", 0}),
    [](const auto& row) { return row.param.name; });

TEST_F(AccountHandlerTest, ADeniedAddressIsWarnedOfByTheClientsName) {
    directory_with({.deny = base::parse_networks("192.0.2.0/24").value()});
    EXPECT_EQ(ask(update({"a.dyn.example.org"})), "500 911");
    ASSERT_EQ(warned.size(), 1U);
    EXPECT_TRUE(warned[0].starts_with("home from 192.0.2.1 is not updated: 192.0.2.1 must not"))
        << warned[0];
    EXPECT_EQ(lines().size(), 1U);
}

TEST_F(AccountHandlerTest, ASecretUrlForSeveralHostsUpdatesAllOfThem) {
    Answer answer;
    {
        auto context = request(answer);
        handler.update_all_hosts(context, settings->directory->client(accounts::ClientNumber(0)));
    }
    run();
    EXPECT_EQ(answer.text(), "200 OK");
    EXPECT_EQ(backend.batch_sizes, std::vector<std::size_t>{2});
    EXPECT_EQ(lines(),
              (Lines{"a.dyn.example.org A 192.0.2.1: OK", "b.dyn.example.org A 192.0.2.1: OK"}));
    EXPECT_EQ(counts(), (Counts{{"secret_url ok", 2}}));
}

TEST_F(AccountHandlerTest, OnlyWhatIsNotKnownAsksTheEngine) {
    ask(update({"a.dyn.example.org"}));
    backend.batch_sizes.clear();
    EXPECT_EQ(ask(update({"a.dyn.example.org", "b.dyn.example.org"})),
              "200 nochg 192.0.2.1\ngood 192.0.2.1");
    EXPECT_EQ(backend.batch_sizes, std::vector<std::size_t>{1});
}

TEST_F(AccountHandlerTest, WhatAnotherRequestHasChangedMeanwhileIsNotSaidToBeSo) {
    backend.zones.push_back(dns::Name::parse("slow.example.org").value());
    client.hosts.push_back({.host = host("c.slow.example.org")});
    directory_with({});
    Answer both, other;
    begin(both, update({"a.dyn.example.org", "c.slow.example.org"}));
    io.poll();
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 2U);
    backend.answer(backend.take_update());
    const auto slow = backend.take_update();
    EXPECT_EQ(slow.zone.text(), "slow.example.org");
    begin(other, update({"a.dyn.example.org"}), "192.0.2.2");
    run();
    EXPECT_EQ(other.text(), "200 good 192.0.2.2");
    EXPECT_FALSE(both.is_given());
    backend.answer(slow);
    EXPECT_EQ(both.text(), "200 dnserr\ngood 192.0.2.1");
    EXPECT_EQ(lines(),
              (Lines{"a.dyn.example.org A 192.0.2.2: OK", "a.dyn.example.org A 192.0.2.1: FAIL",
                     "c.slow.example.org A 192.0.2.1: OK"}))
        << "the log says what the client was told";
}

TEST_F(AccountHandlerTest, AHostWithoutAnythingToDoIsToldToo) {
    client.hosts[0].place = accounts::Ipv6Place{};
    directory_with({});
    // Its IPv6 address comes of a prefix, and none is named.
    EXPECT_EQ(ask(update({"a.dyn.example.org"}), "2001:db8::1"), "500 911");
    EXPECT_EQ(lines(), Lines{"a.dyn.example.org from 2001:db8::1: 911"});
    EXPECT_EQ(counts(), (Counts{{"dyndns2 refused", 1}}));
    EXPECT_EQ(warned.size(), 1U);
}

}  // namespace
}  // namespace sftdyn::server
