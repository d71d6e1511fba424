// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_handler.hpp"

#include <future>
#include <thread>

#include <gmock/gmock.h>

#include "server/fake_conf.hpp"
#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class HookHandlerTest : public RequestTest {
protected:
    HookHandlerTest() { authenticator.configure(3, 600s); }
    ~HookHandlerTest() override { EXPECT_TRUE(handler.stop(60s)); }

    /// As the router does before the first request.
    void configure(base::Duration time = 60s, std::size_t queue = 100) {
        accounts::AccountDirectory directory;
        EXPECT_TRUE(directory.add("key", {.host = host("h.dyn.example.org")}));
        use(std::move(directory));
        AnswerSettings fresh = *settings;
        fresh.hooks = conf;
        fresh.hook_threads = python::HookThreads::start(interpreter, "conf").value();
        fresh.hook_time = time;
        fresh.hook_limits.queue = queue;
        settings = std::make_shared<const AnswerSettings>(std::move(fresh));
        handler.configure(*settings);
        handler.begin();
    }
    void begin(Answer& answer, std::string_view target, std::string_view method = "GET") {
        now = base::Clock::now();  // the hooks' time is the clock's
        auto context = request(answer, source);
        if (forwarding != http::Forwarding::as_meant) context.watch(watch, forwarding);
        handler.handle(context, {.method = method,
                                 .target = target,
                                 .client = boost::asio::ip::make_address(source),
                                 .fields = fields});
    }
    std::vector<std::string> checks() const {
        std::vector<std::string> found;
        for (const auto& warning : watch.warnings())
            found.push_back(warning.check + " " + warning.address);
        return found;
    }
    std::string ask(std::string_view target, std::string_view method = "GET") {
        Answer answer;
        begin(answer, target, method);
        deferrals = answer.deferrals;
        await(answer);
        return answer.text();
    }
    void await(Answer& answer) {
        for (run(); !answer.is_given(); run()) std::this_thread::yield();
    }

    std::shared_ptr<FakeConf> conf = std::make_shared<FakeConf>();
    HookInterpreter interpreter{conf};
    const char* source = "192.0.2.1";
    std::vector<http::Field> fields{};
    http::Forwarding forwarding = http::Forwarding::as_meant;
    Authenticator authenticator{io, [this] { return now; }, 1ms};
    AddressWatch watch;
    HookHandler handler{authenticator, updates, hosts, watch};
    unsigned deferrals = 0;
};

TEST_F(HookHandlerTest, WhatIsNoKeyAndWhatIsKnownNeedsNoHook) {
    unsigned calls = 0;
    conf->commands = [&](const std::string& of) {
        ++calls;
        return std::vector<std::string>{"update delete " + of + " A",
                                        "update add " + of + " 5 A 192.0.2.1"};
    };
    configure();
    EXPECT_EQ(ask("/wrong"), "403 BADKEY");
    EXPECT_EQ(deferrals, 0U);
    EXPECT_EQ(ask("/key"), "200 OK");
    EXPECT_EQ(ask("/key"), "200 UPTODATE");
    EXPECT_EQ(deferrals, 0U);
    EXPECT_EQ(calls, 1U);
    EXPECT_EQ(ask("/"), "200 192.0.2.1");
    EXPECT_EQ(ask("/key", "POST"), "405 METHOD NOT ALLOWED");
    EXPECT_EQ(lines(""), (Lines{"info: a wrong credential from 192.0.2.1",
                                "info: h.dyn.example.org A 192.0.2.1: OK",
                                "info: h.dyn.example.org A 192.0.2.1: UPTODATE",
                                "info: a request from 192.0.2.1: its own address",
                                "info: a request from 192.0.2.1: a method other than GET"}));
    EXPECT_EQ(counts(), (Counts{{"secret_url badkey", 1},
                                {"secret_url ok", 1},
                                {"secret_url uptodate", 1},
                                {"secret_url address", 1},
                                {"secret_url refused", 1}}));
}

TEST_F(HookHandlerTest, GetHostSaysWhichHostThatIs) {
    conf->get_host = [](const std::string& key) { return key == "x" ? "x.dyn.example.org" : ""; };
    configure();
    EXPECT_EQ(ask("/x"), "200 OK");
    EXPECT_EQ(ask("/x"), "200 UPTODATE");
    EXPECT_EQ(ask("/x?"), "200 UPTODATE") << "an empty query is none";
    EXPECT_EQ(ask("/?"), "200 192.0.2.1");
    EXPECT_EQ(ask("/key"), "403 BADKEY");
    EXPECT_EQ(deferrals, 1U);
    EXPECT_EQ(counts(), (Counts{{"secret_url address", 1},
                                {"secret_url badkey", 1},
                                {"secret_url ok", 1},
                                {"secret_url uptodate", 2}}));
}

TEST_F(HookHandlerTest, GetIpSaysWhoAsks) {
    conf->get_ip = [](const std::string&) { return "198.51.100.7"; };
    configure();
    EXPECT_FALSE(handler.needs_fields());
    EXPECT_EQ(ask("/"), "200 198.51.100.7");
    EXPECT_EQ(ask("/key"), "200 OK");
    EXPECT_EQ(lines(""), (Lines{"info: a request from 198.51.100.7: its own address",
                                "info: h.dyn.example.org A 198.51.100.7: OK"}));
}

TEST_F(HookHandlerTest, WrongKeysAreCountedForWhomGetIpNames) {
    unsigned asked = 0;
    conf->get_ip = [&](const std::string&) {
        return ++asked % 2 == 1 ? "198.51.100.7" : "203.0.113.8";
    };
    configure();
    // Twice the budget of 3 for each of two.
    for (int i = 0; i < 12; ++i) EXPECT_EQ(ask("/wrong"), "403 BADKEY") << i;
    EXPECT_EQ(ask("/wrong"), "429 BADKEY");
    EXPECT_EQ(lines("warning"), Lines{"too many bad keys from 198.51.100.7; refused for now"});
    EXPECT_EQ(ask("/key"), "200 OK");
    conf->get_ip = [](const std::string&) { return "192.0.2.9"; };
    EXPECT_EQ(ask("/wrong"), "403 BADKEY");
    EXPECT_EQ(lines("").back(), "info: a wrong credential from 192.0.2.9");
}

TEST_F(HookHandlerTest, WhatTimesOutIsOfWhomGetIpNamed) {
    std::promise<void> gate;
    conf->get_ip = [](const std::string&) { return "198.51.100.7"; };
    conf->get_host = [&](const std::string&) {
        gate.get_future().wait();
        return "late.dyn.example.org";
    };
    configure(1s);
    Answer answer;
    begin(answer, "/key");
    EXPECT_EQ(answer.await().body, "FAIL");
    gate.set_value();
    EXPECT_TRUE(handler.stop(60s));
    EXPECT_EQ(lines(), Lines{"a request from 198.51.100.7: a hook did not return in time"});
}

TEST_F(HookHandlerTest, HeaderFieldsAreMovedAndNothingOfThemStaysBehind) {
    conf->get_host = [](const std::string&) { return ""; };
    conf->reads_fields = true;
    configure();
    EXPECT_TRUE(handler.needs_fields());
    const std::string token = "Basic c2VjcmV0OnNlY3JldC1zZWNyZXQ=", small = "Basic eDp5";
    fields = {{"Authorization", token}, {"Cookie", small}};
    const char* const held = fields[0].value.data();
    const char* const inside = fields[1].value.data();
    EXPECT_EQ(ask("/key"), "403 BADKEY");
    EXPECT_EQ(conf->seen, (python::Fields::List{{"Authorization", token}, {"Cookie", small}}));
    EXPECT_NE(fields[0].value.data(), held) << "its memory went along";
    EXPECT_TRUE(fields[0].value.empty() && fields[1].value.empty());
    ASSERT_EQ(fields[1].value.data(), inside);
    EXPECT_EQ(std::string_view(inside, small.size()), std::string(small.size(), '\0'));
}

TEST_F(HookHandlerTest, AKeyThatGetHostFailsWithIsAGuess) {
    conf->get_host = [](const std::string& key) -> python::HookResult<std::string> {
        if (key == "right") return std::string("x.dyn.example.org");
        if (key == "name") return std::string("no name");
        return python::HookError("get_host/raised", "get_host raised an exception");
    };
    configure();
    for (int i = 0; i < 6; ++i) EXPECT_EQ(ask(i % 2 == 1 ? "/wrong" : "/name"), "500 FAIL") << i;
    EXPECT_EQ(ask("/wrong"), "429 BADKEY");
    EXPECT_EQ(ask("/name"), "429 BADKEY");
    EXPECT_EQ(ask("/right"), "200 OK");
    EXPECT_EQ(lines("warning"), Lines{"too many bad keys from 192.0.2.1; refused for now"});
    EXPECT_EQ(counts(),
              (Counts{{"secret_url fail", 6}, {"secret_url badkey", 2}, {"secret_url ok", 1}}));
}

TEST_F(HookHandlerTest, HostsThatAllGetOneAddressAreNoticed) {
    source = "10.0.0.1";
    conf->get_host = [](const std::string& key) { return key + ".dyn.example.org"; };
    configure();
    for (const char* target : {"/a", "/b"}) EXPECT_EQ(ask(target), "200 OK");
    EXPECT_EQ(checks(), Lines{});
    conf->commands = [](const std::string& of) {
        return std::vector<std::string>{"update add " + of + " 5 A 10.0.0.1"};
    };
    EXPECT_EQ(ask("/c"), "200 OK");
    EXPECT_EQ(checks(), Lines{"shared-address 10.0.0.1"});
}

TEST_F(HookHandlerTest, AProxyThatDoesNotSayForWhomItSpeaksIsNoticedOnceAHostMoves) {
    conf->get_host = [](const std::string& key) { return key == "x" ? "x.dyn.example.org" : ""; };
    configure();
    forwarding = http::Forwarding::silent;
    EXPECT_EQ(ask("/wrong"), "403 BADKEY");
    EXPECT_EQ(checks(), Lines{}) << "whoever only looks";
    EXPECT_EQ(ask("/x"), "200 OK");
    EXPECT_EQ(checks(), Lines{"silent-proxy 192.0.2.1"});
    forwarding = http::Forwarding::other;
    EXPECT_EQ(ask("/x"), "200 UPTODATE");
    EXPECT_EQ(checks(), (Lines{"silent-proxy 192.0.2.1", "other-header 192.0.2.1"}));
}

TEST_F(HookHandlerTest, AHookThatFailsIsSaidOnceAndItsRequestsAreTold) {
    conf->get_host = [](const std::string&) -> python::HookResult<std::string> {
        return python::HookError("get_host/raised", "get_host raised an exception");
    };
    configure();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("/key"), "500 FAIL");
    const auto said = lines("");
    EXPECT_EQ(said.size(), 4U);
    EXPECT_EQ(said[0], "error: get_host raised an exception");
    EXPECT_EQ(said[3], "info: a request from 192.0.2.1: a hook failed");
    EXPECT_EQ(counts(), (Counts{{"secret_url fail", 3}}));
}

TEST_F(HookHandlerTest, AnAddressThatIsNotToBePublishedIsRefused) {
    conf->get_ip = [](const std::string&) { return "127.0.0.1"; };
    configure();
    EXPECT_EQ(ask("/key"), "403 BADADDRESS");
    EXPECT_EQ(counts(), (Counts{{"secret_url refused", 1}}));
}

TEST_F(HookHandlerTest, AScriptPublishesNoAddressThatNoHostCanHave) {
    std::string address;
    conf->get_ip = [&](const std::string&) { return address; };
    std::vector<std::string> script;
    conf->commands = [&](const std::string&) { return script; };
    configure();
    for (const char* bad : {"0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1",
                            "::", "::ffff:169.254.1.1", "127.0.0.9"}) {
        address = bad;
        const std::string type = address.find(':') == std::string::npos ? " A " : " AAAA ";
        for (const char* owner : {"h.dyn.example.org", "www.h.dyn.example.org"}) {
            script = {"update delete h.dyn.example.org" + type,
                      std::string("update add ") + owner + " 5" + type + bad};
            EXPECT_EQ(ask("/key"), "403 BADADDRESS") << bad;
            script.insert(script.begin(), {"update add x.dyn.example.org 5 TXT x", "send"});
            EXPECT_EQ(ask("/key"), "403 BADADDRESS") << bad;
        }
    }
    EXPECT_EQ(lines("error").front(),
              "h.dyn.example.org is not updated: 0.0.0.0 is not an address that a host can have");
    EXPECT_TRUE(
        backend.served(dns::Name::parse("x.dyn.example.org").value(), dns::Type{16}).empty())
        << "nothing of such a script is sent";
    // Other records are the conf's own business, and so are other addresses of other names.
    address = "0.0.0.0";
    script = {"update add h.dyn.example.org 5 TXT 0.0.0.0",
              "update add l.dyn.example.org 5 A 127.0.0.9"};
    EXPECT_EQ(ask("/key"), "200 OK");
    // A trial on the machine itself.
    source = "127.0.0.9";
    address = "127.0.0.9";
    script = {"update delete h.dyn.example.org A", "update add h.dyn.example.org 5 A 127.0.0.9"};
    EXPECT_EQ(ask("/key"), "200 OK");
}

TEST_F(HookHandlerTest, AScriptOfMoreThanAnAddressIsSentAsItIs) {
    conf->commands = [](const std::string& of) {
        return std::vector<std::string>{"zone dyn.example.org",
                                        "update add " + of + " 5 A 192.0.2.1",
                                        "update add www." + of + " 5 A 192.0.2.1"};
    };
    configure();
    EXPECT_EQ(ask("/key"), "200 OK");
    EXPECT_TRUE(backend.batch_sizes.empty());
    EXPECT_EQ(
        backend.served(dns::Name::parse("www.h.dyn.example.org").value(), dns::Type::a).size(), 1U);
    EXPECT_EQ(ask("/key"), "200 UPTODATE");
}

TEST_F(HookHandlerTest, AHookThatDoesNotReturnHasItsRequestAnsweredOnce) {
    std::promise<void> gate;
    conf->get_host = [&](const std::string&) {
        gate.get_future().wait();
        return "late.dyn.example.org";
    };
    configure(1ms);
    Answer answer;
    begin(answer, "/key");
    EXPECT_EQ(answer.await().body, "FAIL");
    gate.set_value();
    // In time or not, the request has its one answer.
    EXPECT_TRUE(handler.stop(60s));
    run();
    EXPECT_EQ(answer.later.size(), 1U);
    // On a busy machine the time may be over before it is run.
    EXPECT_THAT(
        lines(),
        testing::AnyOf(Lines{"a request from 192.0.2.1: a hook did not return in time"},
                       Lines{"a request from 192.0.2.1: the conf's thread was not there in time"}));
    EXPECT_EQ(counts(), (Counts{{"secret_url fail", 1}}));
}

TEST_F(HookHandlerTest, AHookThatWasNotRunIsNotSaidToHaveTakenLong) {
    std::promise<void> gate;
    conf->get_host = [](const std::string&) { return "late.dyn.example.org"; };
    conf->on_call = [&] { gate.get_future().wait(); };
    configure(1ms);
    Answer answer;
    begin(answer, "/key");
    EXPECT_EQ(answer.await().body, "FAIL");
    gate.set_value();
    EXPECT_TRUE(handler.stop(60s));
    EXPECT_EQ(
        lines(""),
        (Lines{"error: a request waited for the conf's thread for 0.001 s, and has failed: no "
               "hook was run for it, because others take long (hook_threads gives a conf "
               "more threads)",
               "info: a request from 192.0.2.1: the conf's thread was not there in time"}));
}

TEST_F(HookHandlerTest, WhereTooManyWaitTheNextShallComeBack) {
    conf->get_host = [](const std::string&) { return "x.dyn.example.org"; };
    configure(60s, 0);
    EXPECT_EQ(ask("/key"), "503 FAIL");
    EXPECT_EQ(lines(), Lines{"a request from 192.0.2.1: too many wait for hooks"});
    EXPECT_EQ(counts(), (Counts{{"secret_url overloaded", 1}}));
}

}  // namespace
}  // namespace sftdyn::server
