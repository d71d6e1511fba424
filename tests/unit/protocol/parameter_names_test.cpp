// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/parameter_names.hpp"

#include <set>

#include <gtest/gtest.h>

#include "base/ascii.hpp"

namespace sftdyn::protocol {
namespace {

TEST(ParameterNames, EachIsThereOnceInLowerCase) {
    std::set<std::string_view> seen;
    for (const auto& [name, meaning] : parameter_names()) {
        EXPECT_TRUE(seen.insert(name).second) << name;
        EXPECT_EQ(base::ascii_lower(name), name);
        EXPECT_EQ(meaning_of(name), meaning) << name;
    }
    EXPECT_GT(seen.size(), 50U);
}

TEST(ParameterNames, CaseDoesNotMatterAndNothingElseIsKnown) {
    EXPECT_EQ(meaning_of("HostName"), Meaning::hosts);
    EXPECT_EQ(meaning_of("MYIPV6"), Meaning::v6);
    EXPECT_EQ(meaning_of("ip6LanPrefix"), Meaning::prefix);
    for (const char* unknown : {"", "hostnam", "hostnamee", "my ip", "txt", "myipv4:a.b"})
        EXPECT_EQ(meaning_of(unknown), std::nullopt) << unknown;
}

}  // namespace
}  // namespace sftdyn::protocol
