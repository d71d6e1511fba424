// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/request_router.hpp"

#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class RequestRouterTest : public RequestTest {
protected:
    RequestRouterTest() {
        accounts::AccountDirectory directory;
        EXPECT_TRUE(directory.add("key", {.host = host("h.dyn.example.org")}));
        EXPECT_TRUE(directory.add("nic/update", {.host = host("n.dyn.example.org")}));
        accounts::Client client;
        client.hosts.push_back({.host = host("a.dyn.example.org")});
        client.hosts.push_back({.host = host("b.dyn.example.org")});
        EXPECT_TRUE(directory.add("all", {.client = directory.add(std::move(client))}));
        use(std::move(directory));
        authenticator.configure(3, 600s);
        router.configure(settings);
    }

    static http::Request get(std::string_view target, std::string_view authorization = {},
                             std::string_view method = "GET") {
        return {.method = method,
                .target = target,
                .client = boost::asio::ip::make_address("192.0.2.1"),
                .authorization = authorization};
    }
    std::string ask(const http::Request& asked) {
        Answer answer;
        answer.at_once = router.handle(asked, answer.defer());
        EXPECT_EQ(answer.at_once.has_value(), answer.deferrals == 0);
        run();
        while (!answer.is_given()) {  // one that comes late
            io.restart();
            io.run_one();
        }
        return answer.text();
    }

    AddressWatch watch;
    Authenticator authenticator{io, [this] { return now; }, 1ms};
    RequestRouter router{authenticator, updates, hosts, request_log, watch};
};

struct Route {
    const char* name;
    const char* method;
    const char* target;
    const char* answer;
    const char* line;
    const char* count;
};
class Routes : public RequestRouterTest, public testing::WithParamInterface<Route> {};

TEST_P(Routes, EachHasItsAnswerItsLineAndItsCount) {
    const Route& row = GetParam();
    EXPECT_EQ(ask(get(row.target, {}, row.method)), row.answer);
    EXPECT_EQ(lines(""), Lines{std::string("info: ") + row.line});
    EXPECT_EQ(counts(), (Counts{{row.count, 1}}));
}
constexpr const char* asks_address = "a request from 192.0.2.1: its own address";
constexpr const char* is_not_get = "a request from 192.0.2.1: a method other than GET";
constexpr const char* is_wrong = "a wrong credential from 192.0.2.1";
INSTANTIATE_TEST_SUITE_P(
    RequestRouter, Routes,
    testing::Values(
        Route{"Key", "GET", "/key", "200 OK", "h.dyn.example.org A 192.0.2.1: OK", "secret_url ok"},
        Route{"KeyWithEscape", "GET", "/k%65y", "200 OK", "h.dyn.example.org A 192.0.2.1: OK",
              "secret_url ok"},
        Route{"KeyThatLooksLikeADialect", "GET", "/nic/update", "200 OK",
              "n.dyn.example.org A 192.0.2.1: OK", "secret_url ok"},
        Route{"WrongKey", "GET", "/wrong", "403 BADKEY", is_wrong, "secret_url badkey"},
        Route{"WhoAmI", "GET", "/", "200 192.0.2.1", asks_address, "secret_url address"},
        Route{"NotGet", "PUT", "/key", "405 METHOD NOT ALLOWED", is_not_get, "secret_url refused"},
        Route{"Head", "HEAD", "/", "200 192.0.2.1", asks_address, "secret_url address"},
        Route{"HeadOfAKey", "HEAD", "/key", "405 METHOD NOT ALLOWED", is_not_get,
              "secret_url refused"},
        Route{"Favicon", "GET", "/favicon.ico", "404 NOT FOUND",
              "a request from 192.0.2.1: an unknown page", "secret_url refused"},
        Route{"KeyAndQuery", "GET", "/key?hostname=h.dyn.example.org", "200 OK",
              "h.dyn.example.org A 192.0.2.1: OK", "secret_url ok"},
        Route{"KeyAndHost", "GET", "/keyh.dyn.example.org", "200 OK",
              "h.dyn.example.org A 192.0.2.1: OK", "secret_url ok"},
        Route{"KeyAndPathOfADialect", "GET",
              "/key/nic/update?system=dyndns&hostname=h.dyn.example.org", "200 good 192.0.2.1",
              "h.dyn.example.org A 192.0.2.1: OK", "dyndns2 ok"},
        Route{"KeyAndAnotherHost", "GET", "/key?hostname=x.dyn.example.org", "404 BADHOST",
              "x.dyn.example.org from 192.0.2.1: nohost", "secret_url refused"},
        Route{"CheckIp", "GET", "/nic/checkip",
              "200 <html><head><title>Current IP Check</title></head><body>Current IP Address: "
              "192.0.2.1</body></html>\r\n",
              asks_address, "dyndns2 address"},
        Route{"DialectByDelete", "DELETE", "/v3/update?hostname=x", "405 METHOD NOT ALLOWED",
              "a request from 192.0.2.1: a method other than GET, POST and PUT", "dyndns2 refused"},
        Route{"NoCredential", "GET", "/v3/update?hostname=h.dyn.example.org", "401 badauth",
              "a request from 192.0.2.1: no credential", "dyndns2 no_credential"},
        Route{"Dyndns2", "GET", "/v3/update?hostname=h.dyn.example.org&user=x&pass=key",
              "200 good 192.0.2.1", "h.dyn.example.org A 192.0.2.1: OK", "dyndns2 ok"},
        Route{"DuckDns", "GET", "/update?domains=h&token=key", "200 OK",
              "h.dyn.example.org A 192.0.2.1: OK", "duckdns ok"},
        Route{"DuckDnsWrong", "GET", "/update/h/wrong", "403 KO", is_wrong, "duckdns badkey"},
        Route{"FreeDns", "GET", "/u/key", "200 Updated h.dyn.example.org to 192.0.2.1",
              "h.dyn.example.org A 192.0.2.1: OK", "freedns ok"},
        Route{"FreeDnsWrong", "GET", "/u/wrong", "403 ERROR: Invalid update URL", is_wrong,
              "freedns badkey"}),
    [](const auto& row) { return row.param.name; });

TEST_F(RequestRouterTest, TooManyParametersAreNotRead) {
    std::string target = "/v3/update?";
    for (int i = 0; i < 10'000; ++i) target += "a&";
    EXPECT_EQ(ask(get(target)), "400 BAD REQUEST");
    EXPECT_EQ(lines(""), Lines{"info: a request from 192.0.2.1: too many parameters"});
    EXPECT_EQ(counts(), (Counts{{"dyndns2 refused", 1}}));
}

TEST_F(RequestRouterTest, TwoCredentialsOfOneRequestAreTwoGuesses) {
    // The budget is 3, and as many again are answered late.
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(get("/guess?myip=192.0.2.1", "Bearer wrong")), "401 badauth") << i;
    EXPECT_EQ(ask(get("/guess?myip=192.0.2.1", "Bearer wrong")), "503 911");
    EXPECT_EQ(ask(get("/key", "Bearer wrong")), "200 OK") << "the whole path is a key";
}

TEST_F(RequestRouterTest, AKeyOfSeveralHostsIsForAllOfThem) {
    EXPECT_EQ(ask(get("/all")), "200 OK");
    EXPECT_EQ(lines(),
              (Lines{"a.dyn.example.org A 192.0.2.1: OK", "b.dyn.example.org A 192.0.2.1: OK"}));
    EXPECT_EQ(counts(), (Counts{{"secret_url ok", 2}}));
}

TEST_F(RequestRouterTest, WhatHttpRefusesIsToldToo) {
    router.on_refused({boost::asio::ip::make_address("192.0.2.1"), 414});
    router.on_refused({std::nullopt, 400});
    EXPECT_EQ(lines(""),
              (Lines{"info: a request from 192.0.2.1: refused unread with status 414",
                     "info: a request from a Unix socket: refused unread with status 400"}));
    EXPECT_EQ(counts(), (Counts{{"none refused", 2}}));
}

TEST_F(RequestRouterTest, ARequestUnderWayKeepsTheSettingsThatItCameUnder) {
    Answer answer;
    EXPECT_FALSE(router.handle(get("/key"), answer.defer()).has_value());
    router.configure(std::make_shared<const AnswerSettings>());
    run();
    EXPECT_EQ(answer.text(), "200 OK");
    EXPECT_EQ(ask(get("/key")), "403 BADKEY");
}

TEST_F(RequestRouterTest, WhatTheEngineStillHasAtTheEndIsAnsweredWithAFailure) {
    Answer answer;
    {
        boost::asio::io_context other_io{1};
        UpdateService other(other_io, backend, hosts, request_log.metrics(), limits);
        RequestRouter ending(authenticator, other, hosts, request_log, watch);
        ending.configure(settings);
        EXPECT_FALSE(ending.handle(get("/key"), answer.defer()).has_value());
    }
    EXPECT_EQ(answer.text(), "500 FAIL");
    EXPECT_EQ(lines(), Lines{"a request from 192.0.2.1: given up before it was done"});
    EXPECT_EQ(counts(), (Counts{{"secret_url fail", 1}}));
}

TEST_F(RequestRouterTest, AProxyThatIsSilentIsNoticedOnceAKeyIsRight) {
    auto asked = get("/wrong");
    asked.forwarding = http::Forwarding::silent;
    ask(asked);
    EXPECT_TRUE(watch.warnings().empty()) << "a monitor asks so";
    asked.target = "/key";
    ask(asked);
    ASSERT_EQ(watch.warnings().size(), 1U);
    EXPECT_EQ(watch.warnings()[0].check, "silent-proxy");
}

TEST_F(RequestRouterTest, AStrangerThatSpeaksForOthersIsNoticedAtOnce) {
    auto asked = get("/wrong");
    asked.forwarding = http::Forwarding::untrusted;
    ask(asked);
    ASSERT_EQ(watch.warnings().size(), 1U);
    EXPECT_EQ(watch.warnings()[0].check, "untrusted-proxy");
}

TEST_F(RequestRouterTest, StrangersTakeNoWarningFromTheProxyThatHostsMoveThrough) {
    for (int i = 1; i <= 100; ++i) {
        auto asked = get(i % 2 == 0 ? "/" : "/wrong");
        asked.forwarding = http::Forwarding::untrusted;
        asked.client = boost::asio::ip::make_address("198.51.100." + std::to_string(i));
        ask(asked);
    }
    EXPECT_EQ(watch.warnings().size(), AddressWatch::most_strangers);
    auto asked = get("/key");
    asked.forwarding = http::Forwarding::untrusted;
    ask(asked);
    ASSERT_EQ(watch.warnings().size(), AddressWatch::most_strangers + 1);
    EXPECT_EQ(watch.warnings()[0].address, "192.0.2.1");
    asked = get("/nic/update?hostname=a.dyn.example.org", "Token all");
    asked.forwarding = http::Forwarding::untrusted;
    asked.client = boost::asio::ip::make_address("192.0.2.2");
    ask(asked);
    ASSERT_EQ(watch.warnings().size(), AddressWatch::most_strangers + 2);
    EXPECT_EQ(watch.warnings()[1].address, "192.0.2.2");
}

TEST_F(RequestRouterTest, NoSecretIsLogged) {
    const std::string secret = "verysecret";
    for (const auto& target :
         {"/" + secret, "/update?domains=h&token=" + secret, "/update/h/" + secret,
          "/u/" + secret + "/", "/v3/update?hostname=h.dyn.example.org&user=u&pass=" + secret})
        ask(get(target));
    ask(get("/v3/update?hostname=h.dyn.example.org", "Token " + secret));
    ask(get("/" + secret, {}, "PUT"));
    const auto said = lines("");
    EXPECT_GE(said.size(), 4U);
    for (const auto& line : said) EXPECT_EQ(line.find(secret), std::string::npos) << line;
}

}  // namespace
}  // namespace sftdyn::server
