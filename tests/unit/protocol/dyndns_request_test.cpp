// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_request.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/network.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/parameter_names.hpp"

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
                             "/?hostname=a", "/u/t", "/update/a/b", "/update/a/b/1.2.3.4",
                             "/v2/update", "/nic/update/a.b", "/u", "/?myipv6=&fqdn=a.b"})
        EXPECT_TRUE(std::holds_alternative<AddressUpdate>(read(path))) << path;
    for (const char* path : {"/", "/k", "/?a=b", "/nic", "/nic/updates", "/v4/update",
                             "/nic/update/x/y/z", "/update/a", "/NIC/UPDATE"})
        EXPECT_TRUE(std::holds_alternative<NotOurs>(read(path))) << path;
    EXPECT_TRUE(std::holds_alternative<CheckIp>(read("/nic/checkip")));
    EXPECT_TRUE(std::holds_alternative<WrongMethod>(read("/nic/update", {}, "DELETE")));
    EXPECT_TRUE(std::holds_alternative<WrongMethod>(read("/nic/update", {}, "HEAD")));
    EXPECT_TRUE(std::holds_alternative<CheckIp>(read("/nic/checkip", {}, "HEAD")));
    EXPECT_TRUE(std::holds_alternative<CheckIpWithCredential>(read("/nic/checkip", "Basic dTpw")));
    EXPECT_TRUE(std::holds_alternative<CheckIpWithCredential>(read("/checkip?user=u&pass=p")));
    EXPECT_TRUE(std::holds_alternative<AddressUpdate>(read("/", "Basic dTpw")));
    EXPECT_TRUE(std::holds_alternative<AddressUpdate>(read("/x/y?myip=1.2.3.4", "Basic dTpw")));
    EXPECT_TRUE(std::holds_alternative<NotOurs>(read("/x/y?z=1.2.3.4", "Basic dTpw")));
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
    EXPECT_FALSE(update("/nic/update?hostname=a&myip=1.2.3.4,5.6.7.8").fault.empty());
    EXPECT_FALSE(update("/nic/update?hostname=a&myip=1.2.3.4&ip=5.6.7.8").fault.empty());
    EXPECT_EQ(both("myip=1.2.3.4,1.2.3.4&ip4=1.2.3.4"), "1.2.3.4=1.2.3.4 -");
    EXPECT_EQ(both("myip=1.2.3.4,fe80::1%25pppoe0"), "1.2.3.4=1.2.3.4 - !fe80::1%pppoe0");
    EXPECT_EQ(both("myip=2001:db8::9/64"), "- 2001:db8::9");
    EXPECT_EQ(both("myip=2001:db8::/64"), "- -") << "a prefix is no address";
    EXPECT_EQ(both("ipv4=auto"), "192.0.2.99=192.0.2.99 -");
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
    EXPECT_FALSE(update("/nic/update?myip=" + addresses).fault.empty());
    EXPECT_LE(update("/nic/update?myip=" + std::string(10'000, '1')).unusable.size(), 80U);
    EXPECT_EQ(path_segments("/a/b/c/d/e/f/g").size(), most_segments);
}

TEST(AddressUpdate, CredentialsOfAllKinds) {
    const auto credential = [](std::string_view target, std::string_view header = {}) {
        const auto out = update(target, header);
        return (out.user ? *out.user : "-") + "/" +
               (out.secret ? std::string(out.secret->reveal()) : "-") +
               (out.may_be_password ? "?" : "");
    };
    EXPECT_EQ(credential("/nic/update?hostname=a.b&password=p"), "-/p?");
    EXPECT_EQ(credential("/nic/update?key=k&domain=a.b"), "-/k");
    EXPECT_EQ(credential("/nic/update?user=u&password=p", "Basic Og=="), "u/p") << "useless header";
    EXPECT_EQ(credential("/nic/update?user=u&password=p", "Digest x=y"), "u/p");
    EXPECT_EQ(credential("/nic/update?user=u&password=p", "Token t"), "-/t");
    EXPECT_EQ(credential("/nic/update?user=%F6&password=%E4%F6"), "\xc3\xb6/\xc3\xa4\xc3\xb6");
    EXPECT_EQ(credential("/nic/update?user=%C3%B6&password=p"), "\xc3\xb6/p");
    EXPECT_EQ(credential("/dynamic/update.php?KEY&address=1.2.3.4"), "-/KEY");
}

TEST(AddressUpdate, NothingIsDropped) {
    for (const char* query : {"txt=x", "foo=1.2.3.4", "myipx=1.2.3.4", "foo", "myip7=", "mx:a.b=x"})
        EXPECT_FALSE(update("/nic/update?hostname=a.b&" + std::string(query)).fault.empty())
            << query;
    for (const auto& [name, meaning] : parameter_names())
        EXPECT_TRUE(update("/nic/update?" + std::string(name) + "=x.y").fault.empty()) << name;
    const auto fault = [](const char* target, const char* authorization = "") {
        const auto asked = update(target, authorization);
        return text_of(asked.fault, asked);
    };
    EXPECT_EQ(fault("/nic/update?hostname=a.b&foo=1"),
              "it has a parameter \"foo\", which is not understood");
    const char* const hidden = "it has a parameter that is not understood";
    // Part of a password whose & was not encoded, or the key itself.
    EXPECT_EQ(fault("/nic/update?user=u&password=abc&d%20f=1"), hidden);
    EXPECT_EQ(fault("/nic/update?hostname=a.b&s3cret", "Token s3cret"), hidden);
    EXPECT_EQ(fault("/nic/update?hostname=a.b&cre=1&foo=1", "Token s3cret"), hidden)
        << "the first counts";
    EXPECT_EQ(fault("/nic/update?hostname=a.b&txt=x&foo=1"),
              "it sets a TXT record, which is not supported");
}

TEST(AddressUpdate, WhatIsKeptOfUnknownAndOfHostsParametersIsBounded) {
    EXPECT_EQ(update("/nic/update?" + std::string(1000, 'x') + "=1").fault.parameter, "");
    const auto many = [](std::size_t count, std::size_t size) {
        std::string target = "/nic/update?offline=no";
        for (std::size_t i = 0; i < count; ++i)
            target += "&a:" + std::string(size, static_cast<char>('a' + i)) + "=192.0.2.1";
        return update(target);
    };
    EXPECT_EQ(many(20, 254).of_hosts.size(), 20U);
    EXPECT_TRUE(many(20, 254).fault.empty());
    EXPECT_EQ(many(20, 255).of_hosts.size(), 0U) << "no name is so long";
    EXPECT_FALSE(many(20, 255).fault.empty());
    EXPECT_EQ(many(26, 9).of_hosts.size(), most_hosts + 1);
    EXPECT_GT(many(26, 9).hostnames.size(), most_hosts) << "so it is refused";
}

TEST(AddressUpdate, AHostHasOneSetOfAddressesHoweverItsNameIsWritten) {
    const auto asked = update("/nic/update?hostname=A.b.&a:a.b=192.0.2.1&aaaa:A.B.=2001:db8::1");
    ASSERT_EQ(asked.of_hosts.size(), 1U);
    EXPECT_TRUE(asked.of_hosts[0].second.v4 && asked.of_hosts[0].second.v6);
    EXPECT_EQ(asked.hostnames, std::vector<std::string>{"A.b."});
    EXPECT_FALSE(update("/nic/update?a:a.b=192.0.2.1&a:a.b.=192.0.2.2").fault.empty());
}

TEST(AddressUpdate, HostsByEachName) {
    const auto hosts = [](std::string_view query) {
        std::string all;
        for (const auto& host : update("/nic/update?" + std::string(query)).hostnames)
            all += host + " ";
        return all;
    };
    EXPECT_EQ(hosts("hostname=a.b&hostname=c.d"), "a.b c.d ");
    EXPECT_EQ(hosts("hostname=YES&host_id=a.b"), "a.b ");
    EXPECT_EQ(hosts("hostname=1&user=u&password=p"), "");
    EXPECT_EQ(hosts("hostname=&host_id="), "");
    EXPECT_EQ(hosts("host=home&domain=example.org"), "home.example.org ");
    EXPECT_EQ(hosts("host=@&domain=example.org"), "example.org ");
    EXPECT_EQ(hosts("host=home.example.org&domain=example.org"), "home.example.org ");
    EXPECT_EQ(hosts("domain=example.org"), "example.org ");
    EXPECT_EQ(hosts("myipv4:a.b=1.2.3.4"), "a.b ");
    EXPECT_EQ(hosts("hostname=a.b&amp;myip=1.2.3.4"), "a.b ");
}

TEST(AddressUpdate, BodiesOfEachForm) {
    const auto text = [](std::string_view body) {
        const auto out = std::get<AddressUpdate>(read("/nic/update", "Basic dTpw", "POST", body));
        return out.fault.empty() ? (out.hostnames.empty() ? "-" : out.hostnames[0]) + " " +
                                       (out.v4 ? out.v4->text : "-")
                                 : "fault";
    };
    EXPECT_EQ(text("hostname=a.b&myip=1.2.3.4"), "a.b 1.2.3.4");
    EXPECT_EQ(text("{\"hostname\": \"a.b\", \"myip\":\"1.2.3.4\"}"), "a.b 1.2.3.4");
    EXPECT_EQ(text("{\"host\\u006eame\":\"a.b\",\"offline\":false,\"mx\":null,\"url\":1e3}"),
              "a.b -");
    EXPECT_EQ(
        text("--x1\r\nContent-Disposition: form-data; name=\"hostname\"\r\n\r\na.b\r\n--x1\r\n"
             "Content-Disposition: form-data; name=\"myip\"\r\n\r\n1.2.3.4\r\n--x1--\r\n"),
        "a.b 1.2.3.4");
    EXPECT_EQ(text(""), "- -");
    for (const char* broken :
         {"{", "{}x", "{\"a\":{}}", "{\"a\":[1]}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}",
          "{\"a\"}", "{\"a\":\"b}", "--x", "--x1\r\n", "--x1\r\nname\r\n\r\nv\r\n--x1--", "text"})
        EXPECT_EQ(text(broken), "fault") << broken;
}

}  // namespace
