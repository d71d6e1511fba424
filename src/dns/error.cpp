// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/error.hpp"
#include "dns/knot.hpp"

#include <fmt/format.h>

namespace sftdyn::dns {
namespace {

std::string likely_cause_of_query(std::uint16_t rcode) {
    switch (rcode) {
        case KNOT_RCODE_SERVFAIL:
            return "the zone is not loaded there: an error in its file, a journal that does not "
                   "fit "
                   "a file that was edited (BIND: \"journal rollforward failed\", then remove the "
                   ".jnl file), or a copy that has expired; its own log says which";
        case KNOT_RCODE_REFUSED:
            return "it does not serve the zone, or answers no queries from here: check the zone's "
                   "name, and allow-query and the views (BIND)";
        default:
            return "it did not understand the query, or does not want to: its own log says why";
    }
}

std::string likely_cause(std::uint16_t rcode) {
    switch (rcode) {
        case KNOT_RCODE_REFUSED:
            return "its policy does not allow this key to change this name: check update-policy or "
                   "allow-update (BIND), "
                   "acl (Knot), TSIG-ALLOW-DNSUPDATE, ALLOW-DNSUPDATE-FROM and "
                   "lua-dnsupdate-policy-script (PowerDNS)";
        case KNOT_RCODE_NOTAUTH:
            return "it is not the primary server of the zone, or does not know the zone: check the "
                   "zone's name and type";
        case KNOT_RCODE_NOTZONE:
            return "the name is not in that zone: check `zone` and the host's name in the "
                   "configuration";
        case KNOT_RCODE_SERVFAIL:
            return "it could not write the zone: the journal or its folder is not writable for it, "
                   "AppArmor forbids it "
                   "(on Debian keep dynamic zones in /var/lib/bind), or the disk is full; its own "
                   "log says which";
        case KNOT_RCODE_NOTIMPL:
            return "it does not accept dynamic updates: enable them (PowerDNS: dnsupdate=yes)";
        case KNOT_RCODE_FORMERR:
            return "it did not understand the message: is it really a DNS server that takes "
                   "updates?";
        case KNOT_RCODE_YXRRSET:
            return "a prerequisite is not met (RFC 2136 §2.4): a CNAME stands at the name, or a "
                   "DNAME or a delegation above it, which would hide the record; or a PTR record "
                   "is "
                   "another's";
        case KNOT_RCODE_YXDOMAIN:
        case KNOT_RCODE_NXDOMAIN:
        case KNOT_RCODE_NXRRSET:
            return "a prerequisite is not met (RFC 2136 §2.4): the zone holds something else";
        default:
            return "the server's own log says why";
    }
}

}  // namespace

std::string rcode_text(std::uint16_t rcode) {
    const knot_lookup_t* found = knot_lookup_by_id(knot_rcode_names, rcode);
    return found != nullptr ? found->name : fmt::format("RCODE{}", rcode);
}

std::string DnsError::text() const {
    std::string out = server.empty() ? detail : server + ": " + detail;
    if (!cause.empty()) out += "; " + cause;
    return out;
}

std::string DnsError::key() const {
    return fmt::format("{}/{}/{}", static_cast<int>(kind), rcode, server);
}

DnsError rcode_failure(std::uint16_t rcode, std::string server, std::string what) {
    return {ErrorKind::rcode, rcode, std::move(server),
            fmt::format("the DNS server answered {} to {}", rcode_text(rcode), what),
            likely_cause(rcode)};
}

DnsError query_failure(std::uint16_t rcode, std::string server, std::string what) {
    DnsError failure = rcode_failure(rcode, std::move(server), std::move(what));
    failure.cause = likely_cause_of_query(rcode);
    return failure;
}

}  // namespace sftdyn::dns
