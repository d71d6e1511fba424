#include "update/served_cache.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn;
using update::HostTable;
using update::ServedCache;

namespace {

constexpr update::Target target{7, dns::Type::a};
const base::TimePoint at{1h};

TEST(ServedCache, KnowsExactlyWhatWasSet) {
    ServedCache known;
    EXPECT_FALSE(known.is(target, "abcd", at));
    known.set(target, "abcd", at);
    EXPECT_TRUE(known.is(target, "abcd", at));
    EXPECT_FALSE(known.is(target, "abce", at));
    EXPECT_FALSE(known.is({7, dns::Type::aaaa}, "abcd", at));
    EXPECT_FALSE(known.is({8, dns::Type::a}, "abcd", at));
    EXPECT_FALSE(known.is(target, "abcd", at + 1ns));
    EXPECT_EQ(known.take(target)->rdata, "abcd");
    EXPECT_FALSE(known.is(target, "abcd", at));
    EXPECT_FALSE(known.take(target));
}

TEST(ServedCache, NothingServedIsKnowledgeToo) {
    ServedCache known;
    known.set(target, "", at);
    EXPECT_EQ(known.take(target)->rdata, "");
}

TEST(ServedCache, LongDataIsForgotten) {
    ServedCache known;
    known.set(target, "abcd", at);
    known.set(target, std::string(17, 'x'), at);
    EXPECT_FALSE(known.take(target));
}

TEST(HostTable, NumbersAreStable) {
    HostTable hosts;
    std::vector<update::HostId> numbers;
    for (int i = 0; i < 1000; ++i)
        numbers.push_back(hosts.number(*dns::Name::parse("h" + std::to_string(i) + ".org")));
    for (int i = 0; i < 1000; ++i) {
        const auto name = *dns::Name::parse("h" + std::to_string(i) + ".org");
        EXPECT_EQ(hosts.number(name), numbers[static_cast<std::size_t>(i)]);
        EXPECT_EQ(hosts.name(numbers[static_cast<std::size_t>(i)]), name);
    }
    EXPECT_EQ(hosts.size(), 1000U);
}

}  // namespace
