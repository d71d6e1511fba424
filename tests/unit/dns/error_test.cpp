// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/error.hpp"

#include <gmock/gmock.h>

#include "dns/knot.hpp"

using testing::HasSubstr;

namespace sftdyn::dns {
namespace {

TEST(DnsError, OnlyAnErrorCodeIsARefusal) {
    for (int kind = 0; kind <= static_cast<int>(ErrorKind::deadline_exceeded); ++kind) {
        DnsError error;
        error.kind = static_cast<ErrorKind>(kind);
        EXPECT_EQ(error.is_refusal(), error.kind == ErrorKind::rcode) << kind;
    }
}

TEST(DnsError, TheTextHasWhereWhatAndTheCause) {
    DnsError error{ErrorKind::timeout, 0, "192.0.2.1:53", "no answer", "is it running?"};
    EXPECT_EQ(error.text(), "192.0.2.1:53: no answer; is it running?");
    error.server.clear();
    EXPECT_EQ(error.text(), "no answer; is it running?");
    error.cause.clear();
    EXPECT_EQ(error.text(), "no answer");
}

TEST(DnsError, TheSameIsWhatHasKindCodeAndServerInCommon) {
    const DnsError error{ErrorKind::rcode, 5, "192.0.2.1:53", "one", "cause"};
    DnsError other = error;
    other.detail = "two";
    other.cause = "another";
    EXPECT_EQ(error.key(), other.key());
    other = error;
    other.kind = ErrorKind::timeout;
    EXPECT_NE(error.key(), other.key());
    other = error;
    other.rcode = 2;
    EXPECT_NE(error.key(), other.key());
    other = error;
    other.server = "192.0.2.2:53";
    EXPECT_NE(error.key(), other.key());
}

TEST(DnsError, AnErrorCodeWithoutANameIsANumber) {
    EXPECT_EQ(rcode_text(KNOT_RCODE_REFUSED), "REFUSED");
    EXPECT_EQ(rcode_text(KNOT_RCODE_NOERROR), "NOERROR");
    EXPECT_EQ(rcode_text(3841), "RCODE3841");
}

struct Cause {
    std::uint16_t rcode;
    const char* name;
    const char* words;
};

class RcodeFailure : public testing::TestWithParam<Cause> {};

TEST_P(RcodeFailure, SaysWhatTheServerAnsweredAndTheLikelyCause) {
    const DnsError error = rcode_failure(GetParam().rcode, "192.0.2.1:53", "the question");
    EXPECT_EQ(error.kind, ErrorKind::rcode);
    EXPECT_EQ(error.rcode, GetParam().rcode);
    EXPECT_EQ(error.server, "192.0.2.1:53");
    EXPECT_EQ(error.detail,
              std::string("the DNS server answered ") + GetParam().name + " to the question");
    EXPECT_THAT(error.cause, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Rcodes, RcodeFailure,
    testing::Values(Cause{KNOT_RCODE_REFUSED, "REFUSED", "update-policy"},
                    Cause{KNOT_RCODE_NOTAUTH, "NOTAUTH", "not the primary server"},
                    Cause{KNOT_RCODE_NOTZONE, "NOTZONE", "not in that zone"},
                    Cause{KNOT_RCODE_SERVFAIL, "SERVFAIL", "could not write the zone"},
                    Cause{KNOT_RCODE_NOTIMPL, "NOTIMPL", "does not accept dynamic updates"},
                    Cause{KNOT_RCODE_FORMERR, "FORMERR", "did not understand"},
                    Cause{KNOT_RCODE_YXDOMAIN, "YXDOMAIN", "prerequisite"},
                    Cause{KNOT_RCODE_YXRRSET, "YXRRSET", "prerequisite"},
                    Cause{KNOT_RCODE_NXDOMAIN, "NXDOMAIN", "prerequisite"},
                    Cause{KNOT_RCODE_NXRRSET, "NXRRSET", "prerequisite"},
                    Cause{3841, "RCODE3841", "own log"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sftdyn::dns
