// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/reverse_records.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dns/knot.hpp"
#include "update/reconciler.hpp"

namespace sftdyn::update {

using dns::Change;
using dns::DnsError;

void ReverseRecords::follow(const DesiredRecord& desired, const std::vector<std::string>& before) {
    for (const std::string& old : before) {
        if (old != desired.rdata) submit(desired, old, dns::ChangeKind::remove_record);
    }
    if (desired.kind == dns::ChangeKind::replace && desired.at_source)
        submit(desired, desired.rdata, dns::ChangeKind::claim);
}

void ReverseRecords::submit(const DesiredRecord& desired, const std::string& rdata,
                            dns::ChangeKind kind) {
    const auto address = dns::address_of(desired.rrset.type, rdata);
    if (address.has_error()) return;
    const RrsetKey pointer{parts_.hosts.number(dns::reverse_name(*address)), dns::Type::ptr};
    parts_.reconciler.submit({.rrset = pointer,
                              .ttl = desired.ttl,
                              .kind = kind,
                              .rdata = std::string(parts_.hosts.name(desired.rrset.host).bytes()),
                              .reverse = false,
                              .unmetered = true,
                              .at_source = false},
                             [](UpdateOutcome) {});  // failures reach the log through on_failure
}

void ReverseRecords::report_foreign(const RrsetKey& pointer, const std::vector<std::string>& served,
                                    const std::string& own) const {
    if (std::find(served.begin(), served.end(), own) != served.end()) return;
    const auto text = fmt::format("the address has the PTR record of another name, {}, which stays",
                                  dns::rdata_text(dns::Type::ptr, served.front()));
    // The same RCODE as the server's when the prerequisite "RRset does not exist" fails.
    parts_.fail(pointer, {dns::ErrorKind::rcode, KNOT_RCODE_YXRRSET, "", text,
                          "delete that record if it is out of date"});
}

}  // namespace sftdyn::update
