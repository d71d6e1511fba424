// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/stored_row.hpp"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

namespace sftdyn::telemetry {
namespace {

const StoredRow good{"home.example.org", "A", "192.0.2.1", "ok", 200, 100, true};

TEST(StoredRow, IsReadAsItWasSaved) {
    const auto host = read_row(good);
    ASSERT_TRUE(host.has_value());
    EXPECT_EQ(host->name.text(), "home.example.org");
    EXPECT_EQ(host->type, dns::Type::a);
    EXPECT_EQ(host->record.address.to_string(), "192.0.2.1");
    EXPECT_EQ(host->record.checked_in, 200);
    EXPECT_EQ(host->record.changed, 100);
    EXPECT_EQ(host->record.outcome, RequestOutcome::ok);
    EXPECT_TRUE(host->record.stale_told);
    StoredRow none = good;
    none.address.clear();
    EXPECT_TRUE(read_row(none)->record.address.is_unspecified());
}

TEST(StoredEvent, IsReadAsItWasSaved) {
    const StoredEvent saved{"home.example.org", "A", "failure", "192.0.2.1", "", 200};
    const auto event = read_event(saved);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->name.text(), "home.example.org");
    EXPECT_EQ(event->kind, HistoryEventKind::failure);
    EXPECT_EQ(event->address.to_string(), "192.0.2.1");
    EXPECT_TRUE(event->before.is_unspecified());
    EXPECT_EQ(event->checked_in, 200);
    for (const auto damage :
         {+[](StoredEvent& of) { of.host = "."; }, +[](StoredEvent& of) { of.type = "TXT"; },
          +[](StoredEvent& of) { of.kind = "x"; }, +[](StoredEvent& of) { of.address = "x"; },
          +[](StoredEvent& of) { of.old_address = "2001:db8::1"; },
          +[](StoredEvent& of) { of.checked_in = -1; }}) {
        StoredEvent row = saved;
        damage(row);
        EXPECT_FALSE(read_event(row).has_value());
    }
}

struct Damage {
    const char* what;
    void (*damage)(StoredRow& row);
};

class DamagedRow : public testing::TestWithParam<Damage> {};

TEST_P(DamagedRow, IsNone) {
    StoredRow row = good;
    GetParam().damage(row);
    EXPECT_FALSE(read_row(row).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Each, DamagedRow,
    testing::Values(
        Damage{"no host", [](StoredRow& row) { row.host.clear(); }},
        Damage{"the root", [](StoredRow& row) { row.host = "."; }},
        Damage{"a NUL in the host", [](StoredRow& row) { row.host[4] = '\0'; }},
        Damage{"a label too long", [](StoredRow& row) { row.host = std::string(64, 'a'); }},
        Damage{"no type", [](StoredRow& row) { row.type.clear(); }},
        Damage{"another type", [](StoredRow& row) { row.type = "TXT"; }},
        Damage{"a NUL in the address",
               [](StoredRow& row) { row.address += std::string("\0x", 2); }},
        Damage{"another family", [](StoredRow& row) { row.address = "2001:db8::1"; }},
        Damage{"a zone", [](StoredRow& row) { row.type = "AAAA", row.address = "fe80::1%lo"; }},
        Damage{"no address", [](StoredRow& row) { row.address = "x"; }},
        Damage{"no outcome", [](StoredRow& row) { row.outcome = "x"; }},
        Damage{"before 1970",
               [](StoredRow& row) { row.checked_in = std::numeric_limits<std::int64_t>::min(); }},
        Damage{"never",
               [](StoredRow& row) { row.changed = std::numeric_limits<std::int64_t>::max(); }}),
    [](const auto& tested) {
        std::string name = tested.param.what;
        std::replace(name.begin(), name.end(), ' ', '_');
        return name;
    });

}  // namespace
}  // namespace sftdyn::telemetry
