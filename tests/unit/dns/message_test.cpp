// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/message.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "dns/knot.hpp"
#include "dns/make_answer.hpp"
#include "names.hpp"

using namespace sftdyn;
using namespace sftdyn::dns;

namespace {

std::string hex(std::string_view octets) {
    std::string out;
    for (const char c : octets) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
        out += two;
    }
    return out;
}

/// tests/system/test_wire.py reads the same files with dnspython.
std::string golden(const std::string& name) {
    std::ifstream file(std::string(SFTDYN_TEST_DATA) + "/dns/golden/" + name + ".hex");
    std::string text;
    file >> text;
    return text;
}

TsigKeyPtr key(const char* key_name = "k", const char* secret = "c2VjcmV0c2VjcmV0") {
    return std::make_shared<const TsigKey>(
        *TsigKey::make(key_name, "hmac-sha256", base::Secret(secret)));
}

std::vector<Change> changes() {
    return {{name("home.dyn.example.org"), Type::a, ChangeKind::replace, 30,
             std::string("\xc0\x00\x02\x01", 4)},
            {name("home.dyn.example.org"), Type::aaaa, ChangeKind::remove},
            {name("1.2.0.192.in-addr.arpa"), Type::ptr, ChangeKind::remove_record, 0,
             name("home.dyn.example.org").bytes()}};
}

std::span<const std::uint8_t> octets_of(const std::string& wire) {
    return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

/// What a server would answer: the request with QR set, an rcode, and a signature by `signer`.
std::vector<std::uint8_t> answer_to(const OutgoingMessage& request, const TsigKeyPtr& signer,
                                    std::uint8_t rcode = 0, std::uint16_t tsig_error = 0) {
    std::vector<std::uint8_t> wire(request.wire.begin(), request.wire.begin() + 12);
    for (std::size_t i = 4; i < 12; ++i) wire[i] = 0;
    knot_wire_set_qr(wire.data());
    knot_wire_set_aa(wire.data());
    knot_wire_set_rcode(wire.data(), rcode);
    std::size_t size = wire.size();
    wire.resize(1000);
    if (signer) {
        std::uint8_t mac[64];
        std::size_t mac_size = sizeof mac;
        EXPECT_EQ(knot_tsig_sign(wire.data(), &size, wire.size(),
                                 reinterpret_cast<const std::uint8_t*>(request.mac.data()),
                                 request.mac.size(), mac, &mac_size, &signer->raw(), tsig_error,
                                 static_cast<std::uint64_t>(time(nullptr))),
                  KNOT_EOK);
    }
    wire.resize(size);
    return wire;
}

TEST(Message, QueryIsGolden) {
    const auto request = make_query(0x1234, name("home.dyn.example.org"), Type::aaaa, nullptr);
    EXPECT_EQ(hex(request->wire), golden("query"));
}

TEST(Message, UpdateIsGolden) {
    const auto list = changes();
    const auto request = make_update(0x1234, name("dyn.example.org"), list, nullptr);
    EXPECT_EQ(hex(request->wire), golden("update"));
}

TEST(Message, RecordsWrittenOutAreTheSameAsChanges) {
    using Class = UpdateRecord::Class;
    UpdateMessage message;
    message.prerequisites = {{name("home.dyn.example.org"), Type::cname, Class::none, 0, {}},
                             {name("dyn.example.org"), Type::dname, Class::none, 0, {}}};
    for (const auto& change : changes()) {
        if (change.kind == ChangeKind::remove_record) {
            message.updates.push_back({change.owner, change.type, Class::none, 0, change.rdata});
            continue;
        }
        message.updates.push_back({change.owner, change.type, Class::any, 0, {}});
        if (change.kind == ChangeKind::replace)
            message.updates.push_back(
                {change.owner, change.type, Class::in, change.ttl, change.rdata});
    }
    EXPECT_EQ(hex(make_update(0x1234, name("dyn.example.org"), message, nullptr)->wire),
              golden("update"));

    message.updates.clear();
    message.prerequisites.clear();
    message.prerequisites.push_back({name("a.dyn.example.org"), Type::a, Class::none, 0, {}});
    const auto request = make_update(1, name("dyn.example.org"), message, nullptr);
    EXPECT_EQ(hex(request->wire).substr(8, 16), "0001000100000000")
        << "one zone, one prerequisite, no update";
}

TEST(Message, AClaimHasAPrerequisiteAndReplacesNothing) {
    const Name owner = name("1.2.0.192.in-addr.arpa");
    const std::string host = name("home.dyn.example.org").bytes();
    UpdateMessage message;
    message.prerequisites.push_back({owner, Type::cname, UpdateRecord::Class::none, 0, {}});
    message.prerequisites.push_back({owner, Type::ptr, UpdateRecord::Class::none, 0, {}});
    message.updates.push_back({owner, Type::ptr, UpdateRecord::Class::in, 30, host});
    const std::vector<Change> claim{{owner, Type::ptr, ChangeKind::claim, 30, host}};
    const Name zone = name("2.0.192.in-addr.arpa");
    EXPECT_EQ(hex(make_update(1, zone, claim, nullptr)->wire),
              hex(make_update(1, zone, message, nullptr)->wire));
}

TEST(Message, WhatAddsARecordIsRefusedWhereItWouldBeHidden) {
    const auto prerequisites = [](const std::vector<Change>& list) {
        const auto request = make_update(1, name("dyn.example.org"), list, nullptr);
        const auto* count = reinterpret_cast<const std::uint8_t*>(request->wire.data()) + 6;
        return knot_wire_read_u16(count);
    };
    const Change deep{name("a.b.c.dyn.example.org"), Type::a, ChangeKind::replace, 30, "abcd"};
    EXPECT_EQ(prerequisites({deep}), 1 + 3 + 2) << "CNAME; DNAME at b.c, c and the zone; NS at two";
    Change other = deep;
    other.owner = name("x.b.c.dyn.example.org");
    Change family = deep;
    family.type = Type::aaaa;
    family.rdata = "abcdabcdabcdabcd";
    EXPECT_EQ(prerequisites({deep, family, other}), 1 + 3 + 2 + 1) << "each once";
    Change removal = deep;
    removal.kind = ChangeKind::remove;
    EXPECT_EQ(prerequisites({removal}), 0);
}

TEST(Message, AThousandChangesFitAsTheirBoundSays) {
    std::vector<Change> list;
    std::size_t bound = 0;
    const Name zone = name("dyn.example.org");
    while (bound < 60000) {
        const Name owner = name(("h" + std::to_string(list.size()) + ".x.dyn.example.org").c_str());
        list.push_back({owner, Type::aaaa, ChangeKind::replace, 30, "abcdabcdabcdabcd"});
        bound += wire_size_bound(list.back(), zone);
    }
    EXPECT_LE(make_update(1, zone, list, key())->wire.size(), 60200U);
}

TEST(Message, LargeDataFitsAndTooLargeIsSaid) {
    UpdateMessage message;
    message.updates.push_back({name("a.dyn.example.org"), static_cast<Type>(16),
                               UpdateRecord::Class::in, 30, std::string(60000, '\1')});
    EXPECT_GT(make_update(1, name("dyn.example.org"), message, key())->wire.size(), 60000U);
    message.updates.push_back(message.updates.front());
    const auto request = make_update(1, name("dyn.example.org"), message, key());
    ASSERT_TRUE(request.has_error());
    EXPECT_NE(request.error().text().find("does not fit into a DNS message"), std::string::npos);
}

TEST(Message, SigningAppendsATsigAndLeavesTheRest) {
    const auto list = changes();
    const auto plain = make_update(7, name("dyn.example.org"), list, nullptr);
    const auto with_key = make_update(7, name("dyn.example.org"), list, key());
    EXPECT_EQ(with_key->mac.size(), 32U);
    EXPECT_EQ(with_key->wire.substr(12, plain->wire.size() - 12), plain->wire.substr(12));
    EXPECT_EQ(with_key->wire.substr(0, 11), plain->wire.substr(0, 11));
    EXPECT_EQ(with_key->wire[11], 1);  // ARCOUNT
}

TEST(Message, TooManyChangesAreAFailureNotACutMessage) {
    std::vector<Change> many;
    for (int i = 0; i < 4000; ++i)
        many.push_back({name(("h" + std::to_string(i) + ".dyn.example.org").c_str()), Type::a,
                        ChangeKind::replace, 30, "abcd"});
    EXPECT_TRUE(make_update(1, name("dyn.example.org"), many, key()).has_error());
    many.resize(1000);
    EXPECT_TRUE(make_update(1, name("dyn.example.org"), many, key()).has_value());
}

TEST(Message, GoodAnswerIsBelieved) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    const auto reply =
        read_answer(*request, answer_to(*request, request->key, KNOT_RCODE_REFUSED), "s");
    ASSERT_TRUE(reply.has_value()) << reply.error().text();
    EXPECT_EQ(reply->rcode, KNOT_RCODE_REFUSED);
    EXPECT_TRUE(reply->authoritative);
}

TEST(Message, AnswerWithAWrongSignatureIsNotBelieved) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    EXPECT_EQ(
        read_answer(*request, answer_to(*request, key("k", "b3RoZXJvdGhlcm90")), "s").error().kind,
        ErrorKind::forged_answer);
    EXPECT_EQ(read_answer(*request, answer_to(*request, key("other")), "s").error().kind,
              ErrorKind::forged_answer);
    auto changed = answer_to(*request, request->key);
    changed[2] ^= 0x04;  // AA
    EXPECT_EQ(read_answer(*request, changed, "s").error().kind, ErrorKind::forged_answer);
}

TEST(Message, AnswerToAnotherRequestIsNotBelieved) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    const auto other = make_query(1, name("b.org"), Type::soa, key());
    EXPECT_EQ(read_answer(*request, answer_to(*other, key()), "s").error().kind,
              ErrorKind::forged_answer);
}

TEST(Message, UnsignedSuccessIsNotBelieved) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    EXPECT_EQ(read_answer(*request, answer_to(*request, nullptr), "s").error().kind,
              ErrorKind::unsigned_answer);
    EXPECT_EQ(
        read_answer(*request, answer_to(*request, nullptr, KNOT_RCODE_NXDOMAIN), "s").error().kind,
        ErrorKind::unsigned_answer);
    EXPECT_EQ(read_answer(*request, answer_to(*request, nullptr, KNOT_RCODE_REFUSED), "s")->rcode,
              KNOT_RCODE_REFUSED);
}

TEST(Message, TsigErrorsAreToldApart) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    const std::vector<std::pair<std::uint16_t, ErrorKind>> errors = {
        {KNOT_RCODE_BADSIG, ErrorKind::bad_signature},
        {KNOT_RCODE_BADKEY, ErrorKind::bad_key},
        {KNOT_RCODE_BADTIME, ErrorKind::bad_time},
        {KNOT_RCODE_BADTRUNC, ErrorKind::bad_key}};
    for (const auto& [error, kind] : errors) {
        const std::string wire = make_answer(request->wire, request->key,
                                             {.rcode = KNOT_RCODE_NOTAUTH, .tsig_error = error});
        const auto reply = read_answer(*request, octets_of(wire), "s");
        ASSERT_TRUE(reply.has_error()) << error;
        EXPECT_EQ(reply.error().kind, kind) << error;
    }
}

TEST(Message, AnAnswerThatWasSignedLongAgoIsNotBelieved) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    for (const long seconds : {3600L, -3600L}) {
        const std::string wire =
            make_answer(request->wire, request->key, {.signed_seconds_ago = seconds});
        const auto reply = read_answer(*request, octets_of(wire), "s");
        ASSERT_TRUE(reply.has_error());
        EXPECT_EQ(reply.error().kind, ErrorKind::bad_time);
        EXPECT_NE(reply.error().detail.find(seconds > 0 ? "ahead of" : "behind"),
                  std::string::npos);
    }
    const std::string wire = make_answer(request->wire, request->key, {.signed_seconds_ago = 200});
    EXPECT_TRUE(read_answer(*request, octets_of(wire), "s").has_value());
}

TEST(Message, AnAnswerToAnotherQuestionIsNotBelieved) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    for (const std::string& question :
         {question_of(name("b.org"), Type::soa), question_of(name("a.org"), Type::ns)}) {
        for (const std::uint8_t rcode : {KNOT_RCODE_NOERROR, KNOT_RCODE_REFUSED}) {
            const std::string wire =
                make_answer(request->wire, request->key, {.rcode = rcode, .question = question});
            EXPECT_EQ(read_answer(*request, octets_of(wire), "s").error().kind,
                      ErrorKind::malformed);
        }
    }
    const std::string shouted("\1A\3Org\0\0\6\0\1", 11);
    const std::string wire = make_answer(request->wire, request->key, {.question = shouted});
    EXPECT_TRUE(read_answer(*request, octets_of(wire), "s").has_value());
}

TEST(Message, GarbageIsAnErrorNeverACrash) {
    const auto request = make_query(1, name("a.org"), Type::soa, key());
    const auto good = answer_to(*request, request->key);
    for (std::size_t size = 0; size < good.size(); ++size) {
        const std::vector<std::uint8_t> cut(good.begin(),
                                            good.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_TRUE(read_answer(*request, cut, "s").has_error()) << size;
    }
    std::uint32_t state = 1;
    for (int round = 0; round < 20000; ++round) {
        auto bent = good;
        for (int i = 0; i < 3; ++i) {
            state = state * 1664525 + 1013904223;
            bent[2 + (state >> 8) % (bent.size() - 2)] ^= static_cast<std::uint8_t>(state >> 24);
        }
        const auto reply = read_answer(*request, bent, "s");
        if (bent == good || reply.has_error()) continue;
        EXPECT_NE(reply->rcode, KNOT_RCODE_NOERROR);
    }
}

TEST(Message, AnswersAreMatchedById) {
    const auto request = make_query(1, name("a.org"), Type::soa, nullptr);
    auto answer = answer_to(*request, nullptr);
    EXPECT_TRUE(read_answer(*request, answer, "s").has_value());
    answer[1] = 2;
    EXPECT_EQ(read_answer(*request, answer, "s").error().kind, ErrorKind::malformed);
}

}  // namespace
