#include "update/engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sftdyn::update {
namespace {

using dns::Change;
using dns::Failure;

/// Whether `served` is what `wish` asks for.
bool fulfils(const std::vector<std::string>& served, const Wish& wish) {
    switch (wish.kind) {
        case Change::Kind::replace:
            return served.size() == 1 && served.front() == wish.rdata;
        case Change::Kind::remove:
            return served.empty();
        case Change::Kind::remove_record:
            return std::find(served.begin(), served.end(), wish.rdata) == served.end();
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

Engine::Engine(Backend& backend, HostTable& hosts, KnownTable& known, const Limits& limits, Clock clock, OnFailure on_failure)
    : backend_(backend),
      hosts_(hosts),
      known_(known),
      limits_(limits),
      clock_(std::move(clock)),
      on_failure_(std::move(on_failure)),
      budgets_(limits.changes_burst, limits.changes_refill) {
    backend_.on_blocked([this](const dns::Name& zone, const Failure& failure) { blocked(zone, failure); });
}

void Engine::reconfigure(const Limits& limits, bool servers_changed) {
    limits_ = limits;
    budgets_.set(limits.changes_burst, limits.changes_refill);
    if (!servers_changed) return;
    ++generation_;
    known_.clear();
    suspects_.clear();
    for (auto& [target, slot] : slots_) {
        slot.served.reset();
        slot.verified = false;
        if (slot.phase == Phase::queued || slot.phase == Phase::in_flight) undo_decision(slot);
    }
    for (HostId host = 0; host < zone_of_.size(); ++host) set_zone(host, no_zone);
    // What waits in a zone goes back to where its zone is looked for; what is under way does so when it is answered.
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

/// The change of the wish that is first is decided anew. Nobody is told what another server said of the wishes that belong to it.
void Engine::undo_decision(Slot& slot) {
    if (slot.waiting.empty() || slot.waiting.front().ticket != slot.ticket) return;
    const JointPtr& joint = slot.waiting.front().joint;
    if (!joint || joint->series) return;
    --joint->ready;
    for (std::size_t i = 0; i < joint->members.size(); ++i) {
        if (!joint->members[i].open) joint->results[i] = {Verdict::failed};
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

// --- wishes in, results out ------------------------------------------------------------------------------------------

void Engine::submit(Wish wish, Done done) {
    const ZoneIndex zone = zone_of(wish.target.host);
    if ((zone == no_zone ? homeless_ : zones_[zone].waiting) >= limits_.queue) return done({Verdict::overloaded, overload_pause});
    const Target target = wish.target;
    add(std::move(wish), clock_() + limits_.timeout, std::move(done), nullptr, 0);
    if (slots_.at(target).phase == Phase::idle) advance(target);
    // What is answered at once needs no watching; without this a flood of such wishes would leave its deadlines behind.
    forget_deadlines();
}

void Engine::submit_jointly(std::vector<Wish> wishes, JointDone done) {
    const auto full = [&](const Wish& wish) {
        const ZoneIndex zone = zone_of(wish.target.host);
        return (zone == no_zone ? homeless_ : zones_[zone].waiting) >= limits_.queue;
    };
    if (std::any_of(wishes.begin(), wishes.end(), full)) return done(std::vector<Result>(wishes.size(), {Verdict::overloaded, overload_pause}));
    const auto joint = std::make_shared<Joint>();
    joint->results.resize(wishes.size());
    joint->open = wishes.size();
    joint->done = std::move(done);
    const base::TimePoint deadline = clock_() + limits_.timeout;
    std::vector<Target> targets;
    // All stand in their queues before any is served: two joints that share targets have the same order in each.
    for (Wish& wish : wishes) {
        targets.push_back(wish.target);
        joint->members.push_back({wish.target, next_ticket_});
        add(std::move(wish), deadline, {}, joint, targets.size() - 1);
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

void Engine::add(Wish wish, base::TimePoint deadline, Done done, const JointPtr& joint, std::size_t index) {
    deadlines_.push_back({deadline, wish.target, next_ticket_});
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    enqueue(std::move(wish), deadline, std::move(done), joint, index);
}

void Engine::enqueue(Wish wish, base::TimePoint deadline, Done done, const JointPtr& joint, std::size_t index) {
    const Target target = wish.target;
    const ZoneIndex zone = zone_of(target.host);
    ++(zone == no_zone ? homeless_ : zones_[zone].waiting);
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
    slot.waiting.push_back({std::move(wish), std::move(done), deadline, ticket, joint, index});
}

/// Gives a wish that has left its queue its result.
void Engine::close(const Waiting& waiting, Result result) {
    if (!waiting.joint) return waiting.done(result);
    Joint& joint = *waiting.joint;
    joint.members[waiting.index].open = false;
    joint.results[waiting.index] = result;
    if (--joint.open == 0) joint.done(joint.results);
}

/// One of them could not be served in time, or at all: neither are those that still wait.
void Engine::abandon(const JointPtr& joint) {
    std::vector<Waiting> given_up;
    std::vector<Target> stopped;
    for (const Joint::Member& member : joint->members) {
        if (!member.open) continue;
        const auto found = slots_.find(member.target);
        if (found == slots_.end()) continue;
        Slot& slot = found->second;
        const auto it = std::find_if(slot.waiting.begin(), slot.waiting.end(), [&](const Waiting& one) { return one.ticket == member.ticket; });
        if (it == slot.waiting.end()) continue;
        if (it == slot.waiting.begin() && slot.phase == Phase::gathered) stopped.push_back(member.target);
        given_up.push_back(std::move(*it));
        slot.waiting.erase(it);
        count_out(member.target);
    }
    for (const Waiting& one : given_up) close(one, {Verdict::failed});
    for (const Target& target : stopped) advance(target);
}

bool Engine::is_still_so(const Wish& wish) const {
    const auto found = slots_.find(wish.target);
    if (found != slots_.end()) return found->second.served && fulfils(*found->second.served, wish);
    return known_.is(wish.target, wish.kind == Change::Kind::replace ? wish.rdata : std::string(), base::TimePoint::min());
}

void Engine::count_out(const Target& target) {
    --waiting_;
    const ZoneIndex zone = zone_of(target.host);
    --(zone == no_zone ? homeless_ : zones_[zone].waiting);
}

void Engine::finish_front(const Target& target, Slot& slot, Result result) {
    Waiting front = std::move(slot.waiting.front());
    slot.waiting.erase(slot.waiting.begin());
    count_out(target);
    close(front, result);
}

void Engine::fail_all(const Target& target, const Failure& failure) {
    const auto found = slots_.find(target);
    if (found == slots_.end()) return;
    auto waiting = std::move(found->second.waiting);
    slots_.erase(found);
    for (const Waiting& one : waiting) {
        count_out(target);
        on_failure_(hosts_.name(target.host), target.type, failure);
        const JointPtr joint = one.joint;
        close(one, {Verdict::failed});
        if (joint) abandon(joint);
    }
}

/// Why a wish of the zone was not done in time.
Failure Engine::too_late(ZoneIndex index) const {
    const char* hint = "is the DNS server running, and not overloaded?";
    if (index == no_zone || zones_[index].in_doubt == 0) return {Failure::Kind::gave_up, 0, "", "it was not done in time", hint};
    if (zones_[index].contacting)
        return {Failure::Kind::timeout, 0, "",
                "the DNS server did not answer the first UPDATE of the zone in time (it changes nothing: it is a fence)", hint};
    return {Failure::Kind::gave_up, 0, "", "an earlier UPDATE of the zone is still unanswered, and nothing is sent that could overtake it", hint};
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
        const auto late = std::find_if(slot.waiting.begin(), slot.waiting.end(), [&](const Waiting& one) { return one.ticket == due.ticket; });
        if (late == slot.waiting.end()) continue;
        const bool stopped = late == slot.waiting.begin() && slot.phase == Phase::gathered;
        Waiting one = std::move(*late);
        slot.waiting.erase(late);
        const ZoneIndex zone = zone_of(due.target.host);
        count_out(due.target);
        on_failure_(hosts_.name(due.target.host), due.target.type, too_late(zone));
        const JointPtr joint = one.joint;
        close(one, {Verdict::failed});
        if (joint) abandon(joint);
        if (stopped) advance(due.target);
    }
    std::vector<SeriesPtr> late;
    std::erase_if(series_deadlines_, [&](const SeriesPtr& series) {
        if (series->done && series->deadline <= now) late.push_back(series);
        return !series->done || series->deadline <= now;
    });
    for (const SeriesPtr& series : late) {
        if (series->done) fail(series, {Failure::Kind::gave_up, 0, "", "it was not done in time", "is the DNS server running, and not overloaded?"});
    }
    if (now >= next_sweep_) {
        budgets_.sweep(now);
        next_sweep_ = now + sweep_interval;
    }
}

// --- one target ------------------------------------------------------------------------------------------------------

void Engine::advance(const Target& target) {
    for (;;) {
        const auto found = slots_.find(target);
        if (found == slots_.end()) return;
        Slot& slot = found->second;
        if (slot.waiting.empty()) return retire(target);
        if (slot.phase == Phase::gathered && still_wanted(target)) return;
        slot.phase = Phase::idle;
        if (const JointPtr& joint = slot.waiting.front().joint; joint && joint->series && !needs_served(*joint->series, target)) {
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
        known_.set(target, slot.served->empty() ? std::string() : slot.served->front(), slot.served_at);
    }
    slots_.erase(found);
}

/// Serves the first wish from what is known. False: a change is on its way, and comes back to `advance`.
bool Engine::decide(const Target& target, Slot& slot) {
    if (const JointPtr joint = slot.waiting.front().joint) {
        slot.phase = Phase::gathered;
        slot.ticket = slot.waiting.front().ticket;
        return ++joint->ready == joint->members.size() && decide_jointly(joint);
    }
    // `done` may submit again; the phase keeps that from entering here a second time.
    const Wish& wish = slot.waiting.front().wish;
    if (fulfils(*slot.served, wish)) {
        if (wish.kind == Change::Kind::claim) say_foreign_pointer(target, *slot.served, wish.rdata);
        if (slot.verified && wish.reverse) keep_reverse(Wish(wish), {});
        slot.phase = Phase::queued;
        slot.verified = false;
        finish_front(target, slot, {Verdict::unchanged});
        return true;
    }
    const auto wait = wish.unmetered ? std::nullopt : budgets_.spend(target.host, clock_());
    if (wait) {
        slot.phase = Phase::queued;
        slot.verified = false;
        finish_front(target, slot, {Verdict::over_budget, whole_seconds(*wait)});
        return true;
    }
    slot.paid = !wish.unmetered;
    slot.same = false;
    prepare(target, slot);
    enqueue({target});
    return false;
}

/// All of them are first, and what is served is known for all. False always: each target is brought to its next wish here.
bool Engine::decide_jointly(const JointPtr& joint) {
    if (joint->series) {
        start(joint->series);
        return false;
    }
    std::vector<Target> lost, done, spent;
    for (const Joint::Member& member : joint->members) {
        // While it waited for the others, its zone or its records may have become unknown again.
        if (member.open && (zone_of(member.target.host) == no_zone || !slots_.at(member.target).served)) lost.push_back(member.target);
    }
    if (!lost.empty()) {
        joint->ready -= lost.size();
        for (const Target& target : lost) slots_.at(target).phase = Phase::idle;
        for (const Target& target : lost) advance(target);
        return false;
    }
    std::map<ZoneIndex, Unit> units;
    std::optional<base::Duration> wait;
    for (const Joint::Member& member : joint->members) {
        if (!member.open) continue;  // a new configuration has undone what was decided for the others
        const Wish& wish = slots_.at(member.target).waiting.front().wish;
        Slot& slot = slots_.at(member.target);
        slot.paid = false;
        slot.same = fulfils(*slot.served, wish);
        units[zone_of(member.target.host)].push_back(member.target);
        if (slot.same) continue;
        // A host pays once, however many of its records change.
        const auto same = [&](const Target& other) { return other.host == member.target.host; };
        if (wish.unmetered || wait || std::any_of(spent.begin(), spent.end(), same)) continue;
        wait = budgets_.spend(member.target.host, clock_());
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
        if (!wait && !std::all_of(unit.begin(), unit.end(), [this](const Target& target) { return slots_.at(target).same; })) return false;
        done.insert(done.end(), unit.begin(), unit.end());
        return true;
    });
    for (const auto& [zone, unit] : units) {
        for (const Target& target : unit) prepare(target, slots_.at(target));
    }
    for (const Target& target : done) {
        Slot& slot = slots_.at(target);
        const Wish wish = slot.waiting.front().wish;
        if (slot.same && slot.verified && wish.reverse) keep_reverse(wish, {});
        slot.phase = Phase::queued;
        slot.verified = false;
        finish_front(target, slot, slot.same ? Result{Verdict::unchanged} : Result{Verdict::over_budget, whole_seconds(*wait)});
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
    when_query_free([this, target, zone_name = zone.name, deadline = slot.waiting.front().deadline, generation = generation_] {
        backend_.look_up(zone_name, hosts_.name(target.host), target.type, backend_deadline(deadline),
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
    if (std::exchange(found->second.overtaken, false)) return advance(target);
    found->second.served = std::move(*served);
    found->second.served_at = clock_();
    found->second.verified = true;
    advance(target);
}

void Engine::prepare(const Target& target, Slot& slot) {
    const Waiting& front = slot.waiting.front();
    slot.ticket = front.ticket;
    slot.change = Change{hosts_.name(target.host), target.type, front.wish.kind, front.wish.ttl, front.wish.rdata};
    if (slot.change.kind == Change::Kind::remove) slot.change.rdata.clear();
    slot.phase = Phase::queued;
}

void Engine::refund(const Target& target, Slot& slot) {
    if (std::exchange(slot.paid, false)) budgets_.refund(target.host, clock_());
}

void Engine::enqueue(Unit unit) {
    const ZoneIndex index = zone_of(unit.front().host);
    Zone& zone = zones_[index];
    const bool suspect = std::any_of(unit.begin(), unit.end(), [this](const Target& target) { return suspects_.contains(target); });
    (suspect ? zone.suspects : zone.clean).push_back(std::move(unit));
    flush(index);
}

void Engine::keep_reverse(const Wish& wish, const std::vector<std::string>& before) {
    const std::string self = hosts_.name(wish.target.host).bytes();
    const auto reverse = [&](const std::string& rdata, Change::Kind kind) {
        const auto address = dns::address_of(wish.target.type, rdata);
        if (address.has_error()) return;
        const Target pointer{hosts_.number(dns::reverse_name(*address)), dns::Type::ptr};
        submit({pointer, wish.ttl, kind, self, false, true}, [](Result) {});  // failures reach the log by on_failure
    };
    // Only a record of this host is deleted, and only where there is none is one set: the server sees to both (RFC 2136
    // §2.5.4, §2.4.3). Whoever may name any address must not take the name of a foreign one.
    for (const std::string& old : before) {
        if (old != wish.rdata) reverse(old, Change::Kind::remove_record);
    }
    if (wish.kind == Change::Kind::replace && wish.at_source) reverse(wish.rdata, Change::Kind::claim);
}

void Engine::say_foreign_pointer(const Target& pointer, const std::vector<std::string>& served, const std::string& own) {
    if (std::find(served.begin(), served.end(), own) != served.end()) return;
    const auto text = fmt::format("the address has the PTR record of another name, {}, which stays", dns::rdata_text(dns::Type::ptr, served.front()));
    on_failure_(hosts_.name(pointer.host), dns::Type::ptr, {Failure::Kind::rcode, yxrrset, "", text, "delete that record if it is out of date"});
}

// --- queries and zones -----------------------------------------------------------------------------------------------

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

/// A little before the wish's own deadline, so that the server's silence is reported as what it is.
base::TimePoint Engine::backend_deadline(base::TimePoint deadline) const { return deadline - limits_.timeout / 50; }

Engine::ZoneIndex Engine::zone_of(HostId host) const { return host < zone_of_.size() ? zone_of_[host] : no_zone; }

Engine::ZoneIndex Engine::zone_index(const dns::Name& name) {
    const auto [found, is_new] = zone_indices_.try_emplace(name, static_cast<ZoneIndex>(zones_.size()));
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

/// The server does not say what became of an UPDATE, for a reason that would meet what waits for it too.
void Engine::blocked(const dns::Name& name, const Failure& failure) {
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
    if (host >= zone_of_.size()) zone_of_.resize(std::max<std::size_t>(host + 1, zone_of_.size() * 2), no_zone);
    // Both families of a host, and its pointer, move to the zone together.
    const ZoneIndex before = zone_of_[host];
    if (before == zone) return;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
        const auto found = slots_.find(Target{host, type});
        if (found == slots_.end()) continue;
        const std::size_t wishes = found->second.waiting.size();
        (before == no_zone ? homeless_ : zones_[before].waiting) -= wishes;
        (zone == no_zone ? homeless_ : zones_[zone].waiting) += wishes;
    }
    zone_of_[host] = zone;
}

}  // namespace sftdyn::update
