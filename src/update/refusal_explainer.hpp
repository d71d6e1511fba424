// SPDX-License-Identifier: GPL-3.0-or-later
// Finds the likely cause of a refused UPDATE.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/time_source.hpp"
#include "dns/dns_server.hpp"

namespace sftdyn::update {

/// Sends an UPDATE that changes nothing, to learn whether the server refuses one UPDATE or all
/// UPDATEs of the zone. The answer is cached for ten seconds for each zone and server. Owned by
/// `DnsBackend`; used on the engine's thread.
class RefusalExplainer {
public:
    explicit RefusalExplainer(base::TimeSourcePtr time) : time_(std::move(time)) {}

    using Told = std::function<void(const dns::DnsError&)>;
    /// Explains why the UPDATE of `zone` with `content` has failed with `failure` at `server`,
    /// which `keep` keeps alive. `told` is called once, by `deadline`, with the failure and its
    /// likely cause.
    void explain(const dns::Name& zone, const dns::UpdateContent& content,
                 const dns::DnsError& failure, dns::DnsServer& server, std::shared_ptr<void> keep,
                 base::TimePoint deadline, Told told);
    /// Whether the cause of such a failure can be explained.
    [[nodiscard]] static bool can_explain(const dns::UpdateContent& content,
                                          const dns::DnsError& failure);
    /// Forgets the cached answers: the servers have changed.
    void forget() { fence_answers_.clear(); }

private:
    /// The outcome of the UPDATE that changes nothing.
    struct FenceAnswer {
        base::TimePoint until{};
        std::uint16_t rcode = 0;
    };
    base::TimeSourcePtr time_;
    std::map<std::pair<dns::Name, std::string>, FenceAnswer>
        fence_answers_;  ///< by zone and server
};

}  // namespace sftdyn::update
