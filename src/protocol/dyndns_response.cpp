// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_response.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sftdyn::protocol {
namespace {

bool is_success(const HostAnswer& host) {
    return host.code == ReturnCode::good || host.code == ReturnCode::nochg;
}
bool is_trouble(const HostAnswer& host) {
    return host.code == ReturnCode::dnserr || host.code == ReturnCode::server_error;
}

http::Response answer_dyndns2(const std::vector<HostAnswer>& hosts) {
    http::Response out;
    for (const HostAnswer& host : hosts) {
        if (!out.body.empty()) out.body += '\n';
        out.body += text_of(host.code);
        if (is_success(host) && !host.addresses.empty()) out.body += " " + host.addresses;
    }
    if (hosts.empty()) out.body = "notfqdn";
    // Status 500 only when every host failed: otherwise the client must read which ones succeeded.
    if (!hosts.empty() && std::all_of(hosts.begin(), hosts.end(), is_trouble)) out.status = 500;
    return out;
}

http::Response answer_duckdns(const AddressUpdate& update, const std::vector<HostAnswer>& hosts) {
    if (hosts.empty() || !std::all_of(hosts.begin(), hosts.end(), is_success)) return {200, "KO"};
    if (!update.verbose) return {200, "OK"};
    const bool changed = std::any_of(hosts.begin(), hosts.end(), [](const HostAnswer& host) {
        return host.code == ReturnCode::good;
    });
    return {200, fmt::format("OK\n{}\n{}\n{}", update.v4 ? update.v4->text : "",
                             update.v6 ? update.v6->text : "", changed ? "UPDATED" : "NOCHANGE")};
}

http::Response answer_freedns(const std::vector<HostAnswer>& hosts) {
    http::Response out;
    for (const HostAnswer& host : hosts) {
        if (!out.body.empty()) out.body += '\n';
        if (host.code == ReturnCode::good) {
            out.body += fmt::format("Updated {} to {}", host.host, host.addresses);
        } else if (host.code == ReturnCode::nochg) {
            out.body += fmt::format("No IP change detected for {} with IP {}, skipping update",
                                    host.host, host.addresses);
        } else {
            out.body += fmt::format("ERROR: {}: {}", host.host, text_of(host.code));
        }
    }
    if (std::any_of(hosts.begin(), hosts.end(), is_trouble)) out.status = 500;
    return out;
}

http::Response answer_secret_url(const std::vector<HostAnswer>& hosts, std::string_view uptodate) {
    const auto any = [&](ReturnCode code) {
        return std::any_of(hosts.begin(), hosts.end(),
                           [&](const HostAnswer& host) { return host.code == code; });
    };
    if (any(ReturnCode::dnserr) || any(ReturnCode::server_error)) return {500, "FAIL"};
    if (any(ReturnCode::abuse)) return {429, "ABUSE", {}, std::chrono::seconds(30)};
    return {200, any(ReturnCode::good) ? "OK" : std::string(uptodate)};
}

}  // namespace

const char* text_of(ReturnCode code) {
    switch (code) {
        case ReturnCode::good:
            return "good";
        case ReturnCode::nochg:
            return "nochg";
        case ReturnCode::nohost:
            return "nohost";
        case ReturnCode::not_yours:
            return "!yours";
        case ReturnCode::notfqdn:
            return "notfqdn";
        case ReturnCode::abuse:
            return "abuse";
        case ReturnCode::dnserr:
            return "dnserr";
        case ReturnCode::server_error:
            break;
    }
    return "911";
}

http::Response answer(const AddressUpdate& update, const std::vector<HostAnswer>& hosts,
                      std::string_view uptodate) {
    switch (update.dialect) {
        case Dialect::secret_url:
            return answer_secret_url(hosts, uptodate);
        case Dialect::duckdns:
            return answer_duckdns(update, hosts);
        case Dialect::freedns:
            return answer_freedns(hosts);
        case Dialect::dyndns2:
            break;
    }
    return answer_dyndns2(hosts);
}

http::Response bad_credential(Dialect dialect) {
    if (dialect == Dialect::secret_url) return {403, "BADKEY"};
    if (dialect == Dialect::duckdns) return {200, "KO"};
    if (dialect == Dialect::freedns) return {403, "ERROR: Invalid update URL"};
    return {401, "badauth", {}, {}, "Basic realm=\"sftdyn\""};
}

http::Response refused_address(Dialect dialect) {
    if (dialect == Dialect::secret_url) return {403, "BADADDRESS"};
    // inadyn and ddclient retry after this; dyndns2's codes for a refusal would stop them.
    return server_error(dialect);
}

http::Response too_many_guesses(Dialect dialect) {
    if (dialect == Dialect::secret_url || dialect == Dialect::freedns) {
        http::Response out = bad_credential(dialect);
        out.status = 429;
        return out;
    }
    // inadyn does not know 429 and would exit; it waits after 503, as ddclient does.
    return {503, dialect == Dialect::duckdns ? "KO" : "911"};
}

http::Response too_many_hosts(Dialect dialect) {
    return {200, dialect == Dialect::duckdns ? "KO" : "numhost"};
}

http::Response server_error(Dialect dialect) {
    return {500, dialect == Dialect::duckdns      ? "KO"
                 : dialect == Dialect::secret_url ? "FAIL"
                                                  : "911"};
}

http::Response too_many_parameters() { return {400, "BAD REQUEST"}; }

http::Response wrong_method() { return {405, "METHOD NOT ALLOWED", "GET, POST"}; }

http::Response check_ip(const http::Request& request) {
    return {200,
            fmt::format("<html><head><title>Current IP Check</title></head><body>Current IP "
                        "Address: {}</body></html>\r\n",
                        request.client.to_string()),
            {},
            {},
            {},
            "text/html; charset=utf-8"};
}

}  // namespace sftdyn::protocol
