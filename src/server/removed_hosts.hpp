// SPDX-License-Identifier: GPL-3.0-or-later
// Removes the records of hosts that are no longer configured.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "server/update_service.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::server {

/// Removes the A and AAAA records of hosts that are missing after a reload, a limited number at a
/// time. A failed removal is logged like any failed change, and is not retried. A host that is
/// configured again before its turn keeps its records. Owned by `Service`; used on the engine's
/// thread, which also reports the outcomes.
class RemovedHosts {
public:
    RemovedHosts(UpdateService& updates, const update::HostTable& hosts)
        : updates_(updates), hosts_(hosts) {}

    /// To be called at the start and after each reload, with all hosts. With `remove`, the records
    /// of hosts that were in the last call and are not in this one are removed.
    void configure(std::vector<update::HostId> hosts, bool remove) REQUIRES(update::engine_thread);

private:
    void remove_next() REQUIRES(update::engine_thread);
    void submit(const update::RrsetKey& rrset) REQUIRES(update::engine_thread);

    UpdateService& updates_;
    const update::HostTable& hosts_;
    std::vector<update::HostId> all_;  ///< sorted, without duplicates
    std::deque<update::HostId> leaving_;
    std::size_t under_way_ = 0;  ///< number of records
};

}  // namespace sftdyn::server
