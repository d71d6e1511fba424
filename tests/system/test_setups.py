# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones and servers as people have them: wildcards, child zones, delegations, secondaries, keys and ways to the server. What is
told is what is served, on each server."""

import base64
import signal
import socket
import sqlite3
import subprocess
import threading

import dns.message
import dns.opcode
import dns.rcode
import pytest

from harness.dns_servers import ZONE, Key, Named
from harness.fake_dns import FakeDns
from harness.process import await_true, free_port
from harness.sftdyn import conf

KINDS = ["named", "knot", "powerdns"]
CREDENTIAL = {"Authorization": "Basic " + base64.b64encode(b"u:pw").decode()}


def account(hosts, key=None):
    listed = ", ".join(f'"{host}"' for host in hosts)
    first = f'key = "{key}"\n' if key else ""
    return f'\n[clients.c]\n{first}user = "u"\npassword = "pw"\nmay_set_address = true\nhosts = [{listed}]\n'


class Told:
    """Says what a client of dyndns2 is told, and compares it with what is served."""

    def __init__(self, program, server):
        self.program = program
        self.server = server

    def update(self, host, *addresses):
        return self.program.get(f"/nic/update?hostname={host}&myip={','.join(addresses)}", headers=CREDENTIAL).body

    def good(self, host, address, word="good"):
        assert self.update(host, address) == f"{word} {address}", self.program.log()[-3000:]
        assert self.served(host, address) == [address]

    def served(self, host, address):
        return self.server.records(host, "AAAA" if ":" in address else "A")

    def fails(self, host, words):
        assert self.update(host, "192.0.2.99") in ("dnserr", "911"), self.program.log()[-3000:]
        self.program.await_log(words)


@pytest.mark.parametrize("kind", KINDS)
def test_wildcards_cnames_and_delegations(stage, kind):
    server = stage.dns(kind)
    server.nsupdate("\n".join(f"update add {name}.{ZONE} 30 {record}" for name, record in (
        ("*.c", f"CNAME www.{ZONE}."), ("www", "A 192.0.2.80"), ("real.c", f"CNAME www.{ZONE}."), ("*.w", "A 192.0.2.9"),
        ("sub", "NS ns.elsewhere."))))
    hosts = {name: f"{name}.{ZONE}" for name in ("home.c", "real.c", "home.w", "a.home.w", "x.sub", "x.dname")}
    told = Told(stage.sftdyn(conf(server, {}, dns="freshness = 0", extra="[limits]\nchanges = 0") + account(hosts.values())), server)

    # The CNAME that a wildcard makes is none at the name; a real one is.
    told.good(hosts["home.c"], "192.0.2.1")
    told.good(hosts["home.c"], "192.0.2.2")
    told.fails(hosts["real.c"], f"{hosts['real.c']} is a CNAME")
    assert server.records(hosts["real.c"], "CNAME") == [f"www.{ZONE}."]

    # What a wildcard makes is nobody's own: neither the other family nor a name below takes it away.
    told.good(hosts["home.w"], "192.0.2.9")
    told.good(hosts["home.w"], "192.0.2.9", word="nochg")
    told.good(hosts["home.w"], "2001:db8::9")
    told.good(hosts["a.home.w"], "192.0.2.9")
    told.good(hosts["home.w"], "192.0.2.9", word="nochg")
    server.nsupdate(f"update delete *.w.{ZONE} A")
    assert server.records(hosts["home.w"], "A") == server.records(hosts["a.home.w"], "A") == ["192.0.2.9"]

    told.fails(hosts["x.sub"], f"it delegates sub.{ZONE} to another")
    told.good(hosts["x.dname"], "192.0.2.1")
    told.program.stop()  # each kind of failure is said once
    told.program.start()
    server.nsupdate(f"update delete x.dname.{ZONE}\nupdate add dname.{ZONE} 30 DNAME w.{ZONE}.")
    told.fails(hosts["x.dname"], "a prerequisite is not met" if kind == "powerdns" else "which is a DNAME")


@pytest.mark.parametrize("kind", KINDS)
def test_a_cname_that_appears_is_refused_by_the_server(stage, kind):
    """Within `freshness` nothing is asked: named would take the address beside the CNAME, and do nothing."""
    server = stage.dns(kind)
    told = Told(stage.sftdyn(conf(server, {}, dns="freshness = 300") + account([host := f"home.{ZONE}"])), server)
    told.good(host, "192.0.2.1")
    server.nsupdate(f"update delete {host}\nupdate add {host} 30 CNAME www.{ZONE}.")
    told.fails(host, "a prerequisite is not met (RFC 2136 §2.4): a CNAME stands at the name")
    assert server.records(host, "CNAME") == [f"www.{ZONE}."]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["dns", "zone"])
def test_a_child_zone_of_the_zone_that_is_named(stage, kind, where):
    server = stage.dns(kind, zones=("example.org", ZONE))
    host, other = f"home.{ZONE}", f"other.{ZONE}"
    server.nsupdate(f"update add {other} 30 A 192.0.2.7")
    text = conf(server, {}, dns='zone = "example.org"' if where == "dns" else "")
    if where == "zone":
        text = text.replace("[clients]", f'[[zone]]\nname = "example.org"\nserver = "{server.address}"\nnskeyfile = "{server.key_file()}"\n[clients]')
    told = Told(stage.sftdyn(text + account([host, other])), server)
    told.good(host, "192.0.2.1")
    told.good(host, "192.0.2.1", word="nochg")
    told.good(other, "192.0.2.2")


def test_a_child_zone_appears_and_goes(stage):
    server = stage.dns("named", zones=("example.org",))
    host = f"home.{ZONE}"
    told = Told(stage.sftdyn(conf(server, {}, dns="freshness = 0", extra="[limits]\nchanges = 0") + account([host])), server)
    told.good(host, "192.0.2.1")

    def soa_of_host():
        answer = server.query(host, "SOA")
        return [rrset.name.to_text() for rrset in answer.authority]

    for zones, zone in ((["example.org", ZONE], ZONE), (["example.org"], "example.org")):
        server.zones = zones
        server.configure()
        server.process.send_signal(signal.SIGHUP)
        await_true(lambda: soa_of_host() == [f"{zone}."] or server.records(host, "A"), "named has read its configuration")
        await_true(lambda: server.query(zone, "SOA").answer and (zone == "example.org" or not server.records(host, "A")), "the zone is there")
        for number in (1, 2, 1):
            told.good(host, f"192.0.2.{number}", word="nochg" if server.records(host, "A") == [f"192.0.2.{number}"] else "good")


def test_a_zone_that_the_server_does_not_have(stage):
    server = stage.dns("named", zones=("example.org",))
    told = Told(stage.sftdyn(conf(server, {}, dns=f'zone = "{ZONE}"') + account([host := f"home.{ZONE}"])), server)
    told.fails(host, f"the DNS server has no zone {ZONE}: it answers from example.org")


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_ttl_is_applied_at_the_next_check_in(stage, kind):
    server = stage.dns(kind)
    host = f"home.{ZONE}"
    program = stage.sftdyn(conf(server, {"k": host}, dns="ttl = 60"))
    assert [program.get("k").body for _ in range(2)] == ["OK", "UPTODATE"]
    assert server.ttl(host, "A") == 60
    program.reload(conf(server, {"k": host}, dns="ttl = 90"))
    program.await_log("the configuration has 1 clients")
    assert [program.get("k").body for _ in range(2)] == ["OK", "UPTODATE"], program.log()[-3000:]
    assert server.ttl(host, "A") == 90
    # A restart knows nothing, and asks.
    program.stop()
    program.start()
    assert program.get("k").body == "UPTODATE"
    server.nsupdate(f"update delete {host} A\nupdate add {host} 5 A 127.0.0.1")
    program.stop()
    program.start()
    assert program.get("k").body == "OK"
    assert server.ttl(host, "A") == 90


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_taken_out_loses_its_records(stage, kind):
    server = stage.dns(kind)
    hosts = {key: f"{key}.{ZONE}" for key in "ab"}
    program = stage.sftdyn(conf(server, hosts))
    assert [program.get(key).body for key in hosts] == ["OK", "OK"]
    program.reload(conf(server, {"a": hosts["a"]}, dns='on_removal = "remove"'))
    program.await_log(f"{hosts['b']} A: removed")
    assert [server.records(host, "A") for host in hosts.values()] == [["127.0.0.1"], []]
    program.reload(conf(server, {}))
    program.await_log("there are no clients")
    assert server.records(hosts["a"], "A") == ["127.0.0.1"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pointer_follows_where_the_hosts_zone_is_named(stage, kind):
    server = stage.dns(kind, zones=(ZONE, "0.127.in-addr.arpa"))
    server.nsupdate("update add 9.5.0.127.in-addr.arpa 60 PTR mail.example.org.")
    program = stage.sftdyn(conf(server, {"k": f'{{ host = "home.{ZONE}", ptr = true }}'}, dns=f'zone = "{ZONE}"'))
    assert program.get("k", source="127.0.5.6").body == "OK"
    await_true(lambda: server.records("6.5.0.127.in-addr.arpa", "PTR") == [f"home.{ZONE}."], "the pointer is there")
    assert program.get("k", source="127.0.5.9").body == "OK"
    program.await_log("the address has the PTR record of another name, mail.example.org, which stays")
    await_true(lambda: server.records("6.5.0.127.in-addr.arpa", "PTR") == [], "the old one is not")
    assert server.records("9.5.0.127.in-addr.arpa", "PTR") == ["mail.example.org."]


def test_key_files_as_named_takes_them(stage, tmp_path):
    server = stage.dns("named")
    key = tmp_path / "keys/real.key"
    key.parent.mkdir()
    key.write_text(server.key.bind_text().replace(server.key.secret, server.key.secret[:7] + " " + server.key.secret[7:20] + "\n\t" + server.key.secret[20:]))
    outer = tmp_path / "outer.key"
    outer.write_text('// of the other zones\ninclude "keys/real.key";\n')
    program = stage.sftdyn(conf(server, {"k": f"home.{ZONE}"}, key_file=outer))
    assert program.get("k").body == "OK", program.log()
    # The sandbox lets it be read again when it changes.
    key.write_text(server.key.bind_text())
    assert program.get("k", source="127.0.0.2").body == "OK", program.log()
    key.write_text(Key().bind_text())
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    program.await_log("BADSIG")


# --- PowerDNS

def test_powerdns_says_notauth_where_it_does_not_take_the_key(stage, tmp_path):
    server = stage.dns("powerdns")
    for number, key in enumerate((Key(), Key(name="stranger"), Key(algorithm="hmac-sha512", secret=server.key.secret))):
        program = stage.sftdyn(conf(server, {"k": f"home.{ZONE}"}, key_file=key.write(tmp_path / f"key{number}")), name=f"sftdyn{number}")
        assert program.get("k").body == "FAIL"
        program.await_log("the DNS server answered NOTAUTH to a query: it does not take our key")
        program.stop()


def test_powerdns_refuses_by_its_metadata(stage):
    server = stage.dns("powerdns")
    server.stop()
    with sqlite3.connect(server.folder / "pdns.sqlite3") as database:
        database.execute("UPDATE domainmetadata SET content = 'another' WHERE kind = 'TSIG-ALLOW-DNSUPDATE'")
    server.start()
    program = stage.sftdyn(conf(server, {"k": f"home.{ZONE}"}))
    assert program.get("k").body == "FAIL"
    program.await_log("REFUSED")
    program.await_log("TSIG-ALLOW-DNSUPDATE")


# --- ways to the server

class DatagramThief:
    """A relay to a server's TCP port that swallows every datagram."""

    def __init__(self, server_port):
        self.port = free_port()
        self.server_port = server_port
        self.datagrams = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.swallow, daemon=True).start()
        threading.Thread(target=self.accept, daemon=True).start()

    address = property(lambda self: f"127.0.0.1:{self.port}")

    def swallow(self):
        while True:
            try:
                self.datagrams.append(self.udp.recvfrom(65535)[0])
            except OSError:
                return

    def accept(self):
        while True:
            try:
                client, _ = self.tcp.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                return
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.relay, args=(one, other), daemon=True).start()

    @staticmethod
    def relay(one, other):
        try:
            while data := one.recv(65535):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


def test_where_datagrams_are_dropped_queries_go_over_tcp(stage):
    server = stage.dns("named")
    thief = DatagramThief(server.port)
    stage.running.append(thief)
    hosts = {f"k{number}": f"h{number}.{ZONE}" for number in range(8)}
    program = stage.sftdyn(conf(server, hosts).replace(server.address, thief.address))
    for key in hosts:
        assert program.get(key).body == "OK", program.log()
    assert len(thief.datagrams) == 2, "then the others do so at once"


def test_a_server_that_passes_updates_on_and_does_not_know_the_key(stage):
    primary = stage.dns("named", name="primary")
    secondary = Named(stage.folder / "secondary", zones=["other.test"], key=Key(name="another"))
    configure = secondary.configure

    def configured():
        configure()
        with open(secondary.folder / "named.conf", "a") as file:
            file.write(f'zone "{ZONE}" {{ type secondary; primaries {{ 127.0.0.1 port {primary.port}; }}; file "{secondary.folder}/copy"; '
                       f"allow-update-forwarding {{ any; }}; allow-notify {{ any; }}; }};\n")

    secondary.configure = configured
    stage.running.append(secondary)
    secondary.start()
    await_true(lambda: secondary.query(ZONE, "SOA").rcode() == dns.rcode.NOERROR, "the zone is transferred")
    text = conf(secondary, {"k": f"home.{ZONE}"}, key_file=primary.key_file())
    program = stage.sftdyn(text)
    assert program.get("k").body == "FAIL"
    program.await_log("BADKEY")
    program.stop()
    program = stage.sftdyn(conf(secondary, {"k": f"home.{ZONE}"}, key_file=primary.key_file(), dns="sign_queries = false"), name="unsigned")
    program.get("k")  # what is served here may lag behind
    await_true(lambda: primary.records(f"home.{ZONE}", "A") == ["127.0.0.1"], program.log)


def test_a_server_that_answers_no_queries(stage, tmp_path):
    key = Key()
    server = FakeDns(key, bend=lambda request, wire, over_tcp: wire if request.opcode() == dns.opcode.UPDATE else None)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": f"home.{ZONE}"}, key_file=key.write(tmp_path / "key"), dns=f'zone = "{ZONE}"\nqueries = false'))
    assert [program.get("k").body for _ in range(2)] == ["OK", "UPTODATE"], program.log()
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert all(request.opcode() == dns.opcode.UPDATE for request, _ in server.requests)
    program.stop()
    program.start()
    assert program.get("k", source="127.0.0.2").body == "OK", "it remembers no OK of its own"


@pytest.mark.parametrize("kind", ["named", "powerdns"])
def test_a_server_that_takes_updates_by_address(stage, kind):
    server = stage.dns("named", policy="allow-update { 127.0.0.1; };") if kind == "named" else stage.dns(kind)
    if kind == "powerdns":
        server.stop()
        with sqlite3.connect(server.folder / "pdns.sqlite3") as database:
            database.execute("DELETE FROM domainmetadata WHERE kind = 'TSIG-ALLOW-DNSUPDATE'")
        server.start()
    text = conf(server, {"k": f"home.{ZONE}"})
    program = stage.sftdyn("nskeyfile = false\n" + text[text.index("\n"):])
    assert [program.get("k", source=source).body for source in ("127.0.0.2", "127.0.0.2", "127.0.0.3")] == ["OK", "UPTODATE", "OK"], program.log()
    assert server.records(f"home.{ZONE}", "A") == ["127.0.0.3"]


@pytest.mark.parametrize("kind", ["named", "knot", "powerdns"])
def test_the_next_address_where_the_first_is_no_primary(stage, kind):
    """It serves the zone to readers, or not at all, and refuses to change it."""
    key = Key()
    for number, zones in enumerate(((ZONE,), ("other.test",))):
        kwargs = {"named": {"policy": "allow-update { none; };"}, "knot": {"actions": "[query]"}, "powerdns": {}}[kind]
        first = stage.dns(kind, name=f"first{number}", key=key, zones=zones if kind != "powerdns" else ("other.test",), **kwargs)
        second = stage.dns(kind, name=f"second{number}", key=key)
        text = conf(second, {"k": f"home.{ZONE}"}).replace(f'server = "{second.address}"', f'servers = ["{first.address}", "{second.address}"]')
        program = stage.sftdyn(text, name=f"sftdyn{number}")
        assert [program.get("k", source=f"127.0.0.{last}").body for last in (2, 2, 3)] == ["OK", "UPTODATE", "OK"], program.log()[-4000:]
        assert second.records(f"home.{ZONE}", "A") == ["127.0.0.3"]
        program.stop()


# --- words that lead to the cause

class ControlledNamed(Named):
    """Takes orders by rndc."""

    def configure(self):
        self.control = getattr(self, "control", 0) or free_port()
        super().configure()
        conf_file = self.folder / "named.conf"
        conf_file.write_text(conf_file.read_text().replace(
            "controls { };", f'controls {{ inet 127.0.0.1 port {self.control} allow {{ 127.0.0.1; }} keys {{ "{self.key.name}"; }}; }};'))
        (self.folder / "rndc.conf").write_text(
            self.key.bind_text() + f'options {{ default-key "{self.key.name}"; default-server 127.0.0.1; default-port {self.control}; }};\n')

    def rndc(self, *words):
        return subprocess.run(["rndc", "-c", self.folder / "rndc.conf", *words], check=True, capture_output=True)


def test_refusals_of_named_are_told_apart(stage):
    server = ControlledNamed(stage.folder / "named", options="check-names primary fail;",
                             policy="update-policy { grant sftdyn name home.dyn.example.org A; grant sftdyn name a_b.dyn.example.org A; };")
    stage.running.append(server)
    server.start()
    hosts = {"home": f"home.{ZONE}", "under": f"a_b.{ZONE}", "other": f"other.{ZONE}"}
    for key, words in (("other", "its policy does not allow this name or type"), ("under", 'names that hold "_" (check-names in BIND)')):
        program = stage.sftdyn(conf(server, hosts), name=key)
        assert program.get(key).body == "FAIL"
        program.await_log(words)
        program.stop()
    server.rndc("freeze", ZONE)
    program = stage.sftdyn(conf(server, {}) + account([hosts["home"]], key="home"))
    assert program.get("home").body == "FAIL"
    program.await_log("the zone is frozen (rndc thaw, knotc zone-thaw)")
    server.rndc("thaw", ZONE)
    await_true(lambda: program.get("home").body == "OK", "it has thawed")
    # Both go together, and the server does not tell which it refuses.
    program.stop()
    program.start()
    answer = program.get(f"/nic/update?hostname={hosts['home']}&myip=192.0.2.1,2001:db8::1", headers=CREDENTIAL)
    assert answer.body != "good 192.0.2.1"
    program.await_log("with A, AAAA records that go together")


class DatagramRelay:
    """A relay to a server's UDP port; nothing listens for TCP."""

    def __init__(self, server_port):
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.connect(("127.0.0.1", server_port))
        self.client = None
        threading.Thread(target=self.forward, daemon=True).start()
        threading.Thread(target=self.back, daemon=True).start()

    address = property(lambda self: f"127.0.0.1:{self.port}")

    def forward(self):
        try:
            while True:
                data, self.client = self.udp.recvfrom(65535)
                self.server.send(data)
        except OSError:
            pass

    def back(self):
        try:
            while True:
                data = self.server.recv(65535)
                self.udp.sendto(data, self.client)
        except OSError:
            pass

    def stop(self):
        for one in (self.udp, self.server):
            one.close()


def test_tcp_that_is_shut_is_told_from_a_server_that_is_down(stage):
    server = stage.dns("named")
    relay = DatagramRelay(server.port)
    stage.running.append(relay)
    program = stage.sftdyn(conf(server, {"k": f"home.{ZONE}"}, dns="timeout = 5").replace(server.address, relay.address))
    assert program.get("k").body == "FAIL"
    program.await_log("UDP is answered, TCP is not: nothing listens there (connection refused); updates go over TCP")


def test_a_server_that_confirms_and_does_nothing(stage, tmp_path):
    key = Key()
    server = FakeDns(key)
    stage.running.append(server)
    carry_out = server.carry_out

    def forget(request):
        response = carry_out(request)
        server.records.clear()
        return response

    server.carry_out = forget
    text = conf(server, {"k": f"home.{ZONE}"}, key_file=key.write(tmp_path / "key"), dns="timeout = 2")
    program = stage.sftdyn(text)
    assert program.get("k").body == "FAIL"
    program.await_log(f"the DNS server has confirmed the change, and serves nothing for home.{ZONE} A")
    program.reload(text.replace("[dns]", "[dns]\nread_back = false"))
    await_true(lambda: program.get("k").body == "OK", "it is believed")
