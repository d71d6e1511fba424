// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/desired_record.hpp"

#include <algorithm>

namespace sftdyn::update {

bool matches(const std::vector<std::string>& served, const DesiredRecord& desired) {
    using Kind = dns::Change::Kind;
    switch (desired.kind) {
        case Kind::replace:
            return served.size() == 1 && served.front() == desired.rdata;
        case Kind::remove:
            return served.empty();
        case Kind::remove_record:
            return std::find(served.begin(), served.end(), desired.rdata) == served.end();
        case Kind::claim:
            return !served.empty();  // its own record, or a foreign one that stays
    }
    return false;
}

}  // namespace sftdyn::update
