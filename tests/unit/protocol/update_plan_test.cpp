// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/update_plan.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using namespace sftdyn::protocol;
using boost::asio::ip::make_address;
using boost::asio::ip::make_address_v6;

namespace {

class PlanTest : public testing::Test {
protected:
    update::HostId host(const char* text) { return names.number(*dns::Name::parse(text)); }

    UpdatePlan plan(const AddressUpdate& update, const char* source = "192.0.2.99") {
        return make_plan(update, client, names, make_address(source));
    }
    base::AddressRules rules_;
    AddressUpdate naming(std::vector<std::string> hosts, const char* v4 = nullptr,
                         const char* v6 = nullptr) {
        AddressUpdate out;
        out.hostnames = std::move(hosts);
        if (v4 != nullptr) out.v4 = AddressUpdate::Named{make_address(v4), v4};
        if (v6 != nullptr) out.v6 = AddressUpdate::Named{make_address(v6), v6};
        return out;
    }
    /// "host type data", group by group.
    std::string text(const UpdatePlan& out) {
        std::string all;
        for (const auto& group : out.groups) {
            all += "[";
            for (const auto& step : group) {
                all += (all.ends_with('[') ? "" : " ") +
                       names.name(step.desired.rrset.host).text() + ":" +
                       dns::type_text(step.desired.rrset.type) + "=";
                all += step.desired.kind == dns::ChangeKind::remove
                           ? "none"
                           : dns::rdata_text(step.desired.rrset.type, step.desired.rdata);
            }
            all += "]";
        }
        return all;
    }

    update::HostTable names;
    accounts::Client client{
        "c",
        {{host("a.x.org"), 30, false, {}},
         {host("b.x.org"), 60, false, accounts::Ipv6Place{make_address_v6("::1:2"), 3}}},
        true};
};

TEST_F(PlanTest, EachHostIsAGroup) {
    EXPECT_EQ(text(plan(naming({"a.x.org", "B.x.org."}, "192.0.2.1", "2001:db8::1"))),
              "[a.x.org:A=192.0.2.1 a.x.org:AAAA=2001:db8::1][b.x.org:A=192.0.2.1 "
              "b.x.org:AAAA=2001:db8::1]");
    EXPECT_EQ(plan(naming({"a.x.org"}, "192.0.2.1", "2001:db8::1")).answers.at(0).addresses,
              "192.0.2.1,2001:db8::1");
}

TEST_F(PlanTest, NothingNamedIsTheSource) {
    EXPECT_EQ(text(plan(naming({"a.x.org"}))), "[a.x.org:A=192.0.2.99]");
    EXPECT_EQ(text(plan(naming({"a.x.org"}), "2001:db8::9")), "[a.x.org:AAAA=2001:db8::9]");
    EXPECT_EQ(text(plan(naming({"b.x.org"}), "2001:db8::9")), "")
        << "that is the router's address, not this host's";
}

TEST_F(PlanTest, WhoIsNotTheClients) {
    (void)host("foreign.x.org");
    const auto out =
        plan(naming({"foreign.x.org", "nowhere.x.org", "nodot", "a..b", ""}, "192.0.2.1"));
    ASSERT_EQ(out.answers.size(), 5U);
    const ReturnCode expected[] = {ReturnCode::not_yours, ReturnCode::nohost, ReturnCode::notfqdn,
                                   ReturnCode::notfqdn, ReturnCode::notfqdn};
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(out.answers[i].code, expected[i]) << i;
    EXPECT_EQ(text(out), "");
}

TEST_F(PlanTest, AHostNamedTwiceIsPlannedOnce) {
    const auto out = plan(naming({"a.x.org", "a.x.org"}, "192.0.2.1"));
    EXPECT_EQ(text(out), "[a.x.org:A=192.0.2.1]");
    EXPECT_EQ(out.repeats.size(), 1U);
}

TEST_F(PlanTest, OfflineRemovesBothFamilies) {
    auto update = naming({"a.x.org"}, "192.0.2.1");
    update.offline = true;
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=none a.x.org:AAAA=none]");
}

TEST_F(PlanTest, APrefixMovesTheHostsWithAPlaceAlong) {
    auto update = naming({"a.x.org"}, "192.0.2.1", "2001:db8:f::1");
    update.prefix = AddressUpdate::Prefix{make_address_v6("2001:db8:1:ab00::"), 56};
    const auto out = plan(update);
    EXPECT_EQ(text(out),
              "[a.x.org:A=192.0.2.1 a.x.org:AAAA=2001:db8:f::1 b.x.org:AAAA=2001:db8:1:ab03::1:2]");
    EXPECT_EQ(out.groups.at(0).back().answer, UpdatePlan::unanswered);
    update.hostnames = {"b.x.org"};
    EXPECT_EQ(text(plan(update)), "[b.x.org:A=192.0.2.1 b.x.org:AAAA=2001:db8:1:ab03::1:2]");
    update.prefix->length = 63;
    EXPECT_EQ(plan(update).answers.at(0).code, ReturnCode::server_error);
    EXPECT_EQ(plan(update).warnings.size(), 1U);
}

TEST_F(PlanTest, APrefixAloneTouchesNothingElse) {
    AddressUpdate update;
    update.prefix = Addresses::Prefix{make_address_v6("2001:db8:1:ab00::"), 56};
    update.hostnames = {"a.x.org"};
    EXPECT_EQ(text(plan(update)), "[b.x.org:AAAA=2001:db8:1:ab03::1:2]");
    EXPECT_EQ(plan(update).groups.at(0).at(0).answer, 0U) << "a.x.org is answered for it";
    update.hostnames.clear();
    EXPECT_EQ(text(plan(update)), "[b.x.org:AAAA=2001:db8:1:ab03::1:2]");
    for (const char* wrong : {"nowhere.x.org", "nodot"}) {
        update.hostnames = {wrong};
        EXPECT_EQ(text(plan(update)), "") << "a failure changes nothing";
    }
    client.hosts.pop_back();
    update.hostnames = {"a.x.org"};
    EXPECT_EQ(text(plan(update)), "");
    EXPECT_EQ(plan(update).answers.at(0).code, ReturnCode::server_error);
    EXPECT_EQ(plan(update).warnings.size(), 1U);
}

TEST_F(PlanTest, WithoutANameAllHostsAreMeantOrTheOneOfTheUser) {
    auto update = naming({}, "192.0.2.1", "2001:db8::1");
    EXPECT_EQ(text(plan(update)),
              "[a.x.org:A=192.0.2.1 a.x.org:AAAA=2001:db8::1 b.x.org:A=192.0.2.1]")
        << "the router's address is none of b's";
    update.user = "B.x.org";
    EXPECT_EQ(text(plan(update)), "[b.x.org:A=192.0.2.1 b.x.org:AAAA=2001:db8::1]");
    client.hosts.erase(client.hosts.begin());
    update.user = "whoever";
    EXPECT_EQ(text(plan(update)), "[b.x.org:A=192.0.2.1 b.x.org:AAAA=2001:db8::1]");
}

TEST_F(PlanTest, OneAnswerForAllIsAllOrNothing) {
    auto update = naming({"a.x.org", "nowhere.x.org"}, "192.0.2.1");
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.1]") << "each host has a line of its own";
    update.dialect = Dialect::duckdns;
    EXPECT_EQ(text(plan(update)), "");
}

TEST_F(PlanTest, EmptyAndPreservedFamilies) {
    AddressUpdate update;
    update.hostnames = {"a.x.org"};
    update.empty_v6 = true;
    EXPECT_EQ(text(plan(update, "2001:db8::9")), "[a.x.org:AAAA=2001:db8::9]");
    client.empty_removes = true;
    EXPECT_EQ(text(plan(update, "2001:db8::9")), "[a.x.org:AAAA=none]");
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.99 a.x.org:AAAA=none]");
    update.empty_v6 = false;
    update.keep_v6 = true;
    EXPECT_EQ(text(plan(update, "2001:db8::9")), "");
    EXPECT_EQ(plan(update, "2001:db8::9").answers.at(0).code, ReturnCode::nochg);
}

TEST_F(PlanTest, AddressesOfOneHostAlone) {
    auto update = naming({"a.x.org", "b.x.org"}, "192.0.2.1");
    Addresses own;
    own.v4 = Addresses::Named{make_address("192.0.2.2"), "192.0.2.2"};
    update.of_hosts.emplace_back("b.x.org", own);
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.1][b.x.org:A=192.0.2.2]");
}

TEST_F(PlanTest, WhatIsGoodBesideWhatIsUnusableCounts) {
    auto update = naming({"a.x.org"}, "192.0.2.1");
    update.unusable = "fe80::1%eth0";
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.1]");
    EXPECT_EQ(plan(update).warnings.size(), 1U);
    update.v4.reset();
    EXPECT_EQ(text(plan(update)), "");
    EXPECT_FALSE(plan(update).refused.empty());
}

TEST_F(PlanTest, AnotherAddressNeedsPermission) {
    client.may_set_address = false;
    EXPECT_EQ(plan(naming({"a.x.org"}, "192.0.2.1")).answers.at(0).code, ReturnCode::not_yours);
    EXPECT_EQ(text(plan(naming({"a.x.org"}, "192.0.2.1", "2001:db8::1"))), "");
    EXPECT_EQ(text(plan(naming({"a.x.org"}, "192.0.2.99"))), "[a.x.org:A=192.0.2.99]");
    auto with_prefix = naming({"a.x.org"});
    with_prefix.prefix = AddressUpdate::Prefix{make_address_v6("2001:db8:1::"), 56};
    EXPECT_EQ(text(plan(with_prefix)), "");
}

TEST_F(PlanTest, AnAddressThatMayNotBePublishedIsPlannedForNobody) {
    base::AddressRules rules;
    rules.deny = base::parse_networks("private").value();
    const auto refused = [&](const AddressUpdate& update, const char* source) {
        const auto out = make_plan(update, client, names, make_address(source), rules);
        EXPECT_EQ(out.refused.empty(), !out.groups.empty());
        return !out.refused.empty();
    };
    const auto from_source = naming({"a.x.org"});
    EXPECT_FALSE(refused(from_source, "192.0.2.99"));
    EXPECT_TRUE(refused(from_source, "10.0.0.1"));
    EXPECT_TRUE(refused(from_source, "fe80::1"));
    EXPECT_FALSE(refused(from_source, "127.0.0.1"));
    EXPECT_TRUE(refused(naming({"a.x.org"}, "127.0.0.1"), "192.0.2.99"));
    EXPECT_TRUE(refused(naming({"a.x.org"}, "10.0.0.1"), "192.0.2.99"));
    EXPECT_FALSE(refused(naming({"a.x.org"}, "192.0.2.1", "fec0::1"), "192.0.2.99"));
    const auto beside = make_plan(naming({"a.x.org"}, "192.0.2.1", "fec0::1"), client, names,
                                  make_address("192.0.2.99"), rules);
    EXPECT_EQ(text(beside), "[a.x.org:A=192.0.2.1]") << "what is good";
    EXPECT_EQ(beside.warnings.size(), 1U) << "and what is not is told";
    EXPECT_FALSE(refused(naming({"a.x.org"}, "192.0.2.1"), "10.0.0.1"))
        << "its own address is not asked for";
    auto offline = from_source;
    offline.offline = true;
    EXPECT_FALSE(refused(offline, "10.0.0.1")) << "nothing is published";
}

TEST_F(PlanTest, WhatAPrefixMakesIsLookedAtToo) {
    rules_.deny = base::parse_networks("2001:db8:bad::/48").value();
    auto update = naming({"b.x.org"}, "192.0.2.1");
    const auto made = [&](const char* network, unsigned length) {
        update.prefix = AddressUpdate::Prefix{make_address_v6(network), length};
        return make_plan(update, client, names, make_address("192.0.2.99"), rules_);
    };
    EXPECT_EQ(made("2001:db8:900d::", 48).answers.at(0).code, ReturnCode::nochg);
    EXPECT_EQ(made("2001:db8:bad::", 48).answers.at(0).code, ReturnCode::server_error);
    EXPECT_EQ(made("2001:db8:bad::", 48).warnings.size(), 1U);
    EXPECT_EQ(made("fec0::", 56).answers.at(0).code, ReturnCode::server_error)
        << "whatever the settings say";
}

Addresses addresses(const char* v4, const char* prefix = nullptr) {
    Addresses out;
    if (v4 != nullptr) out.v4 = Addresses::Named{make_address(v4), v4};
    if (prefix != nullptr) out.prefix = Addresses::Prefix{make_address_v6(prefix), 56};
    return out;
}

TEST_F(PlanTest, AHostForWhichNothingCanBeDoneHasFailed) {
    AddressUpdate update;
    update.hostnames = {"a.x.org"};
    update.of_hosts = {{"a.x.org", addresses(nullptr, "2001:db8:1::")}};
    const auto own = plan(update);
    EXPECT_EQ(text(own), "") << "it has no ipv6_suffix";
    EXPECT_EQ(own.answers.at(0).code, ReturnCode::server_error);
    EXPECT_EQ(own.warnings.size(), 1U);
    update.of_hosts[0].second.v4 = Addresses::Named{make_address("192.0.2.1"), "192.0.2.1"};
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.1]");
    EXPECT_EQ(plan(update).warnings.size(), 1U) << "and what is left out is told";

    AddressUpdate behind;
    behind.hostnames = {"a.x.org"};
    behind.prefix = Addresses::Prefix{make_address_v6("2001:db8:1::"), 64};  // its subnet is 3
    EXPECT_EQ(text(plan(behind)), "");
    EXPECT_EQ(plan(behind).answers.at(0).code, ReturnCode::server_error);
    EXPECT_EQ(plan(behind).warnings.size(), 1U);

    AddressUpdate preserving;
    preserving.hostnames = {"a.x.org"};
    preserving.keep_v4 = true;
    EXPECT_EQ(plan(preserving).answers.at(0).code, ReturnCode::nochg) << "nothing is named";
}

TEST_F(PlanTest, AddressesOfOneHostComeBeforeThoseOfAll) {
    auto update = naming({"a.x.org"}, "192.0.2.7", "2001:db8::7");
    update.of_hosts = {{"a.x.org", addresses("192.0.2.1")}};
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.1 a.x.org:AAAA=2001:db8::7]");
    update.of_hosts = {{"a.x.org", addresses("192.0.2.1")}, {"A.X.ORG", addresses("192.0.2.2")}};
    EXPECT_FALSE(plan(update).refused.empty()) << "two of one family";
    update = naming({"a.x.org"});
    update.of_hosts = {{"a.x.org", addresses("192.0.2.1")}};
    rules_.deny = base::parse_networks("192.0.2.99/32").value();
    EXPECT_EQ(text(make_plan(update, client, names, make_address("192.0.2.99"), rules_)),
              "[a.x.org:A=192.0.2.1]")
        << "the source is nobody's address here";
}

TEST_F(PlanTest, HostsWithoutAnAddressAreAnsweredAsThePrefixIs) {
    client.hosts.push_back({.host = host("c.x.org")});
    AddressUpdate update;
    update.hostnames = {"a.x.org", "c.x.org"};
    update.prefix = Addresses::Prefix{make_address_v6("2001:db8:1:ab00::"), 56};
    const auto out = plan(update);
    EXPECT_EQ(text(out), "[b.x.org:AAAA=2001:db8:1:ab03::1:2]");
    EXPECT_EQ(out.groups.at(0).at(0).answer, 0U);
    EXPECT_EQ(out.repeats, (std::vector<std::pair<std::size_t, std::size_t>>{{1, 0}}));
}

TEST_F(PlanTest, ALabelOfSeveralHostsIsNobodys) {
    AddressUpdate update;
    update.dialect = Dialect::duckdns;
    update.hostnames = {"a"};
    update.v4 = Addresses::Named{make_address("192.0.2.1"), "192.0.2.1"};
    EXPECT_EQ(text(plan(update)), "[a.x.org:A=192.0.2.1]");
    client.hosts.push_back({.host = host("a.y.org")});
    EXPECT_EQ(text(plan(update)), "");
    EXPECT_NE(plan(update).answers.at(0).code, ReturnCode::nochg);
    update.hostnames = {"a.y.org"};
    EXPECT_EQ(text(plan(update)), "[a.y.org:A=192.0.2.1]");
}

TEST_F(PlanTest, OnlyTheAddressThatTheRequestComesFromIsOfItsSource) {
    const auto at_source = [&](const char* v4) {
        return plan(naming({"a.x.org"}, v4)).groups.at(0).at(0).desired.at_source;
    };
    EXPECT_TRUE(at_source(nullptr));
    EXPECT_TRUE(at_source("192.0.2.99"));
    EXPECT_FALSE(at_source("192.0.2.98"));
}

}  // namespace
