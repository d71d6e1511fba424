// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event.hpp"

#include <gmock/gmock.h>

#include "dns/name.hpp"

namespace sftdyn::server {
namespace {

using boost::asio::ip::make_address;
using testing::ElementsAre;

std::string_view text_of(const EventMessage::Octets& octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

EventMessage change() {
    return {7,
            {EventKind::change, "home.example.org", dns::Type::a, make_address("192.0.2.1"),
             make_address("192.0.2.9"), 1234567890}};
}

TEST(EventMessage, IsReadAsItWasWritten) {
    EventMessage six{
        1,
        {EventKind::stale, "*.a-_1.example", dns::Type::aaaa, {}, make_address("2001:db8::1"), 0}};
    EventMessage failure = change();
    failure.event.kind = EventKind::failure;
    EXPECT_EQ(environment_of(failure.event)[1], "SFTDYN_EVENT=failure");
    for (const EventMessage& message : {change(), six, failure}) {
        const auto octets = message.write();
        ASSERT_TRUE(octets.has_value());
        const auto read = EventMessage::read(text_of(*octets));
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->id, message.id);
        EXPECT_EQ(read->event.host, message.event.host);
        EXPECT_EQ(read->event.type, message.event.type);
        EXPECT_EQ(environment_of(read->event), environment_of(message.event));
    }
}

TEST(EventMessage, MakesSixVariablesAndAPath) {
    EXPECT_THAT(environment_of(change().event),
                ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                            "SFTDYN_EVENT=change", "SFTDYN_HOST=home.example.org", "SFTDYN_TYPE=A",
                            "SFTDYN_ADDRESS=192.0.2.1", "SFTDYN_OLD_ADDRESS=192.0.2.9",
                            "SFTDYN_CHECKED_IN=1234567890"));
}

/// What a program sends that somebody else has taken over.
TEST(EventMessage, VariablesAreNoMessage) {
    for (const std::string_view text :
         {std::string_view("BASH_ENV=$(id)\0", 15), std::string_view("LD_PRELOAD=/tmp/e.so"),
          std::string_view("")}) {
        EXPECT_FALSE(EventMessage::read(text));
        std::string padded(text);
        padded.resize(EventMessage::size);
        EXPECT_FALSE(EventMessage::read(padded));
    }
}

TEST(EventMessage, HasOneLength) {
    const auto octets = change().write();
    std::string text(text_of(*octets));
    EXPECT_FALSE(EventMessage::read(text.substr(1)));
    EXPECT_FALSE(EventMessage::read(text.substr(0, text.size() - 1)));
    EXPECT_FALSE(EventMessage::read(text + '\0'));
    EXPECT_FALSE(EventMessage::read(text + text));
}

/// Each octet either has a meaning or is 0: whatever is read writes the same again.
TEST(EventMessage, NothingHidesInIt) {
    const auto octets = change().write();
    unsigned refused = 0;
    for (std::size_t at = 0; at < EventMessage::size; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto other = *octets;
            other[at] ^= static_cast<std::uint8_t>(1U << bit);
            const auto read = EventMessage::read(text_of(other));
            if (!read) ++refused;
            if (read) {
                EXPECT_EQ(read->write(), other) << at;
            }
        }
    }
    EXPECT_GT(refused, 8 * 240U) << "unused octets, most of the name's, the mark";
}

class BadHost : public testing::TestWithParam<std::string> {};

TEST_P(BadHost, IsNeitherWrittenNorRead) {
    EventMessage message = change();
    message.event.host = GetParam();
    EXPECT_FALSE(is_host_name(GetParam()));
    EXPECT_FALSE(message.write());
    if (GetParam().size() > 253) return;
    auto octets = *change().write();
    std::fill(octets.begin() + 56, octets.end(), std::uint8_t{0});
    std::copy(GetParam().begin(), GetParam().end(), octets.begin() + 56);
    octets[6] = static_cast<std::uint8_t>(GetParam().size());
    EXPECT_FALSE(EventMessage::read(text_of(octets)));
}

INSTANTIATE_TEST_SUITE_P(Each, BadHost,
                         testing::Values("", ".", "a..b", ".a", "a.", "*", "*.", "a.*.b", "a b",
                                         "a\nLD_PRELOAD=x", std::string("a\0b", 3), "a=b", "$(id)",
                                         "A.example", "a/b", "\xc3\xa4.example",
                                         std::string(64, 'a') + ".example", std::string(254, 'a')));

TEST(EventMessage, AnAddressIsOfTheType) {
    EventMessage message = change();
    message.event.address = make_address("2001:db8::1");
    EXPECT_FALSE(message.write());
    message = change();
    message.event.old_address = make_address("2001:db8::1");
    EXPECT_FALSE(message.write());
    message = change();
    message.event.type = dns::Type::soa;
    EXPECT_FALSE(message.write());
}

TEST(EventMessage, TimesAreTimes) {
    EventMessage message = change();
    for (const std::int64_t time : {std::int64_t(-1), std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min()}) {
        message.event.checked_in = time;
        EXPECT_FALSE(message.write());
    }
}

TEST(HostName, IsWhatConfigurationsTake) {
    for (const char* text :
         {"a", "home.example.org", "*.example.org", "_a.b-c.d0", "xn--4ca.example"}) {
        EXPECT_TRUE(is_host_name(text)) << text;
        EXPECT_TRUE(dns::Name::parse_host(text).has_value()) << text;
        EXPECT_EQ(dns::Name::parse_host(text)->text(), text);
    }
}

TEST(EventAnswer, IsReadAsItWasWritten) {
    const auto octets = EventAnswer{3, EventOutcome::not_run, 2}.write();
    const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
    const auto read = EventAnswer::read(text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->id, 3U);
    EXPECT_EQ(read->outcome, EventOutcome::not_run);
    EXPECT_EQ(read->detail, 2);
    EXPECT_FALSE(EventAnswer::read(text.substr(1)));
    std::string other(text);
    for (const char outcome : {'\0', '\5', '\xff'}) {
        other[8] = outcome;
        EXPECT_FALSE(EventAnswer::read(other));
    }
}

}  // namespace
}  // namespace sftdyn::server
