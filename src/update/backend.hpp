// SPDX-License-Identifier: GPL-3.0-or-later
// What the engine needs of the DNS.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "dns/message.hpp"
#include "update/desired_record.hpp"

namespace sftdyn::update {

/// Says where a name lives and what is served, and changes it. Everything is called, and calls
/// back, on the engine's thread, and never calls back from within the call. It outlives the engine.
class Backend {
public:
    template <class T>
    using Done = std::function<void(dns::DnsResult<T>)>;

    virtual ~Backend() = default;

    /// The zone that holds `name`.
    virtual void find_zone(const dns::Name& name, base::TimePoint deadline,
                           Done<dns::Name> done) = 0;

    /// What the authoritative server has at the name itself: what it makes of a wildcard is none.
    /// A name that is not in `zone` any more, or hidden there, is a failure.
    virtual void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                         base::TimePoint deadline, Done<ServedRecords> done) = 0;

    /// Sends the content to the server of `zone` in one message: all of it is done, or nothing.
    /// `resolved` is called once, with or after `done`, when the server has answered the message or
    /// can no longer act on it.
    virtual void apply(const dns::Name& zone, dns::UpdateContent content, base::TimePoint deadline,
                       Done<dns::Answer> done, std::function<void()> resolved) = 0;

    /// The first contact with `zone`: `resolved` is called once when the server can no longer act
    /// on what an earlier process may have sent.
    virtual void contact(const dns::Name& zone, std::function<void()> resolved) = 0;

    /// Told why something in the zone is still in doubt, when the server was asked about it and
    /// gave a reason to tell.
    using OnBlocked = std::function<void(const dns::Name& zone, const dns::DnsError& failure)>;
    void on_blocked(OnBlocked told) { on_blocked_ = std::move(told); }

protected:
    OnBlocked on_blocked_ = [](const dns::Name&, const dns::DnsError&) {};
};

}  // namespace sftdyn::update
