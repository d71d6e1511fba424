// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/authenticator.hpp"

#include <set>

#include <fmt/format.h>

#include "accounts/passwords.hpp"
#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class AuthenticatorTest : public RequestTest {
protected:
    AuthenticatorTest() { configure(false); }
    ~AuthenticatorTest() override { authenticator.stop(); }

    /// A client with a key and a user "u" with the password "pw", which may be hashed.
    void configure(bool hashed) {
        accounts::AccountDirectory directory;
        accounts::Client client;
        client.name = "home";
        client.hosts.push_back({.host = host("h.dyn.example.org")});
        const auto number = directory.add(std::move(client));
        EXPECT_TRUE(directory.add("token", {.client = number}));
        EXPECT_TRUE(directory.add_user("u", number, hashed ? "" : "pw",
                                       hashed ? accounts::hash_password("pw").value() : ""));
        use(std::move(directory));
        authenticator.configure(3, 600s);
    }

    static protocol::AddressUpdate update(std::optional<std::string> user,
                                          std::optional<std::string> secret) {
        protocol::AddressUpdate asked;
        asked.user = std::move(user);
        if (secret) asked.secret = base::Secret(*secret);
        return asked;
    }

    void authenticate(Answer& answer, protocol::AddressUpdate asked,
                      const char* source = "192.0.2.1") {
        auto context = request(answer, source);
        context.set_dialect(asked.dialect);
        authenticator.authenticate(context, std::move(asked),
                                   [](RequestContext& accepted, const protocol::AddressUpdate&,
                                      const accounts::Client& client) {
                                       accepted.complete(telemetry::RequestOutcome::ok, "accepted",
                                                         {200, "for " + client.name});
                                   });
    }
    std::string answer_to(protocol::AddressUpdate asked, const char* source = "192.0.2.1") {
        Answer answer;
        authenticate(answer, std::move(asked), source);
        if (!answer.is_given() && answer.deferrals > 0) await(answer);
        return answer.text();
    }
    /// From the verifier's thread, or after a delay.
    void await(Answer& answer) {
        while (!answer.is_given()) {
            io.restart();
            io.run_for(1ms);
        }
    }
    std::string key_refused(const char* source = "192.0.2.1") {
        Answer answer;
        {
            auto context = request(answer, source);
            authenticator.refuse(context);
        }
        deferrals = answer.deferrals;
        await(answer);
        last = answer.later.empty() ? *answer.at_once : answer.later[0];
        return answer.text();
    }

    Authenticator authenticator{io, [this] { return now; }, 1ms};
    unsigned deferrals = 0;
    http::Response last;
};

TEST_F(AuthenticatorTest, WhoSendsNothingHasGuessedNothing) {
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(answer_to(update(std::nullopt, std::nullopt)), "401 badauth");
    EXPECT_EQ(counts(), (Counts{{"dyndns2 no_credential", 10}}));
    EXPECT_EQ(lines("")[0], "info: a request from 192.0.2.1: no credential");
    EXPECT_EQ(answer_to(update(std::nullopt, "wrong")), "401 badauth") << "the first guess";
}

TEST_F(AuthenticatorTest, AKeyIsAPasswordWhateverTheUser) {
    EXPECT_EQ(answer_to(update(std::nullopt, "token")), "200 for home");
    EXPECT_EQ(answer_to(update("anybody", "token")), "200 for home");
    EXPECT_EQ(answer_to(update("u", "token")), "401 badauth") << "the user has a password";
}

TEST_F(AuthenticatorTest, APlainPasswordIsCheckedAtOnce) {
    Answer right, wrong;
    authenticate(right, update("u", "pw"));
    authenticate(wrong, update("u", "guess"));
    EXPECT_EQ(right.text(), "200 for home");
    EXPECT_EQ(wrong.text(), "401 badauth");
    EXPECT_EQ(right.deferrals + wrong.deferrals, 0U);
    EXPECT_EQ(counts(), (Counts{{"dyndns2 ok", 1}, {"dyndns2 badkey", 1}}));
}

TEST_F(AuthenticatorTest, PastOneBudgetAnswersAreLatePastAnotherRefused) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(key_refused(), "403 BADKEY");
        EXPECT_EQ(deferrals, 0U);
    }
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(key_refused(), "403 BADKEY");
        EXPECT_EQ(deferrals, 1U) << "late";
    }
    EXPECT_EQ(lines("warning"), Lines{});
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(key_refused(), "429 BADKEY");
        EXPECT_EQ(deferrals, 0U);
        EXPECT_EQ(last.retry_after, 600s);
    }
    EXPECT_EQ(lines(""), (Lines{"warning: too many bad keys from 192.0.2.1; refused for now",
                                "info: a wrong credential from 192.0.2.1",
                                "info: a wrong credential from 192.0.2.1",
                                "info: a wrong credential from 192.0.2.1"}));
    EXPECT_EQ(counts(), (Counts{{"secret_url badkey", 9}}));
    now += 600s;
    EXPECT_EQ(key_refused(), "403 BADKEY") << "one was forgotten";
}

TEST_F(AuthenticatorTest, AnIpv6NetworkOf64BitsHasOneBudget) {
    for (const char* source :
         {"2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff:ffff:ffff:ffff"}) {
        key_refused(source);
        EXPECT_EQ(deferrals, 0U);
    }
    for (const char* source : {"2001:db8:0:1::3", "2001:db8:0:1:8000::", "2001:db8:0:1::1"}) {
        key_refused(source);
        EXPECT_EQ(deferrals, 1U) << "late: the first budget is spent";
    }
    EXPECT_EQ(key_refused("2001:db8:0:1::4"), "429 BADKEY");
    EXPECT_EQ(key_refused("2001:db8:0:2::1"), "403 BADKEY") << "another network";
    EXPECT_EQ(deferrals, 0U);
    EXPECT_EQ(key_refused("2001:db8::1"), "403 BADKEY");
    EXPECT_EQ(key_refused("192.0.2.2"), "403 BADKEY");
    for (int i = 0; i < 6; ++i) key_refused("192.0.2.2");
    EXPECT_EQ(key_refused("192.0.2.2"), "429 BADKEY");
    EXPECT_EQ(key_refused("192.0.2.3"), "403 BADKEY") << "of IPv4 each address";
}

TEST_F(AuthenticatorTest, OneIsForgottenAtItsTimeAndNotBefore) {
    for (int i = 0; i < 6; ++i) key_refused();
    now += 600s - base::Duration(1);
    EXPECT_EQ(key_refused(), "429 BADKEY");
    EXPECT_EQ(last.retry_after, 1s) << "rounded up";
    now += base::Duration(1);
    EXPECT_EQ(key_refused(), "403 BADKEY");
    EXPECT_EQ(deferrals, 1U);
    EXPECT_EQ(key_refused(), "429 BADKEY") << "one, and no more";
}

TEST_F(AuthenticatorTest, ALateAnswerIsToldWhenItIsGiven) {
    for (int i = 0; i < 3; ++i) key_refused();
    lines("");
    Answer answer;
    {
        auto context = request(answer);
        authenticator.refuse(context);
    }
    EXPECT_EQ(counts(), (Counts{{"secret_url badkey", 3}}));
    await(answer);
    EXPECT_EQ(counts(), (Counts{{"secret_url badkey", 4}}));
    EXPECT_EQ(lines(""), Lines{"info: a wrong credential from 192.0.2.1"});
}

TEST_F(AuthenticatorTest, PastTheSecondBudgetOnlyThoseOfAFamiliarNetworkAreLookedAt) {
    EXPECT_EQ(answer_to(update("u", "pw"), "192.0.2.1"), "200 for home");
    for (const char* source : {"192.0.2.1", "192.0.2.2"})
        for (int i = 0; i < 6; ++i) answer_to(update("u", "guess"), source);
    EXPECT_EQ(answer_to(update("u", "pw"), "192.0.2.1"), "200 for home");
    EXPECT_EQ(answer_to(update("u", "pw"), "192.0.2.2"), "503 911");
    EXPECT_EQ(answer_to(update(std::nullopt, "token"), "192.0.2.2"), "200 for home")
        << "a key is found at once";
}

TEST_F(AuthenticatorTest, AHashedPasswordIsVerifiedElsewhereAndRemembered) {
    configure(true);
    for (const auto& [secret, expected] :
         {std::pair("pw", "200 for home"), std::pair("guess", "401 badauth")}) {
        Answer first, second;
        authenticate(first, update("u", secret));
        EXPECT_EQ(first.deferrals, 1U);
        first.await();
        EXPECT_EQ(first.text(), expected);
        authenticate(second, update("u", secret));
        EXPECT_EQ(second.deferrals, 0U) << secret;
        EXPECT_EQ(second.text(), expected);
    }
    EXPECT_EQ(counts(), (Counts{{"dyndns2 ok", 2}, {"dyndns2 badkey", 2}}));
}

TEST_F(AuthenticatorTest, AnUnknownUserTakesAsLongAsAKnownOne) {
    configure(true);
    Answer answer;
    authenticate(answer, update("nobody", "guess"));
    EXPECT_EQ(answer.deferrals, 1U);
    answer.await();
    EXPECT_EQ(answer.text(), "401 badauth");
}

TEST_F(AuthenticatorTest, ARightPasswordCostsTheBudgetNothing) {
    configure(true);
    for (int i = 0; i < 10; ++i) {
        now += 1s;
        Answer answer;
        authenticate(answer, update("u", "pw"), ("192.0.2." + std::to_string(i)).c_str());
        answer.await();
        EXPECT_EQ(answer.text(), "200 for home");
    }
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(key_refused(), "403 BADKEY");
        EXPECT_EQ(deferrals, 0U);
    }
}

TEST_F(AuthenticatorTest, WhatTheVerifierDropsIsAnsweredToo) {
    configure(true);
    std::vector<std::unique_ptr<Answer>> answers;
    // Two of each network may wait without a wrong credential of theirs.
    for (int i = 0; i < 20; ++i) {
        answers.push_back(std::make_unique<Answer>());
        authenticate(*answers.back(), update("u", "guess" + std::to_string(i)),
                     ("192.0.2." + std::to_string(i)).c_str());
    }
    authenticator.stop();
    unsigned sum = 0;
    for (const auto& answer : answers) {
        while (!answer->is_given()) {
            io.restart();
            io.run_for(1ms);
        }
        const std::string text = answer->text();
        EXPECT_TRUE(text == "401 badauth" || text == "500 911") << text;
    }
    for (const auto& [outcome, count] : counts()) sum += count;
    EXPECT_EQ(sum, 20U);
}

TEST_F(AuthenticatorTest, WhoGuessesFromEverywhereIsNamedSoOften) {
    std::vector<std::unique_ptr<Answer>> answers;
    const auto guess = [&](int number) {
        const std::string source =
            fmt::format("198.51.{}.{}", 100 + number / 250, 1 + number % 250);
        answers.push_back(std::make_unique<Answer>());
        auto context = request(*answers.back(), source.c_str());
        authenticator.refuse(context);
    };
    for (int round = 0; round < 7; ++round)
        for (int number = 0; number < 300; ++number) guess(number);
    for (const auto& answer : answers) await(*answer);
    Lines named;
    for (const auto& line : lines("warning"))
        if (line.starts_with("too many bad keys from ")) named.push_back(line);
    EXPECT_EQ(named.size(), base::LogThrottle::most_kinds);
    EXPECT_EQ(std::set(named.begin(), named.end()).size(), named.size()) << "each of them once";
    now += 61s;
    base::LogThrottle::summarise_all(now);
    EXPECT_EQ(lines("warning"),
              Lines{"200 more like it since; the last: too many bad keys from 198.51.101.50; "
                    "refused for now"});
}

/// With the table full, too: else whoever has many addresses guesses as often as it likes.
TEST_F(AuthenticatorTest, WhatIsFullRefusesAndLetsOnlyThoseOfAFamiliarNetworkThrough) {
    EXPECT_EQ(answer_to(update("u", "pw"), "203.0.113.1"), "200 for home");
    for (unsigned number = 0; number < accounts::AuthFailureLimiter::most_networks; ++number) {
        Answer answer;
        auto context = request(
            answer, boost::asio::ip::make_address_v4(0x0a000000 + number).to_string().c_str());
        authenticator.refuse(context);
    }
    for (int number = 0; number < 6; ++number)
        EXPECT_EQ(answer_to(update("u", "guess"), "192.0.2.1"), "401 badauth");
    for (const char* source : {"192.0.2.1", "192.0.2.2", "2001:db8::1"}) {
        EXPECT_EQ(answer_to(update("u", "guess"), source), "503 911");
        EXPECT_EQ(answer_to(update("u", "pw"), source), "503 911") << "it would tell who guessed";
    }
    EXPECT_EQ(answer_to(update("u", "pw"), "203.0.113.1"), "200 for home");
    EXPECT_EQ(answer_to(update(std::nullopt, "token"), "192.0.2.2"), "200 for home");
    EXPECT_EQ(lines("warning"),
              Lines{"so many addresses send bad keys that no more can be counted: all others "
                    "share one budget"});
}

/// As many networks as guess for the user, each once.
TEST_F(AuthenticatorTest, WhoHasGuessedNothingGoesBeforeAllThatGuess) {
    configure(true);
    std::vector<std::unique_ptr<Answer>> guesses;
    const auto guess = [&](const std::string& source, int number) {
        guesses.push_back(std::make_unique<Answer>());
        authenticate(*guesses.back(), update("u", fmt::format("guess {}", number)), source.c_str());
    };
    for (int number = 0; number < 50; ++number) {
        const std::string source = fmt::format("198.51.100.{}", number);
        Answer wrong;
        {
            auto context = request(wrong, source.c_str());
            authenticator.refuse(context);
        }
        guess(source, number);
    }
    Answer right;
    authenticate(right, update("u", "pw"));
    right.await();
    EXPECT_EQ(right.text(), "200 for home");
    std::size_t answered = 0, refused = 0;
    for (const auto& answer : guesses) {
        if (!answer->is_given()) continue;
        (answer->text() == "500 911" ? refused : answered) += 1;
    }
    EXPECT_LT(answered, 10U) << "the others wait";
    EXPECT_GE(refused, 50 - 1 - accounts::Verifier::most_of_user) << "or have their answer";
    authenticator.stop();
}

TEST_F(AuthenticatorTest, NoSecretIsLogged) {
    answer_to(update("u", "pw"));
    answer_to(update("u", "verysecret"));
    answer_to(update("verysecret", "verysecret"));
    answer_to(update(std::nullopt, "verysecret"));
    for (const auto& line : lines("")) {
        EXPECT_EQ(line.find("verysecret"), std::string::npos) << line;
        EXPECT_EQ(line.find("pw"), std::string::npos) << line;
    }
}

}  // namespace
}  // namespace sftdyn::server
