// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/parameter_names.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace sftdyn::protocol {
namespace {

constexpr ParameterName names[] = {
    {"hostname", Meaning::hosts},
    {"hostnames", Meaning::hosts},
    {"domains", Meaning::hosts},
    {"domain_name", Meaning::hosts},
    {"domainname", Meaning::hosts},
    {"zone", Meaning::hosts},
    {"fqdn", Meaning::hosts},
    {"h", Meaning::hosts},
    {"host", Meaning::label},
    {"domain", Meaning::domain},
    {"host_id", Meaning::host_id},
    {"hostid", Meaning::host_id},

    {"myip", Meaning::address},
    {"ip", Meaning::address},
    {"address", Meaning::address},
    {"addr", Meaning::address},
    {"ipaddr", Meaning::address},
    {"ipaddress", Meaning::address},
    {"myipaddress", Meaning::address},
    {"dnsto", Meaning::address},
    {"myipv4", Meaning::v4},
    {"myip4", Meaning::v4},
    {"ipv4", Meaning::v4},
    {"ip4", Meaning::v4},
    {"ip4addr", Meaning::v4},
    {"ipv4addr", Meaning::v4},
    {"v4", Meaning::v4},
    {"a", Meaning::v4},
    {"myipv6", Meaning::v6},
    {"myip6", Meaning::v6},
    {"ipv6", Meaning::v6},
    {"ip6", Meaning::v6},
    {"ip6addr", Meaning::v6},
    {"ipv6addr", Meaning::v6},
    {"v6", Meaning::v6},
    {"aaaa", Meaning::v6},
    {"ip6lanprefix", Meaning::prefix},
    {"ipv6lanprefix", Meaning::prefix},
    {"ipv6prefix", Meaning::prefix},
    {"ip6prefix", Meaning::prefix},
    {"prefix", Meaning::prefix},

    {"username", Meaning::user},
    {"user", Meaning::user},
    {"login", Meaning::user},
    {"u", Meaning::user},
    {"password", Meaning::password},
    {"passwd", Meaning::password},
    {"pass", Meaning::password},
    {"pwd", Meaning::password},
    {"pw", Meaning::password},
    {"p", Meaning::password},
    {"token", Meaning::key},
    {"key", Meaning::key},
    {"apikey", Meaning::key},
    {"k", Meaning::key},

    {"offline", Meaning::offline},
    {"clear", Meaning::offline},
    {"verbose", Meaning::verbose},

    // dyndns1 and dyndns2: the service, MX and wildcard records, and redirects.
    {"system", Meaning::ignored},
    {"wildcard", Meaning::ignored},
    {"mx", Meaning::ignored},
    {"backmx", Meaning::ignored},
    {"backupmx", Meaning::ignored},
    {"url", Meaning::ignored},
    {"static", Meaning::ignored},
    {"action", Meaning::ignored},
    {"started", Meaning::ignored},
    // The client software and its vendor.
    {"agent", Meaning::ignored},
    {"client", Meaning::ignored},
    {"partner", Meaning::ignored},
    {"version", Meaning::ignored},
    // changeip, regfish, Njalla: options of the operation that have no effect here.
    {"cmd", Meaning::ignored},
    {"set", Meaning::ignored},
    {"authtype", Meaning::ignored},
    {"forcehost", Meaning::ignored},
    {"auto", Meaning::ignored},
    {"quiet", Meaning::ignored},
    // To defeat caches.
    {"_", Meaning::ignored},
    {"nocache", Meaning::ignored},
    {"timestamp", Meaning::ignored},
};

}  // namespace

std::span<const ParameterName> parameter_names() { return names; }

std::optional<Meaning> meaning_of(std::string_view name) {
    const auto* found = std::ranges::find_if(
        names, [&](const ParameterName& known) { return base::ascii_iequals(known.name, name); });
    return found == std::end(names) ? std::nullopt : std::optional(found->meaning);
}

}  // namespace sftdyn::protocol
