// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/zone_serial.hpp"

#include <gtest/gtest.h>

#include "update/served_cache.hpp"

using namespace std::chrono_literals;

namespace sftdyn::update {
namespace {

class ZoneSerialTest : public testing::Test {
protected:
    ZoneSerialTest() { serial.publish_to(stamp); }

    /// Whether the reading counts.
    bool read(std::uint32_t number, unsigned source = 1) {
        now += 1s;
        serial.begin_reading(now);
        sent = now;
        now += 10ms;
        return serial.end_reading(SerialReading{number, source}, now);
    }
    bool other_threads_see(const SerialMark& mark) const {
        return stamp.confirms(mark.epoch, sent - 16ms);  // rounded down
    }

    base::TimePoint now{1h}, sent{};
    ZoneStamp stamp;
    ZoneSerial serial;
};

TEST_F(ZoneSerialTest, TheSameSerialConfirmsTheEpoch) {
    EXPECT_TRUE(serial.is_suspended());
    EXPECT_EQ(serial.mark(), SerialMark());
    EXPECT_TRUE(read(7));
    const SerialMark mark = serial.mark();
    EXPECT_NE(mark.epoch, 0U);
    EXPECT_TRUE(serial.confirms(mark, sent - 1ns));
    EXPECT_FALSE(serial.confirms(mark, sent)) << "only what was before the query was sent";
    EXPECT_TRUE(read(7));
    EXPECT_EQ(serial.mark(), mark);
    EXPECT_TRUE(serial.confirms(mark, sent - 1ns));
    EXPECT_TRUE(other_threads_see(mark));
}

TEST_F(ZoneSerialTest, AnyOtherSerialBeginsAnEpoch) {
    read(7);
    for (const std::uint32_t number : {8U, 6U, 0U, 0xffffffffU, 1000000U}) {
        const SerialMark before = serial.mark();
        EXPECT_TRUE(read(number));
        EXPECT_FALSE(serial.is_of_epoch(before)) << number;
        EXPECT_FALSE(other_threads_see(before)) << number;
        EXPECT_TRUE(other_threads_see(serial.mark())) << number;
    }
}

TEST_F(ZoneSerialTest, AnotherAddressOfTheServerBeginsAnEpoch) {
    read(7, 1);
    const SerialMark before = serial.mark();
    EXPECT_TRUE(read(7, 2)) << "it may serve another version than the first";
    EXPECT_FALSE(serial.is_of_epoch(before));
    EXPECT_EQ(serial.source(), 2U);
}

TEST_F(ZoneSerialTest, NothingIsReadWhileAnUpdateMayBeCarriedOut) {
    read(7);
    serial.update_sent();
    serial.update_sent();
    EXPECT_FALSE(serial.may_read(now));
    serial.update_resolved();
    EXPECT_FALSE(serial.may_read(now));
    serial.update_resolved();
    EXPECT_TRUE(serial.may_read(now));
}

TEST_F(ZoneSerialTest, WhatIsLearnedSinceAnUpdateBelongsToNoEpoch) {
    read(7);
    const SerialMark before = serial.mark();
    serial.update_sent();
    EXPECT_EQ(serial.mark(), SerialMark());
    EXPECT_TRUE(serial.confirms(before, sent - 1ns)) << "it was so then";
    serial.update_resolved();
    EXPECT_EQ(serial.mark(), SerialMark());
    EXPECT_TRUE(read(8));
    EXPECT_FALSE(serial.is_of_epoch(before)) << "another's change may have the same serial";
    EXPECT_NE(serial.mark(), before);
}

TEST_F(ZoneSerialTest, AnUpdateThatChangesNothingDoesNotEndTheEpoch) {
    read(7);
    const SerialMark before = serial.mark();
    serial.update_sent();
    serial.update_resolved();
    EXPECT_TRUE(read(7));
    EXPECT_EQ(serial.mark(), before);
    EXPECT_TRUE(serial.confirms(before, sent - 1ns));
}

TEST_F(ZoneSerialTest, AReadingThatMeetsAnUpdateDoesNotCount) {
    struct Row {
        const char* name;
        void (*before)(ZoneSerial&);
        void (*between)(ZoneSerial&);
    };
    const auto send = [](ZoneSerial& of) { of.update_sent(); };
    const auto resolve = [](ZoneSerial& of) { of.update_resolved(); };
    const auto both = [](ZoneSerial& of) {
        of.update_sent();
        of.update_resolved();
    };
    for (const Row& row : {Row{"in flight before, and resolved meanwhile", send, resolve},
                           Row{"sent and resolved meanwhile", [](ZoneSerial&) {}, both}}) {
        ZoneSerial one;
        one.publish_to(stamp);
        one.begin_reading(now);
        one.end_reading(SerialReading{7, 1}, now);
        row.before(one);
        one.begin_reading(now + 1s);
        row.between(one);
        EXPECT_FALSE(one.end_reading(SerialReading{7, 1}, now)) << row.name;
        EXPECT_TRUE(one.is_suspended()) << row.name;
        EXPECT_TRUE(one.may_read(now)) << row.name << ": it may be read again at once";
    }
}

TEST_F(ZoneSerialTest, AFailureConfirmsNothingAndIsNotRepeatedAtOnce) {
    read(7);
    const SerialMark mark = serial.mark();
    now += 5s;
    serial.begin_reading(now);
    EXPECT_FALSE(serial.end_reading(std::nullopt, now));
    EXPECT_FALSE(serial.may_read(now));
    EXPECT_TRUE(serial.is_of_epoch(mark));
    EXPECT_FALSE(serial.confirms(mark, now - 5s));
    now += 10s;
    EXPECT_TRUE(serial.may_read(now));
    EXPECT_TRUE(read(7));
    EXPECT_TRUE(serial.confirms(mark, sent - 1ns));
}

TEST_F(ZoneSerialTest, OtherServersHaveOtherEpochs) {
    read(7);
    const SerialMark before = serial.mark();
    serial.begin_reading(now);
    serial.forget();
    EXPECT_FALSE(serial.end_reading(SerialReading{7, 1}, now)) << "the former server's answer";
    EXPECT_FALSE(serial.is_of_epoch(before));
    EXPECT_FALSE(other_threads_see(before));
    EXPECT_TRUE(read(7));
    EXPECT_FALSE(serial.is_of_epoch(before));
}

TEST_F(ZoneSerialTest, AMarkIsOfItsZone) {
    ZoneStamp other_stamp;
    ZoneSerial other;
    other.publish_to(other_stamp);
    other.begin_reading(now);
    other.end_reading(SerialReading{7, 1}, now);
    read(7);
    EXPECT_EQ(other.mark().epoch, serial.mark().epoch);
    EXPECT_FALSE(serial.is_of_epoch(other.mark()));
    ZoneSerial unpublished;
    EXPECT_FALSE(unpublished.may_read(now));
    EXPECT_FALSE(unpublished.is_of_epoch(SerialMark()));
}

}  // namespace
}  // namespace sftdyn::update
