// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/stored_row.hpp"

#include "base/network.hpp"

namespace sftdyn::telemetry {
namespace {

namespace ip = boost::asio::ip;

constexpr std::int64_t latest = 253402300799;  // the end of the year 9999

bool is_time(std::int64_t seconds) { return seconds >= 0 && seconds <= latest; }

std::optional<RequestOutcome> outcome_of(const std::string& text) {
    for (std::size_t i = 0; i < outcomes; ++i) {
        if (text == text_of(static_cast<RequestOutcome>(i))) return static_cast<RequestOutcome>(i);
    }
    return std::nullopt;
}

std::optional<HistoryEventKind> kind_of(const std::string& text) {
    for (const auto kind :
         {HistoryEventKind::change, HistoryEventKind::stale, HistoryEventKind::failure}) {
        if (text == text_of(kind)) return kind;
    }
    return std::nullopt;
}

std::optional<dns::Type> type_of(const std::string& text) {
    if (text == "A") return dns::Type::a;
    if (text == "AAAA") return dns::Type::aaaa;
    return std::nullopt;
}

/// An empty text means no address.
std::optional<ip::address> address_of(const std::string& text, dns::Type type) {
    if (text.empty()) return ip::address();
    auto address = base::parse_address(text);
    if (!address || address->is_v4() != (type == dns::Type::a)) return std::nullopt;
    return address;
}

}  // namespace

std::optional<KnownEvent> read_event(const StoredEvent& row) {
    auto name = dns::Name::parse(row.host);
    const auto type = type_of(row.type);
    const auto kind = kind_of(row.kind);
    if (name.has_error() || name->is_root() || !type || !kind || !is_time(row.checked_in))
        return std::nullopt;
    const auto address = address_of(row.address, *type),
               before = address_of(row.old_address, *type);
    if (!address || !before) return std::nullopt;
    return KnownEvent{std::move(*name), *type, *kind, *address, *before, row.checked_in};
}

std::optional<KnownHost> read_row(const StoredRow& row) {
    auto name = dns::Name::parse(row.host);
    const auto type = type_of(row.type);
    const auto outcome = outcome_of(row.outcome);
    if (name.has_error() || name->is_root() || !type || !outcome || !is_time(row.checked_in) ||
        !is_time(row.changed))
        return std::nullopt;
    const auto address = address_of(row.address, *type);
    if (!address) return std::nullopt;
    return KnownHost{
        std::move(*name), *type, {row.checked_in, row.changed, *address, *outcome, row.stale}};
}

}  // namespace sftdyn::telemetry
