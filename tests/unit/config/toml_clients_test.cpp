// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_clients.hpp"

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

/// "key host ttl ptr" of each line.
std::vector<std::string> lines_of(const Settings& settings) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < settings.clients.size(); ++i) {
        const auto client = settings.clients[i];
        std::string text(client.key);
        text +=
            ' ' +
            dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data())).text();
        if (client.ttl) text += ' ' + std::to_string(*client.ttl);
        if (client.reverse) text += " ptr";
        out.push_back(text);
    }
    return out;
}

TEST(TomlClientsTest, KeysAndHostsInEachForm) {
    const ReadText read(
        "[clients]\n\"a\" = \"a.example.org\"\n'b c' = \"B.Example.org.\"\nd-e = { host = "
        "\"d.example.org\", ttl = 0, ptr = true }\n\"f\\u0067\" = \"f.example.org\"\n\"*\" = "
        "\"*.example.org\"\n");
    EXPECT_THAT(read.said, IsEmpty());
    EXPECT_THAT(lines_of(read.settings),
                testing::UnorderedElementsAre("a a.example.org", "b c b.example.org",
                                              "d-e d.example.org 0 ptr", "fg f.example.org",
                                              "* *.example.org"));
    EXPECT_EQ(read.settings.client_count(), 5U);
}

TEST(TomlClientsTest, ANamedClientHasAllOfIts) {
    const ReadText read(R"(
[clients.router]
key = "k1"
user = "u"
password = "p"
hosts = ["a.example.org", { host = "b.example.org", ttl = 9, ptr = true, ipv6_suffix = "::1:2:3", ipv6_subnet = 3 }]
may_set_address = false
[clients.nas]
key = "k2"
host = "nas.example.org"
ttl = 60
ptr = true
[clients]
inline = { key = "k3", hosts = "one.example.org" }
)");
    EXPECT_THAT(read.said, IsEmpty());
    ASSERT_EQ(read.settings.named_clients.size(), 3U);
    const auto by_name = [&](std::string_view name) -> const NamedClient& {
        for (const auto& client : read.settings.named_clients) {
            if (client.name == name) return client;
        }
        throw std::logic_error("it is not there");
    };
    const auto& router = by_name("router");
    EXPECT_EQ(router.key->reveal(), "k1");
    EXPECT_EQ(router.user, "u");
    EXPECT_EQ(router.password.reveal(), "p");
    EXPECT_EQ(router.password_hash, "");
    EXPECT_FALSE(router.may_set_address);
    EXPECT_EQ(router.source.line, 2U);
    ASSERT_EQ(router.hosts.size(), 2U);
    EXPECT_EQ(router.hosts[0].name, name("a.example.org"));
    EXPECT_FALSE(router.hosts[0].ttl);
    EXPECT_FALSE(router.hosts[0].reverse);
    EXPECT_FALSE(router.hosts[0].ipv6_suffix);
    EXPECT_EQ(router.hosts[1].ttl, 9U);
    EXPECT_TRUE(router.hosts[1].reverse);
    EXPECT_EQ(router.hosts[1].ipv6_suffix->to_string(), "::1:2:3");
    EXPECT_EQ(router.hosts[1].ipv6_subnet, 3U);
    const auto& nas = by_name("nas");
    EXPECT_FALSE(nas.user);
    EXPECT_FALSE(nas.may_set_address) << "without a user it is a key";
    ASSERT_EQ(nas.hosts.size(), 1U);
    EXPECT_EQ(nas.hosts[0].ttl, 60U);
    EXPECT_TRUE(nas.hosts[0].reverse);
    EXPECT_EQ(by_name("inline").hosts.at(0).name, name("one.example.org"));
}

TEST(TomlClientsTest, AUserMayNameAnAddressUnlessItIsSaid) {
    const ReadText read(
        "[clients.a]\nuser = \"a\"\npassword_hash = \"$argon2id$x\"\nhosts = \"a.example.org\"\n");
    EXPECT_THAT(read.said, IsEmpty());
    EXPECT_TRUE(read.settings.named_clients.at(0).may_set_address);
    EXPECT_EQ(read.settings.named_clients.at(0).password_hash, "$argon2id$x");
    EXPECT_TRUE(read.settings.named_clients.at(0).password.empty());
}

TEST(TomlClientsTest, AHostBelongsToAZoneThatIsNamed) {
    const std::string zones = "[dns]\nzone = \"a.org\"\n[[zone]]\nname = \"b.org\"\n[clients]\n";
    EXPECT_THAT(ReadText(zones + "\"k\" = \"h.a.org\"\n\"l\" = \"b.org\"\n").said, IsEmpty());
    EXPECT_THAT(ReadText(zones + "\"k\" = \"h.c.org\"\n").said,
                ElementsAre(StartsWith("6:7: this host is not in the zone that [dns] names, nor in "
                                       "a [[zone]]; ")));
    EXPECT_THAT(ReadText("[[zone]]\nname = \"b.org\"\n[clients]\n\"k\" = \"h.c.org\"\n").said,
                IsEmpty())
        << "the server is asked for its zone";
}

TEST(TomlClientsTest, AHostMayHaveSeveralKeysAndClients) {
    const ReadText read(
        "[clients]\n\"k\" = \"a.example.org\"\n\"l\" = { host = \"A.example.org\", ttl = 7 }\n"
        "[clients.n]\nkey = \"m\"\nhosts = [\"b.example.org\", \"a.example.org\"]\n");
    EXPECT_THAT(read.said, IsEmpty());
    EXPECT_EQ(read.settings.clients.size(), 1U);
    ASSERT_EQ(read.settings.named_clients.size(), 2U);
    const auto& second = read.settings.named_clients.front();
    EXPECT_EQ(second.key->reveal(), "l");
    EXPECT_FALSE(second.may_set_address) << "it is a key of the short form";
    ASSERT_EQ(second.hosts.size(), 1U);
    EXPECT_EQ(second.hosts[0].name.text(), "a.example.org");
    EXPECT_EQ(second.hosts[0].ttl, 7U);
}

TEST(TomlClientsTest, ASecondOneIsToldWithTheFirstOnesLine) {
    // Of those with names the second is the mistake too, whatever their names.
    EXPECT_THAT(
        ReadText("[clients.z]\nkey = \"k\"\nhosts = \"z.example.org\"\n[clients.a]\nkey = "
                 "\"k\"\nhosts = \"a.example.org\"\n")
            .said,
        ElementsAre("4:1: this client's key appears twice (first in line 1); keep one of them"));
    EXPECT_THAT(
        ReadText("[clients.z]\nuser = \"u\"\npassword = \"p\"\nhosts = "
                 "\"z.example.org\"\n[clients.a]\nuser = \"u\"\npassword = \"q\"\nhosts = "
                 "\"a.example.org\"\n")
            .said,
        ElementsAre("5:1: this client's user appears twice (first in line 1); keep one of them"));
    EXPECT_THAT(ReadText("[clients]\n\"k\" = \"a.example.org\"\n\"k\" = \"b.example.org\"\n").said,
                Not(IsEmpty()));
    EXPECT_THAT(ReadText("[clients.n]\nkey = \"l\"\nhosts = [\"b.example.org\", "
                         "\"B.example.org\"]\n")
                    .said,
                ElementsAre(StartsWith("1:1: this client's host appears twice")));
    EXPECT_THAT(ReadText("[clients.n]\nkey = \"k\"\nhosts = \"b.example.org\"\n[clients.m]\nkey = "
                         "\"K\"\nhosts = \"c.example.org\"\n")
                    .said,
                IsEmpty())
        << "keys have large and small letters";
}

class TomlClientsMistake : public testing::TestWithParam<WrongText> {};

TEST_P(TomlClientsMistake, IsToldInItsPlaceAndAlone) {
    const auto& [name, text, start, remedy] = GetParam();
    const ReadText read(text);
    EXPECT_THAT(read.said, ElementsAre(AllOf(StartsWith(start), HasSubstr(remedy))));
    EXPECT_EQ(read.settings.client_count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TomlClientsMistake,
    testing::Values(
        WrongText{"AnEmptyKey", "[clients]\n\"\" = \"a.example.org\"\n",
                  "2:1: a client's key is empty; ", "openssl rand -hex 16"},
        WrongText{"ASlashInFront", "[clients]\n\"/k\" = \"a.example.org\"\n",
                  "2:1: a client's key begins with a slash; ", "leave it out"},
        WrongText{"HostAndKeySwapped", "[clients]\n\"home.example.org\" = \"90bb4f0c1d2e\"\n",
                  "2:1: host and key are in the wrong order; ", "the key comes first"},
        WrongText{"AnAddressForAHost", "[clients]\n\"k\" = \"192.0.2.1\"\n",
                  "2:7: this host is an address, not a name; ", "name the host that gets"},
        WrongText{"AnAddressOfIpv6ForAHost", "[clients]\n\"k\" = \"2001:db8::a\"\n",
                  "2:7: this host is an address, not a name; ", "name the host that gets"},
        WrongText{"AHostThatIsNone", "[clients]\n\"k\" = \"a..org\"\n",
                  "2:7: this host is not a valid domain name: ", "the key comes first"},
        WrongText{"ANumberForAHost", "[clients]\n\"k\" = 7\n",
                  "2:7: a client's value is of the wrong type; ", "\"key\" = \"host.example.org\""},
        WrongText{"ATableWithoutAHost", "[clients]\n\"k\" = { ttl = 60 }\n",
                  "2:7: a client has no host; ", "{ host = \"host.example.org\" }"},
        WrongText{"ATtlOutOfRange", "[clients]\n\"k\" = { host = \"a.example.org\", ttl = -1 }\n",
                  "2:39: ttl is out of range; ", "from 0 to 2147483647"},
        WrongText{"AKeyThatIsEmpty", "[clients.n]\nkey = \"\"\nhosts = \"a.example.org\"\n",
                  "2:7: a client's key is empty; ", "openssl rand"},
        WrongText{"AKeyWithASlash", "[clients.n]\nkey = \"/k\"\nhosts = \"a.example.org\"\n",
                  "2:7: a client's key begins with a slash; ", "openssl rand"},
        WrongText{"AnEmptyUser",
                  "[clients.n]\nuser = \"\"\npassword = \"p\"\nhosts = \"a.example.org\"\n",
                  "2:8: user is empty, or has a colon in it; ", "HTTP has no way"},
        WrongText{"AColonInAUser",
                  "[clients.n]\nuser = \"a:b\"\npassword = \"p\"\nhosts = \"a.example.org\"\n",
                  "2:8: user is empty, or has a colon in it; ", "HTTP has no way"},
        WrongText{"AnEmptyPassword",
                  "[clients.n]\nuser = \"u\"\npassword = \"\"\nhosts = \"a.example.org\"\n",
                  "3:12: password is empty; ", "openssl rand"},
        WrongText{"NeitherKeyNorUser", "[clients.n]\nhosts = \"a.example.org\"\n",
                  "1:1: a client has neither key nor user; ", "its table's name is not a key"},
        WrongText{"AUserWithoutPassword", "[clients.n]\nuser = \"u\"\nhosts = \"a.example.org\"\n",
                  "1:1: a client has a user, but no password; ", "give it one of"},
        WrongText{"TwoPasswords",
                  "[clients.n]\nuser = \"u\"\npassword = \"p\"\npassword_hash = \"h\"\nhosts = "
                  "\"a.example.org\"\n",
                  "1:1: a client has both password and password_hash; ", "give it one of"},
        WrongText{"APasswordWithoutUser",
                  "[clients.n]\nkey = \"k\"\npassword = \"p\"\nhosts = \"a.example.org\"\n",
                  "1:1: a client has a password, but no user; ", "add user"},
        WrongText{"AHashWithoutUser",
                  "[clients.n]\nkey = \"k\"\npassword_hash = \"h\"\nhosts = \"a.example.org\"\n",
                  "1:1: a client has a password, but no user; ", "add user"},
        WrongText{"NoHosts", "[clients.n]\nkey = \"k\"\n", "1:1: a client has no hosts; ",
                  "add hosts = [\"host.example.org\"]"},
        WrongText{"AnEmptyListOfHosts", "[clients.n]\nkey = \"k\"\nhosts = []\n",
                  "1:1: a client has no hosts; ", "add hosts"},
        WrongText{"HostAndHosts",
                  "[clients.n]\nkey = \"k\"\nhost = \"a.example.org\"\nhosts = "
                  "[\"b.example.org\"]\n",
                  "4:9: both host and hosts are given; ", "keep one of them"},
        WrongText{"OptionsOfOneHostBesideSeveral",
                  "[clients.n]\nkey = \"k\"\nttl = 60\nhosts = [\"b.example.org\"]\n",
                  "3:7: ttl belongs to one host; ", "write it there"},
        WrongText{"ANumberAmongHosts", "[clients.n]\nkey = \"k\"\nhosts = [7]\n",
                  "3:10: hosts is of the wrong type (integer); ", "names, or tables"},
        WrongText{"AHostsTableWithoutHost", "[clients.n]\nkey = \"k\"\nhosts = [{ ttl = 7 }]\n",
                  "3:10: a client has no host; ", "expected { host"},
        WrongText{"ASuffixOfMoreThan64Bits",
                  "[clients.n]\nkey = \"k\"\nhost = \"a.example.org\"\nipv6_suffix = "
                  "\"0:0:0:1::1\"\n",
                  "4:15: ipv6_suffix is not a suffix of 64 bits; ", "the host's part"},
        WrongText{"ASuffixOfIpv4",
                  "[clients.n]\nkey = \"k\"\nhost = \"a.example.org\"\nipv6_suffix = "
                  "\"192.0.2.1\"\n",
                  "4:15: ipv6_suffix is not a suffix of 64 bits; ", "the host's part"},
        WrongText{"ASubnetWithoutSuffix",
                  "[clients.n]\nkey = \"k\"\nhost = \"a.example.org\"\nipv6_subnet = 2\n",
                  "1:1: ipv6_subnet without ipv6_suffix; ", "give both, or neither"},
        WrongText{"ADotInABareKey", "[clients]\nk.l = \"a.example.org\"\n",
                  "2:3: unknown setting in a client; ", "takes quotation marks"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sftdyn::config
