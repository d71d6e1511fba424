// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_request.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/network.hpp"
#include "protocol/form_parameters.hpp"

using namespace sftdyn;
using namespace sftdyn::protocol;

namespace {

const auto source = boost::asio::ip::make_address("192.0.2.99");

AddressIntent read(std::string_view target, std::string_view authorization = {},
                   std::string_view method = "GET", std::string_view body = {}) {
    return read_address_update({method, target, source, authorization, body});
}
AddressUpdate update(std::string_view target, std::string_view authorization = {}) {
    return std::get<AddressUpdate>(read(target, authorization));
}

TEST(AddressUpdate, PathsAndMethods) {
    for (const char* path : {"/nic/update", "//nic//update", "/v3/update", "/update", "/update/",
                             "/?hostname=a", "/u/t", "/update/a/b", "/update/a/b/1.2.3.4"})
        EXPECT_TRUE(std::holds_alternative<AddressUpdate>(read(path))) << path;
    for (const char* path : {"/", "/k", "/?a=b", "/nic", "/nic/updates", "/v2/update",
                             "/nic/update/x/y/z", "/update/a", "/u", "/NIC/UPDATE"})
        EXPECT_TRUE(std::holds_alternative<NotOurs>(read(path))) << path;
    EXPECT_TRUE(std::holds_alternative<CheckIp>(read("/nic/checkip")));
    EXPECT_TRUE(std::holds_alternative<WrongMethod>(read("/nic/update", {}, "PUT")));
    EXPECT_TRUE(std::holds_alternative<WrongMethod>(read("/nic/checkip", {}, "HEAD")));
    EXPECT_EQ(std::get<AddressUpdate>(read("/nic/update", {}, "POST", "hostname=a&myip=1.2.3.4"))
                  .hostnames,
              std::vector<std::string>{"a"});
}

TEST(AddressUpdate, Credentials) {
    const auto credential = [](const AddressUpdate& one) {
        return (one.user ? *one.user : "-") + "/" +
               (one.secret ? std::string(one.secret->reveal()) : "-");
    };
    EXPECT_EQ(credential(update("/nic/update")), "-/-");
    EXPECT_EQ(credential(update("/nic/update", "Basic dXNlcjpwYTpzcw==")), "user/pa:ss");
    EXPECT_EQ(credential(update("/nic/update", "basic  dTpw")), "u/p");
    EXPECT_EQ(credential(update("/nic/update", "Basic Og==")), "/");
    EXPECT_EQ(credential(update("/nic/update", "Token abc")), "-/abc");
    EXPECT_EQ(credential(update("/nic/update?username=u&password=p%20q")), "u/p q");
    EXPECT_EQ(credential(update("/nic/update?user=u&pass=p", "Basic dTp4")), "u/x")
        << "what is in the header counts";
    EXPECT_EQ(credential(update("/nic/update?token=t&domains=d")), "-/t");
    EXPECT_EQ(credential(update("/u/t%2Fu/")), "-/t/u");
    for (const char* broken :
         {"Basic", "Basic x", "Basic dXNlcg==", "Basic !!!!", "Digest a=b", ""})
        EXPECT_EQ(credential(update("/nic/update", broken)), "-/-") << broken;
}

TEST(AddressUpdate, Addresses) {
    const auto both = [](std::string_view query) {
        const auto out = update("/nic/update?hostname=a&" + std::string(query));
        return (out.v4 ? out.v4->text + "=" + out.v4->address.to_string() : "-") + " " +
               (out.v6 ? out.v6->text : "-") + (out.unusable.empty() ? "" : " !" + out.unusable);
    };
    EXPECT_EQ(both("myip=1.2.3.4"), "1.2.3.4=1.2.3.4 -");
    EXPECT_EQ(both("myip=1.2.3.4%2C2001:db8::1/64"), "1.2.3.4=1.2.3.4 2001:db8::1");
    EXPECT_EQ(both("myip=&myipv6="), "- -");
    EXPECT_EQ(both("myip=1.2.3.4&myip6=[2001:db8::1]"), "1.2.3.4=1.2.3.4 [2001:db8::1]");
    EXPECT_EQ(both("myip=1.2.3.4,5.6.7.8"), "1.2.3.4=1.2.3.4 -") << "one of each family";
    EXPECT_EQ(both("myip=::ffff:1.2.3.4"), "::ffff:1.2.3.4=1.2.3.4 -");
    EXPECT_EQ(both("myipv4=1.2.3.4&myipv6=preserve"), "1.2.3.4=1.2.3.4 -");
    for (const char* junk : {"x", "0.0.0.0", "::", "::ffff:0.0.0.0", "ff02::1", "fe80::1",
                             "127.0.0.1", "::1", "1.2.3.4.5", "1.2.3.04x"})
        EXPECT_TRUE(both("myip=" + std::string(junk)).ends_with("!" + std::string(junk))) << junk;
}

TEST(AddressUpdate, Prefixes) {
    const auto prefix = [](std::string_view text) {
        const auto out = update("/nic/update?hostname=a&ip6lanprefix=" + std::string(text));
        return out.prefix
                   ? out.prefix->network.to_string() + "/" + std::to_string(out.prefix->length)
               : out.unusable.empty() ? "none"
                                      : "bad";
    };
    EXPECT_EQ(prefix("2001:db8:1::/56"), "2001:db8:1::/56");
    EXPECT_EQ(prefix("2001:db8:1::"), "2001:db8:1::/64");
    EXPECT_EQ(prefix(""), "none");
    for (const char* junk : {"x", "1.2.3.0/24", "2001:db8::/", "2001:db8::/x", "2001:db8::/128",
                             "2001:db8::/0", "fe80::/64", "::/64", "2001:db8::/64x"})
        EXPECT_EQ(prefix(junk), "bad") << junk;
}

/// Whatever is sent: what is taken is an address as a whole, and only that may be echoed.
TEST(AddressUpdate, WhatIsEchoedIsAnAddressAndNothingElse) {
    std::mt19937 random(11);
    const std::string_view alphabet = "0123456789abcdefABCDEF.:[]/,%x ";
    const std::string_view starts[] = {"192.0.2.1", "2001:DB8::1", "[2001:db8::2]",
                                       "::ffff:192.0.2.3", "192.0.2.4/32"};
    unsigned taken = 0;
    for (int i = 0; i < 100'000; ++i) {
        std::string text(starts[random() % std::size(starts)]);
        for (auto changes = random() % 3; changes > 0; --changes) {
            if (random() % 8 == 0) {
                text.insert(random() % (text.size() + 1), "%00");
            } else {
                text.insert(random() % (text.size() + 1), 1, alphabet[random() % alphabet.size()]);
            }
        }
        const auto out = update("/nic/update?hostname=a&myip=" + text);
        for (const auto* named : {&out.v4, &out.v6}) {
            if (!*named) continue;
            ++taken;
            std::string bare = (*named)->text;
            if (bare.starts_with('[')) bare = bare.substr(1, bare.size() - 2);
            const auto address = sftdyn::base::parse_address(bare);
            ASSERT_TRUE(address) << text;
            ASSERT_EQ(sftdyn::base::plain_address(*address), (*named)->address) << text;
            ASSERT_EQ((*named)->text.find_first_not_of("0123456789abcdefABCDEF.:[]"),
                      std::string::npos)
                << text;
        }
    }
    EXPECT_GT(taken, 10'000U);
}

TEST(AddressUpdate, WhatItMayCostHasABound) {
    const auto target = [](std::string_view part, std::size_t count) {
        std::string out = "/nic/update?";
        for (std::size_t i = 0; i < count; ++i) out += part;
        return out;
    };
    http::Request request{"GET", "", {}};
    std::string text = target("a=1&", Parameters::most);
    request.target = text;
    EXPECT_TRUE(std::holds_alternative<AddressUpdate>(read_address_update(request)));
    text = target("a=1&", Parameters::most + 1);
    request.target = text;
    EXPECT_TRUE(std::holds_alternative<TooManyParameters>(read_address_update(request)));
    std::string body = target("&a=1", Parameters::most);
    request = {"POST", "/nic/update?b=1", {}};
    request.body = body;
    EXPECT_TRUE(std::holds_alternative<TooManyParameters>(read_address_update(request)))
        << "query and form together";

    std::string hosts = "a.b", addresses = "192.0.2.1";
    for (int i = 0; i < 5000; ++i) hosts += ",a.b", addresses += ",192.0.2.1";
    EXPECT_EQ(update("/nic/update?hostname=" + hosts).hostnames.size(), most_hosts + 1);
    EXPECT_FALSE(update("/nic/update?myip=" + addresses).unusable.empty());
    EXPECT_LE(update("/nic/update?myip=" + std::string(10'000, '1')).unusable.size(), 80U);
    EXPECT_EQ(path_segments("/a/b/c/d/e/f/g").size(), most_segments);
}

}  // namespace
