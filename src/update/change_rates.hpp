// SPDX-License-Identifier: GPL-3.0-or-later
// The permitted rates of change of hosts.
#pragma once

#include <memory>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/token_bucket.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::update {

/// The hosts that have their own rate. Immutable, and shared by threads.
using OwnChangeRates = std::shared_ptr<const boost::unordered_flat_map<HostId, base::TokenRate>>;

/// The rate of each host. A burst of 0 means: no limit.
struct ChangeRates {
    base::TokenRate usual{};
    OwnChangeRates own{};  ///< null: no host has its own rate

    [[nodiscard]] base::TokenRate of(HostId host) const {
        if (!own) return usual;
        const auto found = own->find(host);
        return found == own->end() ? usual : found->second;
    }
};

}  // namespace sftdyn::update
