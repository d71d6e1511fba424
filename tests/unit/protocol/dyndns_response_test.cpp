// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_response.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using namespace sftdyn::protocol;
using namespace std::chrono_literals;

namespace {

TEST(DyndnsResponse, ManyGuessesAndRefusedAddresses) {
    for (const auto dialect : {Dialect::secret_url, Dialect::freedns})
        EXPECT_EQ(too_many_guesses(dialect).status, 429U);
    for (const auto dialect : {Dialect::dyndns2, Dialect::duckdns})
        EXPECT_EQ(too_many_guesses(dialect).status, 503U);
    EXPECT_EQ(refused_address(Dialect::secret_url).status, 403U);
    for (const auto dialect : {Dialect::dyndns2, Dialect::duckdns, Dialect::freedns})
        EXPECT_EQ(refused_address(dialect).status, 500U);
}

TEST(DyndnsResponse, AnswersOfEachDialect) {
    const std::vector<HostAnswer> mixed{{ReturnCode::good, "a", "1.2.3.4,2001:db8::1", {}},
                                        {ReturnCode::nohost, "b", "", {}},
                                        {ReturnCode::dnserr, "c", "", {}}};
    AddressUpdate one;
    one.hostnames = {"a", "b", "c"};
    const AnswerStyle style{.uptodate = "U"};
    EXPECT_EQ(answer(one, mixed, style).body, "good 1.2.3.4,2001:db8::1\nnohost\ndnserr");
    EXPECT_EQ(answer(one, mixed, style).status, 200U);
    EXPECT_EQ(
        answer(one, {{ReturnCode::dnserr, "c", "", {}}, {ReturnCode::server_error, "d", "", {}}},
               style)
            .status,
        500U);
    EXPECT_EQ(answer(AddressUpdate{}, {}, style).body, "notfqdn");
    EXPECT_EQ(bad_credential(one.dialect).status, 401U);
    one.dialect = Dialect::duckdns;
    EXPECT_EQ(answer(one, mixed, style).body, "KO");
    EXPECT_EQ(answer(one, mixed, style).status, 404U);
    EXPECT_EQ(answer(one, {{ReturnCode::nochg, "a", "", {}}}, style).body, "OK");
    one.dialect = Dialect::secret_url;
    EXPECT_EQ(answer(one, mixed, style).status, 404U);
    EXPECT_EQ(answer(one, {{ReturnCode::nochg, "a", "", {}}}, style).body, "U");
    EXPECT_EQ(
        answer(one, {{ReturnCode::nochg, "a", "", {}}, {ReturnCode::good, "b", "", {}}}, style)
            .body,
        "OK");
    EXPECT_EQ(answer(one, {{ReturnCode::later, "a", "", 7s}}, style).status, 429U);
}

TEST(DyndnsResponse, WhatIsNoNameIsNotRepeated) {
    AddressUpdate asked;
    asked.dialect = Dialect::freedns;
    EXPECT_EQ(answer(asked, {{ReturnCode::nohost, "a.example", "", {}}}, {}).body,
              "ERROR: a.example: nohost");
    EXPECT_EQ(
        answer(asked, {{ReturnCode::notfqdn, "x\nUpdated a.example to 192.0.2.1", "", {}}}, {})
            .body,
        "ERROR: the host: notfqdn");
}

/// What a client concludes that reads nothing but the status.
TEST(DyndnsResponse, TheStatusTellsWhereNoHostSucceeded) {
    const auto host = [](ReturnCode code) { return HostAnswer{code, "a", "", {}}; };
    const auto status = [&](std::vector<HostAnswer> hosts, const AnswerStyle& style) {
        AddressUpdate asked;
        asked.hostnames.resize(hosts.size());
        return answer(asked, hosts, style).status;
    };
    using enum ReturnCode;
    const AnswerStyle usual{}, letter{.refusals_in_200 = true},
        ddclient{.client = ClientKind::ddclient};
    const std::pair<ReturnCode, unsigned> refusals[] = {
        {nohost, 404}, {not_yours, 403}, {notfqdn, 400}};
    for (const auto& [code, expected] : refusals) {
        EXPECT_EQ(status({host(code)}, usual), expected);
        EXPECT_EQ(status({host(code)}, letter), 200U);
        EXPECT_EQ(status({host(code)}, ddclient), 200U);
        EXPECT_EQ(status({host(code), host(nochg)}, usual), 200U) << "it must read its lines";
        EXPECT_EQ(status({host(code), host(later)}, letter), 503U)
            << "one of them is to be retried";
    }
    EXPECT_EQ(status({host(dnserr)}, letter), 500U);
    AddressUpdate asked;
    asked.hostnames = {"a"};
    const auto wait = answer(asked, {{later, "a", "", 17s}}, usual);
    EXPECT_EQ(wait.status, 503U);
    EXPECT_EQ(wait.body, "911");
    EXPECT_EQ(wait.retry_after, 17s);
}

TEST(DyndnsResponse, ClientsWithAWayOfTheirOwn) {
    EXPECT_EQ(kind_of_client("inadyn/2.10.0 h"), ClientKind::inadyn);
    EXPECT_EQ(kind_of_client("ddclient/3.10.0"), ClientKind::ddclient);
    for (const char* other : {"", "curl/7.88.1", "Inadyn", "xinadyn/2", "ddclient"})
        EXPECT_EQ(kind_of_client(other), ClientKind::any) << other;
    EXPECT_EQ((AnswerStyle{.uptodate = "U", .client = ClientKind::inadyn}).unchanged_word(), "OK");
    EXPECT_EQ((AnswerStyle{.uptodate = "U", .client = ClientKind::ddclient}).unchanged_word(), "U");
}

}  // namespace
