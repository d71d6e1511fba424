// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/in_doubt.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace sftdyn::update {
namespace {

// A signature is accepted for 300 s by the server's clock (RFC 8945 §5.2.3; libknot signs with this
// fudge), and that clock may be up to 300 s behind ours. After this time the server can no longer
// accept the message.
constexpr base::Duration signature_life = std::chrono::seconds(600);

// How long to wait for the answer to a fence query before another is sent; longer each time.
constexpr base::Duration first_patience = std::chrono::seconds(1);
constexpr base::Duration most_patience = std::chrono::seconds(5);

// The pause between fence queries that fail at once.
constexpr base::Duration first_pause = std::chrono::milliseconds(50);
constexpr base::Duration most_pause = std::chrono::seconds(1);

base::Duration patience(unsigned attempt) {
    return std::min(first_patience * (1U << std::min(attempt, 3U)), most_patience);
}

}  // namespace

void InDoubt::add(const dns::Name& zone, std::uint64_t number, const Way& way,
                  std::shared_ptr<void> keep, Resolved resolved) {
    add(zone, DoubtfulUpdate{number, way, time_->now(), std::move(keep), std::move(resolved)});
}

void InDoubt::add_unknown(const dns::Name& zone, Resolved resolved) {
    add(zone, DoubtfulUpdate{0, {}, time_->now(), {}, std::move(resolved)});
}

void InDoubt::add(const dns::Name& name, DoubtfulUpdate entry) {
    if (closed_) {
        boost::asio::post(io_, std::move(entry.resolved));
        return;
    }
    ZonePtr& zone = zones_[name];
    if (!zone) zone = std::make_shared<Zone>(*time_);
    zone->updates.push_back(std::move(entry));
    if (!zone->under_way && !zone->waiting) next(name, ZonePtr(zone), base::Duration(0));
}

void InDoubt::next(const dns::Name& name, const ZonePtr& zone, base::Duration pause) {
    zone->waiting = true;
    zone->timer->set(time_->now() + pause, [this, name, zone] {
        zone->waiting = false;
        if (!closed_) send(name, zone);
    });
}

void InDoubt::send(const dns::Name& name, const ZonePtr& zone) {
    std::vector<DoubtfulUpdate> void_now;
    const auto now = time_->now();
    std::erase_if(zone->updates, [&](DoubtfulUpdate& entry) {
        if (entry.since + signature_life > now) return false;
        void_now.push_back(std::move(entry));
        return true;
    });
    finish(name, zone, void_now);
    if (zone->updates.empty() || zone->under_way || zone->waiting) return;
    zone->under_way = true;
    const std::uint64_t number = next_number();
    const DoubtfulUpdate& last = zone->updates.back();
    send_fence_(name, last.keep, last.way, zone->attempt, now + patience(zone->attempt),
                [this, name, zone, number,
                 late = std::make_shared<bool>(false)](const FenceOutcome& outcome) {
                    if (!std::exchange(*late, true)) zone->under_way = false;
                    if (!closed_) done(name, zone, number, outcome);
                });
}

bool InDoubt::pass(Zone& zone, std::uint64_t fence, std::uint64_t last_number,
                   const FenceOutcome& outcome, std::vector<DoubtfulUpdate>& resolved) {
    bool further = false;
    std::erase_if(zone.updates, [&](DoubtfulUpdate& entry) {
        // A server may refuse a fence query before it has handled the earlier UPDATEs, so a refusal
        // proves nothing about them. For unknown UPDATEs of an earlier process it has to suffice.
        const bool counts = outcome.result == FenceResult::passed ||
                            (outcome.result == FenceResult::refused && entry.number == 0);
        if (!counts || entry.number >= fence) return false;
        if (entry.way != outcome.way && (entry.passed == 0 || entry.passed >= fence)) {
            if (entry.passed == 0) {
                entry.passed = last_number;
                further = true;
            }
            return false;
        }
        further = true;
        resolved.push_back(std::move(entry));
        return true;
    });
    return further;
}

void InDoubt::done(const dns::Name& name, const ZonePtr& zone, std::uint64_t number,
                   const FenceOutcome& outcome) {
    std::vector<DoubtfulUpdate> resolved;
    const bool further = pass(*zone, number, last_number_, outcome, resolved);
    const bool silent = outcome.result == FenceResult::unanswered;
    if (further || outcome.result == FenceResult::passed) {
        zone->pause = {};
    } else {
        ++zone->attempt;
        zone->pause =
            silent ? base::Duration(0) : std::clamp(zone->pause * 2, first_pause, most_pause);
    }
    const bool blocked =
        !further && !silent && !zone->updates.empty() && outcome.result != FenceResult::passed;
    finish(name, zone, resolved);
    if (!zone->updates.empty() && !zone->under_way && !zone->waiting) next(name, zone, zone->pause);
    if (blocked) on_blocked_(name, outcome.failure);
}

void InDoubt::finish(const dns::Name& name, const ZonePtr& zone,
                     const std::vector<DoubtfulUpdate>& resolved) {
    if (zone->updates.empty()) {
        const auto found = zones_.find(name);
        if (found != zones_.end() && found->second == zone) zones_.erase(found);
    }
    for (const DoubtfulUpdate& entry : resolved) entry.resolved();
}

void InDoubt::answered(const dns::Name& name, std::uint64_t number) {
    const auto found = zones_.find(name);
    if (found == zones_.end()) return;
    const ZonePtr zone = found->second;
    const auto entry =
        std::find_if(zone->updates.begin(), zone->updates.end(),
                     [number](const DoubtfulUpdate& one) { return one.number == number; });
    if (entry == zone->updates.end()) return;
    std::vector<DoubtfulUpdate> resolved;
    resolved.push_back(std::move(*entry));
    zone->updates.erase(entry);
    finish(name, zone, resolved);
}

std::vector<ZoneInDoubt> InDoubt::zones() const {
    std::vector<ZoneInDoubt> out;
    for (const auto& [name, zone] : zones_) {
        // The oldest is first in the list.
        if (!zone->updates.empty())
            out.push_back({name, time_->now() - zone->updates.front().since});
    }
    return out;
}

void InDoubt::close() {
    closed_ = true;
    const auto zones = std::exchange(zones_, {});
    for (const auto& [name, zone] : zones) {
        zone->timer->cancel();
        for (const DoubtfulUpdate& entry : zone->updates) entry.resolved();
        zone->updates.clear();
    }
}

}  // namespace sftdyn::update
