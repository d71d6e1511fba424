// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/answer_reading.hpp"

#include <gmock/gmock.h>

#include "dns/knot.hpp"
#include "names.hpp"
#include "update/fake_server.hpp"

namespace sftdyn::update {
namespace {

using dns::Type;

dns::Record record(const char* owner, Type type, std::string rdata = {}) {
    return {name(owner), type, 30, std::move(rdata)};
}

dns::Answer by_others(dns::Answer answer) {
    answer.authoritative = false;
    return answer;
}

TEST(AnswerReading, OnlyAnAnswerOfTheZonesOwnServerCounts) {
    for (const std::uint16_t rcode : {KNOT_RCODE_NOERROR, KNOT_RCODE_NXDOMAIN}) {
        EXPECT_TRUE(is_authoritative(authoritative(rcode)));
        EXPECT_FALSE(is_authoritative(by_others(authoritative(rcode))));
    }
    for (const std::uint16_t rcode : {KNOT_RCODE_SERVFAIL, KNOT_RCODE_REFUSED, KNOT_RCODE_NOTAUTH})
        EXPECT_FALSE(is_authoritative(authoritative(rcode)));
}

TEST(AnswerReading, TheZoneIsTheSoasOwner) {
    const auto zone = [](const dns::Answer& answer) {
        const auto found = zone_in(answer, name("h.dyn.example"));
        return found ? found->text() : "none";
    };
    EXPECT_EQ(zone(authoritative(KNOT_RCODE_NOERROR, {record("h.dyn.example", Type::soa)})),
              "h.dyn.example");
    EXPECT_EQ(zone(authoritative(KNOT_RCODE_NXDOMAIN, {}, {record("dyn.example", Type::soa)})),
              "dyn.example");
    EXPECT_EQ(zone(authoritative(KNOT_RCODE_NXDOMAIN, {}, {record("other.example", Type::soa)})),
              "none")
        << "it does not hold the name";
    EXPECT_EQ(zone(authoritative(KNOT_RCODE_NXDOMAIN, {}, {record("dyn.example", Type::ns)})),
              "none");
}

TEST(AnswerReading, AReferralDelegatesTheName) {
    const auto cut = [](const dns::Answer& answer) {
        const auto found = delegation_in(answer, name("h.dyn.example"));
        return found ? found->text() : "none";
    };
    const auto referral = [](const char* owner) {
        return by_others(authoritative(KNOT_RCODE_NOERROR, {}, {record(owner, Type::ns)}));
    };
    EXPECT_EQ(cut(referral("dyn.example")), "dyn.example");
    EXPECT_EQ(cut(referral("h.dyn.example")), "h.dyn.example");
    EXPECT_EQ(cut(referral("other.example")), "none");
    EXPECT_EQ(cut(authoritative(KNOT_RCODE_NXDOMAIN)), "none");
}

TEST(AnswerReading, RecordsOfThatNameAndTypeAreRead) {
    const auto read = [](const dns::Answer& answer) {
        return read_served(answer, name("dyn.example"), name("h.dyn.example"), Type::a, "server");
    };
    const auto good =
        read(authoritative(KNOT_RCODE_NOERROR, {record("h.dyn.example", Type::a, "one "),
                                                record("h.dyn.example", Type::aaaa, "six"),
                                                record("o.dyn.example", Type::a, "othr")}));
    ASSERT_TRUE(good.has_value());
    EXPECT_THAT(good->records.rdata, testing::ElementsAre("one "));
    EXPECT_EQ(good->records.ttl, 30U);
    EXPECT_FALSE(good->has_cname);
    const auto alias =
        read(authoritative(KNOT_RCODE_NOERROR, {record("h.dyn.example", Type::cname, "x")}));
    ASSERT_TRUE(alias.has_value());
    EXPECT_TRUE(alias->has_cname);
    EXPECT_TRUE(read(authoritative(KNOT_RCODE_NOERROR, {record("dyn.example", Type::dname, "x")}))
                    .has_error())
        << "a DNAME hides what is below it";
    EXPECT_TRUE(read(by_others(authoritative(KNOT_RCODE_NOERROR))).has_error());
}

}  // namespace
}  // namespace sftdyn::update
