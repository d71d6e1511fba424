// SPDX-License-Identifier: GPL-3.0-or-later
// Desired and served records, and the outcome of an update.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dns/message.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::update {

/// The record that is to be served for an RRset.
struct DesiredRecord {
    RrsetKey rrset;
    std::uint32_t ttl{};  ///< seconds
    dns::ChangeKind kind = dns::ChangeKind::replace;
    std::string rdata{};
    bool reverse = false;    ///< also maintain the address's PTR record, where we serve its zone
    bool unmetered = false;  ///< not charged to the host's budget
    bool at_source = false;  ///< the request came from this address; a PTR record is set only then
};

/// The records that the server serves for an RRset.
struct ServedRecords {
    std::vector<std::string> rdata{};  ///< of each record; empty: there is no record
    std::uint32_t ttl = 0;             ///< seconds
    bool is_known = true;              ///< false: the server answers no queries
    unsigned source = 0;  ///< the address of the server that has answered, counted from 1
    friend bool operator==(const ServedRecords&, const ServedRecords&) = default;
};

/// Whether `served` is what `desired` asks for.
[[nodiscard]] bool matches(const ServedRecords& served, const DesiredRecord& desired);

/// How a desired record, or a script, ended.
enum class UpdateStatus : std::uint8_t {
    committed,    ///< the server has confirmed the change
    unchanged,    ///< the server already served the desired record
    failed,       ///< not carried out, or the outcome is unknown
    over_budget,  ///< the host has spent its budget of changes
    overloaded    ///< too many desired records are waiting
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
