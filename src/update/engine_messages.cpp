#include "update/engine.hpp"

#include <utility>

// Messages that are sent as they are written: scripts.

namespace sftdyn::update {

using dns::Failure;

void Engine::submit_messages(const Target& about, std::vector<dns::UpdateMessage> messages, Done done) {
    if (open_series_ >= limits_.queue) return done({Verdict::overloaded, overload_pause});
    if (const auto wait = budgets_.spend(about.host, clock_())) return done({Verdict::over_budget, whole_seconds(*wait)});
    const auto series = std::make_shared<Series>(Series{about, std::move(messages), std::move(done), clock_() + limits_.timeout});
    ++open_series_;
    ++waiting_;
    series_deadlines_.push_back(series);
    next_message(series);
    forget_deadlines();
}

void Engine::finish(const SeriesPtr& series, Result result) {
    --open_series_;
    --waiting_;
    if (result.verdict != Verdict::committed) budgets_.refund(series->about.host, clock_());
    std::exchange(series->done, {})(result);
}

void Engine::fail(const SeriesPtr& series, const Failure& failure) {
    on_failure_(hosts_.name(series->about.host), series->about.type, failure);
    finish(series, {Verdict::failed});
}

void Engine::next_message(const SeriesPtr& series) {
    if (!series->done) return;
    if (series->next == series->messages.size()) return finish(series, {series->refused ? Verdict::failed : Verdict::committed});
    const dns::UpdateMessage& message = series->messages[series->next];
    if (message.zone) return enqueue(series, zone_index(*message.zone));
    const HostId home = hosts_.number(message.home());
    if (zone_of(home) != no_zone) return enqueue(series, zone_of(home));
    when_query_free([this, series, home] {
        backend_.find_zone(hosts_.name(home), backend_deadline(series->deadline),
                           [this, series, home, generation = generation_](dns::Outcome<dns::Name> zone) {
                               query_done();
                               if (!series->done) return;
                               if (zone.has_error()) return fail(series, zone.error());
                               if (generation == generation_) set_zone(home, zone_index(*zone));
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
    return zone.series_turn || (zone.clean.empty() && zone.suspects.empty() && zone.retries.empty());
}

/// Nothing else is under way in the zone until the message is settled: it may change whatever it likes there.
void Engine::send_message(ZoneIndex index) {
    Zone& zone = zones_[index];
    const SeriesPtr series = std::move(zone.series.front());
    zone.series.pop_front();
    zone.series_turn = false;
    const dns::UpdateMessage& message = series->messages[series->next++];
    distrust(message);
    ++zone.in_flight;
    ++zone.unsettled;
    const auto done = [this, series, count = message.updates.size(), began = clock_()](const dns::Reply& reply) {
        on_update_(count, clock_() - began);
        answered(series, reply);
    };
    backend_.apply(zone.name, message, backend_deadline(series->deadline), done, [this, series, index, &message] {
        Zone& own = zones_[index];
        --own.in_flight;
        --own.unsettled;
        distrust(message);
        release_held(own);
        next_message(series);
        flush(index);
    });
}

void Engine::answered(const SeriesPtr& series, const dns::Reply& reply) {
    if (reply.has_value()) return;
    const Failure& failure = reply.error();
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
void Engine::distrust(const dns::UpdateMessage& message) {
    for (const auto& record : message.updates) {
        const auto host = hosts_.find(record.owner);
        if (!host) continue;
        for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
            const Target target{*host, type};
            known_.forget(target);
            const auto found = slots_.find(target);
            if (found == slots_.end()) continue;
            found->second.served.reset();
            found->second.overtaken = found->second.phase == Phase::asking;
        }
    }
}

}  // namespace sftdyn::update
