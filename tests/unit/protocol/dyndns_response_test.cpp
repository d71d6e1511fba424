// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_response.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using namespace sftdyn::protocol;

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
    const std::vector<HostAnswer> mixed{{ReturnCode::good, "a", "1.2.3.4,2001:db8::1"},
                                        {ReturnCode::nohost, "b", ""},
                                        {ReturnCode::dnserr, "c", ""}};
    AddressUpdate one;
    EXPECT_EQ(answer(one, mixed, "U").body, "good 1.2.3.4,2001:db8::1\nnohost\ndnserr");
    EXPECT_EQ(answer(one, mixed, "U").status, 200U);
    EXPECT_EQ(answer(one, {{ReturnCode::dnserr, "c", ""}, {ReturnCode::server_error, "d", ""}}, "U")
                  .status,
              500U);
    EXPECT_EQ(answer(one, {}, "U").body, "notfqdn");
    EXPECT_EQ(bad_credential(one.dialect).status, 401U);
    one.dialect = Dialect::duckdns;
    EXPECT_EQ(answer(one, mixed, "U").body, "KO");
    EXPECT_EQ(answer(one, {{ReturnCode::nochg, "a", ""}}, "U").body, "OK");
    one.dialect = Dialect::secret_url;
    EXPECT_EQ(answer(one, mixed, "U").status, 500U);
    EXPECT_EQ(answer(one, {{ReturnCode::nochg, "a", ""}}, "U").body, "U");
    EXPECT_EQ(answer(one, {{ReturnCode::nochg, "a", ""}, {ReturnCode::good, "b", ""}}, "U").body,
              "OK");
    EXPECT_EQ(answer(one, {{ReturnCode::abuse, "a", ""}}, "U").status, 429U);
}

}  // namespace
