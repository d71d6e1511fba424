// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/familiar_networks.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sftdyn::accounts {
namespace {

TEST(FamiliarNetworksTest, AreOfAUserAPasswordAndANetwork) {
    FamiliarNetworks familiar;
    EXPECT_FALSE(familiar.is_known({"u", "4/1", "p"}));
    familiar.remember({"u", "4/1", "p"});
    EXPECT_TRUE(familiar.is_known({"u", "4/1", "p"}));
    EXPECT_FALSE(familiar.is_known({"v", "4/1", "p"}));
    EXPECT_FALSE(familiar.is_known({"u", "4/2", "p"}));
    EXPECT_FALSE(familiar.is_known({"u", "4/1", "q"})) << "the password was another";
    EXPECT_FALSE(familiar.is_known({"u4/", "1", "p"})) << "the parts are apart";
}

TEST(FamiliarNetworksTest, OneUserTakesNoOthersPlace) {
    FamiliarNetworks familiar;
    familiar.remember({"quiet", "4/1", "p"});
    for (int i = 0; i < 100'000; ++i) familiar.remember({"loud", "6/" + std::to_string(i), "p"});
    EXPECT_TRUE(familiar.is_known({"quiet", "4/1", "p"}));
}

TEST(FamiliarNetworksTest, TheOldestOfAUsersMakesRoom) {
    FamiliarNetworks familiar;
    const auto network = [](std::size_t number) { return "4/" + std::to_string(number); };
    const auto remember = [&](std::size_t number) {
        familiar.remember({"u", network(number), "p"});
    };
    const auto is_known = [&](std::size_t number) {
        return familiar.is_known({"u", network(number), "p"});
    };
    for (std::size_t i = 0; i < FamiliarNetworks::most_of_user; ++i) remember(i);
    remember(0);  // it is the newest again
    remember(FamiliarNetworks::most_of_user);
    EXPECT_TRUE(is_known(0));
    EXPECT_FALSE(is_known(1));
    EXPECT_TRUE(is_known(2));
    EXPECT_TRUE(is_known(FamiliarNetworks::most_of_user));
}

}  // namespace
}  // namespace sftdyn::accounts
