// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/desired_record.hpp"

#include <algorithm>

namespace sftdyn::update {

bool matches(const ServedRecords& served, const DesiredRecord& desired) {
    const auto& rdata = served.rdata;
    if (!served.is_known) return false;
    switch (desired.kind) {
        case dns::ChangeKind::replace:
            return rdata.size() == 1 && rdata.front() == desired.rdata && served.ttl == desired.ttl;
        case dns::ChangeKind::remove:
            return rdata.empty();
        case dns::ChangeKind::remove_record:
            return std::find(rdata.begin(), rdata.end(), desired.rdata) == rdata.end();
        case dns::ChangeKind::claim:
            return !rdata.empty();  // this host's record, or another host's, which stays
    }
    return false;
}

}  // namespace sftdyn::update
