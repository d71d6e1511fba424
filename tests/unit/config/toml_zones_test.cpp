// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_zones.hpp"

#include <gmock/gmock.h>

#include "config/toml_text.hpp"
#include "names.hpp"

namespace sftdyn::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> servers_of(const ZoneSettings& zone) {
    std::vector<std::string> out;
    for (const auto& server : zone.servers) out.push_back(text_of(server));
    return out;
}

TEST(TomlZones, TheServersOfAllZones) {
    const ReadText read(
        "[dns]\nservers = [\"192.0.2.1\", \"[::1]:5353\"]\nzone = \"Example.org\"\ntcp = true\n");
    EXPECT_THAT(read.said, IsEmpty());
    EXPECT_THAT(servers_of(read.settings.dns), ElementsAre("192.0.2.1:53", "[::1]:5353"));
    EXPECT_EQ(read.settings.dns.zone, name("example.org"));
    EXPECT_TRUE(read.settings.dns.tcp);
    EXPECT_THAT(servers_of(ReadText("[dns]\nserver = \"2001:db8::1\"\n").settings.dns),
                ElementsAre("[2001:db8::1]:53"));
}

TEST(TomlZones, WaysToTheServer) {
    const ReadText usual("[[zone]]\nname = \"dyn.example.org\"\n");
    for (const ZoneSettings& zone : {usual.settings.dns, usual.settings.zones.at(0)}) {
        EXPECT_TRUE(zone.sign_queries && zone.queries);
        EXPECT_THAT(key_files(zone), testing::Not(IsEmpty())) << "BIND's session key";
    }
    const ReadText read(
        "nskeyfile = false\n[dns]\nzone = \"example.org\"\nsign_queries = false\nqueries = false\n"
        "[[zone]]\nname = \"dyn.example.org\"\nnskeyfile = false\nsign_queries = false\n"
        "queries = false\n");
    EXPECT_THAT(read.said, IsEmpty());
    for (const ZoneSettings& zone : {read.settings.dns, read.settings.zones.at(0)}) {
        EXPECT_FALSE(zone.sign_queries || zone.queries);
        EXPECT_THAT(key_files(zone), IsEmpty()) << "nothing is signed";
    }
    EXPECT_THAT(ReadText("[dns]\nqueries = false\n").said,
                ElementsAre(HasSubstr("the server answers no queries, and no zone is named")));
}

TEST(TomlZones, AZoneHasItsOwn) {
    const ReadText read(R"(
[dns]
server = "192.0.2.9"
[[zone]]
name = "dyn.example.org"
server = "192.0.2.1:5353"
ttl = 0
tcp = true
nskeyfile = "keys/dyn.key"
[[zone]]
name = "0/25.2.0.192.in-addr.arpa"
)");
    EXPECT_THAT(read.said, IsEmpty());
    ASSERT_EQ(read.settings.zones.size(), 2U);
    const auto& zone = read.settings.zones[0];
    EXPECT_EQ(zone.zone, name("dyn.example.org"));
    EXPECT_THAT(servers_of(zone), ElementsAre("192.0.2.1:5353"));
    EXPECT_EQ(zone.ttl, 0U);
    EXPECT_TRUE(zone.tcp);
    EXPECT_EQ(zone.key_file, "/etc/sftdyn/keys/dyn.key");
    const auto& other = read.settings.zones[1];
    EXPECT_THAT(servers_of(other), IsEmpty()) << "those of [dns] are no zone's";
    EXPECT_FALSE(other.ttl);
    EXPECT_FALSE(other.tcp);
    EXPECT_FALSE(other.key_file);
}

class TomlZonesMistake : public testing::TestWithParam<WrongText> {};

TEST_P(TomlZonesMistake, IsToldInItsPlaceAndAlone) {
    const auto& [name, text, start, remedy] = GetParam();
    EXPECT_THAT(ReadText(text).said, ElementsAre(AllOf(StartsWith(start), HasSubstr(remedy))));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TomlZonesMistake,
    testing::Values(
        WrongText{"AServersName", "[dns]\nserver = \"ns.example.org\"\n",
                  "2:10: this is not a server address; ", "expected an IP address"},
        WrongText{"ASecondThatIsNone", "[dns]\nservers = [\"::1\", \"::1:53x\"]\n",
                  "2:19: this is not a server address; ", "expected an IP address"},
        WrongText{"ANumberForAServer", "[dns]\nserver = 53\n",
                  "2:10: server is of the wrong type (integer); ", "an IP address as a string"},
        WrongText{"AnEmptyListOfServers", "[dns]\nservers = []\n",
                  "2:11: servers is an empty list; ", "or leave the line out"},
        WrongText{"ServerAndServers", "[dns]\nserver = \"::1\"\nservers = [\"127.0.0.1\"]\n",
                  "3:11: both server and servers are given; ", "keep one of them"},
        WrongText{"AWildcardForAZone", "[dns]\nzone = \"*.example.org\"\n",
                  "2:8: this zone is not a valid domain name: a zone can't be a wildcard; ",
                  "dyn.example.org"},
        WrongText{"AZoneThatIsNoName", "[[zone]]\nname = \"a b\"\n",
                  "2:8: this zone is not a valid domain name: ", "dyn.example.org"},
        WrongText{"AZoneWithoutAName", "[[zone]]\nserver = \"::1\"\n",
                  "1:1: a [[zone]] has no name; ", "add name"},
        WrongText{"AZoneThatIsThereTwice",
                  "[[zone]]\nname = \"a.org\"\n[[zone]]\nname = \"A.org.\"\n",
                  "3:1: this zone appears twice; ", "keep one of them"},
        WrongText{"ATtlOutOfRange", "[[zone]]\nname = \"a.org\"\nttl = 2147483648\n",
                  "3:7: ttl is out of range; ", "from 0 to 2147483647"},
        WrongText{"UnknownInAZone", "[[zone]]\nname = \"a.org\"\nsevers = \"::1\"\n",
                  "3:1: unknown setting \"severs\" in [[zone]]; ", "did you mean servers?"},
        WrongText{"UnknownInDns", "[dns]\nname = \"a.org\"\n",
                  "2:1: unknown setting \"name\" in [dns]; ", "name stands in [[zone]]"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sftdyn::config
