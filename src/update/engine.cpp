// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sftdyn::update {
namespace {

constexpr auto sweep_interval = std::chrono::seconds(30);
constexpr std::array all_types{dns::Type::a, dns::Type::aaaa, dns::Type::ptr};

}  // namespace

Engine::Engine(Backend& backend, HostTable& hosts, ServedCache& known, const EngineLimits& limits,
               Clock clock, OnFailure on_failure)
    : parts_{.backend = backend,
             .hosts = hosts,
             .known = known,
             .limits = limits,
             .clock = std::move(clock),
             .on_failure = std::move(on_failure),
             .reconciler = reconciler_,
             .batches = batches_,
             .scripts = scripts_} {
    backend.on_blocked([this](const dns::Name& zone, const dns::DnsError& failure) {
        engine_thread.assert_held();
        batches_.blocked(zone, failure);
    });
}

void Engine::submit(DesiredRecord desired, Done done) {
    reconciler_.submit(std::move(desired), std::move(done));
}

void Engine::submit_group(std::vector<DesiredRecord> desired_records, GroupDone done) {
    reconciler_.submit_group(std::move(desired_records), std::move(done));
}

void Engine::submit_messages(const RrsetKey& about, std::vector<dns::UpdateMessage> messages,
                             Done done, std::string served) {
    scripts_.submit(about, std::move(messages), std::move(done), std::move(served));
}

bool Engine::is_still_so(const DesiredRecord& desired) const {
    const RrsetQueue* queue = parts_.rrsets.find(desired.rrset);
    if (queue != nullptr) return queue->served() && matches(*queue->served(), desired);
    const bool replaces = desired.kind == dns::ChangeKind::replace;
    return parts_.known.is_served(desired.rrset, replaces ? desired.rdata : std::string(),
                                  base::TimePoint::min(), desired.ttl);
}

bool Engine::believe_zone(HostId host, const dns::Name& zone) {
    const ZoneIndex known = parts_.zones.of(host);
    if (known != unresolved_zone) return parts_.zones[known].name() == zone;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        if (parts_.rrsets.find({host, type}) != nullptr) return false;
    }
    parts_.rrsets.set_zone(host, batches_.open_zone(zone));
    return true;
}

void Engine::tick() {
    const auto now = parts_.clock();
    reconciler_.tick(now);
    scripts_.tick(now);
    if (now < next_sweep_) return;
    parts_.rate_limiter.sweep(now);
    next_sweep_ = now + sweep_interval;
}

void Engine::give_up_all() {
    reconciler_.tick(base::TimePoint::max());
    scripts_.tick(base::TimePoint::max());
}

void Engine::reconfigure(const EngineLimits& limits, bool servers_changed) {
    parts_.limits = limits;
    parts_.queries.set_limit(limits.queries_in_flight);
    parts_.rate_limiter.set(limits.change_rates());
    if (!servers_changed) return seek_zones_again();
    ++parts_.generation;
    parts_.known.clear();
    reconciler_.forget_servers();
    ZoneTable& zones = parts_.zones;
    for (HostId host = 0; host < zones.host_end(); ++host)
        parts_.rrsets.set_zone(host, unresolved_zone);
    // Waiting changes and scripts go back to the zone look-up now; those in flight do so when they
    // are answered.
    std::vector<RrsetKey> rrsets;
    std::vector<ScriptRunPtr> scripts;
    for (ZoneIndex zone = 0; zone < zones.size(); ++zone) {
        zones[zone].serial().forget();
        for (const auto& taken : {zones[zone].take_blocked(), zones[zone].take_unsent()})
            rrsets.insert(rrsets.end(), taken.begin(), taken.end());
        for (ScriptRunPtr& script : zones[zone].take_scripts())
            scripts.push_back(std::move(script));
    }
    for (const RrsetKey& rrset : rrsets) reconciler_.start_over(rrset);
    for (const ScriptRunPtr& script : scripts) scripts_.resume(script);
}

/// The servers may have other zones than before. Work in progress continues with its present zone.
void Engine::seek_zones_again() {
    for (HostId host = 0; host < parts_.zones.host_end(); ++host) {
        const bool at_work =
            std::any_of(all_types.begin(), all_types.end(), [&](const dns::Type type) {
                engine_thread.assert_held();
                return parts_.rrsets.find({host, type}) != nullptr;
            });
        if (!at_work) parts_.rrsets.set_zone(host, unresolved_zone);
    }
}

}  // namespace sftdyn::update
