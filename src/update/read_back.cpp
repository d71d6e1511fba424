// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/read_back.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "update/reconciler.hpp"

namespace sftdyn::update {
namespace {

using dns::DnsError;

// For this long after a change was seen, other changes of the host are not read back.
constexpr std::uint32_t trust_seconds = 3600;

// The first pause before a query is repeated; it doubles each time.
constexpr base::Duration first_look_again = std::chrono::milliseconds(100);

std::uint32_t seconds_of(base::TimePoint time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
    return static_cast<std::uint32_t>(seconds.count()) + 1;
}

bool is_address(const RrsetKey& rrset) { return rrset.type != dns::Type::ptr; }

/// Whether the change is visible in the served records. The TTL is not compared.
bool shows(const ServedRecords& served, const dns::Change& change) {
    if (!served.is_known) return true;  // the server answers no queries
    if (change.kind == dns::ChangeKind::remove) return served.rdata.empty();
    return served.rdata == std::vector{change.rdata};
}

DnsError not_seen(const dns::Name& host, dns::Type type, const ServedRecords& served) {
    std::string what = "nothing";
    if (!served.rdata.empty()) what = dns::rdata_text(type, served.rdata.front());
    return {dns::ErrorKind::not_seen, 0, "",
            fmt::format("the DNS server has confirmed the change, and serves {} for {} {}", what,
                        host.text(), dns::type_text(type)),
            "does another zone, a view or another server answer the queries? `sftdyn doctor` may "
            "tell"};
}

}  // namespace

/// One group's changes that are read back.
struct ReadBack::Round {
    ZoneIndex zone = unresolved_zone;
    ChangeGroup group;
    base::TimePoint deadline;
    unsigned generation = 0;
    std::size_t open = 0;  ///< members whose queries are unanswered
    bool is_moot = false;  ///< something else may have changed the RRsets since
    base::Duration pause = first_look_again;
    std::optional<DnsError> failure{};
};

bool ReadBack::is_due(const ChangeGroup& group) const {
    if (!parts_.limits.read_back) return false;
    const std::uint32_t now = seconds_of(parts_.clock());
    return std::any_of(group.begin(), group.end(), [&](const RrsetKey& rrset) {
        if (!is_address(rrset)) return false;
        const std::uint32_t seen = rrset.host < seen_at_.size() ? seen_at_[rrset.host] : 0;
        return seen == 0 || now - seen >= trust_seconds;
    });
}

void ReadBack::begin(ZoneIndex zone, ChangeGroup group) {
    const auto round = std::make_shared<Round>();
    round->zone = zone;
    round->group = std::move(group);
    round->generation = parts_.generation;
    round->open = round->group.size();
    round->deadline = parts_.deadline_of(round->group.front().host);
    for (const RrsetKey& rrset : round->group) {
        RrsetQueue& queue = parts_.rrsets.at(rrset);
        queue.enter(RrsetState::reading_back);
        if (queue.is_still_wanted())
            round->deadline = std::min(round->deadline, queue.front().deadline);
    }
    for (const RrsetKey& rrset : round->group) ask(round, rrset);
}

void ReadBack::ask(const RoundPtr& round, const RrsetKey& rrset) {
    parts_.queries.when_free([this, round, rrset] {
        engine_thread.assert_held();
        const dns::Name host = parts_.hosts.name(rrset.host);
        parts_.backend.look_up(parts_.zones[round->zone].name(), host, rrset.type,
                               parts_.backend_deadline(round->deadline),
                               [this, round, rrset](const dns::DnsResult<ServedRecords>& served) {
                                   engine_thread.assert_held();
                                   parts_.queries.done();
                                   answered(round, rrset, served);
                               });
    });
}

void ReadBack::answered(const RoundPtr& round, const RrsetKey& rrset,
                        const dns::DnsResult<ServedRecords>& served) {
    RrsetQueue& queue = parts_.rrsets.at(rrset);
    if (queue.was_invalidated()) round->is_moot = true;
    const bool moot = round->is_moot || round->generation != parts_.generation;
    if (!moot && served.has_error()) {
        if (!round->failure) round->failure = served.error();
    } else if (!moot && !shows(*served, queue.decision().change)) {
        const auto again = parts_.clock() + round->pause;
        if (again < parts_.backend_deadline(round->deadline)) {
            again_.push_back({again, round, rrset});
            round->pause *= 2;
            return;
        }
        const dns::Name host = parts_.hosts.name(rrset.host);
        if (!round->failure) round->failure = not_seen(host, rrset.type, *served);
    }
    if (--round->open == 0) close(round);
}

void ReadBack::tick(base::TimePoint now) {
    std::vector<Again> due;
    std::erase_if(again_, [&](Again& again) {
        if (again.at > now) return false;
        due.push_back(std::move(again));
        return true;
    });
    for (const Again& again : due) ask(again.round, again.rrset);
}

void ReadBack::close(const RoundPtr& round) {
    if (round->generation != parts_.generation) {
        // Another server may serve the RRsets now.
        for (const RrsetKey& rrset : round->group) parts_.reconciler.start_over(rrset);
        return;
    }
    for (const RrsetKey& rrset : round->group) {
        // The RRsets that were answered first have waited for the others and may be outdated.
        if (parts_.rrsets.at(rrset).was_invalidated()) round->is_moot = true;
    }
    if (round->is_moot) return parts_.reconciler.decide_anew(round->group);
    if (round->failure) return parts_.reconciler.unseen(round->group, *round->failure);
    remember(round->group);
    parts_.reconciler.seen(round->group);
}

void ReadBack::remember(const ChangeGroup& group) {
    for (const RrsetKey& rrset : group) {
        // A member that changes nothing would be found in any case, so it proves nothing.
        if (!is_address(rrset) || parts_.rrsets.at(rrset).decision().same) continue;
        if (rrset.host >= seen_at_.size()) seen_at_.resize(rrset.host + 1U);
        seen_at_[rrset.host] = seconds_of(parts_.clock());
    }
}

}  // namespace sftdyn::update
