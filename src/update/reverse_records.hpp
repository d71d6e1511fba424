// SPDX-License-Identifier: GPL-3.0-or-later
// The PTR records that follow the addresses of hosts.
#pragma once

#include <string>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// When a host's address has changed, or was seen to be right, it submits desired records for the
/// PTR records of the addresses. Their failures reach the log by `EngineParts::fail`. Owned by
/// `Reconciler`; used on the engine's thread.
///
/// Only a record of this host is deleted, and only where there is none is one set: the server sees
/// to both (RFC 2136 §2.5.4, §2.4.3). Whoever may name any address must not take the name of a
/// foreign one.
class ReverseRecords {
public:
    explicit ReverseRecords(EngineParts& parts) : parts_(parts) {}

    /// `desired`, of an address, is served now in place of `before`, record data of its RRset.
    void follow(const DesiredRecord& desired, const std::vector<std::string>& before)
        REQUIRES(engine_thread);
    /// The PTR RRset is claimed for the host with the name `own`, and holds `served`: tells when
    /// that is of others.
    void report_foreign(const RrsetKey& pointer, const std::vector<std::string>& served,
                        const std::string& own) const REQUIRES(engine_thread);

private:
    void submit(const DesiredRecord& desired, const std::string& address, dns::ChangeKind kind)
        REQUIRES(engine_thread);

    EngineParts& parts_;
};

}  // namespace sftdyn::update
