// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/secret_url.hpp"

#include "protocol/dyndns_request.hpp"
#include "protocol/dyndns_response.hpp"
#include "protocol/form_parameters.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::protocol::secret_url;

namespace {

Intent read_target(std::string_view method, std::string_view target) {
    return protocol::secret_url::read({method, target, boost::asio::ip::make_address("192.0.2.1")});
}
std::string key_of(std::string_view target) {
    return std::string(std::get<PresentedKey>(read_target("GET", target)).key);
}

TEST(SecretUrl, TheKeyIsTheTargetWithoutLeadingSlashes) {
    EXPECT_EQ(key_of("/key"), "key");
    EXPECT_EQ(key_of("///key"), "key");
    EXPECT_EQ(key_of("/a/b?c"), "a/b?c");
    EXPECT_EQ(key_of("/?hostname=a&password=b"), "?hostname=a&password=b");
    EXPECT_EQ(key_of("/key/"), "key/");
    EXPECT_EQ(key_of("/a%20b"), "a%20b");
}

TEST(SecretUrl, WithoutAKeyItTellsTheAddress) {
    EXPECT_TRUE(std::holds_alternative<WhoAmI>(read_target("GET", "/")));
    EXPECT_TRUE(std::holds_alternative<WhoAmI>(read_target("GET", "//")));
    EXPECT_EQ(who_am_i({"GET", "/", boost::asio::ip::make_address("2001:db8::1")}).body,
              "2001:db8::1");
}

TEST(SecretUrl, OtherMethodsAreNotAllowed) {
    EXPECT_TRUE(std::holds_alternative<WhoAmI>(read_target("HEAD", "/")));
    for (const char* method : {"HEAD", "POST", "get", "Get", ""})
        EXPECT_TRUE(std::holds_alternative<MethodNotAllowed>(read_target(method, "/k"))) << method;
    EXPECT_EQ(method_not_allowed().status, 405U);
    EXPECT_EQ(method_not_allowed().allow, "GET");
}

TEST(SecretUrl, PercentEncodingIsUndone) {
    EXPECT_EQ(protocol::percent_decoded("a%20b"), "a b");
    EXPECT_EQ(protocol::percent_decoded("%61%2F%2f%C3%A4"), "a//\xc3\xa4");
    EXPECT_EQ(protocol::percent_decoded("a+b"), "a+b");
    EXPECT_EQ(protocol::percent_decoded("%"), "%");
    EXPECT_EQ(protocol::percent_decoded("%4"), "%4");
    EXPECT_EQ(protocol::percent_decoded("%zz%41"), "%zzA");
    EXPECT_EQ(protocol::percent_decoded("%%41"), "%A");
    EXPECT_EQ(protocol::percent_decoded("%2541"), "%41");
    EXPECT_EQ(protocol::percent_decoded("%00").size(), 1U);
}

TEST(SecretUrl, AnswersAsTheContractSays) {
    const auto is = [](const http::Response& response, unsigned status, const char* body) {
        return response.status == status && response.body == body;
    };
    EXPECT_TRUE(is(answer({update::UpdateStatus::committed}, "UPTODATE"), 200, "OK"));
    EXPECT_TRUE(is(answer({update::UpdateStatus::unchanged}, "UPTODATE"), 200, "UPTODATE"));
    EXPECT_TRUE(is(answer({update::UpdateStatus::failed}, "UPTODATE"), 500, "FAIL"));
    EXPECT_TRUE(is(answer({update::UpdateStatus::over_budget, 17s}, "UPTODATE"), 429, "ABUSE"));
    EXPECT_EQ(answer({update::UpdateStatus::over_budget, 17s}, "UPTODATE").retry_after, 17s);
    EXPECT_TRUE(is(answer({update::UpdateStatus::overloaded, 5s}, "UPTODATE"), 503, "FAIL"));
    EXPECT_EQ(answer({update::UpdateStatus::overloaded, 5s}, "UPTODATE").retry_after, 5s);
    EXPECT_TRUE(is(answer({update::UpdateStatus::unchanged}, "nochg"), 200, "nochg"));
    EXPECT_TRUE(
        is(sftdyn::protocol::bad_credential(sftdyn::protocol::Dialect::secret_url), 403, "BADKEY"));
}

TEST(SecretUrl, AKeyIsFoundWithSomethingBehindIt) {
    update::HostTable names;
    const auto host = names.number(*dns::Name::parse("home.example.org"));
    accounts::AccountDirectory directory;
    ASSERT_TRUE(directory.add("key", {.host = host}));
    ASSERT_TRUE(directory.add("a/b c", {.host = host}));
    const auto found = [&](std::string_view target) {
        const auto longer = find_longer(directory, names, target);
        return longer ? std::string(longer->key) + "|" + std::string(longer->behind) : "none";
    };
    EXPECT_EQ(found("key?"), "key|?");
    EXPECT_EQ(found("key/"), "key|");
    EXPECT_EQ(found("key?ip=192.0.2.1"), "key|?ip=192.0.2.1");
    EXPECT_EQ(found("key/nic/update?x"), "key|nic/update?x");
    EXPECT_EQ(found("a/b%20c/192.0.2.1"), "a/b%20c|192.0.2.1");
    EXPECT_EQ(found("keyhome.example.org"), "key|home.example.org");
    EXPECT_EQ(found("keyHOME.example.org?ip="), "key|HOME.example.org?ip=");
    for (const char* none : {"", "?", "ke", "keyx", "keyother.example.org", "wrong?key", "xkey/",
                             "keyhome.example.org/x", "a/b"})
        EXPECT_EQ(found(none), "none") << none;
    const std::string most(1000, 'k');
    ASSERT_TRUE(directory.add(most, {.host = host}));
    EXPECT_EQ(found(most + "home.example.org"), most + "|home.example.org");
    ASSERT_TRUE(directory.add(most + most, {.host = host}));
    EXPECT_EQ(found(most + most + "home.example.org"), "none") << "what it may cost has a bound";
}

}  // namespace
