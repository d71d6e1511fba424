// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/batch_sender.hpp"

#include <algorithm>
#include <utility>

#include "update/reconciler.hpp"
#include "update/script_sender.hpp"

namespace sftdyn::update {
namespace {

/// Adds that the server does not say which change of the group it has refused.
dns::DnsError of_group(const dns::DnsError& failure, const ChangeGroup& group) {
    if (group.size() < 2 || !failure.is_refusal()) return failure;
    dns::DnsError all = failure;
    all.detail += " with";
    for (std::size_t i = 0; i < group.size(); ++i)
        all.detail += (i == 0 ? " " : ", ") + dns::type_text(group[i].type);
    all.detail += " records that go together, of which it does not tell the one it refuses";
    return all;
}

}  // namespace

using dns::Change;
using dns::DnsError;

/// One UPDATE that was sent, until it is resolved.
struct BatchSender::Batch {
    ZoneIndex zone;
    std::vector<ChangeGroup> groups;
    unsigned generation = 0;  ///< of the configuration that it was sent under
    bool in_doubt = false;
};

ZoneIndex BatchSender::open_zone(const dns::Name& name) {
    const auto [zone, is_new] = parts_.zones.open(name);
    if (is_new) {
        parts_.zones[zone].serial().publish_to(parts_.known.add_zone());
        parts_.zones[zone].contact_begins();
        parts_.backend.contact(name, [this, index = zone] {
            engine_thread.assert_held();
            parts_.zones[index].contact_ends();
            resolved(index);
        });
    }
    return zone;
}

void BatchSender::enqueue(ChangeGroup group) {
    const ZoneIndex zone = parts_.zones.of(group.front().host);
    const bool quarantined = std::any_of(group.begin(), group.end(), [this](const RrsetKey& rrset) {
        engine_thread.assert_held();
        return parts_.reconciler.is_quarantined(rrset);
    });
    parts_.zones[zone].push(std::move(group), quarantined);
    flush(zone);
}

void BatchSender::flush(ZoneIndex index) {
    ZoneQueue& zone = parts_.zones[index];
    while (zone.may_send(parts_.limits)) {
        if (zone.is_script_next()) {
            if (!zone.is_script_free()) return;
            parts_.scripts.send_next(index);
            continue;
        }
        auto batch = zone.take_batch(parts_.limits, [this, &zone](const RrsetKey& rrset) {
            engine_thread.assert_held();
            return dns::wire_size_bound(parts_.rrsets.at(rrset).decision().change, zone.name());
        });
        if (batch.empty()) return;
        const std::vector<RrsetKey> dropped = take_dropped(batch);
        if (!batch.empty()) send(index, std::move(batch));
        for (const RrsetKey& rrset : dropped) parts_.reconciler.dropped(rrset);
        for (const RrsetKey& rrset : dropped) parts_.reconciler.advance(rrset);
    }
}

/// Removes changes whose desired records have been given up; they are not sent. The members of a
/// group are given up together.
std::vector<RrsetKey> BatchSender::take_dropped(std::vector<ChangeGroup>& batch) {
    std::vector<RrsetKey> dropped;
    std::erase_if(batch, [&](const ChangeGroup& group) {
        if (std::all_of(group.begin(), group.end(), [this](const RrsetKey& rrset) {
                engine_thread.assert_held();
                return parts_.rrsets.at(rrset).is_still_wanted();
            }))
            return false;
        dropped.insert(dropped.end(), group.begin(), group.end());
        return true;
    });
    return dropped;
}

void BatchSender::send(ZoneIndex index, std::vector<ChangeGroup> groups) {
    const auto batch = std::make_shared<Batch>(Batch{index, std::move(groups), parts_.generation});
    std::vector<Change> changes;
    changes.reserve(batch->groups.size());
    base::TimePoint deadline{};
    const base::TimePoint began = parts_.clock();
    for (const ChangeGroup& group : batch->groups) {
        for (const RrsetKey& rrset : group) {
            RrsetQueue& queue = parts_.rrsets.at(rrset);
            queue.enter_flight(began);
            changes.push_back(queue.decision().change);
            parts_.on_change(rrset);
            deadline = std::max(deadline, queue.front().deadline);
        }
    }
    ZoneQueue& zone = parts_.zones[index];
    zone.batch_sent();
    const auto done = [this, batch, count = changes.size(), began](const dns::Reply& reply) {
        engine_thread.assert_held();
        parts_.on_update(count, parts_.clock() - began);
        answered(*batch, reply);
    };
    parts_.backend.apply(zone.name(), std::move(changes), parts_.backend_deadline(deadline), done,
                         [this, batch] {
                             engine_thread.assert_held();
                             parts_.zones[batch->zone].batch_resolved(batch->in_doubt);
                             resolved(batch->zone);
                         });
}

void BatchSender::answered(Batch& batch, const dns::Reply& reply) {
    ZoneQueue& zone = parts_.zones[batch.zone];
    // After an error, the server may still act on the message until it is resolved.
    batch.in_doubt = reply.has_error();
    if (batch.in_doubt) zone.batch_in_doubt();
    Reconciler& reconciler = parts_.reconciler;
    if (batch.generation != parts_.generation) {
        // Another server may serve the RRsets now, so this server's answer is not reported.
        for (const ChangeGroup& group : batch.groups) {
            for (const RrsetKey& rrset : group) reconciler.start_over(rrset);
        }
        return;
    }
    if (reply.has_error() && reply.error().is_refusal() && batch.groups.size() > 1) {
        for (const ChangeGroup& group : batch.groups) {
            for (const RrsetKey& rrset : group) parts_.rrsets.at(rrset).enter(RrsetState::queued);
        }
        return zone.push_halves(batch.groups);
    }
    for (const ChangeGroup& group : batch.groups) {
        if (reply.has_value()) {
            reconciler.committed(batch.zone, group);
            continue;
        }
        // All RRsets get their outcomes before any continues with its next desired record.
        const DnsError failure = of_group(reply.error(), group);
        for (const RrsetKey& rrset : group) reconciler.refused(rrset, failure);
        for (const RrsetKey& rrset : group) reconciler.advance(rrset);
    }
}

void BatchSender::resolved(ZoneIndex index) {
    ZoneQueue& zone = parts_.zones[index];
    if (!zone.is_in_doubt()) {
        for (const RrsetKey& rrset : zone.take_blocked()) parts_.reconciler.advance(rrset);
    }
    flush(index);
}

void BatchSender::blocked(const dns::Name& name, const DnsError& failure) {
    const auto found = parts_.zones.find(name);
    if (!found || !parts_.zones[*found].is_in_doubt()) return;
    ZoneQueue& zone = parts_.zones[*found];
    for (const RrsetKey& rrset : zone.take_blocked()) parts_.reconciler.fail_all(rrset, failure);
    const auto scripts = zone.take_scripts();
    for (const RrsetKey& rrset : zone.take_unsent()) {
        parts_.reconciler.dropped(rrset);
        parts_.reconciler.fail_all(rrset, failure);
    }
    for (const ScriptRunPtr& script : scripts) {
        if (!script->has_ended()) parts_.scripts.fail(script, failure);
    }
}

}  // namespace sftdyn::update
