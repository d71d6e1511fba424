// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/request_log.hpp"

#include <gmock/gmock.h>

#include "captured_log.hpp"
#include "names.hpp"

namespace sftdyn::telemetry {
namespace {

using boost::asio::ip::make_address;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using update::UpdateStatus;

class RequestLogTest : public testing::Test {
protected:
    /// Whether that was counted so often, and nothing else of the dialect.
    testing::AssertionResult is_counted(DialectLabel dialect, RequestOutcome counted,
                                        unsigned count = 1) {
        const std::string text = log.metrics().text({}, "1");
        for (std::size_t i = 0; i < outcomes; ++i) {
            const auto each = static_cast<RequestOutcome>(i);
            const std::string line = std::string("sftdyn_requests_total{dialect=\"") +
                                     text_of(dialect) + "\",outcome=\"" + text_of(each) + "\"} " +
                                     std::to_string(each == counted ? count : 0) + "\n";
            if (text.find(line) == std::string::npos)
                return testing::AssertionFailure() << "no line " << line;
        }
        return testing::AssertionSuccess();
    }

    CapturedLog captured;
    update::HostTable hosts;
    RequestLog log{hosts};
    RequestFacts facts{DialectLabel::dyndns2, make_address("192.0.2.1"), {}};
    HostOutcome outcome{{hosts.number(name("h.example.org")), dns::Type::a},
                        make_address("192.0.2.1"),
                        UpdateStatus::committed};
};

struct Served {
    const char* name;
    UpdateStatus status;
    const char* word;
    RequestOutcome outcome;
};
class ServedRecords : public RequestLogTest, public testing::WithParamInterface<Served> {};

TEST_P(ServedRecords, HaveALineACountAndAnEntryInTheMemory) {
    log.remember(true);
    outcome.status = GetParam().status;
    log.served(facts, outcome);
    EXPECT_THAT(captured.lines(""),
                ElementsAre(std::string("info: h.example.org A 192.0.2.1: ") + GetParam().word));
    EXPECT_TRUE(is_counted(DialectLabel::dyndns2, GetParam().outcome));
    const auto all = log.history().all();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].first, outcome.target);
    EXPECT_EQ(all[0].second.outcome, GetParam().outcome);
}
INSTANTIATE_TEST_SUITE_P(
    RequestLog, ServedRecords,
    testing::Values(Served{"Committed", UpdateStatus::committed, "OK", RequestOutcome::ok},
                    Served{"Unchanged", UpdateStatus::unchanged, "UPTODATE",
                           RequestOutcome::uptodate},
                    Served{"Failed", UpdateStatus::failed, "FAIL", RequestOutcome::fail},
                    Served{"OverBudget", UpdateStatus::over_budget,
                           "ABUSE (its budget of changes is spent)", RequestOutcome::abuse},
                    Served{"Overloaded", UpdateStatus::overloaded, "FAIL (too many wait already)",
                           RequestOutcome::overloaded}),
    [](const auto& row) { return row.param.name; });

TEST_F(RequestLogTest, NobodyIsRememberedUnlessSomebodyAsksForIt) {
    log.served(facts, outcome);
    EXPECT_THAT(log.history().all(), IsEmpty());
    log.remember(true);
    log.served(facts, outcome);
    EXPECT_EQ(log.history().all().size(), 1U);
    log.remember(false);
    outcome.target.type = dns::Type::aaaa;
    log.served(facts, outcome);
    EXPECT_EQ(log.history().all().size(), 1U);
}

TEST_F(RequestLogTest, WhoAskedIsToldWhereThatIsNotTheAddress) {
    outcome.address = make_address("2001:db8::1");
    outcome.target.type = dns::Type::aaaa;
    log.served(facts, outcome);
    outcome.address = boost::asio::ip::address();
    log.served(facts, outcome);
    EXPECT_THAT(captured.lines(), ElementsAre("h.example.org AAAA 2001:db8::1 from 192.0.2.1: OK",
                                              "h.example.org AAAA none from 192.0.2.1: OK"));
}

TEST_F(RequestLogTest, WhatAClientCallsAHostForgesNoLine) {
    log.not_served(facts, "x\n2026-01-01 error: forged", "nohost", RequestOutcome::refused);
    log.not_served(facts, std::string(300, 'h'), "notfqdn", RequestOutcome::refused);
    EXPECT_THAT(captured.lines(""),
                ElementsAre("info: x\\x0a2026-01-01 error: forged from 192.0.2.1: nohost",
                            "info: " + std::string(255, 'h') + " from 192.0.2.1: notfqdn"));
    EXPECT_TRUE(is_counted(DialectLabel::dyndns2, RequestOutcome::refused, 2));
}

TEST_F(RequestLogTest, AWrongCredentialIsToldWithoutIt) {
    log.bad_credential(facts);
    EXPECT_THAT(captured.lines(""), ElementsAre("info: a wrong credential from 192.0.2.1"));
    EXPECT_TRUE(is_counted(DialectLabel::dyndns2, RequestOutcome::badkey));
}

TEST_F(RequestLogTest, ARequestForNoHostIsToldToo) {
    facts.dialect = DialectLabel::secret_url;
    log.ended(facts, RequestOutcome::address, "its own address");
    EXPECT_THAT(captured.lines(""), ElementsAre("info: a request from 192.0.2.1: its own address"));
    EXPECT_TRUE(is_counted(DialectLabel::secret_url, RequestOutcome::address));
}

TEST_F(RequestLogTest, WhatNobodyCouldReadIsOfNoDialect) {
    log.unreadable(make_address("2001:db8::1"), 431);
    log.unreadable(std::nullopt, 400);
    EXPECT_THAT(captured.lines(""),
                ElementsAre("info: a request from 2001:db8::1: refused unread with status 431",
                            "info: a request from a Unix socket: refused unread with status 400"));
    EXPECT_TRUE(is_counted(DialectLabel::none, RequestOutcome::refused, 2));
}

TEST_F(RequestLogTest, WhatIsNotSaidIsCountedAllTheSame) {
    CapturedLog::use(spdlog::level::warn);
    log.remember(true);
    log.served(facts, outcome);
    log.not_served(facts, "h", "nohost", RequestOutcome::refused);
    log.bad_credential(facts);
    log.ended(facts, RequestOutcome::address, "its own address");
    log.unreadable(std::nullopt, 400);
    EXPECT_THAT(captured.lines(""), IsEmpty());
    const std::string text = log.metrics().text({}, "1");
    for (const char* outcome_text : {"ok", "refused", "badkey", "address"})
        EXPECT_THAT(text, HasSubstr(std::string("{dialect=\"dyndns2\",outcome=\"") + outcome_text +
                                    "\"} 1\n"));
    EXPECT_TRUE(is_counted(DialectLabel::none, RequestOutcome::refused));
    EXPECT_EQ(log.history().all().size(), 1U);
}

}  // namespace
}  // namespace sftdyn::telemetry
