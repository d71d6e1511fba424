// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/script_sender.hpp"

#include <algorithm>
#include <utility>

#include "update/batch_sender.hpp"
#include "update/reconciler.hpp"

namespace sftdyn::update {

using dns::DnsError;

ScriptSender::~ScriptSender() {
    for (ScriptRun* script : placed_) AtomicGroupPtr(std::move(script->places)).reset();
}

void ScriptSender::submit(const RrsetKey& about, std::vector<dns::UpdateMessage> messages,
                          OnOutcome done, std::string served) {
    if (open_ >= parts_.limits.queue)
        return done({UpdateStatus::overloaded, EngineParts::overload_pause});
    const auto now = parts_.clock();
    if (const auto wait = parts_.rate_limiter.spend(about.host, now))
        return done({UpdateStatus::over_budget, EngineParts::whole_seconds(*wait)});
    const auto script =
        std::make_shared<ScriptRun>(ScriptRun{.about = about,
                                              .messages = std::move(messages),
                                              .done = std::move(done),
                                              .deadline = parts_.deadline_of(about.host),
                                              .served = std::move(served)});
    ++open_;
    deadlines_.push_back(script);
    take_places(script);
    parts_.reconciler.forget_deadlines();
}

void ScriptSender::take_places(const ScriptRunPtr& script) {
    script->places = std::make_shared<AtomicGroup>(
        [this, script](const std::vector<UpdateOutcome>&) {
            engine_thread.assert_held();
            if (!script->has_ended() && !script->started) finish(*script, {UpdateStatus::failed});
        },
        script);
    placed_.insert(script.get());
    std::vector<RrsetKey> rrsets;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa})
        rrsets.push_back({script->about.host, type});
    if (std::find(rrsets.begin(), rrsets.end(), script->about) == rrsets.end())
        rrsets.push_back(script->about);
    const AtomicGroupPtr places = script->places;
    const base::TimePoint arrived = parts_.clock();
    for (const RrsetKey& rrset : rrsets)
        parts_.rrsets.add_place(rrset, {arrived, script->deadline}, places);
    for (const RrsetKey& rrset : rrsets) parts_.reconciler.begin(rrset);
}

void ScriptSender::start(const ScriptRunPtr& script) {
    script->started = true;
    bool needless = false;
    for (const auto& place : script->places->members()) {
        RrsetQueue& queue = parts_.rrsets.at(place.rrset);
        queue.enter(RrsetState::in_flight);
        if (script->needs_served(place.rrset) && queue.served())
            needless = queue.served()->rdata == std::vector{script->served};
    }
    if (needless) return finish(*script, {UpdateStatus::unchanged});
    resume(script);
}

/// Later requests of the host may go on.
void ScriptSender::give_up_places(ScriptRun& script) {
    const AtomicGroupPtr places = std::exchange(script.places, nullptr);
    if (!places) return;
    placed_.erase(&script);
    std::vector<RrsetKey> freed;
    for (std::size_t i = 0; i < places->members().size(); ++i) {
        const AtomicGroup::GroupMember& place = places->members()[i];
        RrsetQueue* queue = place.open ? parts_.rrsets.find(place.rrset) : nullptr;
        if (queue == nullptr) continue;
        const bool first = queue->is_first(place.ticket);
        if (!parts_.rrsets.take(place.rrset, *queue, place.ticket)) continue;
        // If the RRset is busy with something else, that continues, and then the first entry is
        // handled.
        const bool mine =
            queue->decision().ticket == place.ticket &&
            (queue->state() == RrsetState::ready || queue->state() == RrsetState::in_flight);
        if (first && mine) freed.push_back(place.rrset);
        places->leave(i);
        queue->end_verified();
        if (script.next > 0) queue->forget_served();
    }
    for (const RrsetKey& rrset : freed) parts_.reconciler.advance(rrset);
}

void ScriptSender::finish(ScriptRun& script, UpdateOutcome outcome) {
    --open_;
    if (outcome.status != UpdateStatus::committed)
        parts_.rate_limiter.refund(script.about.host, parts_.clock());
    std::exchange(script.done, {})(outcome);
    if (!script.in_flight) give_up_places(script);
}

void ScriptSender::fail(const ScriptRunPtr& script, const DnsError& failure) {
    parts_.fail(script->about, failure);
    finish(*script, {UpdateStatus::failed});
}

void ScriptSender::tick(base::TimePoint now) {
    std::vector<ScriptRunPtr> late;
    std::erase_if(deadlines_, [&](const ScriptRunPtr& script) {
        if (!script->has_ended() && script->deadline > now) return false;
        late.push_back(script);
        return true;
    });
    for (const ScriptRunPtr& script : late) {
        if (script->has_ended()) continue;
        fail(script, {dns::ErrorKind::deadline_exceeded, 0, "", "it was not done in time",
                      "is the DNS server running, and not overloaded?"});
    }
}

void ScriptSender::resume(const ScriptRunPtr& script) {
    script->check();
    if (script->has_ended()) return give_up_places(*script);
    if (script->generation != parts_.generation) script->start_over();
    if (script->all_sent()) {
        return finish(*script, {script->refused ? UpdateStatus::failed : UpdateStatus::committed});
    }
    const dns::UpdateMessage& message = script->messages[script->next];
    if (message.zone) return enqueue(script, parts_.batches.open_zone(*message.zone));
    const HostId home = parts_.hosts.number(message.home());
    if (parts_.zones.of(home) != unresolved_zone) return enqueue(script, parts_.zones.of(home));
    parts_.queries.when_free([this, script, home] {
        engine_thread.assert_held();
        parts_.backend.find_zone(
            parts_.hosts.name(home), parts_.backend_deadline(script->deadline),
            [this, script, home, generation = parts_.generation](dns::DnsResult<dns::Name> zone) {
                engine_thread.assert_held();
                parts_.queries.done();
                if (script->has_ended()) return;
                if (generation != parts_.generation) return resume(script);
                if (zone.has_error()) return fail(script, zone.error());
                const ZoneIndex index = parts_.batches.open_zone(*zone);
                parts_.reconciler.enter_zone(home, index);
                enqueue(script, index);
            });
    });
}

void ScriptSender::enqueue(const ScriptRunPtr& script, ZoneIndex zone) {
    parts_.zones[zone].push(script);
    parts_.batches.flush(zone);
}

void ScriptSender::send_next(ZoneIndex index) {
    ZoneQueue& zone = parts_.zones[index];
    const ScriptRunPtr script = zone.take_script();
    const dns::UpdateMessage& message = script->messages[script->next++];
    script->in_flight = true;
    script->generation = parts_.generation;
    script->check();
    invalidate(message);
    zone.script_message_sent();
    const auto done = [this, script, count = message.updates.size(),
                       began = parts_.clock()](const dns::Reply& reply) {
        engine_thread.assert_held();
        parts_.on_update(count, parts_.clock() - began);
        answered(script, reply);
    };
    parts_.backend.apply(zone.name(), message, parts_.backend_deadline(script->deadline), done,
                         [this, script, index] {
                             engine_thread.assert_held();
                             resolved(script, index);
                         });
}

void ScriptSender::answered(const ScriptRunPtr& script, const dns::Reply& reply) {
    if (reply.has_value()) return;
    const DnsError& failure = reply.error();
    if (!failure.is_refusal()) {
        if (!script->has_ended()) fail(script, failure);
        return;
    }
    script->refused = true;
    const dns::UpdateMessage& message = script->messages[script->next - 1];
    if (!message.zone) parts_.rrsets.set_zone(parts_.hosts.number(message.home()), unresolved_zone);
    if (!script->has_ended()) parts_.fail(script->about, failure);
}

void ScriptSender::resolved(const ScriptRunPtr& script, ZoneIndex index) {
    parts_.zones[index].script_message_resolved();
    invalidate(script->messages[script->next - 1]);
    script->in_flight = false;
    resume(script);
    parts_.batches.resolved(index);
}

/// Invalidates what is known about the names that the message changes.
void ScriptSender::invalidate(const dns::UpdateMessage& message) {
    for (const auto& record : message.updates) {
        const auto host = parts_.hosts.find(record.owner);
        if (!host) continue;
        for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
            const RrsetKey rrset{*host, type};
            parts_.known.forget(rrset);
            if (RrsetQueue* queue = parts_.rrsets.find(rrset)) queue->invalidate();
        }
    }
}

}  // namespace sftdyn::update
