// SPDX-License-Identifier: GPL-3.0-or-later
// Maintains the PTR records of the hosts' addresses.
#pragma once

#include <string>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// When a host's address has changed or was confirmed, submits desired records for the PTR records
/// of its addresses. Failures reach the log through `EngineParts::fail`. Owned by `Reconciler`;
/// used on the engine's thread.
///
/// A PTR record is deleted only if it is this host's, and set only if the address has none; the
/// server enforces both (RFC 2136 §2.5.4, §2.4.3). A client that may set any address must not be
/// able to take over another host's reverse name.
class ReverseRecords {
public:
    explicit ReverseRecords(EngineParts& parts) : parts_(parts) {}

    /// The address record `desired` is served now, in place of the record data `before`.
    void follow(const DesiredRecord& desired, const std::vector<std::string>& before)
        REQUIRES(engine_thread);
    /// Reports a failure when the PTR RRset, which is to be claimed for the host `own`, has records
    /// of other hosts. `served` is the RRset's record data.
    void report_foreign(const RrsetKey& pointer, const std::vector<std::string>& served,
                        const std::string& own) const REQUIRES(engine_thread);

private:
    void submit(const DesiredRecord& desired, const std::string& address, dns::ChangeKind kind)
        REQUIRES(engine_thread);

    EngineParts& parts_;
};

}  // namespace sftdyn::update
