// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings_documentation.hpp"

namespace sftdyn::config {
namespace {

constexpr Documentation documented[] = {
    {Section::top, "http", "`\"{}\"` if there is no `https`",
     "where to listen for HTTP: `PORT` (all addresses, IPv4 and IPv6), `\"IP4:PORT\"`, "
     "`\"[IP6]:PORT\"` or `\"unix:PATH\"`, a table (see [Listeners](#listeners)), or a list of "
     "these. `\"[::]:PORT\"` is IPv6 only. With port 0 the system chooses a free port, and sftdyn "
     "reports it"},
    {Section::top, "https", "none",
     "where to listen for HTTPS, in the forms of `http`. It needs `cert` and `key`"},
    {Section::top, "cert", "none",
     "the certificate followed by its chain, PEM. The path is relative to the configuration file. "
     "sftdyn reads the file again when it changes; if the new certificate is not usable, it "
     "reports the error and keeps the old one. A reload with an unusable certificate is refused. "
     "From 14 days before the certificate expires, a warning is logged each day"},
    {Section::top, "key", "none",
     "the private key of `cert`, PEM, not encrypted: RSA, ECDSA or Ed25519"},
    {Section::top, "tls_min_version", "",
     "the oldest TLS version that HTTPS accepts: `\"1.2\"` or `\"1.3\"`. Some routers support "
     "nothing newer than 1.2. The setting applies to sockets from systemd too, and after a reload "
     "to new connections"},
    {Section::top, "trusted_proxies", "none",
     "proxies that sftdyn believes when they name the client's address: a list of addresses and "
     "CIDR blocks"},
    {Section::top, "proxy_header", "",
     "the header field in which these proxies name the client: `\"X-Forwarded-For\"`, "
     "`\"Forwarded\"` (RFC 7239) or `\"X-Real-IP\"`; or another field with a single address, such "
     "as `\"CF-Connecting-IP\"` or `\"True-Client-IP\"`, which is read like `X-Real-IP`. Hops are "
     "read from the last one, and trusted proxies among them are skipped. If there are several "
     "lines of the field, they are read from the last one; `X-Real-IP` may have only one line. If "
     "a trusted proxy sends a field that can't be parsed, the answer is 400. If it sends none, the "
     "request counts as the proxy's own. In `Forwarded`, an IPv6 address needs quotation marks and "
     "brackets: `for=\"[2001:db8::1]\"`"},
    {Section::top, "log", "`{}`",
     "the log level: `\"error\"` (as `-q`), `\"warning\"`, `\"info\"` (as `-v`) or `\"debug\"` (as "
     "`-vv`). Each of these options overrides it"},
    {Section::top, "log_format", "",
     "the form of the log on standard error: `\"text\"`, or `\"json\"` with one object per line "
     "([operation](operation.md#the-log-as-json)). `--log-format` overrides it. It does not affect "
     "the journal"},
    {Section::top, "uptodate", "`\"UPTODATE\"`",
     "what a secret URL answers if the record already has the address. Some clients accept only "
     "`\"OK\"` as a success"},
    {Section::top, "refusals_in_200", "false",
     "answer `nohost`, `!yours`, `notfqdn`, `numhost` and `KO` with status 200, as dyndns2 and "
     "DuckDNS are specified. With `false`, the status is 404, 403 or 400 if no host of the request "
     "was served, because many clients read only the status "
     "([clients](clients.md#what-each-client-concludes))"},
    {Section::top, "nskeyfile", "BIND's session key",
     "the file with the TSIG key: in BIND's format (`key \"name\" { algorithm …; secret …; };`, as "
     "`tsig-keygen` writes it), or one file of a `K….private`/`K….key` pair. It may `include` "
     "another file. `false`: messages are not signed, for a server that authorizes updates by "
     "address. The path is relative to the configuration file. sftdyn reads the file again when it "
     "changes. If it can't be read at the start or at a reload, sftdyn logs a warning, and tries "
     "again with each update"},

    {Section::top, "include", "none",
     "a folder with further files of clients (see "
     "[Clients in files of their own](#clients-in-files-of-their-own)). The path is relative to "
     "the "
     "configuration file"},

    {Section::listener, "listen", "needed",
     "`PORT`, `IP4:PORT`, `[IP6]:PORT` or `unix:PATH`, as a string"},
    {Section::listener, "proxy_protocol", "false",
     "each connection begins with a PROXY protocol header that names the client (version 1 or 2; "
     "haproxy's `send-proxy` or `send-proxy-v2`). With `https` it precedes TLS. Over TCP only "
     "`trusted_proxies` may connect, and that setting is required; over a Unix socket every peer "
     "may. Such a proxy does not read header fields, so `proxy_header` counts only if the client "
     "that it names is itself one of `trusted_proxies`"},
    {Section::listener, "mode", "`\"{}\"`", "the file mode of a Unix socket, octal"},
    {Section::listener, "group", "sftdyn's", "the group of a Unix socket"},

    {Section::certificate, "cert, key", "needed", "as `cert` and `key` at the top of the file"},

    {Section::addresses, "allow", "all",
     "networks whose addresses may be published: CIDR blocks, addresses and names. Without `deny`, "
     "only these are published. With `deny`, they are exceptions to it"},
    {Section::addresses, "deny", "none", "networks whose addresses must not be published"},

    {Section::dns, "server, servers", "`127.0.0.1`, then `::1`",
     "the IP address of the primary server, with a port if it is not 53. Several addresses must "
     "belong to the same server; the first one that answers is used"},
    {Section::dns, "zone", "found by queries",
     "the zone of all hosts. If the server also has a child zone that contains a host, the child "
     "zone is used for that host. Reverse zones are always found by queries"},
    {Section::dns, "ttl", "",
     "TTL of the records, in seconds. A record with another TTL is changed at the next check-in"},
    {Section::dns, "tcp", "", "send queries over TCP too. Updates are always sent over TCP"},
    {Section::dns, "sign_queries", "",
     "sign queries, as updates are. `false`: for a server that does not know the key, but forwards "
     "updates to one that does"},
    {Section::dns, "queries", "",
     "the server answers queries. `false`: for a server that accepts only updates. Then `zone` is "
     "required; `UPTODATE` is based on the changes that sftdyn itself has made since it started, "
     "for five minutes or `freshness`, whichever is longer; and sftdyn does not see other changes "
     "to the zone"},
    {Section::dns, "timeout", "", "seconds within which every request is answered"},
    {Section::dns, "freshness", "",
     "`UPTODATE` is based on what the server confirmed at most this many seconds before the "
     "request. 0: after the request. Requests that need a newer confirmation share one query for "
     "the zone's serial ([operation](operation.md#freshness)). Its former name is "
     "`verify_interval`"},
    {Section::dns, "follow_serial", "",
     "an unchanged serial of the zone confirms all its records. `false`: for a zone that is "
     "changed "
     "without a new serial; then each record is queried"},
    {Section::dns, "read_back", "",
     "after a host's first change, and then once an hour, query the changed record before "
     "answering `OK`. `false`: for queries that go to a copy of the zone that lags behind by more "
     "than `timeout`"},
    {Section::dns, "on_removal", "",
     "what a reload does with the records of a host that is no longer configured: `\"keep\"` them, "
     "or `\"remove\"` its A and AAAA records. Records of a host that is removed from the file "
     "while sftdyn is not running are kept. So are records that the server refuses to delete; the "
     "log names them"},
    {Section::dns, "batch", "",
     "maximum number of changes in one UPDATE. The size of a message is always limited to 64 KiB"},
    {Section::dns, "updates_in_flight", "", "maximum number of UPDATEs in flight for each zone"},
    {Section::dns, "queries_in_flight", "", "maximum number of queries in flight in total"},
    {Section::dns, "queue", "",
     "maximum number of records that wait in one zone, one for each host and address family of a "
     "request. Requests beyond it are answered 503 at once"},

    {Section::zone, "name", "needed", "the name of the zone"},
    {Section::zone, "server, servers, tcp", "the defaults of `[dns]`", "as in `[dns]`"},
    {Section::zone, "sign_queries, queries", "`true`", "as in `[dns]`"},
    {Section::zone, "nskeyfile", "BIND's session key", "as at the top of the file"},
    {Section::zone, "ttl", "", "TTL of the records, in seconds"},
    {Section::zone, "timeout", "that of `[dns]`",
     "seconds within which every request for a host of this zone is answered"},

    {Section::limits, "changes", "",
     "how many changes a host may make at once. Further ones are answered 429, in dyndns2 503 with "
     "`911`. 0: no limit"},
    {Section::limits, "changes_refill", "",
     "seconds after which the host may make one more change"},
    {Section::limits, "threads", "one for each core",
     "number of threads that serve HTTP. 0: one for each core that the process may use, but no "
     "more than the CPU quota of its control group, rounded up (`CPUQuota=`, a container's limit)"},
    {Section::limits, "header_time", "", "seconds from the first octet of a request to its last"},
    {Section::limits, "idle_time", "",
     "seconds that a connection may wait for its first or next request"},
    {Section::limits, "write_time", "", "seconds in which a client must receive an answer"},
    {Section::limits, "handshake_time", "",
     "seconds for the TLS handshake, including a PROXY protocol header before it"},
    {Section::limits, "header_size", "",
     "maximum size of the request line and header fields, in octets. Larger ones are answered 414 "
     "or 431, as are more than 100 fields"},
    {Section::limits, "body_size", "",
     "maximum size of a request's body, in octets. A larger one is answered 413"},
    {Section::limits, "connections", "",
     "maximum number of connections. When it is reached, sftdyn closes the connection that has "
     "been idle longest, or else the one that has waited longest for its client to send a request "
     "(at least 2 seconds). If there is neither, new connections wait. The limit of file "
     "descriptors, less those for the DNS, is the upper bound; if it reduces the number, sftdyn "
     "logs a warning at the start. The number times the memory of one connection "
     "([security](security.md#memory)) is the memory that all connections can use"},
    {Section::limits, "connections_per_client", "",
     "maximum number of connections from one IPv4 address or one IPv6 network of 64 bits. Further "
     "ones are closed at once. It does not apply to trusted proxies"},
    {Section::limits, "requests_per_connection", "",
     "number of requests after which a connection is closed"},
    {Section::limits, "bad_keys", "",
     "how many wrong keys and passwords one client (an address or network, as above) may send at "
     "once, in all dialects together. As many again are answered one second late. Further ones are "
     "refused: secret URLs and FreeDNS with 429, dyndns2 and DuckDNS with 503, which makes their "
     "clients wait. A correct key always works. While requests are refused, a password is not "
     "checked, unless it was correct from the same network before. An IPv6 network of 56 bits may "
     "send 4 times as many, one of 48 bits 16 times. 0: no limit"},
    {Section::limits, "bad_keys_refill", "",
     "seconds after which one wrong key or password is forgotten"},

    {Section::process, "user", "the user that starts it",
     "the user that the process becomes, with that user's groups, when root starts it: a name, or "
     "a number that has a name in the user database"},
    {Section::process, "seccomp", "", "allow only the system calls that sftdyn needs; others fail"},
    {Section::process, "landlock", "",
     "restrict access to files. Writing: only in the `state` folder. Removing: only there, and "
     "Unix sockets at the end. Executing: nothing. Reading: below `/etc`, `/run`, `/var`, `/srv`, "
     "`/opt`, `/usr`, `/lib`, `/lib64` and `/proc`, and below each top-level folder with a file "
     "that the configuration names at the start"},

    {Section::admin, "metrics", "none",
     "where Prometheus reads `/metrics`, with `/healthz` and `/readyz`; in the forms of `http`, "
     "except that a port without an address is on 127.0.0.1"},
    {Section::admin, "control", "`control` in `$RUNTIME_DIRECTORY`, which systemd sets",
     "the Unix socket that `sftdyn status` connects to. Its owner and group may use it. The path "
     "is relative to the configuration file. `false`: no socket, even if systemd sets the "
     "variable"},
    {Section::admin, "state", "`$STATE_DIRECTORY`, which systemd sets",
     "the folder for the history of hosts (`hosts.sqlite`): when each host last checked in, and "
     "with which address. An entry is kept until the host is no longer configured, at most for 366 "
     "days after its last check-in. The folder also stores events that the event command was not "
     "told of before sftdyn ended. The path is relative to the configuration file. `false`: "
     "nothing is written; existing files stay"},
    {Section::admin, "stale_after", "",
     "seconds without a check-in of any of its addresses after which a host is stale. 0: never"},
    {Section::admin, "event_command", "none",
     "the command that is run for `events`: `[\"/usr/local/bin/notify\", \"argument\"]`. No shell "
     "is involved. Its former name is `hook`"},
    {Section::admin, "events", "`[\"change\", \"stale\"]`",
     "the events that it is run for: `change` (a host has a new address), `stale` (a host has "
     "become stale), and `failure` (an update of a host fails, and the one before did not)"},
    {Section::admin, "event_commands_at_once", "",
     "maximum number of event commands that run at the same time. Its former name is "
     "`hooks_at_once`"},
    {Section::admin, "event_command_time", "",
     "seconds after which an event command is killed. Its former name is `hook_time`"},

    {Section::client, "host", "needed", "the host that the key updates"},
    {Section::client, "ttl", "the zone's", "TTL of its records, in seconds"},
    {Section::client, "ptr", "false",
     "also maintain the PTR record of the address that the request comes from, if the server has "
     "the reverse zone and lets the key change it. The record is set if the address has none, and "
     "deleted when the host leaves the address. A PTR record of another name is not changed, and "
     "neither are those of addresses that a client only names"},
    {Section::client, "changes, changes_refill", "those of `[limits]`",
     "how many changes the host may make at once, and seconds after which it may make one more"},
    {Section::client, "stale_after", "that of `[admin]`",
     "seconds without a check-in after which the host is stale. 0: never"},

    {Section::named_client, "key", "none",
     "the key of its secret URL, and its token for DuckDNS, FreeDNS and deSEC"},
    {Section::named_client, "user", "none", "its user name, which no other client may have"},
    {Section::named_client, "password", "none", "its password"},
    {Section::named_client, "password_hash", "none",
     "instead of `password`: the hash of the password, as `sftdyn password` prints it (argon2id). "
     "sftdyn remembers a verified password until it ends"},
    {Section::named_client, "hosts", "needed",
     "the hosts that it may update: names, and tables of `host` with `ttl`, `ptr`, `ipv6_suffix` "
     "and `ipv6_subnet`"},
    {Section::named_client, "host, ttl, ptr, ipv6_suffix, ipv6_subnet", "none",
     "instead of `hosts`, for a single host: the settings of its table"},
    {Section::named_client, "may_set_address", "true if it has a `user`",
     "it may set an address other than the one that its request comes from. A client without this "
     "permission may not, and neither may a key of the short form"},
    {Section::named_client, "empty_removes", "false",
     "a parameter for one address family without a value (`myipv6=`) removes that record, as in "
     "deSEC. With `false` such a parameter names no address: many routers send one when they have "
     "no address"},
    {Section::named_client, "changes, changes_refill", "those of `[limits]`",
     "how many changes each of its hosts may make at once, and seconds after which the host may "
     "make one more"},
    {Section::named_client, "stale_after", "that of `[admin]`",
     "seconds without a check-in after which one of its hosts is stale. 0: never"},

    {Section::host, "host", "needed", "its name"},
    {Section::host, "ttl, ptr", "as above", "as for the host of a key, above"},
    {Section::host, "ipv6_suffix", "none",
     "the lower 64 bits of its IPv6 address. When its client names a prefix, the host gets the "
     "address of prefix, subnet and suffix"},
    {Section::host, "ipv6_subnet", "0", "the number of its network within the delegated prefix"},
};

constexpr SampleLine sample[] = {
    {Section::top,
     "Where to listen for HTTP: PORT, \"IP4:PORT\", \"[IP6]:PORT\", or a list of these.", "http",
     "\"8080\"", true},
    {Section::top,
     "HTTPS needs all three settings. The user sftdyn must be able to read the files, or systemd "
     "must pass them: see /usr/share/doc/sftdyn/examples/credentials.conf",
     "https", "\"4443\""},
    {Section::top, "", "cert", "\"/etc/letsencrypt/live/dyn.example.org/fullchain.pem\""},
    {Section::top, "", "key", "\"/etc/letsencrypt/live/dyn.example.org/privkey.pem\""},
    {Section::top,
     "The TSIG key that the DNS server accepts updates with. `tsig-keygen sftdyn` makes one; "
     "`sftdyn setup bind ZONE` makes the key and everything else. Without this setting, BIND's "
     "session key is used, which only BIND's user may read.",
     "nskeyfile", "\"/etc/bind/keys/sftdyn.key\""},
    {Section::top, "Proxies that are believed when they name the client's address.",
     "trusted_proxies", "[\"127.0.0.1\", \"::1\"]"},
    {Section::top, "A folder with further clients: each *.toml file in it has a [clients] table.",
     "include", "\"clients.d\""},
    {Section::addresses,
     "For a server on the internet: these addresses are not published, for example that of a proxy "
     "that is missing from trusted_proxies.",
     "deny", "[\"loopback\", \"private\", \"carrier-grade-nat\", \"unique-local\"]"},
    {Section::dns, "", "server", "\"127.0.0.1\""},
    {Section::dns, "", "ttl"},
    {Section::admin, "Metrics for Prometheus, with /healthz and /readyz.", "metrics",
     "\"127.0.0.1:9153\""},
    {Section::admin,
     "Seconds without a check-in after which a host is stale: `sftdyn status` shows it.",
     "stale_after"},
    {Section::admin,
     "Run when a host's address has changed, and when a host has become stale. Its environment: "
     "man sftdyn.",
     "event_command", "[\"/usr/local/bin/notify\"]"},
    {Section::admin,
     "How many event commands may run at once, and seconds after which one is killed.",
     "event_commands_at_once"},
    {Section::admin, "", "event_command_time"},
    {Section::client,
     "The secret part of the URL (openssl rand -hex 16), and the host that it updates.",
     "\"90bbd8698198ea76\"", "\"home.dyn.example.org\""},
};

}  // namespace

std::span<const Documentation> documentation() { return documented; }

std::span<const SampleLine> sample_lines() { return sample; }

}  // namespace sftdyn::config
