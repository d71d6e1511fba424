// SPDX-License-Identifier: GPL-3.0-or-later
// The records of hosts that were taken out of the configuration.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "server/update_service.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::server {

/// Removes the A and AAAA records of hosts that a reload no longer has, some at a time. What fails
/// is in the log as every change that fails, and is not tried again. A host that comes back before
/// its turn keeps its records. Owned by `Service`; used on the engine's thread, on which all that
/// it has submitted is told.
class RemovedHosts {
public:
    RemovedHosts(UpdateService& updates, const update::HostTable& hosts)
        : updates_(updates), hosts_(hosts) {}

    /// At the start and after each reload: all hosts. With `remove` those of the last call that are
    /// not among them lose their records.
    void configure(std::vector<update::HostId> hosts, bool remove) REQUIRES(update::engine_thread);

private:
    void remove_next() REQUIRES(update::engine_thread);
    void submit(const update::RrsetKey& rrset) REQUIRES(update::engine_thread);

    UpdateService& updates_;
    const update::HostTable& hosts_;
    std::vector<update::HostId> all_;  ///< in order, each once
    std::deque<update::HostId> leaving_;
    std::size_t under_way_ = 0;  ///< records
};

}  // namespace sftdyn::server
