// SPDX-License-Identifier: GPL-3.0-or-later
// The part of `Admin` for the event command: selects its events, and saves those that could not be
// delivered.
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "dns/record.hpp"
#include "server/admin.hpp"

namespace sftdyn::server {

/// Saves undelivered events for the next start. Stale hosts are not saved, since the next start
/// finds them itself.
void Admin::keep_events() {
    using telemetry::HistoryEventKind;
    // Merges an event whose command had not ended with a waiting event of its record.
    EventQueue untold(std::numeric_limits<std::size_t>::max());
    for (const Event& event : events_.untold()) static_cast<void>(untold.add(event));
    std::vector<telemetry::HistoryEvent> kept;
    for (const Event& event : untold.events()) {
        const auto name = dns::Name::parse(event.host);
        const auto host = name.has_value() ? parts_.hosts.find(*name) : std::nullopt;
        if (!host || event.kind == EventKind::stale) continue;
        kept.push_back(
            {event.kind == EventKind::change ? HistoryEventKind::change : HistoryEventKind::failure,
             {*host, event.type},
             {},
             event.old_address});
        kept.back().now.address = event.address;
        kept.back().now.checked_in = event.checked_in;
    }
    store_->keep_events(std::move(kept));
    events_.are_kept();
}

/// Passes an event to the command. On any thread.
void Admin::tell(const telemetry::HistoryEvent& event) {
    using telemetry::HistoryEventKind;
    const std::string host = parts_.hosts.name(event.rrset.host).text();
    const bool stale = event.kind == HistoryEventKind::stale;
    if (stale)
        base::log::event(spdlog::level::warn,
                         fmt::format("{} {} has not checked in for long", host,
                                     dns::type_text(event.rrset.type)),
                         {{"SFTDYN_HOST", host}});
    if (const auto kind = wanted(event.kind))
        return events_.tell(
            {*kind, host, event.rrset.type, event.now.address, event.before, event.now.checked_in});
    // Without a command, the event is only logged.
    if (stale) parts_.request_log.history().stale_was_told(event.rrset, event.now.checked_in);
}

/// The kind of event for the command; absent: the command is not told of it.
std::optional<EventKind> Admin::wanted(telemetry::HistoryEventKind kind) const {
    using telemetry::HistoryEventKind;
    if (!has_event_command_) return std::nullopt;
    switch (kind) {
        case HistoryEventKind::change:
            return choice_.change ? std::optional(EventKind::change) : std::nullopt;
        case HistoryEventKind::stale:
            return choice_.stale ? std::optional(EventKind::stale) : std::nullopt;
        case HistoryEventKind::failure:
            return choice_.failure ? std::optional(EventKind::failure) : std::nullopt;
    }
    return std::nullopt;
}

void Admin::on_command_run(const Event& event) {
    if (event.kind != EventKind::stale) return;
    const auto name = dns::Name::parse(event.host);
    const auto host = name.has_value() ? parts_.hosts.find(*name) : std::nullopt;
    if (host) parts_.request_log.history().stale_was_told({*host, event.type}, event.checked_in);
}

/// Drops the stale events of hosts that were forgotten. Changes are kept, because their records
/// still exist.
void Admin::drop_forgotten() {
    events_.drop([this](const Event& event) {
        if (event.kind != EventKind::stale) return false;
        const auto name = dns::Name::parse(event.host);
        const auto host = name.has_value() ? parts_.hosts.find(*name) : std::nullopt;
        return !host || !parts_.request_log.history().knows(*host);
    });
}

}  // namespace sftdyn::server
