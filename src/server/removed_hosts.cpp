// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/removed_hosts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"

namespace sftdyn::server {
namespace {

// The most records that are being removed at once, so that they don't fill the request queue.
constexpr std::size_t most_under_way = 500;

}  // namespace

void RemovedHosts::configure(std::vector<update::HostId> hosts, bool remove) {
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    const auto before = std::exchange(all_, std::move(hosts));
    std::erase_if(leaving_, [this](update::HostId host) {
        return std::binary_search(all_.begin(), all_.end(), host);
    });
    if (!remove) {
        leaving_.clear();
        return;
    }
    std::vector<update::HostId> gone;
    std::set_difference(before.begin(), before.end(), all_.begin(), all_.end(),
                        std::back_inserter(gone));
    if (gone.empty()) return;
    base::log::info("{} host{} no longer in the configuration: their records are removed",
                    gone.size(), gone.size() == 1 ? " is" : "s are");
    leaving_.insert(leaving_.end(), gone.begin(), gone.end());
    remove_next();
}

void RemovedHosts::remove_next() {
    while (!leaving_.empty() && under_way_ < most_under_way) {
        const update::HostId host = leaving_.front();
        leaving_.pop_front();
        under_way_ += 2;
        for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) submit({host, type});
    }
}

void RemovedHosts::submit(const update::RrsetKey& rrset) {
    update::DesiredRecord desired;
    desired.rrset = rrset;
    desired.kind = dns::ChangeKind::remove;
    desired.reverse = true;
    desired.unmetered = true;
    updates_.submit(std::move(desired), [this, rrset](update::UpdateOutcome outcome) {
        update::engine_thread.assert_held();
        if (outcome.status == update::UpdateStatus::committed)
            base::log::info("{} {}: removed, as the host is no longer in the configuration",
                            hosts_.name(rrset.host).text(), dns::type_text(rrset.type));
        --under_way_;
        remove_next();
    });
}

}  // namespace sftdyn::server
