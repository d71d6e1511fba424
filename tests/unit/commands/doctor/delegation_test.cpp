// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/doctor/delegation.hpp"

#include <map>

#include <gmock/gmock.h>

#include "names.hpp"

namespace sftdyn::commands {
namespace {

using dns::Record;
using dns::Type;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint16_t noerror = 0, servfail = 2, nxdomain = 3, refused = 5;

Record ns(const char* owner, const char* server) {
    return {name(owner), Type::ns, 60, name(server).bytes()};
}
Record a(const char* owner, const char* address) {
    const auto parsed = boost::asio::ip::make_address(address);
    return {name(owner), Type::a, 60, dns::rdata_of(parsed)};
}
dns::Answer error(std::uint16_t rcode) {
    dns::Answer answer;
    answer.rcode = rcode;
    return answer;
}
dns::Answer told(std::vector<Record> answers) {
    dns::Answer answer = error(noerror);
    answer.answers = std::move(answers);
    return answer;
}
dns::Answer from_zone(std::vector<Record> answers) {
    dns::Answer answer = told(std::move(answers));
    answer.authoritative = true;
    return answer;
}
dns::Answer referral(std::vector<Record> authority) {
    dns::Answer answer = error(noerror);
    answer.authority = std::move(authority);
    return answer;
}

/// A world of answers, each by who is asked for what; what is not in it is not answered.
class DelegationTest : public testing::Test {
protected:
    void say(const std::string& server, const char* asked, Type type, dns::Answer answer) {
        answers_[server + ' ' + asked + ' ' + dns::type_text(type)] = std::move(answer);
    }
    /// The resolver knows who serves the zone above, at 192.0.2.1.
    void say_who_is_above() {
        say("", "example.org", Type::ns, told({ns("example.org", "ns.example.org")}));
        say("", "ns.example.org", Type::a, told({a("ns.example.org", "192.0.2.1")}));
    }
    std::vector<std::string> found() {
        static constexpr const char* words[] = {"good", "note", "skipped", "warning", "bad"};
        std::vector<std::string> out;
        const auto findings = findings_of_delegation(
            home,
            [this](const auto& server, const auto& asked, Type type) -> std::optional<dns::Answer> {
                const auto answer = answers_.find((server ? dns::text_of(*server) : "") + ' ' +
                                                  asked.text() + ' ' + dns::type_text(type));
                if (answer == answers_.end()) return std::nullopt;
                return answer->second;
            });
        for (const auto& one : findings)
            out.push_back(std::string(words[static_cast<std::size_t>(one.level)]) + ": " +
                          one.what + (one.remedy.empty() ? "" : "; " + one.remedy));
        return out;
    }

    ZoneAtHome home{.zone = name("dyn.example.org"),
                    .servers = {{name("ns.dyn.example.org")}},
                    .resolver = "192.0.2.53:53"};

private:
    std::map<std::string, dns::Answer> answers_{};
};

const char* const above = "192.0.2.1:53";

TEST_F(DelegationTest, TheZoneAboveAndTheZoneNameTheSame) {
    say_who_is_above();
    say("", "dyn.example.org", Type::ns, told({ns("dyn.example.org", "ns.dyn.example.org")}));
    say(above, "dyn.example.org", Type::ns,
        referral({ns("dyn.example.org", "ns.dyn.example.org")}));
    EXPECT_THAT(found(), ElementsAre("good: the world finds dyn.example.org: example.org delegates "
                                     "it to ns.dyn.example.org"));
}

TEST_F(DelegationTest, TheyNameDifferentOnes) {
    say("", "dyn.example.org", Type::ns, referral({ns("dyn.example.org", "ns.example.net")}));
    EXPECT_THAT(found(), ElementsAre(HasSubstr("warning: example.org delegates dyn.example.org to "
                                               "ns.example.net, but the zone itself names "
                                               "ns.dyn.example.org")));
}

TEST_F(DelegationTest, NobodyDelegates) {
    for (const auto& answer : {error(nxdomain), told({})}) {
        say("", "dyn.example.org", Type::ns, answer);
        EXPECT_THAT(found(), ElementsAre(HasSubstr("warning: the world does not find "
                                                   "dyn.example.org; the zone above must")));
    }
}

TEST_F(DelegationTest, AnAnswerOfTheZonesOwnServerProvesNothing) {
    say("", "dyn.example.org", Type::ns, from_zone({ns("dyn.example.org", "ns.dyn.example.org")}));
    EXPECT_THAT(found(), ElementsAre(HasSubstr("skipped: whether the world finds dyn.example.org "
                                               "can't be seen from here: 192.0.2.53:53 may have "
                                               "the zone itself")));
    say_who_is_above();
    say(above, "dyn.example.org", Type::ns, error(nxdomain));
    EXPECT_THAT(found(), ElementsAre(HasSubstr("the world does not find dyn.example.org")));
    say(above, "dyn.example.org", Type::ns,
        from_zone({ns("dyn.example.org", "ns.dyn.example.org")}));
    EXPECT_THAT(found(), ElementsAre("good: the servers of example.org have dyn.example.org too"));
}

TEST_F(DelegationTest, NorDoesThatOfAResolverOnThisMachine) {
    say("", "dyn.example.org", Type::ns, told({ns("dyn.example.org", "ns.dyn.example.org")}));
    EXPECT_THAT(found(), ElementsAre("good: the world finds dyn.example.org"));
    home.resolver_is_here = true;
    EXPECT_THAT(found(), ElementsAre(HasSubstr("skipped: whether the world finds")));
}

TEST_F(DelegationTest, NobodyAnswersForTheZone) {
    say("", "dyn.example.org", Type::ns, error(servfail));
    EXPECT_THAT(found(), ElementsAre(HasSubstr("warning: the resolver 192.0.2.53:53 gets no answer "
                                               "for dyn.example.org; is this server's port 53")));
}

TEST_F(DelegationTest, NoResolverCanBeAsked) {
    const auto skipped =
        ElementsAre("skipped: no resolver could be asked how the world sees the zone");
    EXPECT_THAT(found(), skipped);
    say("", "dyn.example.org", Type::ns, error(refused));
    EXPECT_THAT(found(), skipped);
}

TEST_F(DelegationTest, TheZonesOwnServersMustBeFound) {
    say("", "ns.example.net", Type::a, error(nxdomain));
    say("", "ns.example.net", Type::aaaa, error(nxdomain));
    say("", "ns2.example.net", Type::a, error(servfail));
    say("", "ns3.example.net", Type::a, told({a("ns3.example.net", "192.0.2.9")}));
    home.servers = {{name("localhost")},       {name("ns.dyn.example.org"), false},
                    {name("ns.example.net")},  {name("ns2.example.net")},
                    {name("ns3.example.net")}, {name("ns4.dyn.example.org"), true}};
    EXPECT_THAT(
        found(),
        ElementsAre(HasSubstr("warning: dyn.example.org names localhost as its name server"),
                    HasSubstr("names ns.dyn.example.org as its name server, which has no address"),
                    HasSubstr("names ns.example.net as its name server, which has no address"),
                    HasSubstr("skipped: no resolver")));
}

TEST_F(DelegationTest, TheKeysThatTheZoneAboveNamesMustBeThere) {
    say("", "dyn.example.org", Type::ns, referral({ns("dyn.example.org", "ns.dyn.example.org")}));
    const Type ds{43};
    const auto second = [&](bool is_signed, bool has_ds) {
        home.is_signed = is_signed;
        say("", "dyn.example.org", ds,
            told(has_ds ? std::vector<Record>{{name("dyn.example.org"), ds, 60, "ds"}}
                        : std::vector<Record>{}));
        const auto all = found();
        return all.size() == 1 ? std::string() : all.back();
    };
    EXPECT_THAT(second(false, true), HasSubstr("warning: example.org has a DS record for "
                                               "dyn.example.org, which is not signed"));
    EXPECT_THAT(second(true, false), HasSubstr("note: dyn.example.org is signed, but example.org"));
    EXPECT_EQ(second(true, true), "");
    EXPECT_EQ(second(false, false), "");
}

}  // namespace
}  // namespace sftdyn::commands
