#include "update/engine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

// Messages that are sent as they are written: scripts.

namespace sftdyn::update {

using dns::DnsError;

void Engine::submit_messages(const Target& about, std::vector<dns::UpdateMessage> messages,
                             Done done, std::string served) {
    if (open_series_ >= limits_.queue) return done({UpdateStatus::overloaded, overload_pause});
    if (const auto wait = rate_limiter_.spend(about.host, clock_()))
        return done({UpdateStatus::over_budget, whole_seconds(*wait)});
    const auto series =
        std::make_shared<Series>(Series{about, std::move(messages), std::move(done),
                                        clock_() + limits_.timeout, std::move(served)});
    ++open_series_;
    series_deadlines_.push_back(series);
    take_places(series);
    forget_deadlines();
}

/// Puts them into the queues of their host: they are sent when they are first in both.
void Engine::take_places(const SeriesPtr& series) {
    const auto group = std::make_shared<AtomicGroup>();
    series->places = group;
    group->series = series;
    group->done = [this, series](const std::vector<UpdateOutcome>&) {
        if (series->done && !series->started) finish(series, {UpdateStatus::failed});
    };
    std::vector<Target> targets;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa})
        targets.push_back({series->about.host, type});
    if (std::find(targets.begin(), targets.end(), series->about) == targets.end())
        targets.push_back(series->about);
    group->results.resize(targets.size());
    group->open = targets.size();
    for (std::size_t i = 0; i < targets.size(); ++i) {
        group->members.push_back({targets[i], next_ticket_});
        DesiredRecord place;
        place.target = targets[i];
        enqueue(std::move(place), series->deadline, {}, group, i);
    }
    for (const Target& target : targets) {
        const auto found = slots_.find(target);
        if (found != slots_.end() && found->second.phase == Phase::idle) advance(target);
    }
}

/// They are first in their host's queues.
void Engine::start(const SeriesPtr& series) {
    series->started = true;
    bool needless = false;
    for (const auto& member : series->places->members) {
        Slot& slot = slots_.at(member.target);
        slot.phase = Phase::in_flight;
        slot.ticket = member.ticket;
        if (series->served.empty() || member.target != series->about || !slot.served) continue;
        needless = *slot.served == std::vector<std::string>{series->served};
    }
    if (needless) return finish(series, {UpdateStatus::unchanged});
    next_message(series);
}

/// What was accepted after them may go on.
void Engine::give_up_places(const SeriesPtr& series) {
    const AtomicGroupPtr group = std::exchange(series->places, nullptr);
    if (!group) return;
    std::vector<Target> freed;
    for (auto& member : group->members) {
        const auto found = slots_.find(member.target);
        if (!member.open || found == slots_.end()) continue;
        Slot& slot = found->second;
        const auto place =
            std::find_if(slot.waiting.begin(), slot.waiting.end(),
                         [&](const Waiting& one) { return one.ticket == member.ticket; });
        if (place == slot.waiting.end()) continue;
        const bool first = place == slot.waiting.begin();
        slot.waiting.erase(place);
        count_out(member.target);
        member.open = false;
        // Whatever else the target is at goes on, and then with what is first.
        const bool mine = slot.ticket == member.ticket &&
                          (slot.phase == Phase::ready || slot.phase == Phase::in_flight);
        if (first && mine) freed.push_back(member.target);
        slot.verified = false;
        if (series->next > 0) slot.served.reset();
    }
    for (const Target& target : freed) advance(target);
}

void Engine::finish(const SeriesPtr& series, UpdateOutcome result) {
    --open_series_;
    if (result.status != UpdateStatus::committed)
        rate_limiter_.refund(series->about.host, clock_());
    std::exchange(series->done, {})(result);
    if (!series->in_flight) give_up_places(series);
}

void Engine::fail(const SeriesPtr& series, const DnsError& failure) {
    on_failure_(hosts_.name(series->about.host), series->about.type, failure);
    finish(series, {UpdateStatus::failed});
}

void Engine::next_message(const SeriesPtr& series) {
    if (!series->done) return give_up_places(series);
    if (series->next == series->messages.size())
        return finish(series, {series->refused ? UpdateStatus::failed : UpdateStatus::committed});
    const dns::UpdateMessage& message = series->messages[series->next];
    if (message.zone) return enqueue(series, zone_index(*message.zone));
    const HostId home = hosts_.number(message.home());
    if (zone_of(home) != no_zone) return enqueue(series, zone_of(home));
    when_query_free([this, series, home] {
        backend_.find_zone(
            hosts_.name(home), backend_deadline(series->deadline),
            [this, series, home, generation = generation_](dns::Outcome<dns::Name> zone) {
                query_done();
                if (!series->done) return;
                if (generation != generation_) return next_message(series);
                if (zone.has_error()) return fail(series, zone.error());
                set_zone(home, zone_index(*zone));
                enqueue(series, zone_index(*zone));
            });
    });
}

void Engine::enqueue(const SeriesPtr& series, ZoneIndex zone) {
    zones_[zone].series.push_back(series);
    flush(zone);
}

/// Messages and batches take turns.
bool Engine::series_is_next(Zone& zone) {
    while (!zone.series.empty() && !zone.series.front()->done) zone.series.pop_front();
    if (zone.series.empty()) return false;
    return zone.series_turn ||
           (zone.clean.empty() && zone.quarantined.empty() && zone.retries.empty());
}

/// Nothing else is under way in the zone until the message is settled: it may change whatever it
/// likes there.
void Engine::send_message(ZoneIndex index) {
    Zone& zone = zones_[index];
    const SeriesPtr series = std::move(zone.series.front());
    zone.series.pop_front();
    zone.series_turn = false;
    const dns::UpdateMessage& message = series->messages[series->next++];
    series->in_flight = true;
    invalidate(message);
    ++zone.in_flight;
    ++zone.in_doubt;
    const auto done = [this, series, count = message.updates.size(),
                       began = clock_()](const dns::Reply& reply) {
        on_update_(count, clock_() - began);
        answered(series, reply);
    };
    backend_.apply(zone.name, message, backend_deadline(series->deadline), done,
                   [this, series, index, &message] {
                       Zone& own = zones_[index];
                       --own.in_flight;
                       --own.in_doubt;
                       invalidate(message);
                       series->in_flight = false;
                       next_message(series);
                       release_held(own);
                       flush(index);
                   });
}

void Engine::answered(const SeriesPtr& series, const dns::Reply& reply) {
    if (reply.has_value()) return;
    const DnsError& failure = reply.error();
    if (!failure.is_refusal()) {
        if (series->done) fail(series, failure);
        return;
    }
    series->refused = true;
    const dns::UpdateMessage& message = series->messages[series->next - 1];
    if (!message.zone) set_zone(hosts_.number(message.home()), no_zone);
    if (series->done) on_failure_(hosts_.name(series->about.host), series->about.type, failure);
}

/// What is known of the names that a message changes is no longer known.
void Engine::invalidate(const dns::UpdateMessage& message) {
    for (const auto& record : message.updates) {
        const auto host = hosts_.find(record.owner);
        if (!host) continue;
        for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
            const Target target{*host, type};
            known_.forget(target);
            const auto found = slots_.find(target);
            if (found == slots_.end()) continue;
            found->second.served.reset();
            found->second.invalidated = found->second.phase == Phase::asking;
        }
    }
}

}  // namespace sftdyn::update
