// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/reverse_records.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using testing::ElementsAre;

namespace sftdyn::update {
namespace {

class ReverseRecordsTest : public EnginePartsTest {
protected:
    ReverseRecordsTest() {
        backend.zones.push_back(dns::Name::parse("0.0.127.in-addr.arpa").value());
    }
    static dns::Name pointer(int number) {
        return dns::Name::parse(std::to_string(number) + ".0.0.127.in-addr.arpa").value();
    }
    /// Of a request that came from the address.
    DesiredRecord own(int number, const std::string& rdata) {
        DesiredRecord desired = record(number, rdata);
        desired.ttl = 77;
        desired.reverse = desired.at_source = true;
        return desired;
    }
    std::vector<std::string>& served_at(int number) { return backend.served(pointer(number), ptr); }

    ReverseRecords reverse_records{parts};
    const std::string own_name{host(1).bytes()}, foreign_name{host(9).bytes()};
};

TEST_F(ReverseRecordsTest, TheAddressGetsTheHostsNameWithItsTtl) {
    reverse_records.follow(own(1, address(1)), {});
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_THAT(backend.next_update().changes,
                ElementsAre(dns::Change{pointer(1), ptr, dns::ChangeKind::claim, 77, own_name}));
}

TEST_F(ReverseRecordsTest, OfTheAddressesThatWereLeftOnlyTheHostsRecordGoes) {
    served_at(1) = {own_name, foreign_name};
    served_at(2) = {foreign_name};
    served_at(3) = {own_name};
    reverse_records.follow(own(1, address(3)), {address(1), address(2), address(3)});
    backend.run();
    EXPECT_THAT(served_at(1), ElementsAre(foreign_name));
    EXPECT_THAT(served_at(2), ElementsAre(foreign_name));
    EXPECT_THAT(served_at(3), ElementsAre(own_name));
    EXPECT_THAT(backend.batch_sizes, ElementsAre(1U)) << "it has the third address still";
    EXPECT_TRUE(failures.empty());
}

TEST_F(ReverseRecordsTest, OnlyTheAddressThatARequestCameFromIsNamed) {
    DesiredRecord desired = own(1, address(2));
    desired.at_source = false;
    served_at(1) = {own_name};
    reverse_records.follow(desired, {address(1)});
    backend.run();
    EXPECT_TRUE(served_at(1).empty());
    EXPECT_TRUE(served_at(2).empty());
}

TEST_F(ReverseRecordsTest, AnAddressThatIsRemovedIsNotNamed) {
    DesiredRecord desired = own(1, {});
    desired.kind = dns::ChangeKind::remove;
    desired.rdata = address(2);  // of no meaning
    served_at(1) = {own_name};
    reverse_records.follow(desired, {address(1)});
    backend.run();
    EXPECT_TRUE(served_at(1).empty());
    EXPECT_TRUE(served_at(2).empty());
}

TEST_F(ReverseRecordsTest, WhatIsNoAddressHasNone) {
    reverse_records.follow(own(1, "abc"), {"a"});
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ReverseRecordsTest, ThePtrRecordCostsTheHostNothing) {
    parts.rate_limiter.set({{1, std::chrono::seconds(30)}, {}});
    const HostId host_of_pointer = hosts.number(pointer(1));
    static_cast<void>(parts.rate_limiter.spend(host_of_pointer, now));
    reverse_records.follow(own(1, address(1)), {});
    backend.run();
    EXPECT_THAT(served_at(1), ElementsAre(own_name));
    EXPECT_FALSE(parts.rate_limiter.spend(rrset(1).host, now).has_value());
}

TEST_F(ReverseRecordsTest, AForeignRecordIsToldAndOnesOwnIsNot) {
    const RrsetKey of_address{hosts.number(pointer(1)), ptr};
    reverse_records.report_foreign(of_address, {foreign_name, own_name}, own_name);
    EXPECT_TRUE(failures.empty());
    reverse_records.report_foreign(of_address, {foreign_name}, own_name);
    EXPECT_THAT(failures, ElementsAre("1.0.0.127.in-addr.arpa PTR: the address has the PTR record "
                                      "of another name, h9.dyn.example.org, which stays"));
}

}  // namespace
}  // namespace sftdyn::update
