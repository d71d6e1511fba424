// SPDX-License-Identifier: GPL-3.0-or-later
// Why a server refuses an UPDATE, as far as it lets one see.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/time_source.hpp"
#include "dns/dns_server.hpp"

namespace sftdyn::update {

/// Tells what is wrong with one UPDATE from what is wrong with all of its zone, by one that changes
/// nothing. What that has told is kept for ten seconds for each zone. Owned by `DnsBackend`; used
/// on the engine's thread.
class RefusalExplainer {
public:
    explicit RefusalExplainer(base::TimeSourcePtr time) : time_(std::move(time)) {}

    using Told = std::function<void(const dns::DnsError&)>;
    /// The UPDATE of `zone` with that content has failed so at `server`, which `keep` keeps. `told`
    /// is called once, by `deadline`, with the failure and its likely cause.
    void explain(const dns::Name& zone, const dns::UpdateContent& content,
                 const dns::DnsError& failure, dns::DnsServer& server, std::shared_ptr<void> keep,
                 base::TimePoint deadline, Told told);
    /// There is something to tell of such a failure.
    [[nodiscard]] static bool can_explain(const dns::UpdateContent& content,
                                          const dns::DnsError& failure);
    /// Other servers are asked now.
    void forget() { verdicts_.clear(); }

private:
    /// What became of the UPDATE that changes nothing.
    struct Verdict {
        base::TimePoint until{};
        std::uint16_t rcode = 0;
    };
    base::TimeSourcePtr time_;
    std::map<std::pair<dns::Name, std::string>, Verdict> verdicts_;  ///< by zone and server
};

}  // namespace sftdyn::update
