// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/desired_record.hpp"

#include <algorithm>

namespace sftdyn::update {

bool matches(const std::vector<std::string>& served, const DesiredRecord& desired) {
    switch (desired.kind) {
        case dns::ChangeKind::replace:
            return served.size() == 1 && served.front() == desired.rdata;
        case dns::ChangeKind::remove:
            return served.empty();
        case dns::ChangeKind::remove_record:
            return std::find(served.begin(), served.end(), desired.rdata) == served.end();
        case dns::ChangeKind::claim:
            return !served.empty();  // its own record, or a foreign one that stays
    }
    return false;
}

}  // namespace sftdyn::update
