# SPDX-License-Identifier: GPL-3.0-or-later
"""Each dialect and parameter, as clients send them, against what the zone then has; and what holds for all of them: nothing that was sent
is dropped in silence, a failure has changed nothing, and a success has done all of it."""

import base64
import json
import random
import urllib.parse

import pytest

from harness.process import await_true
from harness.sftdyn import conf

ZONE = "dyn.example.org"
PLAIN, ROUTER, PC, WEB, OTHER, SHARED = (f"{label}.{ZONE}" for label in ("plain", "router", "pc", "web", "other", "shared"))
HOSTS = (PLAIN, ROUTER, PC, WEB, OTHER, SHARED)
SUFFIX = "1234:5678:9abc:def0"
CLIENTS = f"""
"single-key" = "{PLAIN}"
[clients.plain]
key = "plain-key"
user = "plain"
password = "s3cret"
hosts = ["{PLAIN}"]
[clients.prefix]
key = "prefix-key"
user = "prefix"
password = "pp"
hosts = ["{ROUTER}", {{ host = "{PC}", ipv6_suffix = "::{SUFFIX}" }}]
[clients.other]
user = "other"
password = "battery"
hosts = ["{OTHER}"]
[clients.web]
user = "{WEB}"
password = "pässwörd"
hosts = ["{WEB}", "{SHARED}"]
empty_removes = true
[clients.nas]
key = "nas-key"
hosts = ["{SHARED}"]
may_set_address = true
"""
SERVER_LIMITS = "[limits]\nchanges = 0\nbad_keys = 0\n"


def basic(user, password, charset="utf-8"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode(charset)).decode()}


PLAIN_USER, PREFIX_USER, WEB_USER = basic("plain", "s3cret"), basic("prefix", "pp"), basic(WEB, "pässwörd")


class World:
    def __init__(self, server, program):
        self.server, self.program = server, program

    def zone(self):
        return {(host, kind): self.server.records(host, kind) for host in HOSTS for kind in ("A", "AAAA")}

    def clear(self):
        for credential, hosts in ((PLAIN_USER, PLAIN), (PREFIX_USER, f"{ROUTER},{PC}"), (WEB_USER, f"{WEB},{SHARED}")):
            assert self.program.get(f"/nic/update?hostname={hosts}&offline=YES", headers=credential).status == 200


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("dialects"))
    server = stage.dns("named")
    # It asks the server each time: what it says is what the zone has.
    yield World(server, stage.sftdyn(conf(server, {}, extra=SERVER_LIMITS, dns="freshness = 0") + CLIENTS))
    stage.end()


def post(program, path, body, kind, headers=None, method="POST"):
    head = "".join(f"{name}: {value}\r\n" for name, value in {**(headers or {}), "Content-Type": kind}.items())
    raw = program.raw(f"{method} {path} HTTP/1.0\r\n{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())
    top, _, text = raw.partition(b"\r\n\r\n")
    return int(top.split()[1]), text.decode()


V4, V6 = "192.0.2.10", "2001:db8::10"
BOTH = {"A": [V4], "AAAA": [V6]}
ONLY4, ONLY6, SOURCE = {"A": [V4], "AAAA": []}, {"A": [], "AAAA": [V6]}, {"A": ["127.0.0.1"], "AAAA": []}

# name: (target, headers, status, body, {host: its records})
UPDATES = {
    # The host by the login, by another parameter, or not at all.
    "INWX": (f"/nic/update?myip={V4}&myipv6={V6}", PLAIN_USER, f"good {V4},{V6}", {PLAIN: BOTH}),
    "nsupdate.info": ("/nic/update", PLAIN_USER, "good 127.0.0.1", {PLAIN: SOURCE}),
    "deSEC for FRITZ!Box": (f"/?myipv4={V4}&myipv6={V6}", PLAIN_USER, f"good {V4},{V6}", {PLAIN: BOTH}),
    "all-inkl": (f"/?myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "credentials and nothing else": ("/", PLAIN_USER, "good 127.0.0.1", {PLAIN: SOURCE}),
    "UDM": (f"/update?ip={V4}&hostname=", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "Dynu": (f"/nic/update?username=plain&password=s3cret&myip={V4}", {}, f"good {V4}", {PLAIN: ONLY4}),
    "selfHOST": (f"/nic/update?username=plain&password=s3cret&hostname=1&myip={V4}", {}, f"good {V4}", {PLAIN: ONLY4}),
    "deSEC host_id": (f"/update?hostname=YES&host_id={PLAIN}&myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "the user's name is a host": (f"/nic/update?myip={V4}", WEB_USER, f"good {V4}", {WEB: ONLY4, SHARED: {"A": [], "AAAA": []}}),
    "dyndns1": (f"/nic/dyndns?action=edit&hostname=YES&host_id={PLAIN}&myip={V4}&wildcard=OFF&mx=&backmx=NO", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    # Credentials.
    "he.net": (f"/nic/update?hostname={PLAIN}&password=s3cret&myip={V4}", {}, f"good {V4}", {PLAIN: ONLY4}),
    "he.net by Basic": (f"/nic/update?hostname={PLAIN}&myip={V4}", basic(PLAIN, "s3cret"), f"good {V4}", {PLAIN: ONLY4}),
    "the key as password": (f"/nic/update?hostname={PLAIN}&password=plain-key&myip={V4}", {}, f"good {V4}", {PLAIN: ONLY4}),
    "a useless header": (f"/nic/update?hostname={PLAIN}&user=plain&password=s3cret&myip={V4}", {"Authorization": "Basic Og=="}, f"good {V4}", {PLAIN: ONLY4}),
    "UTF-8": (f"/nic/update?hostname={WEB}&myip={V4}", WEB_USER, f"good {V4}", {WEB: ONLY4}),
    "Latin-1": (f"/nic/update?hostname={WEB}&myip={V4}", basic(WEB, "pässwörd", "latin-1"), f"good {V4}", {WEB: ONLY4}),
    "Latin-1 in the query": (f"/nic/update?hostname={WEB}&myip={V4}&user={WEB}&password=p%E4ssw%F6rd", {}, f"good {V4}", {WEB: ONLY4}),
    "IPv64": (f"/nic/update?key=plain-key&domain={PLAIN}&ip={V4}&ip6={V6}", {}, f"good {V4},{V6}", {PLAIN: BOTH}),
    # Names of parameters.
    "ip and ip6": (f"/nic/update?hostname={PLAIN}&ip={V4}&ip6={V6}", PLAIN_USER, f"good {V4},{V6}", {PLAIN: BOTH}),
    "ip6 alone": (f"/nic/update?hostname={PLAIN}&ip6={V6}", PLAIN_USER, f"good {V6}", {PLAIN: ONLY6}),
    "ipaddr and ip6addr": (f"/nic/update?hostname={PLAIN}&ipaddr={V4}&ip6addr={V6}", PLAIN_USER, f"good {V4},{V6}", {PLAIN: BOTH}),
    "v4 and v6": (f"/nic/update?hostname={PLAIN}&v4={V4}&v6={V6}", PLAIN_USER, f"good {V4},{V6}", {PLAIN: BOTH}),
    "addr": (f"/nic/update?hostname={PLAIN}&addr={V6}", PLAIN_USER, f"good {V6}", {PLAIN: ONLY6}),
    "a copied &amp;": (f"/nic/update?hostname={PLAIN}&amp;myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "good beside bad": (f"/nic/update?hostname={PLAIN}&myip={V4},fe80::1%25pppoe0", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "good beside a placeholder": (f"/nic/update?hostname={PLAIN}&myip={V4}&myipv6=%3Cip6addr%3E", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "good IPv6 beside bad": (f"/nic/update?hostname={PLAIN}&myip=0.0.0.0&myipv6={V6}", PLAIN_USER, f"good {V6}", {PLAIN: ONLY6}),
    "what is ignored": (f"/nic/update?hostname={PLAIN}&myip={V4}&system=dyndns&wildcard=NOCHG&mx=m&backmx=NO&url=x&static=1&agent=a&cmd=update&_=17", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    # deSEC.
    "empty removes": (f"/?hostname={WEB}&myipv4={V4}&myipv6=", WEB_USER, f"good {V4}", {WEB: ONLY4}),
    "preserve": (f"/?hostname={PLAIN}&myipv4={V4}&myipv6=preserve", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "an address for one host": (f"/?hostname={WEB},{SHARED}&myipv4={V4}&myipv4:{SHARED}=192.0.2.11", WEB_USER, f"good {V4}\ngood 192.0.2.11", {WEB: ONLY4, SHARED: {"A": ["192.0.2.11"], "AAAA": []}}),
    "Token": (f"/?hostname={PLAIN}", {"Authorization": "Token single-key"}, "good 127.0.0.1", {PLAIN: SOURCE}),
    "prefix in myipv6": (f"/?hostname={PC}&myipv6=2001:db8:1:2::/64", PREFIX_USER, f"good 2001:db8:1:2:{SUFFIX}", {PC: {"A": [], "AAAA": [f"2001:db8:1:2:{SUFFIX}"]}}),
    "prefix alone": ("/nic/update?ip6lanprefix=2001:db8:1:3::/64", PREFIX_USER, f"good 2001:db8:1:3:{SUFFIX}", {PC: {"A": [], "AAAA": [f"2001:db8:1:3:{SUFFIX}"]}, ROUTER: {"A": [], "AAAA": []}}),
    "prefix for the others": (f"/nic/update?hostname={ROUTER}&ip6lanprefix=2001:db8:1:4::/64", PREFIX_USER, "good", {PC: {"A": [], "AAAA": [f"2001:db8:1:4:{SUFFIX}"]}, ROUTER: {"A": [], "AAAA": []}}),
    "one host of two clients": (f"/nic/update?hostname={SHARED}&ipv6={V6}", basic("any", "nas-key"), f"good {V6}", {SHARED: ONLY6}),
    # Services.
    "FreeDNS 1": (f"/dynamic/update.php?nas-key&address={V4}", {}, f"Updated {SHARED} to {V4}", {SHARED: ONLY4}),
    "FreeDNS 2": (f"/u/nas-key/?ip={V4}", {}, f"Updated {SHARED} to {V4}", {SHARED: ONLY4}),
    "FreeDNS 2 with a user": (f"/u/?h={PLAIN}&ip={V4}", PLAIN_USER, f"Updated {PLAIN} to {V4}", {PLAIN: ONLY4}),
    "dynv6": (f"/api/update?zone={SHARED}&token=nas-key&ipv4={V4}&ipv6={V6}", {}, "addresses updated", {SHARED: BOTH}),
    "dynv6 auto": (f"/api/update?hostname={PLAIN}&token=plain-key&ipv4={V4}&ipv6=auto", {}, "addresses updated", {PLAIN: ONLY4}),
    "Namecheap": (f"/update?host=plain&domain={ZONE}&password=s3cret&ip={V4}", {}, "<ErrCount>0</ErrCount>", {PLAIN: ONLY4}),
    "regfish": (f"/?fqdn={SHARED}&forcehost=1&authtype=secure&token=nas-key&ipv4={V4}", {}, "success|100|update succeeded!", {SHARED: ONLY4}),
    "YDNS": (f"/api/v1/update/?host={PLAIN}&ip={V4}", PLAIN_USER, "ok", {PLAIN: ONLY4}),
    "easyDNS": (f"/dyn/generic.php?hostname={PLAIN}&myip={V4}", PLAIN_USER, "NOERROR", {PLAIN: ONLY4}),
    "ez-ipupdate": (f"/dyn/ez-ipupdate.php?action=edit&myip={V4}&partner=easydns&wildcard=OFF&mx=&backmx=NO&host_id={PLAIN}", PLAIN_USER, "NOERROR", {PLAIN: ONLY4}),
    "DuckDNS": (f"/update?domains=shared&token=nas-key&ip={V4}", {}, "OK", {SHARED: ONLY4}),
    "FreeMyIP": (f"/update?token=nas-key&domain={SHARED}&myip={V4}", {}, "OK", {SHARED: ONLY4}),
    "docker-ddns": (f"/v2/update?hostname={PLAIN}&myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "FreeNAS": (f"/v3/update/{PLAIN}?myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "3322": (f"/dyndns/update?system=dyndns&hostname={PLAIN}&myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "Oray": (f"/ph/update?hostname={PLAIN}&myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "ownDynDNS": (f"/update.php?user=plain&password=s3cret&domain={PLAIN}&ipv4={V4}&ipv6={V6}", {}, f"good {V4},{V6}", {PLAIN: BOTH}),
    "any path": (f"/dns/set?hostname={PLAIN}&myip={V4}", PLAIN_USER, f"good {V4}", {PLAIN: ONLY4}),
    "for one host and for all": (f"/nic/update?hostname={PLAIN}&myipv4:{PLAIN}={V4}&myipv4=192.0.2.99&myipv6={V6}", PLAIN_USER, f"good {V4},{V6}", {PLAIN: BOTH}),
    # A secret URL with something behind it.
    "/KEY?": ("/single-key?", {}, "OK", {PLAIN: SOURCE}),
    "/KEY/": ("/single-key/", {}, "OK", {PLAIN: SOURCE}),
    "/KEY?ip=": ("/single-key?ip=", {}, "OK", {PLAIN: SOURCE}),
    "/KEY?ip=ADDRESS": (f"/nas-key?ip={V4}", {}, "OK", {SHARED: ONLY4}),
    "/KEY?hostname=": (f"/single-key?hostname={PLAIN}", {}, "OK", {PLAIN: SOURCE}),
    "/KEY?HOST": (f"/single-key?{PLAIN}", {}, "OK", {PLAIN: SOURCE}),
    "/KEYHOST": (f"/single-key{PLAIN}", {}, "OK", {PLAIN: SOURCE}),
    "/KEY/ADDRESS": (f"/nas-key/{V4}", {}, "OK", {SHARED: ONLY4}),
    "USG": (f"/nas-key/nic/update?system=dyndns&hostname={SHARED}&myip={V4}", basic("any", "thing"), f"good {V4}", {SHARED: ONLY4}),
}


@pytest.mark.parametrize("name", UPDATES)
def test_what_clients_send_is_understood(world, name):
    target, headers, body, hosts = UPDATES[name]
    world.clear()
    answer = world.program.get(target, headers=headers)
    assert answer.status == 200 and (body in answer.body if body.startswith("<") else answer.body == body), answer
    expected = {(host, kind): hosts.get(host, {}).get(kind, []) for host in HOSTS for kind in ("A", "AAAA")}
    assert world.zone() == expected, "this, and nothing else"


@pytest.mark.parametrize("kind,body", [
    ("application/json", json.dumps({"hostname": PLAIN, "myip": V4, "ip6": V6})), ("text/plain", json.dumps({"domain": PLAIN, "ipv4": V4, "ipv6": V6, "offline": False, "mx": None})),
    ("application/x-www-form-urlencoded", f"hostname={PLAIN}&myip={V4}&myipv6={V6}"),
    ("multipart/form-data; boundary=x", "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in (("hostname", PLAIN), ("myip", V4), ("myipv6", V6))) + "--x--\r\n"),
])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_bodies(world, method, kind, body):
    world.clear()
    assert post(world.program, "/nic/update", body, kind, PLAIN_USER, method) == (200, f"good {V4},{V6}")
    assert world.server.records(PLAIN, "A") == [V4] and world.server.records(PLAIN, "AAAA") == [V6]


TOKEN = "/update?domains=shared&token=nas-key&"
# name: (target, headers, status, body)
REFUSALS = {
    "an unknown name": (f"/nic/update?hostname={PLAIN}&foo={V4}", PLAIN_USER, 400, "911"),
    "an unknown word": (f"/nic/update?hostname={PLAIN}&foo", PLAIN_USER, 400, "911"),
    "txt": (TOKEN + "txt=proof", {}, 400, "KO"), "txt and clear": (TOKEN + "txt=&clear=true", {}, 400, "KO"), "txt in dyndns2": (f"/nic/update?hostname={PLAIN}&txt=a", PLAIN_USER, 400, "911"),
    "two addresses of one family": (f"/nic/update?hostname={PLAIN}&myip={V4},192.0.2.11", PLAIN_USER, 400, "911"),
    "two by two names": (f"/nic/update?hostname={PLAIN}&myip={V6}&ipv6=2001:db8::11", PLAIN_USER, 400, "911"),
    "nothing that is good": (f"/nic/update?hostname={PLAIN}&myip=%3Cipaddr%3E&myipv6=fe80::1", PLAIN_USER, 500, "911"),
    "an IPv4 network": (f"/nic/update?hostname={PLAIN}&myip=192.0.2.0/24", PLAIN_USER, 500, "911"),
    "a prefix for one host, which has no suffix": (f"/nic/update?hostname={PLAIN}&ip6lanprefix:{PLAIN}=2001:db8:1:2::/64", PLAIN_USER, 500, "911"),
    "two addresses of one family of one host": (f"/nic/update?myipv4:{PLAIN}={V4}&myipv4:{PLAIN.upper()}.=192.0.2.11", PLAIN_USER, 400, "911"),
    "a prefix for no host": (f"/nic/update?hostname={PLAIN}&myipv6=2001:db8:1:2::/64", PLAIN_USER, 500, "911"),
    "prefix, unknown host": (f"/nic/update?hostname=nowhere.{ZONE}&myip={V4}&ip6lanprefix=2001:db8:5:c::/64", PREFIX_USER, 404, "nohost"),
    "prefix, another's host": (f"/nic/update?hostname={OTHER}&myip={V4}&ip6lanprefix=2001:db8:5:d::/64", PREFIX_USER, 403, "!yours"),
    "prefix, no such domain": ("/update?domains=nope&token=nas-key&ipv6prefix=2001:db8:5:f::/64", {}, 400, "KO"),
    "one of two": (f"/update?domains=shared,nope&token=nas-key&ip={V4}", {}, 400, "KO"),
    "an address for another's host": (f"/?hostname={PLAIN}&myipv4:{OTHER}={V4}&myipv4={V4}", basic("other", "wrong"), 401, "badauth"),
    "checkip with a credential": ("/nic/checkip", PLAIN_USER, 400, "badsys"),
    "a key that names an address": (f"/single-key?ip={V4}", {}, 403, "BADADDRESS"), "the same behind a slash": (f"/single-key/{V4}", {}, 403, "BADADDRESS"),
    "a key that names another host": (f"/single-key?hostname={OTHER}", {}, 404, "BADHOST"), "junk behind a key": ("/single-key?junk", {}, 400, "BADHOST"),
    "another host appended": (f"/single-key{OTHER}", {}, 403, "BADKEY"),
    "no JSON": None, "HEAD of a key": None,
    "Namecheap, unknown": (f"/update?host=nope&domain={ZONE}&password=plain-key&ip={V4}", {}, 404, "<ErrCount>1</ErrCount>"),
    "dynv6, unknown": (f"/api/update?zone=nope.{ZONE}&token=nas-key&ipv4={V4}", {}, 404, "invalid request"),
    "YDNS, another's": (f"/api/v1/update/?host={OTHER}&ip={V4}", PLAIN_USER, 403, "nohost"),
}


def test_a_failure_has_changed_nothing(world):
    world.clear()
    serial = world.server.serial()
    for name, case in REFUSALS.items():
        if case is None:
            continue
        target, headers, status, body = case
        answer = world.program.get(target, headers=headers)
        assert answer.status == status and (body in answer.body if body.startswith("<") else answer.body == body), (name, answer)
    assert post(world.program, "/nic/update", "{broken", "application/json", PLAIN_USER) == (400, "911")
    assert world.program.get("/single-key", method="HEAD").status == 405
    assert world.server.serial() == serial
    log = world.program.log()
    for words in ('it has a parameter "foo", which is not understood', "it sets a TXT record, which is not supported", "it names several addresses of one family for a host"):
        assert words in log, words
    for secret in ("s3cret", "single-key", "nas-key", "battery"):
        assert secret not in log


def test_a_spent_budget_is_told_as_one_that_refills(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {}, extra="[limits]\nchanges = 1\nchanges_refill = 600\n") + CLIENTS)
    cases = {PLAIN: ("/nic/update?hostname=plain.dyn.example.org&myip=", PLAIN_USER, (503, "911")), SHARED: (TOKEN + "ip=", {}, (503, "KO")),
             WEB: (f"/api/v1/update/?host={WEB}&ip=", WEB_USER, (503, "911"))}
    for host, (target, headers, refused) in cases.items():
        assert program.get(target + "192.0.2.1", headers=headers).status == 200
        answer = program.get(target + "192.0.2.2", headers=headers)
        assert tuple(answer) == refused and 0 < int(answer.headers["Retry-After"]) <= 600
        assert server.records(host, "A") == ["192.0.2.1"]


def test_inadyn_reads_ok_where_nothing_changed(world):
    world.program.get("/single-key")
    assert world.program.get("/single-key").body == "UPTODATE"
    for agent in ("inadyn/2.10.0 https://github.com/troglobit/inadyn/issues", "inadyn/2.11.0"):
        assert tuple(world.program.get("/single-key", headers={"User-Agent": agent})) == (200, "OK")
        assert tuple(world.program.get("/plain-key", headers={"User-Agent": agent})) == (200, "OK")


# --- what holds for any request ---------------------------------------------------------------------------------------

V4_NAMES = ["myip", "myipv4", "ip", "ip4", "ipv4", "ipaddr", "addr", "v4", "address"]
V6_NAMES = ["myip", "myipv6", "myip6", "ip6", "ipv6", "ip6addr", "v6"]
UNKNOWN = ["foo", "txt", "ip5", "myipx", "record", "ttl", "x", "ipv4address"]
IGNORED = ["system", "wildcard", "mx", "backmx", "url", "_"]
BAD = ["junk", "0.0.0.0", "fe80::1%eth0", "<ip6addr>", "127.0.0.1", "300.1.1.1"]
PATHS = ["/nic/update", "/update", "/", "/v2/update", "/update.php", "/api/v1/update/", "/dyn/generic.php", "/u/"]
GOOD_WORDS = {"ok", "NOERROR"}


def random_request(choose):
    """Target, headers, the addresses that it names, whether there is anything that is not understood."""
    pairs, named, is_strange = [], {}, False
    if choose.random() < 0.8:
        pairs.append((choose.choice(["hostname", "host", "domain", "h"]), PLAIN))
    for kind, names, network in (("A", V4_NAMES, "192.0.2.{}"), ("AAAA", V6_NAMES, "2001:db8::{:x}")):
        if choose.random() < 0.5:
            named[kind] = network.format(choose.randrange(1, 250))
            pairs.append((choose.choice(names), named[kind]))
    if choose.random() < 0.2:
        pairs.append((choose.choice(V4_NAMES), choose.choice(BAD)))
    if choose.random() < 0.2:
        pairs.append((choose.choice(V6_NAMES), ""))
    if choose.random() < 0.3:
        pairs.append((choose.choice(IGNORED), "x"))
    if choose.random() < 0.3:
        is_strange = True
        pairs.append((choose.choice(UNKNOWN), choose.choice(["192.0.2.77", "2001:db8::77", "x", ""])))
    choose.shuffle(pairs)
    query = urllib.parse.urlencode(pairs)
    path = choose.choice(PATHS)
    return (path + "?" + query if query else path), named, is_strange, any(value in BAD for _, value in pairs)


@pytest.mark.parametrize("seed", range(3))
def test_rules_for_any_request(world, seed):
    """Asked through the program under test and looked at in the zone. 80 requests for each seed."""
    choose = random.Random(seed)
    world.clear()
    records = {kind: world.server.records(PLAIN, kind) for kind in ("A", "AAAA")}
    done = 0
    for _ in range(80):
        target, named, is_strange, has_bad = random_request(choose)
        serial = world.server.serial()
        answer = world.program.get(target, headers=PLAIN_USER)
        now = {kind: world.server.records(PLAIN, kind) for kind in ("A", "AAAA")}
        if answer.status != 200:
            assert (now, world.server.serial()) == (records, serial), (target, answer, "a failure has changed nothing")
            assert is_strange or (has_bad and not named), (target, answer, "what is understood is done")
        else:
            done += 1
            first = answer.body.split()[0]
            assert first in ("good", "nochg", "Updated", "No") or first in GOOD_WORDS, (target, answer)
            assert not is_strange, (target, answer, "what is not understood is no success")
            expected = named or {"A": "127.0.0.1"}
            assert now == {kind: [expected[kind]] if kind in expected else records[kind] for kind in records}, (target, answer, "all of it, and nothing else")
        records = now
    assert done > 20
