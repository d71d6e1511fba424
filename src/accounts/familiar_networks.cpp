// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/familiar_networks.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/secret.hpp"

namespace sftdyn::accounts {

FamiliarNetworks::Digest FamiliarNetworks::digest(const Visit& visit) const {
    // The lengths in front: no two visits are one text.
    std::string all = fmt::format("{} {} ", visit.user.size(), visit.network.size());
    all.reserve(all.size() + visit.user.size() + visit.network.size() + visit.password.size());
    all.append(visit.user).append(visit.network).append(visit.password);
    const Digest out = hash_(all);
    base::zeroize(all);
    return out;
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
