// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/familiar_networks.hpp"

#include <algorithm>

namespace sftdyn::accounts {

FamiliarNetworks::Digest FamiliarNetworks::digest(const Visit& visit) const {
    return hash_.of_all({visit.user, visit.network, visit.password});
}

bool FamiliarNetworks::is_known(const Visit& visit) const {
    const Digest user = hash_(visit.user), wanted = digest(visit);
    const base::MutexLock lock(mutex_);
    const auto found = visits_.find(user);
    return found != visits_.end() &&
           std::ranges::find(found->second, wanted) != found->second.end();
}

void FamiliarNetworks::remember(const Visit& visit) {
    const Digest user = hash_(visit.user), fresh = digest(visit);
    const base::MutexLock lock(mutex_);
    auto& visits = visits_[user];
    std::erase(visits, fresh);
    if (visits.size() >= most_of_user) visits.erase(visits.begin());
    visits.push_back(fresh);
}

}  // namespace sftdyn::accounts
