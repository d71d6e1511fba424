// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings_documentation.hpp"

namespace sftdyn::config {
namespace {

constexpr Documentation documented[] = {
    {Section::top, "http", "`\"{}\"` if there is no `https`",
     "where to listen: `PORT` (all addresses, both families), `\"IP4:PORT\"`, `\"[IP6]:PORT\"` "
     "or `\"unix:PATH\"`, a table as below, or a list of them. `\"[::]:PORT\"` is IPv6 alone. "
     "Port 0 takes any free one, and says which"},
    {Section::top, "https", "none", "as `http`, for HTTPS; takes `cert` and `key` too"},
    {Section::top, "cert", "none",
     "the certificate with its chain behind it, PEM. Relative to the configuration file. Read "
     "again when it changes; one that is no longer usable is reported, and the old one stays. A "
     "reload with one that is not usable is refused. From 14 days before it expires, a warning is "
     "logged each day"},
    {Section::top, "key", "none", "its private key, PEM, not encrypted: RSA, ECDSA or Ed25519"},
    {Section::top, "tls_min_version", "",
     "the oldest version of TLS that HTTPS speaks: `\"1.2\"` or `\"1.3\"`. Some routers know no "
     "other than 1.2. It holds for sockets that systemd passes too; at a reload, for new "
     "connections"},
    {Section::top, "trusted_proxies", "none",
     "proxies whose word on the client's address is believed: a list of addresses and CIDR blocks"},
    {Section::top, "proxy_header", "",
     "where they say it: `\"X-Forwarded-For\"`, `\"Forwarded\"` (RFC 7239) or `\"X-Real-IP\"`; "
     "or another header of one address, which is read as `X-Real-IP` is: `\"CF-Connecting-IP\"`, "
     "`\"True-Client-IP\"`. "
     "Several hops are unwound from the right, past trusted proxies. Of several lines the last "
     "one is read first; `X-Real-IP` may have one only. A request of a trusted proxy whose "
     "header can't be understood is answered 400; one without the header is the proxy's own. In "
     "`Forwarded` an IPv6 address stands in quotation marks and brackets: `for=\"[2001:db8::1]\"`"},
    {Section::top, "log", "`{}`",
     "what the log says: `\"error\"` (as `-q`), `\"warning\"`, `\"info\"` (as `-v`) or "
     "`\"debug\"` (as `-vv`). Any of those options wins over it"},
    {Section::top, "uptodate", "`\"UPTODATE\"`",
     "what a secret URL answers when the address was right already: there are clients for which "
     "only `\"OK\"` is a success"},
    {Section::top, "refusals_in_200", "false",
     "`nohost`, `!yours`, `notfqdn`, `numhost` and `KO` are answered with status 200, as the "
     "letter of dyndns2 and DuckDNS has it. Without it the status is 404, 403 or 400 when no host "
     "of a request was served, since many clients read nothing else "
     "([clients](clients.md#what-each-client-concludes))"},
    {Section::top, "nskeyfile", "BIND's session key",
     "the TSIG key: a file in BIND's form (`key \"name\" { algorithm …; secret …; };`, as "
     "`tsig-keygen` writes it) or one of a `K….private`/`K….key` pair. It may `include` "
     "another. `false`: nothing is signed, for a server that takes updates by address. Relative to "
     "the configuration file. Read again when it changes; one that can't be read is warned of at "
     "the "
     "start and at a reload, and tried again with each update"},

    {Section::listener, "listen", "needed",
     "`PORT`, `IP4:PORT`, `[IP6]:PORT` or `unix:PATH`, as a string"},
    {Section::listener, "proxy_protocol", "false",
     "each connection begins with the PROXY protocol's line or header (version 1 or 2, as "
     "haproxy's `send-proxy` and `send-proxy-v2` send it), which names the client. Such a proxy "
     "vouches for no header: `proxy_header` counts only where the client that it names is itself "
     "one of `trusted_proxies`. Only `trusted_proxies`, which are then needed, and peers of a "
     "Unix socket may connect there; with `https` it comes before TLS"},
    {Section::listener, "mode", "`\"{}\"`", "of a Unix socket: its file mode, octal"},
    {Section::listener, "group", "sftdyn's", "of a Unix socket: its group"},

    {Section::certificate, "cert, key", "needed", "as at the top"},

    {Section::addresses, "allow", "all",
     "networks whose addresses may be published: CIDR blocks, addresses and words. Without "
     "`deny` nothing else may be; beside `deny` they are its exceptions"},
    {Section::addresses, "deny", "none", "networks whose addresses may not"},

    {Section::dns, "server, servers", "`127.0.0.1`, then `::1`",
     "the primary server's IP address, with a port if it is not 53; several are addresses of one "
     "server, of which the first that answers is used"},
    {Section::dns, "zone", "asked from the server",
     "the zone of all hosts; a child of it that the server has, and that holds the host, is used "
     "in "
     "its place. Reverse zones are asked from the server all the same"},
    {Section::dns, "ttl", "",
     "TTL of the records, in seconds. A record that has another is changed at the next check-in"},
    {Section::dns, "tcp", "", "queries over TCP too (updates always are)"},
    {Section::dns, "sign_queries", "",
     "queries are signed as updates are. `false` for a server that does not know the key, but "
     "passes updates on to one that does"},
    {Section::dns, "queries", "",
     "the server answers queries. `false` for one that takes updates alone: `zone` is then needed, "
     "`UPTODATE` rests on what sftdyn itself has changed since it started, for five minutes or "
     "`freshness`, whichever is longer, and what else the server holds is not seen"},
    {Section::dns, "timeout", "", "seconds within which every request is answered"},
    {Section::dns, "freshness", "",
     "`UPTODATE` rests on what the server confirmed no more than so many seconds before the "
     "request. 0: after the request. Requests that need a newer confirmation wait together for one "
     "query of the zone's serial ([operation](operation.md#freshness)). Its former name is "
     "`verify_interval`"},
    {Section::dns, "follow_serial", "",
     "an unchanged serial of the zone confirms all its records. `false` for a zone that is changed "
     "without raising its serial: then each record is asked for itself"},
    {Section::dns, "read_back", "",
     "the first change of a host, and then one in an hour, is asked for before `OK` is said. "
     "`false` "
     "where queries go to a copy of the zone that lags behind for longer than `timeout`"},
    {Section::dns, "on_removal", "",
     "what becomes of the records of a host that a reload no longer has: `\"keep\"`, or "
     "`\"remove\"` "
     "its A and AAAA records. What is taken out while sftdyn does not run stays, and so does what "
     "the server does not let go (the log says so)"},
    {Section::dns, "batch", "",
     "changes in one UPDATE at the most. A message holds 64 KiB, whatever this says"},
    {Section::dns, "updates_in_flight", "", "UPDATEs for each zone that may be under way at once"},
    {Section::dns, "queries_in_flight", "", "queries in all that may be under way at once"},
    {Section::dns, "queue", "",
     "records (of a host and family) that requests may wait for in one zone; requests for more are "
     "answered 503 at once"},

    {Section::zone, "name", "needed", "the zone's name"},
    {Section::zone, "server, servers, tcp", "as `[dns]` has by default", ""},
    {Section::zone, "sign_queries, queries", "`true`", "as in `[dns]`"},
    {Section::zone, "nskeyfile", "BIND's session key", ""},
    {Section::zone, "ttl", "", "in seconds"},
    {Section::zone, "timeout", "that of `[dns]`",
     "seconds within which requests for its hosts are answered"},

    {Section::limits, "changes", "",
     "changes that a host may make at once; then 429, or 503 with `911` in dyndns2. 0: no limit"},
    {Section::limits, "changes_refill", "", "seconds after which it may make one more"},
    {Section::limits, "threads", "one for each core",
     "threads that serve HTTP. 0: one for each core that the process may use; with a quota of its "
     "control group (`CPUQuota=`, a container's limit) as many as that comes to, rounded up"},
    {Section::limits, "header_time", "", "seconds from the first octet of a request to its last"},
    {Section::limits, "idle_time", "",
     "seconds that a connection may wait for its next request, or its first"},
    {Section::limits, "write_time", "", "seconds in which a client must take an answer"},
    {Section::limits, "handshake_time", "",
     "seconds for a TLS handshake, with the PROXY protocol's header before it"},
    {Section::limits, "header_size", "",
     "octets of request line and headers; more is answered 414 or 431, as are more than "
     "100 fields"},
    {Section::limits, "body_size", "", "octets of a request's body; more is answered 413"},
    {Section::limits, "connections", "",
     "in all. When they are taken, the one that was idle longest makes room, else the one whose "
     "client has been slow longest to send a request (for 2 seconds at least); else others wait. "
     "What the limit of file descriptors leaves beside those for the DNS is the most, and a "
     "warning "
     "at the start says so. "
     "Times what one may hold ([security](security.md#memory)), it is how much memory all can "
     "take"},
    {Section::limits, "connections_per_client", "",
     "of one IPv4 address, or one IPv6 network of 64 bits; more are closed at once. Not of "
     "trusted proxies"},
    {Section::limits, "requests_per_connection", "", "then it is closed"},
    {Section::limits, "bad_keys", "",
     "wrong keys and passwords that one client (as above) may send at once, in whatever dialect. "
     "As many again are answered a second later; then they are refused: secret URLs and FreeDNS "
     "with 429, dyndns2 and DuckDNS with 503, at which clients wait. A right key always works. A "
     "password is then not looked at, unless it was right from the same network before. An IPv6 "
     "network of 56 bits may send 4 times as many, one of 48 bits 16 times. 0: no limit"},
    {Section::limits, "bad_keys_refill", "", "seconds after which one of them is forgotten"},

    {Section::process, "user", "whoever starts it",
     "whom to become, with that user's groups, when root starts it: a name, or a number that has "
     "a name in the list of users"},
    {Section::process, "seccomp", "", "only the system calls that it needs; others fail"},
    {Section::process, "landlock", "",
     "no file is written (but in the `state` folder), none is removed (but there, and Unix sockets "
     "at the end) and none executed; read is what is below "
     "`/etc`, `/run`, `/var`, `/srv`, `/opt`, `/usr`, `/lib`, `/lib64` and `/proc`, and below "
     "the folders at the root that hold files named in the configuration at the start"},

    {Section::admin, "metrics", "none",
     "where Prometheus asks, as `http` says it, but a port alone is on 127.0.0.1: `/metrics`, "
     "and `/healthz` and `/readyz` beside it"},
    {Section::admin, "control", "`control` in `$RUNTIME_DIRECTORY`, which systemd sets",
     "the Unix socket that `sftdyn status` asks. Its owner and group may. Relative to the "
     "configuration file. `false`: none, whatever systemd sets"},
    {Section::admin, "state", "`$STATE_DIRECTORY`, which systemd sets",
     "the folder where it is remembered which host checked in when, and with which address "
     "(`hosts.sqlite`), until the configuration has it no more, and for 366 days after its last "
     "check-in; and which events the event command could not be told of before the end. Relative "
     "to the configuration file. `false`: nothing is written; what is there stays"},
    {Section::admin, "stale_after", "",
     "seconds without a check-in of any of its addresses after which a host is stale. 0: never"},
    {Section::admin, "event_command", "none",
     "a command that is told of `events`: `[\"/usr/local/bin/notify\", "
     "\"argument\"]`. No shell is between. Its former name is `hook`"},
    {Section::admin, "events", "`[\"change\", \"stale\"]`",
     "which events it is told of: `change` (a host has another address), `stale`, and `failure` "
     "(an update of a host fails, after one that did not)"},
    {Section::admin, "event_commands_at_once", "",
     "how many of it may run at a time. Its former name is `hooks_at_once`"},
    {Section::admin, "event_command_time", "",
     "seconds after which it is killed. Its former name is `hook_time`"},

    {Section::client, "host", "needed", "the name that the key moves"},
    {Section::client, "ttl", "the zone's", "seconds"},
    {Section::client, "ptr", "false",
     "keep the PTR record too of the address that the request comes from, where the server "
     "serves the reverse zone and lets the key change it: set where there is none, deleted when "
     "the host leaves the address. The PTR record of another name stays, and so do those of "
     "addresses that a client only names"},
    {Section::client, "changes, changes_refill", "as `[limits]` has",
     "changes that the host may make at once, and seconds after which it may make one more"},
    {Section::client, "stale_after", "as `[admin]` has",
     "seconds without a check-in after which the host is stale. 0: never"},

    {Section::named_client, "key", "none",
     "its secret URL, and its token for DuckDNS, FreeDNS and deSEC"},
    {Section::named_client, "user", "none", "its user's name; no two clients have the same"},
    {Section::named_client, "password", "none", "its password"},
    {Section::named_client, "password_hash", "none",
     "instead of it: the hash of its password, as `sftdyn password` prints it (argon2id). What "
     "was verified once is remembered until sftdyn ends"},
    {Section::named_client, "hosts", "needed",
     "the hosts that it may update: names, and tables of `host` with `ttl`, `ptr`, `ipv6_suffix` "
     "and `ipv6_subnet`"},
    {Section::named_client, "host, ttl, ptr, ipv6_suffix, ipv6_subnet", "none",
     "in place of `hosts`, for one host: what its table would hold"},
    {Section::named_client, "may_set_address", "true if it has a `user`",
     "it may name another address than the one it asks from. A client without it, and a key of "
     "the short form, may not"},
    {Section::named_client, "empty_removes", "false",
     "a parameter for one family without a value (`myipv6=`) removes that record, as deSEC has "
     "it. Without it such a parameter names nothing: many routers send one when they have no "
     "address"},
    {Section::named_client, "changes, changes_refill", "as `[limits]` has",
     "changes that each of its hosts may make at once, and seconds after which it may make one "
     "more"},
    {Section::named_client, "stale_after", "as `[admin]` has",
     "seconds without a check-in after which one of its hosts is stale. 0: never"},

    {Section::host, "host", "needed", "its name"},
    {Section::host, "ttl, ptr", "as above", "as of a key's host, above"},
    {Section::host, "ipv6_suffix", "none",
     "the host's part of its IPv6 address, 64 bits: it gets prefix, subnet and suffix when its "
     "client names a prefix"},
    {Section::host, "ipv6_subnet", "0", "which of the networks in the delegated prefix it is in"},
};

constexpr SampleLine sample[] = {
    {Section::top, "Where clients ask. PORT, \"IP4:PORT\", \"[IP6]:PORT\", or a list of them.",
     "http", "\"8080\"", true},
    {Section::top,
     "HTTPS takes all three. The files must be readable for the user sftdyn; or let systemd hand "
     "them over: see /usr/share/doc/sftdyn/examples/credentials.conf",
     "https", "\"4443\""},
    {Section::top, "", "cert", "\"/etc/letsencrypt/live/dyn.example.org/fullchain.pem\""},
    {Section::top, "", "key", "\"/etc/letsencrypt/live/dyn.example.org/privkey.pem\""},
    {Section::top,
     "The key that the DNS server takes updates with: tsig-keygen sftdyn, or `sftdyn setup bind "
     "ZONE` for all of it. Without this line BIND's session key is used, which only its own user "
     "may read.",
     "nskeyfile", "\"/etc/bind/keys/sftdyn.key\""},
    {Section::top, "Proxies whose word on the client's address is believed.", "trusted_proxies",
     "[\"127.0.0.1\", \"::1\"]"},
    {Section::addresses,
     "On the internet: keeps the address of a proxy that nobody named, and the like, from being "
     "published.",
     "deny", "[\"loopback\", \"private\", \"carrier-grade-nat\", \"unique-local\"]"},
    {Section::dns, "", "server", "\"127.0.0.1\""},
    {Section::dns, "", "ttl"},
    {Section::admin, "For Prometheus, with /healthz and /readyz beside it.", "metrics",
     "\"127.0.0.1:9153\""},
    {Section::admin,
     "Hosts that have not checked in for so many seconds are stale: `sftdyn status`.",
     "stale_after"},
    {Section::admin,
     "Is told of changes and of stale hosts; see the manual page for its environment.",
     "event_command", "[\"/usr/local/bin/notify\"]"},
    {Section::admin, "How many of it may run at once, and seconds after which it is killed.",
     "event_commands_at_once"},
    {Section::admin, "", "event_command_time"},
    {Section::client,
     "The secret part of the URL (openssl rand -hex 16), and the host that it moves.",
     "\"90bbd8698198ea76\"", "\"home.dyn.example.org\""},
};

}  // namespace

std::span<const Documentation> documentation() { return documented; }

std::span<const SampleLine> sample_lines() { return sample; }

}  // namespace sftdyn::config
