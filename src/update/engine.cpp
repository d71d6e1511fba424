#include "update/engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sftdyn::update {
namespace {

using dns::Change;
using dns::DnsError;

/// Whether `served` is what `desired` asks for.
bool matches(const std::vector<std::string>& served, const DesiredRecord& desired) {
    switch (desired.kind) {
        case Change::Kind::replace:
            return served.size() == 1 && served.front() == desired.rdata;
        case Change::Kind::remove:
            return served.empty();
        case Change::Kind::remove_record:
            return std::find(served.begin(), served.end(), desired.rdata) == served.end();
        case Change::Kind::claim:
            return !served.empty();  // its own record, or a foreign one that stays
    }
    return false;
}

constexpr auto sweep_interval = std::chrono::seconds(30);
constexpr std::uint16_t yxrrset = 7;  // what a server answers to it (RFC 2136 §2.2)

}  // namespace

std::chrono::seconds Engine::whole_seconds(base::Duration duration) {
    return std::max(std::chrono::ceil<std::chrono::seconds>(duration), std::chrono::seconds(1));
}

Engine::Engine(Backend& backend, HostTable& hosts, ServedCache& known, const Limits& limits,
               Clock clock, OnFailure on_failure)
    : backend_(backend),
      hosts_(hosts),
      known_(known),
      limits_(limits),
      clock_(std::move(clock)),
      on_failure_(std::move(on_failure)),
      rate_limiter_(limits.changes_burst, limits.changes_refill) {
    backend_.on_blocked(
        [this](const dns::Name& zone, const DnsError& failure) { blocked(zone, failure); });
}

void Engine::reconfigure(const Limits& limits, bool servers_changed) {
    limits_ = limits;
    rate_limiter_.set(limits.changes_burst, limits.changes_refill);
    if (!servers_changed) return;
    ++generation_;
    known_.clear();
    quarantined_.clear();
    for (auto& [target, slot] : slots_) {
        slot.served.reset();
        slot.verified = false;
        if (slot.phase == Phase::queued || slot.phase == Phase::in_flight) undo_decision(slot);
    }
    for (HostId host = 0; host < zone_of_.size(); ++host) set_zone(host, no_zone);
    // What waits in a zone goes back to where its zone is looked for; what is under way does so
    // when it is answered.
    std::vector<Target> again;
    std::vector<SeriesPtr> series;
    for (Zone& zone : zones_) {
        again.insert(again.end(), zone.held.begin(), zone.held.end());
        zone.held.clear();
        const auto unsent = take_unsent(zone);
        again.insert(again.end(), unsent.begin(), unsent.end());
        for (SeriesPtr& one : std::exchange(zone.series, {})) series.push_back(std::move(one));
    }
    for (const Target& target : again) start_over(target);
    for (const SeriesPtr& one : series) next_message(one);
}

/// The change of the desired that is first is decided anew. Nobody is told what another server said
/// of the desired records that belong to it.
void Engine::undo_decision(Slot& slot) {
    if (slot.waiting.empty() || slot.waiting.front().ticket != slot.ticket) return;
    const AtomicGroupPtr& group = slot.waiting.front().group;
    if (!group || group->series) return;
    --group->ready;
    for (std::size_t i = 0; i < group->members.size(); ++i) {
        if (!group->members[i].open) group->results[i] = {UpdateStatus::failed};
    }
}

void Engine::start_over(const Target& target) {
    const auto found = slots_.find(target);
    if (found == slots_.end()) return;
    found->second.served.reset();
    found->second.phase = Phase::idle;
    refund(target, found->second);
    advance(target);
}

// --- desired records in, results out

void Engine::submit(DesiredRecord desired, Done done) {
    const ZoneIndex zone = zone_of(desired.target.host);
    if ((zone == no_zone ? zone_unresolved_ : zones_[zone].waiting) >= limits_.queue)
        return done({UpdateStatus::overloaded, overload_pause});
    const Target target = desired.target;
    add(std::move(desired), clock_() + limits_.timeout, std::move(done), nullptr, 0);
    if (slots_.at(target).phase == Phase::idle) advance(target);
    // What is answered at once needs no watching; without this a flood of such desired records
    // would leave its deadlines behind.
    forget_deadlines();
}

void Engine::submit_group(std::vector<DesiredRecord> desired_records, GroupDone done) {
    const auto full = [&](const DesiredRecord& desired) {
        const ZoneIndex zone = zone_of(desired.target.host);
        return (zone == no_zone ? zone_unresolved_ : zones_[zone].waiting) >= limits_.queue;
    };
    if (std::any_of(desired_records.begin(), desired_records.end(), full))
        return done(std::vector<UpdateOutcome>(desired_records.size(),
                                               {UpdateStatus::overloaded, overload_pause}));
    const auto group = std::make_shared<AtomicGroup>();
    group->results.resize(desired_records.size());
    group->open = desired_records.size();
    group->done = std::move(done);
    const base::TimePoint deadline = clock_() + limits_.timeout;
    std::vector<Target> targets;
    // All stand in their queues before any is served: two atomic groups that share targets have the
    // same order in each.
    for (DesiredRecord& desired : desired_records) {
        targets.push_back(desired.target);
        group->members.push_back({desired.target, next_ticket_});
        add(std::move(desired), deadline, {}, group, targets.size() - 1);
    }
    for (const Target& target : targets) {
        const auto found = slots_.find(target);
        if (found != slots_.end() && found->second.phase == Phase::idle) advance(target);
    }
    forget_deadlines();
}

/// When nothing waits there is nothing to watch.
void Engine::forget_deadlines() {
    if (waiting_ > 0) return;
    deadlines_.clear();
    series_deadlines_.clear();
}

void Engine::add(DesiredRecord desired, base::TimePoint deadline, Done done,
                 const AtomicGroupPtr& group, std::size_t index) {
    deadlines_.push_back({deadline, desired.target, next_ticket_});
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    enqueue(std::move(desired), deadline, std::move(done), group, index);
}

void Engine::enqueue(DesiredRecord desired, base::TimePoint deadline, Done done,
                     const AtomicGroupPtr& group, std::size_t index) {
    const Target target = desired.target;
    const ZoneIndex zone = zone_of(target.host);
    ++(zone == no_zone ? zone_unresolved_ : zones_[zone].waiting);
    ++waiting_;
    const std::uint64_t ticket = next_ticket_++;
    const auto [found, is_new] = slots_.try_emplace(target);
    Slot& slot = found->second;
    if (is_new) {
        if (const auto known = known_.take(target)) {
            slot.served.emplace();
            if (!known->rdata.empty()) slot.served->push_back(known->rdata);
            slot.served_at = known->at;
        }
    }
    slot.waiting.push_back({std::move(desired), std::move(done), deadline, ticket, group, index});
}

/// Gives a desired that has left its queue its result.
void Engine::close(const Waiting& waiting, UpdateOutcome result) {
    if (!waiting.group) return waiting.done(result);
    AtomicGroup& group = *waiting.group;
    group.members[waiting.index].open = false;
    group.results[waiting.index] = result;
    if (--group.open == 0) group.done(group.results);
}

/// One of them could not be served in time, or at all: neither are those that still wait.
void Engine::abandon(const AtomicGroupPtr& group) {
    std::vector<Waiting> given_up;
    std::vector<Target> stopped;
    for (const AtomicGroup::Member& member : group->members) {
        if (!member.open) continue;
        const auto found = slots_.find(member.target);
        if (found == slots_.end()) continue;
        Slot& slot = found->second;
        const auto it =
            std::find_if(slot.waiting.begin(), slot.waiting.end(),
                         [&](const Waiting& one) { return one.ticket == member.ticket; });
        if (it == slot.waiting.end()) continue;
        if (it == slot.waiting.begin() && slot.phase == Phase::ready)
            stopped.push_back(member.target);
        given_up.push_back(std::move(*it));
        slot.waiting.erase(it);
        count_out(member.target);
    }
    for (const Waiting& one : given_up) close(one, {UpdateStatus::failed});
    for (const Target& target : stopped) advance(target);
}

bool Engine::is_still_so(const DesiredRecord& desired) const {
    const auto found = slots_.find(desired.target);
    if (found != slots_.end())
        return found->second.served && matches(*found->second.served, desired);
    return known_.is(desired.target,
                     desired.kind == Change::Kind::replace ? desired.rdata : std::string(),
                     base::TimePoint::min());
}

void Engine::count_out(const Target& target) {
    --waiting_;
    const ZoneIndex zone = zone_of(target.host);
    --(zone == no_zone ? zone_unresolved_ : zones_[zone].waiting);
}

void Engine::finish_front(const Target& target, Slot& slot, UpdateOutcome result) {
    Waiting front = std::move(slot.waiting.front());
    slot.waiting.erase(slot.waiting.begin());
    count_out(target);
    close(front, result);
}

void Engine::fail_all(const Target& target, const DnsError& failure) {
    const auto found = slots_.find(target);
    if (found == slots_.end()) return;
    auto waiting = std::move(found->second.waiting);
    slots_.erase(found);
    for (const Waiting& one : waiting) {
        count_out(target);
        on_failure_(hosts_.name(target.host), target.type, failure);
        const AtomicGroupPtr group = one.group;
        close(one, {UpdateStatus::failed});
        if (group) abandon(group);
    }
}

/// Why a desired of the zone was not done in time.
DnsError Engine::too_late(ZoneIndex index) const {
    const char* hint = "is the DNS server running, and not overloaded?";
    if (index == no_zone || zones_[index].in_doubt == 0)
        return {DnsError::Kind::gave_up, 0, "", "it was not done in time", hint};
    if (zones_[index].contacting)
        return {DnsError::Kind::timeout, 0, "",
                "the DNS server did not answer the first UPDATE of the zone in time (it changes "
                "nothing: it is a fence)",
                hint};
    return {DnsError::Kind::gave_up, 0, "",
            "an earlier UPDATE of the zone is still unanswered, and nothing is sent that could "
            "overtake it",
            hint};
}

void Engine::tick() {
    const auto now = clock_();
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
        const Deadline due = deadlines_.back();
        deadlines_.pop_back();
        const auto found = slots_.find(due.target);
        if (found == slots_.end()) continue;
        Slot& slot = found->second;
        const auto late =
            std::find_if(slot.waiting.begin(), slot.waiting.end(),
                         [&](const Waiting& one) { return one.ticket == due.ticket; });
        if (late == slot.waiting.end()) continue;
        const bool stopped = late == slot.waiting.begin() && slot.phase == Phase::ready;
        Waiting one = std::move(*late);
        slot.waiting.erase(late);
        const ZoneIndex zone = zone_of(due.target.host);
        count_out(due.target);
        on_failure_(hosts_.name(due.target.host), due.target.type, too_late(zone));
        const AtomicGroupPtr group = one.group;
        close(one, {UpdateStatus::failed});
        if (group) abandon(group);
        if (stopped) advance(due.target);
    }
    std::vector<SeriesPtr> late;
    std::erase_if(series_deadlines_, [&](const SeriesPtr& series) {
        if (series->done && series->deadline <= now) late.push_back(series);
        return !series->done || series->deadline <= now;
    });
    for (const SeriesPtr& series : late) {
        if (series->done)
            fail(series, {DnsError::Kind::gave_up, 0, "", "it was not done in time",
                          "is the DNS server running, and not overloaded?"});
    }
    if (now >= next_sweep_) {
        rate_limiter_.sweep(now);
        next_sweep_ = now + sweep_interval;
    }
}

// --- one target

void Engine::advance(const Target& target) {
    for (;;) {
        const auto found = slots_.find(target);
        if (found == slots_.end()) return;
        Slot& slot = found->second;
        if (slot.waiting.empty()) return retire(target);
        if (slot.phase == Phase::ready && still_wanted(target)) return;
        slot.phase = Phase::idle;
        if (const AtomicGroupPtr& group = slot.waiting.front().group;
            group && group->series && !needs_served(*group->series, target)) {
            if (!decide(target, slot)) return;
            continue;
        }
        if (zone_of(target.host) == no_zone) return find_zone(target, slot);
        const bool stale = !slot.verified && slot.served_at + limits_.verify_interval <= clock_();
        if (!slot.served || stale) return look_up(target, slot);
        if (!decide(target, slot)) return;
    }
}

/// Nothing is at work for the target any more: what is known of it is for all threads again.
void Engine::retire(const Target& target) {
    const auto found = slots_.find(target);
    const Slot& slot = found->second;
    if (slot.served && slot.served->size() <= 1) {
        known_.set(target, slot.served->empty() ? std::string() : slot.served->front(),
                   slot.served_at);
    }
    slots_.erase(found);
}

/// Serves the first desired from what is known. False: a change is on its way, and comes back to
/// `advance`.
bool Engine::decide(const Target& target, Slot& slot) {
    if (const AtomicGroupPtr group = slot.waiting.front().group) {
        slot.phase = Phase::ready;
        slot.ticket = slot.waiting.front().ticket;
        return ++group->ready == group->members.size() && decide_group(group);
    }
    // `done` may submit again; the phase keeps that from entering here a second time.
    const DesiredRecord& desired = slot.waiting.front().desired;
    if (matches(*slot.served, desired)) {
        if (desired.kind == Change::Kind::claim)
            say_foreign_pointer(target, *slot.served, desired.rdata);
        if (slot.verified && desired.reverse) keep_reverse(DesiredRecord(desired), {});
        slot.phase = Phase::queued;
        slot.verified = false;
        finish_front(target, slot, {UpdateStatus::unchanged});
        return true;
    }
    const auto wait = desired.unmetered ? std::nullopt : rate_limiter_.spend(target.host, clock_());
    if (wait) {
        slot.phase = Phase::queued;
        slot.verified = false;
        finish_front(target, slot, {UpdateStatus::over_budget, whole_seconds(*wait)});
        return true;
    }
    slot.paid = !desired.unmetered;
    slot.same = false;
    prepare(target, slot);
    enqueue({target});
    return false;
}

/// All of them are first, and what is served is known for all. False always: each target is brought
/// to its next desired here.
bool Engine::decide_group(const AtomicGroupPtr& group) {
    if (group->series) {
        start(group->series);
        return false;
    }
    std::vector<Target> lost, done, spent;
    for (const AtomicGroup::Member& member : group->members) {
        // While it waited for the others, its zone or its records may have become unknown again.
        if (member.open &&
            (zone_of(member.target.host) == no_zone || !slots_.at(member.target).served))
            lost.push_back(member.target);
    }
    if (!lost.empty()) {
        group->ready -= lost.size();
        for (const Target& target : lost) slots_.at(target).phase = Phase::idle;
        for (const Target& target : lost) advance(target);
        return false;
    }
    std::map<ZoneIndex, Unit> units;
    std::optional<base::Duration> wait;
    for (const AtomicGroup::Member& member : group->members) {
        if (!member.open)
            continue;  // a new configuration has undone what was decided for the others
        const DesiredRecord& desired = slots_.at(member.target).waiting.front().desired;
        Slot& slot = slots_.at(member.target);
        slot.paid = false;
        slot.same = matches(*slot.served, desired);
        units[zone_of(member.target.host)].push_back(member.target);
        if (slot.same) continue;
        // A host pays once, however many of its records change.
        const auto same = [&](const Target& other) { return other.host == member.target.host; };
        if (desired.unmetered || wait || std::any_of(spent.begin(), spent.end(), same)) continue;
        wait = rate_limiter_.spend(member.target.host, clock_());
        if (wait) continue;
        spent.push_back(member.target);
        slot.paid = true;
    }
    if (wait) {
        for (const Target& target : spent) refund(target, slots_.at(target));
    }
    // What is right already goes along, so that it is still right when all of them are answered.
    std::erase_if(units, [&](const auto& one) {
        const Unit& unit = one.second;
        if (!wait && !std::all_of(unit.begin(), unit.end(),
                                  [this](const Target& target) { return slots_.at(target).same; }))
            return false;
        done.insert(done.end(), unit.begin(), unit.end());
        return true;
    });
    for (const auto& [zone, unit] : units) {
        for (const Target& target : unit) prepare(target, slots_.at(target));
    }
    for (const Target& target : done) {
        Slot& slot = slots_.at(target);
        const DesiredRecord desired = slot.waiting.front().desired;
        if (slot.same && slot.verified && desired.reverse) keep_reverse(desired, {});
        slot.phase = Phase::queued;
        slot.verified = false;
        finish_front(target, slot,
                     slot.same ? UpdateOutcome{UpdateStatus::unchanged}
                               : UpdateOutcome{UpdateStatus::over_budget, whole_seconds(*wait)});
    }
    for (auto& [zone, unit] : units) enqueue(std::move(unit));
    for (const Target& target : done) advance(target);
    return false;
}

void Engine::find_zone(const Target& target, Slot& slot) {
    slot.phase = Phase::finding;
    when_query_free([this, target, deadline = slot.waiting.front().deadline] {
        backend_.find_zone(hosts_.name(target.host), backend_deadline(deadline),
                           [this, target, generation = generation_](dns::Outcome<dns::Name> zone) {
                               query_done();
                               if (generation != generation_) return advance(target);
                               if (zone.has_error()) return fail_all(target, zone.error());
                               set_zone(target.host, zone_index(*zone));
                               advance(target);
                           });
    });
}

void Engine::look_up(const Target& target, Slot& slot) {
    Zone& zone = zones_[zone_of(target.host)];
    if (zone.in_doubt > 0) {
        slot.phase = Phase::held;
        zone.held.push_back(target);
        return;
    }
    slot.phase = Phase::asking;
    when_query_free([this, target, zone_name = zone.name, deadline = slot.waiting.front().deadline,
                     generation = generation_] {
        backend_.look_up(zone_name, hosts_.name(target.host), target.type,
                         backend_deadline(deadline),
                         [this, target, generation](dns::Outcome<std::vector<std::string>> served) {
                             query_done();
                             if (generation != generation_) return advance(target);
                             looked_up(target, std::move(served));
                         });
    });
}

void Engine::looked_up(const Target& target, dns::Outcome<std::vector<std::string>> served) {
    if (served.has_error()) {
        // The server no longer serves the zone that we found: look for it again next time.
        if (served.error().is_refusal()) set_zone(target.host, no_zone);
        return fail_all(target, served.error());
    }
    const auto found = slots_.find(target);
    if (found == slots_.end()) return;
    if (std::exchange(found->second.invalidated, false)) return advance(target);
    found->second.served = std::move(*served);
    found->second.served_at = clock_();
    found->second.verified = true;
    advance(target);
}

void Engine::prepare(const Target& target, Slot& slot) {
    const Waiting& front = slot.waiting.front();
    slot.ticket = front.ticket;
    slot.change = Change{hosts_.name(target.host), target.type, front.desired.kind,
                         front.desired.ttl, front.desired.rdata};
    if (slot.change.kind == Change::Kind::remove) slot.change.rdata.clear();
    slot.phase = Phase::queued;
}

void Engine::refund(const Target& target, Slot& slot) {
    if (std::exchange(slot.paid, false)) rate_limiter_.refund(target.host, clock_());
}

void Engine::enqueue(Unit unit) {
    const ZoneIndex index = zone_of(unit.front().host);
    Zone& zone = zones_[index];
    const bool suspect = std::any_of(unit.begin(), unit.end(), [this](const Target& target) {
        return quarantined_.contains(target);
    });
    (suspect ? zone.quarantined : zone.clean).push_back(std::move(unit));
    flush(index);
}

void Engine::keep_reverse(const DesiredRecord& desired, const std::vector<std::string>& before) {
    const std::string self = hosts_.name(desired.target.host).bytes();
    const auto reverse = [&](const std::string& rdata, Change::Kind kind) {
        const auto address = dns::address_of(desired.target.type, rdata);
        if (address.has_error()) return;
        const Target pointer{hosts_.number(dns::reverse_name(*address)), dns::Type::ptr};
        submit({pointer, desired.ttl, kind, self, false, true},
               [](UpdateOutcome) {});  // failures reach the log by on_failure
    };
    // Only a record of this host is deleted, and only where there is none is one set: the server
    // sees to both (RFC 2136 §2.5.4, §2.4.3). Whoever may name any address must not take the name
    // of a foreign one.
    for (const std::string& old : before) {
        if (old != desired.rdata) reverse(old, Change::Kind::remove_record);
    }
    if (desired.kind == Change::Kind::replace && desired.at_source)
        reverse(desired.rdata, Change::Kind::claim);
}

void Engine::say_foreign_pointer(const Target& pointer, const std::vector<std::string>& served,
                                 const std::string& own) {
    if (std::find(served.begin(), served.end(), own) != served.end()) return;
    const auto text = fmt::format("the address has the PTR record of another name, {}, which stays",
                                  dns::rdata_text(dns::Type::ptr, served.front()));
    on_failure_(
        hosts_.name(pointer.host), dns::Type::ptr,
        {DnsError::Kind::rcode, yxrrset, "", text, "delete that record if it is out of date"});
}

// --- queries and zones

void Engine::when_query_free(std::function<void()> ask) {
    if (queries_in_flight_ >= limits_.queries_in_flight) {
        queries_waiting_.push_back(std::move(ask));
        return;
    }
    ++queries_in_flight_;
    ask();
}

void Engine::query_done() {
    --queries_in_flight_;
    if (queries_waiting_.empty() || queries_in_flight_ >= limits_.queries_in_flight) return;
    const auto ask = std::move(queries_waiting_.front());
    queries_waiting_.pop_front();
    ++queries_in_flight_;
    ask();
}

/// A little before the desired's own deadline, so that the server's silence is reported as what it
/// is.
base::TimePoint Engine::backend_deadline(base::TimePoint deadline) const {
    return deadline - limits_.timeout / 50;
}

Engine::ZoneIndex Engine::zone_of(HostId host) const {
    return host < zone_of_.size() ? zone_of_[host] : no_zone;
}

Engine::ZoneIndex Engine::zone_index(const dns::Name& name) {
    const auto [found, is_new] =
        zone_indices_.try_emplace(name, static_cast<ZoneIndex>(zones_.size()));
    if (is_new) {
        Zone& zone = zones_.emplace_back();
        zone.name = name;
        zone.in_doubt = 1;
        zone.contacting = true;
        backend_.contact(name, [this, index = found->second] { contacted(index); });
    }
    return found->second;
}

/// Nothing that an earlier process sent for the zone can be carried out any more.
void Engine::contacted(ZoneIndex index) {
    Zone& zone = zones_[index];
    zone.contacting = false;
    --zone.in_doubt;
    release_held(zone);
    flush(index);
}

/// The server does not say what became of an UPDATE, for a reason that would meet what waits for it
/// too.
void Engine::blocked(const dns::Name& name, const DnsError& failure) {
    const auto found = zone_indices_.find(name);
    if (found == zone_indices_.end() || zones_[found->second].in_doubt == 0) return;
    Zone& zone = zones_[found->second];
    const auto held = std::exchange(zone.held, {});
    for (const Target& target : held) fail_all(target, failure);
    give_up_sending(zone, failure);
}

bool Engine::believe_zone(HostId host, const dns::Name& zone) {
    if (zone_of(host) != no_zone) return zones_[zone_of(host)].name == zone;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        if (slots_.contains(Target{host, type})) return false;
    }
    set_zone(host, zone_index(zone));
    return true;
}

void Engine::set_zone(HostId host, ZoneIndex zone) {
    if (host >= zone_of_.size())
        zone_of_.resize(std::max<std::size_t>(host + 1, zone_of_.size() * 2), no_zone);
    // Both families of a host, and its pointer, move to the zone together.
    const ZoneIndex before = zone_of_[host];
    if (before == zone) return;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
        const auto found = slots_.find(Target{host, type});
        if (found == slots_.end()) continue;
        const std::size_t desired_records = found->second.waiting.size();
        (before == no_zone ? zone_unresolved_ : zones_[before].waiting) -= desired_records;
        (zone == no_zone ? zone_unresolved_ : zones_[zone].waiting) += desired_records;
    }
    zone_of_[host] = zone;
}

}  // namespace sftdyn::update
