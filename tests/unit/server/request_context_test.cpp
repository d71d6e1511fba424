// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/request_context.hpp"

#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using telemetry::RequestOutcome;
using update::UpdateStatus;

class RequestContextTest : public RequestTest {};

TEST_F(RequestContextTest, AnAnswerAtOnceNeedsNoDeferral) {
    Answer answer;
    {
        auto context = request(answer);
        context.complete(RequestOutcome::address, "its own address", {200, "192.0.2.1"});
        EXPECT_EQ(answer.text(), "200 192.0.2.1");
    }
    EXPECT_EQ(answer.deferrals, 0U);
    EXPECT_TRUE(answer.later.empty());
    EXPECT_EQ(lines(), Lines{"a request from 192.0.2.1: its own address"});
    EXPECT_EQ(counts(), (Counts{{"secret_url address", 1}}));
}

TEST_F(RequestContextTest, ADeferredOneIsAnsweredWhereItWasMovedTo) {
    Answer answer;
    std::shared_ptr<RequestContext> waiting;
    {
        auto context = request(answer);
        context.set_dialect(protocol::Dialect::duckdns);
        waiting = context.defer();
    }
    EXPECT_FALSE(answer.is_given()) << "the empty one that stays behind owes nothing";
    EXPECT_EQ(lines(""), Lines{});
    auto again = waiting->defer();
    waiting.reset();
    again->complete_bad_credential({200, "KO"});
    EXPECT_EQ(answer.text(), "200 KO");
    EXPECT_EQ(answer.deferrals, 1U);
    EXPECT_EQ(lines(""), Lines{"info: a wrong credential from 192.0.2.1"});
    EXPECT_EQ(counts(), (Counts{{"duckdns badkey", 1}}));
}

TEST_F(RequestContextTest, ASecondAnswerIsCaught) {
    Answer answer;
    auto context = request(answer).defer();
    context->complete(RequestOutcome::address, "its own address", {200, "first"});
    lines("");
    context->complete(RequestOutcome::address, "its own address", {200, "second"});
    context->complete({{host("h.dyn.example.org"), dns::Type::a}, {}, UpdateStatus::committed},
                      {200, "third"});
    context->complete_bad_credential({403, "fourth"});
    context->complete({200, "fifth"});
    ASSERT_EQ(answer.later.size(), 1U);
    EXPECT_EQ(answer.later[0].body, "first");
    const auto said = lines("");
    EXPECT_EQ(said.size(), 4U);
    for (const auto& line : said)
        EXPECT_EQ(
            line,
            "error: a request was answered twice, which is a defect; the first answer counts");
    EXPECT_EQ(counts(), (Counts{{"secret_url address", 1}}));
}

TEST_F(RequestContextTest, TheOneThatWasMovedFromAnswersNothing) {
    Answer answer;
    auto context = request(answer);
    const auto waiting = context.defer();
    context.complete({200, "not mine"});
    EXPECT_FALSE(answer.is_given());
    EXPECT_EQ(lines("error").size(), 1U);
    waiting->complete(RequestOutcome::address, "its own address", {200, "mine"});
    EXPECT_EQ(answer.text(), "200 mine");
    EXPECT_EQ(counts(), (Counts{{"secret_url address", 1}}));
}

class GivenUp : public RequestContextTest,
                public testing::WithParamInterface<std::tuple<protocol::Dialect, const char*>> {};

TEST_P(GivenUp, IsAnsweredAndTold) {
    const auto [dialect, expected] = GetParam();
    Answer answer;
    {
        auto context = request(answer);
        context.set_dialect(dialect);
        const auto waiting = context.defer();
    }
    EXPECT_EQ(answer.text(), expected);
    EXPECT_EQ(lines(), Lines{"a request from 192.0.2.1: given up before it was done"});
    ASSERT_EQ(counts().size(), 1U);
    EXPECT_TRUE(counts().begin()->first.ends_with(" fail"));
}
INSTANTIATE_TEST_SUITE_P(RequestContext, GivenUp,
                         testing::Values(std::tuple(protocol::Dialect::secret_url, "500 FAIL"),
                                         std::tuple(protocol::Dialect::dyndns2, "500 911"),
                                         std::tuple(protocol::Dialect::duckdns, "500 KO"),
                                         std::tuple(protocol::Dialect::freedns, "500 911")));

TEST_F(RequestContextTest, WhatWasNotedIsToldAtTheEnd) {
    const auto a = host("a.dyn.example.org"), b = host("b.dyn.example.org");
    request_log.remember(true);
    Answer answer;
    auto context = request(answer);
    context.set_dialect(protocol::Dialect::dyndns2);
    context.note({{a, dns::Type::a}, context.source(), UpdateStatus::committed});
    context.note(
        {{b, dns::Type::a}, boost::asio::ip::make_address("192.0.2.7"), UpdateStatus::failed});
    context.note({{b, dns::Type::aaaa}, {}, UpdateStatus::over_budget});
    context.note("x\n" + std::string(300, 'y'), "nohost", RequestOutcome::refused);
    EXPECT_TRUE(request_log.history().all().empty());
    EXPECT_EQ(counts(), Counts{});
    EXPECT_EQ(lines(""), Lines{});

    context.complete({200, "good"});
    EXPECT_EQ(lines(), (Lines{"a.dyn.example.org A 192.0.2.1: OK",
                              "b.dyn.example.org A 192.0.2.7 from 192.0.2.1: FAIL",
                              "b.dyn.example.org AAAA none from 192.0.2.1: ABUSE (its budget of "
                              "changes is spent)",
                              "x\\x0a" + std::string(253, 'y') + " from 192.0.2.1: nohost"}));
    EXPECT_EQ(
        counts(),
        (Counts{
            {"dyndns2 ok", 1}, {"dyndns2 fail", 1}, {"dyndns2 abuse", 1}, {"dyndns2 refused", 1}}));
    EXPECT_EQ(request_log.history().all().size(), 3U);
}

TEST_F(RequestContextTest, ARequestForNothingHasItsLineToo) {
    Answer answer;
    auto context = request(answer, "2001:db8::1");
    context.set_dialect(protocol::Dialect::dyndns2);
    context.complete({200, "notfqdn"});
    EXPECT_EQ(lines(), Lines{"a request from 2001:db8::1: it names no host"});
    EXPECT_EQ(counts(), (Counts{{"dyndns2 refused", 1}}));
}

TEST_F(RequestContextTest, AtTheDefaultVerbosityItIsOnlyCounted) {
    spdlog::set_level(spdlog::level::warn);
    Answer answer;
    request(answer).complete(RequestOutcome::refused, "a method other than GET", {405, ""});
    Answer other;
    request(other).complete_bad_credential({403, "BADKEY"});
    EXPECT_EQ(lines(""), Lines{});
    EXPECT_EQ(counts(), (Counts{{"secret_url refused", 1}, {"secret_url badkey", 1}}));
}

TEST_F(RequestContextTest, TheClientIsNamedWhereItHasAName) {
    Answer answer;
    auto context = request(answer);
    EXPECT_EQ(context.client(), "a key");
    context.set_client("home");
    EXPECT_EQ(context.client(), "home");
    context.complete({200, ""});
}

}  // namespace
}  // namespace sftdyn::server
