// SPDX-License-Identifier: GPL-3.0-or-later
// No diagnostic of a configuration file holds a client's key, whatever the mistake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings_schema.hpp"
#include "config/toml_reader.hpp"

using namespace sftdyn;
using namespace sftdyn::config;
using testing::HasSubstr;

namespace {

// Several sorts of keys: one may be a host's label, one has the README's own form, one is made of
// words.
const char* const markers[] = {"s3cr3t9f0q7zx", "host=nas,key=9f0q7zxw", "S3cr3t-Qw_7/zx+9f",
                               "violethorsebattery"};

constexpr std::size_t piece = 6;  // as many characters of a key in a row are never shown

/// M stands for the key.
struct Mistake {
    const char* name;
    const char* text;
    std::uint32_t line;  ///< where it is; 0: nothing is wrong with some of the markers
};

const Mistake mistakes[] = {
    // a line in the wrong table
    {"AtTheTop", "\"M\" = \"home.example.org\"\n", 1},
    {"AtTheTopBelowASetting",
     "http = \"8080\"\n\"M\" = \"home.example.org\"\n[clients]\n\"k\" = \"h.example.org\"\n", 2},
    {"InDns", "[dns]\n\"M\" = \"home.example.org\"\n", 2},
    {"InZone", "[[zone]]\nname = \"example.org\"\n\"M\" = \"home.example.org\"\n", 3},
    {"InLimits", "[limits]\n\"M\" = \"home.example.org\"\n", 2},
    {"InProcess", "[process]\n\"M\" = \"home.example.org\"\n", 2},
    {"InAdmin", "[admin]\n\"M\" = \"home.example.org\"\n", 2},
    {"InCertificate", "[[certificate]]\ncert = \"c\"\nkey = \"k\"\n\"M\" = \"home.example.org\"\n",
     4},
    {"InANamedClient",
     "[clients.a]\nkey = \"k\"\nhosts = [\"h.example.org\"]\n\"M\" = \"home.example.org\"\n", 4},
    {"InAHost", "[clients.a]\nkey = \"k\"\nhosts = [{ host = \"h.example.org\", \"M\" = 1 }]\n", 3},
    {"InAListener", "http = { listen = \"8080\", \"M\" = \"home.example.org\" }\n", 1},
    {"InlineTableAtTheTop", "\"M\" = { host = \"home.example.org\", ttl = 60 }\n", 1},
    {"ATableOfItsOwn", "[\"M\"]\nhost = \"home.example.org\"\n", 1},
    {"AListOfTables", "[[\"M\"]]\nhost = \"home.example.org\"\n", 1},
    {"ATableBelowDns", "[dns.\"M\"]\nhost = \"home.example.org\"\n", 1},
    {"ATableBelowATable", "[other.\"M\"]\nhost = \"home.example.org\"\n", 1},
    {"MisspelledClients", "[client]\n\"M\" = \"home.example.org\"\n", 1},
    {"AKeyForASettingBelowClients", "[clients]\n\"k\" = \"a.example.org\"\nhttp = \"M\"\n", 3},
    {"InAUrl", "[clients]\n\"https://dyn.example.org/M\" = \"a.example.org\"\n", 2},
    {"OfAHostWithoutADot", "[clients]\n\"M\" = \"home\"\n", 2},
    {"InAHostWithLettersThatNoneHas", "[clients]\n\"k\" = \"M\u202e.example.org\"\n", 2},
    {"InCurlyMarks", "[clients]\n“M” = “a.example.org”\n", 2},
    // there twice
    {"Twice", "[clients]\n\"M\" = \"a.example.org\"\n\"M\" = \"b.example.org\"\n", 3},
    {"TwiceWithComments",
     "[clients]\n\"M\" = \"a.example.org\" # one\n\"M\" = \"b.example.org\" # two\n", 3},
    {"TwiceInline",
     "[clients]\n\"M\" = { host = \"a.example.org\" }\n\"M\" = { host = \"b.example.org\" }\n", 3},
    {"TwicePlainAndInline",
     "[clients]\n\"M\" = \"a.example.org\"\n\"M\" = { host = \"b.example.org\" }\n", 3},
    {"TwiceInSingleQuotes", "[clients]\n'M' = \"a.example.org\"\n'M' = \"b.example.org\"\n", 3},
    {"TwiceAsTable",
     "[clients.\"M\"]\nhost = \"a.example.org\"\n[clients.\"M\"]\nhost = \"b.example.org\"\n", 3},
    {"TwiceAsTableAndValue",
     "[clients]\n'M' = \"a.example.org\"\n[clients.\"M\"]\nhost = \"b.example.org\"\n", 3},
    {"TwiceDotted", "clients.'M' = \"a.example.org\"\nclients.'M' = \"b.example.org\"\n", 2},
    {"TwiceWithAName",
     "[clients]\n\"M\" = \"a.example.org\"\n[clients.n]\nkey = \"M\"\nhosts = "
     "[\"b.example.org\"]\n",
     3},
    {"TwiceWithNames",
     "[clients.m]\nkey = \"M\"\nhosts = [\"a.example.org\"]\n[clients.n]\nkey = \"M\"\nhosts = "
     "[\"b.example.org\"]\n",
     4},
    {"TwoPasswords",
     "[clients.m]\nuser = \"u\"\npassword = \"M\"\npassword = \"M\"\nhosts = [\"a.example.org\"]\n",
     4},
    {"TwoTablesClients", "[clients]\n'M' = \"a.example.org\"\n[clients]\n'M' = \"b.example.org\"\n",
     3},
    {"TwoHosts", "[clients.m]\nkey = \"M\"\nhosts = [\"a.example.org\", \"A.example.org\"]\n", 1},
    {"AKeyAsAUserTwice",
     "[clients.m]\nuser = \"M\"\npassword = \"p\"\nhosts = [\"a.example.org\"]\n[clients.n]\nuser "
     "= \"M\"\npassword = \"p\"\nhosts = "
     "[\"b.example.org\"]\n",
     5},
    {"AKeyAsANameTwice",
     "[clients.\"M\"]\nkey = \"k\"\nhosts = [\"a.example.org\"]\n[clients.n]\nkey = \"k\"\nhosts = "
     "[\"b.example.org\"]\n",
     0},
    // host and key confused
    {"Swapped", "[clients]\n\"home.example.org\" = \"M\"\n", 2},
    {"SwappedInline", "[clients]\n\"home.example.org\" = { host = \"M\" }\n", 2},
    {"SwappedInAZone", "[dns]\nzone = \"example.org\"\n[clients]\n\"home.example.org\" = \"M\"\n",
     4},
    {"SwappedInANamedClient", "[clients.m]\nkey = \"home.example.org\"\nhosts = [\"M\"]\n", 0},
    {"TheKeyAsAListOfHosts",
     "[dns]\nzone = \"example.org\"\n[clients.m]\nkey = \"k\"\nhosts = [\"M\", \"M\"]\n", 5},
    {"TheKeyAsAHostWithDots", "[dns]\nzone = \"example.org\"\n[clients]\n\"k\" = \"M.M\"\n", 4},
    {"TheKeyAsAZone", "[[zone]]\nname = \"M M\"\n[[zone]]\nname = \"..M\"\n", 4},
    {"OnlyAKey", "[clients]\n\"M\"\n", 2},
    {"OnlyABareKey", "[clients]\nM\n", 2},
    {"AKeyForItself", "[clients]\n\"M\" = \"M\"\n\"M\" = \"M\"\n", 3},
    {"AKeyWithASpaceAndAHost", "[clients]\n\"M home.example.org\"\n", 2},
    {"AKeyInAList", "[clients]\nkeys = [\"M\"]\n", 2},
    {"ClientsAreAText", "clients = \"M\"\n", 1},
    {"ClientsAreAList", "clients = [\"M\", \"home.example.org\"]\n", 1},
    {"TheKeyAsAUser", "[process]\nuser = \"M\"\n", 2},
    {"TheKeyAsAGroup", "http = { listen = \"unix:/run/x\", group = \"M\" }\n", 1},
    {"TheKeyAsAnAddress", "http = \"M\"\n[dns]\nserver = \"M\"\n", 3},
    {"TheKeyAsAProxy", "trusted_proxies = [\"M\"]\nproxy_header = \"M\"\n", 1},
    {"AWrongType", "[clients]\n\"M\" = 7\n", 2},
    {"AWrongTypeOfHost", "[clients]\n\"M\" = { host = 7 }\n", 2},
    {"TheWholeUrl", "[clients]\n\"https://dyn.example.org/M\" = \"-home-..example.org\"\n", 2},
    {"ASlash", "[clients]\n\"/M\" = \"home.example.org\"\n", 2},
    // a bare key
    {"ABareKeyWithADot", "[clients]\nk.M = \"home.example.org\"\n", 2},
    {"ABareKeyWithDots", "[clients]\nM.M.M = \"home.example.org\"\n", 2},
    {"ABareTableWithADot", "[clients.k.M]\nhost = \"home.example.org\"\n", 1},
    // quotation marks
    {"NoQuotes", "[clients]\n\"M\" = home.example.org\n", 2},
    {"NoQuotesOfASwappedOne", "[clients]\n\"home.example.org\" = M\n", 2},
    {"CurlyQuotes", "[clients]\n\u201cM\u201d = \u201chome.example.org\u201d\n", 2},
    {"CurlyQuotesOfASwappedOne", "[clients]\n\"home.example.org\" = \u201cM\u201d\n", 2},
    {"NotClosed", "[clients]\n\"M = \"home.example.org\"\n", 2},
    {"TheHostIsNotClosed", "[clients]\n\"M\" = \"home.example.org\n", 2},
    {"TheSettingAboveIsNotClosed", "http = \"8080\nM = \"\"\n", 1},
    {"TheListAboveIsNotClosed", "http = [\"8080\"\n\"M\" = \"home.example.org\"\n", 2},
    {"ATextOfSeveralLines", "http = \"\"\"8080\n[clients]\n\"M\" = \"home.example.org\"\n\"\"\"\n",
     1},
    {"AFileOfSeveralLines", "nskeyfile = '''keys\n[clients]\n\"M\" = \"home.example.org\"\n'''\n",
     1},
    {"AHookOfSeveralLines",
     "[admin]\nevent_command = ['''/bin/true\n\"M\" = \"home.example.org\"\n''']\n", 2},
    {"ASocketOfSeveralLines", "http = '''unix:/run\n\"M\" = \"home.example.org\"\n'''\n", 1},
    {"AColon", "[clients]\n\"M\": \"home.example.org\"\n", 2},
    {"AnEqualsSignMissing", "[clients]\n\"M\" \"home.example.org\"\n", 2},
    {"TwoInALine", "[clients]\n\"k\" = \"home.example.org\", \"M\" = \"b.example.org\"\n", 2},
    {"AComma", "[clients]\n\"M\" = \"home.example.org\",\n", 2},
    {"AnEscape", "[clients]\n\"k\\M\" = \"home.example.org\"\n", 2},
    {"NotUtf8", "[clients]\n\"M\xe4\" = \"home.example.org\"\n", 2},
    {"AControlCharacter", "[clients]\n\"M\x01\" = \"home.example.org\"\n", 2},
    {"ATableNotClosed", "[clients.M\nhost = \"home.example.org\"\n", 1},
    {"Json", "{ \"clients\": { \"M\": \"home.example.org\" } }\n", 1},
    {"Yaml", "clients:\n  M: home.example.org\n", 1},
    {"Python", "clients = {'M': 'home.example.org'}\n", 1},
    {"ANumber", "[clients]\n\"home.example.org\" = 90bbM\n", 2},
    {"ADate", "[clients]\n\"home.example.org\" = 2026-11-M\n", 2},
};

std::string with(std::string text, const std::string& marker) {
    for (std::size_t at = 0; (at = text.find('M', at)) != std::string::npos; at += marker.size())
        text.replace(at, 1, marker);
    return text;
}

class TomlSecrets : public testing::TestWithParam<Mistake> {};

TEST_P(TomlSecrets, NoComplaintHoldsAKey) {
    const Mistake& mistake = GetParam();
    for (const char* marker : markers) {
        const std::string text = with(mistake.text, marker);
        Settings settings;
        const Diagnostics diagnostics = read_toml(text, "/c.toml", settings);
        if (mistake.line != 0) {
            const std::string place = "/c.toml:" + std::to_string(mistake.line) + ":";
            EXPECT_TRUE(std::any_of(diagnostics.begin(), diagnostics.end(),
                                    [&](const auto& one) { return one.where.starts_with(place); }))
                << text << (diagnostics.empty() ? "nothing" : diagnostics.front().text());
        }
        for (const auto& diagnostic : diagnostics) {
            EXPECT_FALSE(diagnostic.remedy.empty()) << diagnostic.text();
            std::string said = diagnostic.text();
            // What our own messages have in common with the markers.
            for (const char* own : {"host.example.org", "host", "key"}) {
                for (std::size_t at = 0; (at = said.find(own, at)) != std::string::npos;)
                    said.replace(at, std::string(own).size(), "\n");
            }
            const std::string key = marker;
            for (std::size_t at = 0; at + piece <= key.size(); ++at)
                EXPECT_THAT(said, testing::Not(HasSubstr(key.substr(at, piece)))) << text;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Mistakes, TomlSecrets, testing::ValuesIn(mistakes),
                         [](const auto& row) { return row.param.name; });

std::string said_of(std::string_view text) {
    Settings settings;
    const Diagnostics diagnostics = read_toml(text, "/c.toml", settings);
    std::string said;
    for (const auto& diagnostic : diagnostics) said += diagnostic.text() + '\n';
    return said;
}

TEST(TomlNames, WhatIsNearASettingIsShown) {
    EXPECT_THAT(said_of("htttp = 1\n"),
                HasSubstr("/c.toml:1:1: unknown setting \"htttp\"; did you mean http?"));
    EXPECT_THAT(said_of("[limits]\nconection = 1\n"),
                HasSubstr("unknown setting \"conection\" in [limits]; did you mean connections?"));
    EXPECT_THAT(said_of("[admin]\nmetrcis = 1\n"), HasSubstr("did you mean metrics?"));
    EXPECT_THAT(said_of("ttl = 60\n"), HasSubstr("unknown setting \"ttl\"; ttl stands in [dns]"));
    EXPECT_THAT(said_of("[dns]\nhttps = \"443\"\n"),
                HasSubstr("unknown setting \"https\" in [dns]; https stands at the file's top, "
                          "above the first [table]"));
}

TEST(TomlNames, WhatIsLikeNoSettingIsNot) {
    for (const char* name : {"colour", "homehome", "HTTP", "http8", "qq", "password-x"}) {
        const std::string said = said_of(std::string("\"") + name + "\" = \"h.example.org\"\n");
        EXPECT_THAT(said, HasSubstr("/c.toml:1:1: unknown setting; if this is a client's key, it "
                                    "belongs below [clients]"))
            << name;
        EXPECT_THAT(said, testing::Not(HasSubstr(std::string("\"") + name + "\""))) << name;
    }
    EXPECT_THAT(said_of("colour = 1\n"),
                HasSubstr("/c.toml:1:1: unknown setting; known here: http"));
}

}  // namespace
