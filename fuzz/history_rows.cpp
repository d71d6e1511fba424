// SPDX-License-Identifier: GPL-3.0-or-later
// Rows of the database of hosts: a damaged file, or one that somebody else has written.
#include <cstring>
#include <string>

#include "fuzz.hpp"
#include "telemetry/stored_row.hpp"
#include "update/served_cache.hpp"

using namespace sftdyn;

namespace {

/// Fields end with a line end; times are the octets at the end.
telemetry::StoredRow row_of(std::string_view text) {
    telemetry::StoredRow row;
    for (std::string* field : {&row.host, &row.type, &row.address, &row.outcome}) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        field->assign(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (std::int64_t* number : {&row.checked_in, &row.changed}) {
        const std::size_t count = std::min(text.size(), sizeof *number);
        std::memcpy(number, text.data(), count);
        text.remove_prefix(count);
    }
    row.stale = !text.empty();
    return row;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const telemetry::StoredRow row = row_of(text_of(data, size));
    const auto host = telemetry::read_row(row);
    if (!host) return 0;
    const telemetry::HostRecord& record = host->record;
    HOLDS(!host->name.is_root() && (host->type == dns::Type::a || host->type == dns::Type::aaaa));
    HOLDS(record.address.is_unspecified() ||
          record.address.is_v4() == (host->type == dns::Type::a));
    HOLDS(record.checked_in >= 0 && record.changed >= 0);
    // It can be counted with, and marked.
    update::HostTable hosts;
    telemetry::History history;
    history.restore({hosts.number(host->name), host->type}, record);
    const std::size_t stale = record.is_gone() ? 0 : 1;
    unsigned told = 0;
    history.on_event([&told](const telemetry::HistoryEvent&) { ++told; });
    history.tell_stale(record.checked_in);
    HOLDS(history.stale_count(record.checked_in) == stale && history.all().size() == 1);
    HOLDS(told == (stale == 1 && !record.stale_told ? 1U : 0U));
    return 0;
}
