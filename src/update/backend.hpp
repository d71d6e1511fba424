// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's interface to the DNS.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "dns/message.hpp"
#include "update/desired_record.hpp"
#include "update/zone_serial.hpp"

namespace sftdyn::update {

/// Finds the zone of a name, looks up served records, and changes them. All functions are called,
/// and call back, on the engine's thread; no callback runs before its function has returned.
/// Outlives the engine.
class Backend {
public:
    template <class T>
    using Done = std::function<void(dns::DnsResult<T>)>;

    virtual ~Backend() = default;

    /// Finds the zone that contains `name`.
    virtual void find_zone(const dns::Name& name, base::TimePoint deadline,
                           Done<dns::Name> done) = 0;

    /// Looks up the records that exist at the name itself; records synthesized from a wildcard do
    /// not count. Fails when the name is no longer in `zone`, or is occluded there.
    virtual void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                         base::TimePoint deadline, Done<ServedRecords> done) = 0;

    /// Queries the serial of `zone`. Fails when no authoritative answer has it.
    virtual void read_serial(const dns::Name& zone, base::TimePoint deadline,
                             Done<SerialReading> done) = 0;

    /// Whether the server of `zone` answers queries at all.
    [[nodiscard]] virtual bool answers_queries(const dns::Name& zone) const = 0;

    /// Sends the content to the server of `zone` in one message, which takes effect as a whole or
    /// not at all. `resolved` is called once, with or after `done`, when the server has answered
    /// the message or can no longer act on it.
    virtual void apply(const dns::Name& zone, dns::UpdateContent content, base::TimePoint deadline,
                       Done<dns::Answer> done, std::function<void()> resolved) = 0;

    /// The first contact with `zone`: `resolved` is called once when the server can no longer act
    /// on what an earlier process may have sent.
    virtual void contact(const dns::Name& zone, std::function<void()> resolved) = 0;

    /// Called with the reason why a zone stays in doubt, when a fence query has failed for a reason
    /// worth reporting.
    using OnBlocked = std::function<void(const dns::Name& zone, const dns::DnsError& failure)>;
    void on_blocked(OnBlocked told) { on_blocked_ = std::move(told); }

protected:
    OnBlocked on_blocked_ = [](const dns::Name&, const dns::DnsError&) {};
};

}  // namespace sftdyn::update
