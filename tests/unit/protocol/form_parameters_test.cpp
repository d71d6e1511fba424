// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/form_parameters.hpp"

#include <gtest/gtest.h>

using namespace sftdyn::protocol;

namespace {

std::string value(std::string_view query, std::string_view name) {
    Parameters parameters;
    parameters.add(query);
    const std::string* found = parameters.find(name);
    return found != nullptr ? *found : "none";
}

TEST(Parameters, PairsAreDecoded) {
    EXPECT_EQ(value("a=1&b=2", "b"), "2");
    EXPECT_EQ(value("a=x+y%20z%2b", "a"), "x y z+");
    EXPECT_EQ(value("A=1", "a"), "1");
    EXPECT_EQ(value("a=1&a=2", "a"), "1");
    EXPECT_EQ(value("a", "a"), "");
    EXPECT_EQ(value("a=", "a"), "");
    EXPECT_EQ(value("=x&&a=1&", "a"), "1");
    EXPECT_EQ(value("a=b=c", "a"), "b=c");
    EXPECT_EQ(value("a=%", "a"), "%");
    EXPECT_EQ(value("a=%4", "a"), "%4");
    EXPECT_EQ(value("", "a"), "none");
}

TEST(Parameters, PathsAreSplitAtSlashes) {
    using Path = std::vector<std::string_view>;
    EXPECT_EQ(path_segments("//nic///update/?a/b"), (Path{"nic", "update"}));
    EXPECT_EQ(path_segments("/?a"), Path{});
    EXPECT_EQ(query_of("/a?b?c"), "b?c");
    EXPECT_EQ(query_of("/a"), "");
}

}  // namespace
