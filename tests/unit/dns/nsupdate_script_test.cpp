// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/nsupdate_script.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "names.hpp"

using namespace sftdyn;
using namespace sftdyn::dns;
using Class = UpdateRecord::Class;

namespace {

base::Result<Script> parse(std::vector<std::string> lines, Unsent unsent = Unsent::drop) {
    return parse_script(lines, unsent);
}

/// The one record of a script of one line.
UpdateRecord update(const std::string& line) {
    const auto script = parse({line, "send"});
    if (script.has_error()) {
        ADD_FAILURE() << line << ": " << script.error().text();
        return {};
    }
    return script->messages.at(0).updates.at(0);
}

std::string diagnostic(const std::string& line) {
    const auto script = parse({"; first", line, "send"});
    return script.has_error() ? script.error().text() : "none";
}

const std::string loopback("\x7f\0\0\1", 4);
constexpr auto any = static_cast<Type>(255);
constexpr auto txt = static_cast<Type>(16);

TEST(NsupdateScript, AddTakesTtlAndClassOrNot) {
    const UpdateRecord expected{name("home.example"), Type::a, Class::in, 60, loopback};
    for (const char* line :
         {"update add home.example 60 IN A 127.0.0.1", "update add home.example. 60 A 127.0.0.1",
          "add home.example 60 a 127.0.0.1", "  UPDATE\tADD Home.Example 60 in A   127.0.0.1  "}) {
        EXPECT_EQ(update(line), expected) << line;
    }
    const auto script = parse({"ttl 60", "add home.example A 127.0.0.1",
                               "add home.example IN A 127.0.0.1", "", "ttl none"});
    ASSERT_TRUE(script.has_value());
    EXPECT_EQ(script->messages.at(0).updates, (std::vector{expected, expected}));
}

TEST(NsupdateScript, DeleteOfNameOfSetAndOfRecord) {
    EXPECT_EQ(update("update delete home.example"),
              (UpdateRecord{name("home.example"), any, Class::any, 0, ""}));
    EXPECT_EQ(update("update delete home.example IN"),
              (UpdateRecord{name("home.example"), any, Class::any, 0, ""}));
    EXPECT_EQ(update("update del home.example ANY"),
              (UpdateRecord{name("home.example"), any, Class::any, 0, ""}));
    EXPECT_EQ(update("del home.example A"),
              (UpdateRecord{name("home.example"), Type::a, Class::any, 0, ""}));
    EXPECT_EQ(update("delete home.example 99 IN A"),
              (UpdateRecord{name("home.example"), Type::a, Class::any, 0, ""}));
    EXPECT_EQ(update("delete home.example A 127.0.0.1"),
              (UpdateRecord{name("home.example"), Type::a, Class::none, 0, loopback}));
}

TEST(NsupdateScript, Prerequisites) {
    const auto script =
        parse({"prereq nxdomain a.example", "yxdomain b.example", "prereq nxrrset c.example IN A",
               "yxrrset d.example A", "prereq yxrrset e.example A 127.0.0.1", "zone example",
               "add a.example 1 TXT x", "send"});
    ASSERT_TRUE(script.has_value()) << script.error().text();
    const auto& message = script->messages.at(0);
    EXPECT_EQ(message.prerequisites,
              (std::vector<UpdateRecord>{{name("a.example"), any, Class::none, 0, ""},
                                         {name("b.example"), any, Class::any, 0, ""},
                                         {name("c.example"), Type::a, Class::none, 0, ""},
                                         {name("d.example"), Type::a, Class::any, 0, ""},
                                         {name("e.example"), Type::a, Class::in, 0, loopback}}));
    EXPECT_EQ(message.zone, name("example"));
    EXPECT_EQ(message.home(), name("a.example"));
}

TEST(NsupdateScript, SendEmptyLinesAndTheEnd) {
    const auto lines = std::vector<std::string>{
        "send", "del a.example", "", "; a comment", "del b.example", "send", "del c.example"};
    const auto as_nsupdate = parse(lines);
    ASSERT_EQ(as_nsupdate->messages.size(), 2U);
    EXPECT_EQ(as_nsupdate->messages[1].home(), name("b.example"));
    EXPECT_EQ(parse(lines, Unsent::send)->messages.size(), 3U);
    EXPECT_TRUE(parse({"quit", "what is this"})->messages.empty());
}

TEST(NsupdateScript, Quoting) {
    EXPECT_EQ(update("add a.example 1 TXT \"two words\" three").rdata,
              std::string("\x09two words\x05three"));
    EXPECT_EQ(update("add a.example 1 TXT \"a \\\" quote; no comment\"").rdata,
              std::string("\x15") + "a \" quote; no comment");
    EXPECT_EQ(update("add a.example 1 TXT \\065").rdata, std::string("\x01") + "A");
    EXPECT_EQ(update("add a\\.b.example 1 TXT x").owner, name("a\\.b.example"));
    EXPECT_EQ(update("add a.example 1 TYPE65280 \\# 2 0102").rdata, "\x01\x02");
    EXPECT_EQ(update("add a.example 1 TXT x").type, txt);
}

TEST(NsupdateScript, WhatIsPassedOver) {
    const auto script = parse(
        {"local 127.0.0.1", "realm secret", "show", "answer", "debug", "del a.example", "send"});
    ASSERT_TRUE(script.has_value());
    ASSERT_EQ(script->warnings.size(), 2U);
    EXPECT_EQ(script->warnings[1], "line 2: realm has no meaning here and is ignored")
        << "without what stands there";
}

TEST(NsupdateScript, AKeyIsThatOfWhatFollows) {
    const auto script =
        parse({"del a.example", "send", "key hmac-sha512:first c2VjcmV0", "del b.example", "send",
               "key second c2VjcmV0", "del c.example", "send"});
    ASSERT_TRUE(script.has_value());
    ASSERT_EQ(script->messages.size(), 3U);
    EXPECT_EQ(script->messages[0].key, nullptr);
    EXPECT_EQ(script->messages[1].key->name() + " " + script->messages[1].key->algorithm(),
              "first hmac-sha512");
    EXPECT_EQ(script->messages[2].key->algorithm(), "hmac-sha256");
    for (const char* line : {"key name c2VjcmV", "key md9:name c2VjcmV0", "key name", "key"}) {
        const auto wrong = parse({line});
        ASSERT_TRUE(wrong.has_error()) << line;
        EXPECT_EQ(wrong.error().text().find("VjcmV"), std::string::npos) << wrong.error().text();
    }
}

TEST(NsupdateScript, WhatIsRefusedSaysLineAndText) {
    EXPECT_EQ(diagnostic("frobnicate x"),
              "line 2: unknown command: \"frobnicate x\"; see nsupdate(1)");
    for (const char* line : {"server 192.0.2.1",
                             "update",
                             "update frob a.example",
                             "update add",
                             "update add a.example",
                             "update add a.example A 127.0.0.1",
                             "update add a.example 1",
                             "update add a.example 1 IN",
                             "update add a.example 1 A",
                             "update add a.example 1 A 127.0.0.256",
                             "update add a.example 1 A 127.0.0.1 2",
                             "update add a.example -1 A 127.0.0.1",
                             "update add a.example 2147483648 A 127.0.0.1",
                             "update add a.example 1 CH A 127.0.0.1",
                             "update add a.example 1 NOTYPE x",
                             "update add a..example 1 A 127.0.0.1",
                             "update add a.example 1 TXT \"open",
                             "update add a.example 1 TXT ( x",
                             "update add a.example 1 ANY x",
                             "update add a_b.example 1 A 127.0.0.1",
                             "update delete",
                             "update delete a.example A 1",
                             "update delete a.example frob",
                             "prereq",
                             "prereq frob a.example",
                             "prereq nxrrset a.example",
                             "prereq yxrrset a.example A frob",
                             "ttl",
                             "ttl x",
                             "ttl 2147483648",
                             "class CH",
                             "class x",
                             "zone",
                             "zone a..b",
                             "check-names perhaps"}) {
        EXPECT_TRUE(diagnostic(line).starts_with("line 2: ")) << line << " -> " << diagnostic(line);
    }
}

TEST(NsupdateScript, NamesAreCheckedAsNsupdateDoes) {
    EXPECT_NE(diagnostic("add a_b.example 1 A 127.0.0.1"), "none");
    EXPECT_EQ(diagnostic("add *.example 1 A 127.0.0.1"), "none");
    EXPECT_NE(diagnostic("add a.example 1 MX 10 m_x.example."), "none");
    EXPECT_EQ(diagnostic("add _a._tcp.example 1 SRV 1 2 3 host.example."), "none");
    EXPECT_EQ(diagnostic("del a_b.example A 127.0.0.1"), "none");
    EXPECT_TRUE(parse({"check-names no", "add a_b.example 1 A 127.0.0.1", "send"}).has_value());
}

TEST(NsupdateScript, RecordDataHasNoCommentsAndAnyOctets) {
    EXPECT_EQ(update("add a.example 1 TXT a;b ; c").rdata, "\3a;b\1;\1c");
    EXPECT_EQ(update("add a.example 1 TXT \"a;b\" \\;").rdata, "\3a;b\1;");
    EXPECT_EQ(update("add a.example 1 TXT \"\\\";\" ;").rdata, "\2\";\1;");
    EXPECT_EQ(update("add a.example 1 TXT ü \"ü\" \\ü").rdata, "\2ü\2ü\2ü");
    EXPECT_NE(diagnostic("add a.example 1 A 127.0.0.1 ; c"), "none");
}

TEST(NsupdateScript, AScannerThatMetAnErrorReadsOn) {
    EXPECT_TRUE(parse({"add a.example 1 TXT ( x"}).has_error());
    EXPECT_EQ(update("add a.example 1 A 127.0.0.1").rdata, loopback);
}

/// What BIND's own nsupdate makes of a line, without sending anything.
bool nsupdate_takes(const std::string& line) {
    const std::string file = testing::TempDir() + "/nsupdate-line-" + std::to_string(getpid());
    std::ofstream(file) << line << '\n';
    const int status = std::system(("nsupdate " + file + " >/dev/null 2>&1").c_str());
    std::remove(file.c_str());
    return status == 0;
}

TEST(NsupdateScript, ItTakesAndRefusesWhatNsupdateDoes) {
    ASSERT_TRUE(nsupdate_takes("; a comment")) << "is it installed?";
    for (const char* line :
         {"update add a.example 1 A 1.2.3.4", "update add a.example 1 IN A 1.2.3.4",
          "add a.example 1 AAAA 2001:db8::1", "add a.example 1 TXT x",
          "add a.example 1 TXT \"x y\" z", "add a.example 1 TXT \"x;y\" ; z",
          "add a.example 1 TXT x;y", "add a.example 1 CNAME b.example",
          "add a.example 1 MX 10 b.example.", "add a.example 1 NS b.example.",
          "add 1.2.0.192.in-addr.arpa 1 PTR a.example.", "add a.example 1 SRV 1 2 3 b.example.",
          "add a.example 1 CAA 0 issue \"ca.example\"",
          "add a.example 1 TLSA 3 1 1 "
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
          "add a.example 1 SSHFP 1 1 0123456789abcdef0123456789abcdef01234567",
          "add a.example 1 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
          "add a.example 1 HINFO \"a\" \"b\"", "add a.example 1 RP a.example. b.example.",
          "add a.example 1 NAPTR 1 2 \"u\" \"E2U\" \"!a!b!\" .",
          "add a.example 1 DS 1 8 2 "
          "0000000000000000000000000000000000000000000000000000000000000000",
          "add a.example 1 DNAME b.example.", "add a.example 1 SPF \"v=spf1\"",
          "add a.example 1 TYPE65280 \\# 2 0102", "add a.example 1 A \\# 4 01020304",
          "add a.example 1 URI 1 2 \"http://a/\"", "add a.example 1 SVCB 1 b.example. alpn=h2",
          "add a.example 1 HTTPS 1 . alpn=h2 port=443", "add a.example 1 AFSDB 1 b.example.",
          "add *.example 1 A 1.2.3.4", "add A.Example. 1 a 1.2.3.4",
          "  add\ta.example\t1\tA\t1.2.3.4  ", "add a\\.b.example 1 TXT x",
          "add a.example 0 A 1.2.3.4", "add a.example 2147483647 A 1.2.3.4",
          "update delete a.example", "update del a.example A", "delete a.example IN A",
          "del a.example 5 IN A", "delete a.example 5 A 1.2.3.4", "delete a.example A 1.2.3.4",
          "delete a.example IN", "delete a.example ANY", "delete a.example 7",
          "delete a_b.example A", "prereq nxdomain a.example", "prereq yxdomain a.example",
          "prereq nxrrset a.example A", "prereq yxrrset a.example IN A",
          "prereq yxrrset a.example A 1.2.3.4", "nxdomain a.example", "yxdomain a.example",
          "nxrrset a.example A", "yxrrset a.example A", "ttl 5", "ttl none", "ttl 0", "class IN",
          "zone example", "show", "answer", "debug", "", "   ", ";", "; text", "check-names no",
          "check-names yes", "quit",
          // Refused. (One that is left out: nsupdate lets a parenthesis stay open; here it is an
          // error.)
          "add a.example A 1.2.3.4", "add a.example 1", "add a.example 1 IN", "add a.example 1 A",
          "add a.example", "add", "update", "update frob a.example", "frob",
          "add a.example 1 A 1.2.3.256", "add a.example 1 A 1.2.3.4 5",
          "add a.example 2147483648 A 1.2.3.4", "add a.example -1 A 1.2.3.4",
          "add a.example 1 AAAA x", "add a.example 1 NOTYPE x", "add a..example 1 A 1.2.3.4",
          "add a_b.example 1 A 1.2.3.4", "add a.example 1 MX 10 b_c.example.",
          "add a.example 1 MX x b.example.", "add a.example 1 SRV 1 2 b.example.",
          "add a.example 1 TXT \"open", "add a.example 1 ANY x", "delete", "delete a.example frob",
          "delete a.example A x", "prereq", "prereq frob a.example", "prereq nxdomain",
          "prereq nxrrset a.example", "prereq yxrrset a.example A x", "nxrrset a.example", "ttl",
          "ttl x", "ttl 2147483648", "class", "class x", "class ANY", "zone", "zone a..b",
          "check-names", "check-names x",
          "add aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example 1 A "
          "1.2.3.4"}) {
        EXPECT_EQ(parse({line}).has_value(), nsupdate_takes(line))
            << line << (parse({line}).has_error() ? " -> " + parse({line}).error().text() : "");
    }
}

}  // namespace
