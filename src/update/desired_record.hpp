// SPDX-License-Identifier: GPL-3.0-or-later
// What shall be served, and the outcome.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dns/message.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::update {

/// What shall be served for an RRset.
struct DesiredRecord {
    RrsetKey rrset;
    std::uint32_t ttl{};  ///< seconds
    dns::ChangeKind kind = dns::ChangeKind::replace;
    std::string rdata{};
    bool reverse = false;    ///< keep the address's PTR record too, where its zone is ours
    bool unmetered = false;  ///< costs the host's budget nothing
    bool at_source =
        false;  ///< the request came from that address: only of such a one is the PTR record set
};

/// What the server serves for an RRset.
struct ServedRecords {
    std::vector<std::string> rdata{};  ///< of each record; empty: there is none
    std::uint32_t ttl = 0;             ///< seconds
    bool is_known = true;              ///< false: the server can't be asked
    friend bool operator==(const ServedRecords&, const ServedRecords&) = default;
};

/// Whether `served` is what `desired` asks for.
[[nodiscard]] bool matches(const ServedRecords& served, const DesiredRecord& desired);

enum class UpdateStatus : std::uint8_t {
    committed,    ///< the server has confirmed the change
    unchanged,    ///< the server served it so already
    failed,       ///< not done, or not known to be done
    over_budget,  ///< the host has spent its budget of changes
    overloaded    ///< too many wait already
};

/// The outcome of a desired record, or of a script.
struct UpdateOutcome {
    UpdateStatus status{};
    std::chrono::seconds retry_after{};  ///< with over_budget and overloaded
};

/// Called once.
using OnOutcome = std::function<void(UpdateOutcome)>;
/// Called once, with one outcome for each desired record, in their order.
using OnOutcomes = std::function<void(const std::vector<UpdateOutcome>&)>;

}  // namespace sftdyn::update
