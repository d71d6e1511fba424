# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting that takes effect with a reload, by the schema, does: what it changes is looked at before and after."""

import base64
import json
import re
import socket
import ssl
import subprocess
import threading
import urllib.request
from types import SimpleNamespace

from harness.dns_servers import Key
from harness.fake_dns import QueueingDns
from harness.process import await_true, free_port
from harness.sftdyn import BINARY, run
from test_config import all_settings

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"
OTHER = "a.other.example.org"


class Site:
    """sftdyn with two DNS servers, and what a reload is seen by."""

    def __init__(self, stage, folder):
        self.named = stage.dns("named", zones=(ZONE, "0.127.in-addr.arpa"))
        self.other = stage.dns("named", name="other", zones=("other.example.org",), key=Key(name="other"))
        self.wrong = Key(name=self.named.key.name).write(folder / "wrong.key")
        self.metrics = free_port()
        (folder / "clients.d").mkdir()
        (folder / "clients.d/one.toml").write_text(f'[clients]\n"included" = "included.{ZONE}"\n')
        for name in ("first", "second"):
            (folder / name).mkdir()
            assert run("cert", f"{name}.example.org", "--dir", folder / name).returncode == 0
        self.folder = folder
        self.parts = {
            "top": f'nskeyfile = "{self.named.key_file()}"\nlog = "warning"\nhttps = "127.0.0.1:0"\n' + self.pair("first"),
            "addresses": "",
            "dns": f'server = "{self.named.address}"\ntimeout = 20',
            "zone": f'name = "other.example.org"\nserver = "{self.other.address}"\nnskeyfile = "{self.other.key_file()}"',
            "limits": "changes = 0",
            "admin": f'metrics = "127.0.0.1:{self.metrics}"',
            "certificate": "",
            "clients": f'"k" = "{HOST}"\n"other" = "{OTHER}"',
        }
        self.program = stage.sftdyn(self.text(), arguments=())
        self.sources = (f"127.0.{number // 250 + 1}.{number % 250 + 1}" for number in range(60000))
        self.last = next(self.sources)

    def pair(self, name):
        return f'cert = "{self.folder}/{name}/server.crt"\nkey = "{self.folder}/{name}/server.key"\n'

    def text(self, **parts):
        parts = {**self.parts, **parts}
        headers = {"top": "", "zone": "[[zone]]", "certificate": "[[certificate]]"}
        return "\n".join(f"{headers.get(name, f'[{name}]')}\n{text}" for name, text in parts.items() if text or name == "clients")

    def get(self, key="k", source=None):
        return self.program.get(key, source=source or next(self.sources)).body

    def statuses(self, count, *keys, source=None):
        return [self.program.get(key, source=source or next(self.sources)).status for _ in range(count) for key in keys]

    def update(self, user, password, query=""):
        header = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
        return self.program.get(f"/nic/update?hostname={HOST}{query}", headers=header, source=next(self.sources)).body.split()[0]

    def ttl(self, key="k", host=HOST):
        return self.get(key) == "OK" and self.named.ttl(host, "A")

    def moves(self, host, key="k"):
        """Whether the key moves that host."""
        source = next(self.sources)
        self.get(key, source)
        return self.named.records(host, "A") == [source]

    def has_pointer(self, key="k"):
        """Of the address that it had the last time: the pointer follows after the answer."""
        pointer = ".".join(reversed(self.last.split("."))) + ".in-addr.arpa"
        found = bool(self.named.records(pointer, "PTR"))
        self.last = next(self.sources)
        self.get(key, self.last)
        return found

    def served_name(self, asked=None):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        port = next(port for address, port in self.program.addresses if port != self.program.port)
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60), server_hostname=asked) as connection:
            der = connection.getpeercert(binary_form=True)
        return subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-ext", "subjectAltName"], input=der, capture_output=True, check=True).stdout.decode().split("DNS:")[1].split(".")[0]

    def speaks_old_tls(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        port = next(port for address, port in self.program.addresses if port != self.program.port)
        try:
            context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60)).close()
            return True
        except ssl.SSLError:
            return False

    def says_requests(self):
        source = next(self.sources)
        self.get(source=source)
        return f"{HOST} A {source}: OK" in self.program.log()

    def believes(self):
        """Whether it does not ask again for what it has just set."""
        source = next(self.sources)
        self.get(source=source)
        self.named.nsupdate(f"update delete {HOST} A")
        return self.get(source=source)

    def prefix(self):
        self.update("u", "p", "&ip6lanprefix=2001:db8:1:ab00::/56")
        return self.named.records(HOST, "AAAA")

    def stale_hosts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=60) as page:
            return int(float(re.search(r"^sftdyn_stale_hosts (\S+)$", page.read().decode(), re.MULTILINE)[1]))

    def empty_parameter_removes(self):
        """Of a host that has an IPv6 address."""
        addresses = [next(self.sources).replace("127.0", "192.0") for _ in range(2)]
        assert self.update("u", "p", f"&myip={addresses[0]},2001:db8::5") == "good" and self.named.records(HOST, "AAAA") == ["2001:db8::5"]
        self.update("u", "p", f"&myip={addresses[1]}&myipv6=")
        return self.named.records(HOST, "AAAA") == []


def named_client(extra="", name=f'host = "{HOST}"', user='user = "u"\npassword = "p"'):
    return f"[clients.c]\n{user}\n{name}\n{extra}"


def cases(site):
    """Settings, the part of the file, its text before and after, what is looked at, and what is seen both times."""
    parts, get = site.parts, site.get
    dead = f"127.0.0.1:{free_port()}"
    password = "q" * 20
    hashed = subprocess.run([BINARY, "password"], input=password, capture_output=True, text=True, check=True).stdout.strip()
    listed = lambda extra: named_client(name=f'hosts = [{{ host = "{HOST}"{extra} }}]')
    suffix = 'ipv6_suffix = "::1:2"'
    other = lambda: get("other")
    dns = lambda server: f"{server}\ntimeout = 20"
    zone = lambda name="other.example.org", server=f'server = "{site.other.address}"', key=site.other.key_file(): f'name = "{name}"\n{server}\nnskeyfile = "{key}"'
    yield "uptodate", "top", "", 'uptodate = "GOOD"\n', lambda: [get(source="127.0.9.9"), get(source="127.0.9.9")][1], "UPTODATE", "GOOD"
    yield "refusals_in_200", "top", "", "refusals_in_200 = true\n", lambda: site.program.get("/nic/update?hostname=a.example.net&username=x&password=k").status, 404, 200
    yield "include", "top", "", f'include = "{site.folder}/clients.d"\n', lambda: site.moves(f"included.{ZONE}", "included"), False, True
    yield "log", "top", None, parts["top"].replace("warning", "info"), site.says_requests, False, True
    yield "nskeyfile", "top", None, parts["top"].replace(str(site.named.key_file()), str(site.wrong)), get, "OK", "FAIL"
    yield "cert key", "top", None, parts["top"].replace("/first/", "/second/"), site.served_name, "first", "second"
    yield "tls_min_version", "top", "", 'tls_min_version = "1.3"\n', site.speaks_old_tls, True, False
    yield "[[certificate]] cert key", "certificate", None, site.pair("second"), lambda: site.served_name("second.example.org"), "first", "second"
    yield "[addresses] allow", "addresses", None, 'allow = "10.0.0.0/8"', get, "OK", "BADADDRESS"
    yield "[addresses] deny", "addresses", None, 'deny = "127.0.0.0/8"', get, "OK", "BADADDRESS"
    yield "[dns] server", "dns", None, dns(f'server = "{dead}"'), get, "OK", "FAIL"
    yield "[dns] servers", "dns", dns(f'servers = ["{dead}", "{site.named.address}"]'), dns(f'servers = ["{dead}"]'), get, "OK", "FAIL"
    yield "[dns] zone", "dns", f'{parts["dns"]}\nqueries = false\nzone = "{ZONE}"', f'{parts["dns"]}\nqueries = false\nzone = "org"', get, "OK", "FAIL"
    yield "[dns] ttl", "dns", None, parts["dns"] + "\nttl = 77", site.ttl, 30, 77
    yield "[dns] freshness", "dns", parts["dns"] + "\nfreshness = 300", parts["dns"] + "\nfreshness = 0", site.believes, "UPTODATE", "OK"
    yield "[[zone]] name", "zone", None, zone("another.example.org"), other, "OK", "FAIL"
    yield "[[zone]] server", "zone", None, zone(server=f'server = "{dead}"'), other, "OK", "FAIL"
    yield "[[zone]] servers", "zone", zone(server=f'servers = ["{site.other.address}"]'), zone(server=f'servers = ["{dead}"]'), other, "OK", "FAIL"
    yield "[[zone]] nskeyfile", "zone", None, zone(key=site.wrong), other, "OK", "FAIL"
    yield "[[zone]] ttl", "zone", None, zone() + "\nttl = 99", lambda: other() == "OK" and site.other.ttl(OTHER, "A"), 30, 99
    yield "[limits] changes", "limits", None, "changes = 1\nchanges_refill = 86400", lambda: site.statuses(2, "k")[1], 200, 429
    yield "[limits] changes_refill", "limits", "changes = 1\nchanges_refill = 86400", "changes = 1\nchanges_refill = 0.001", lambda: site.statuses(2, "k")[1], 429, 200
    yield "[limits] bad_keys", "limits", None, "bad_keys = 1\nbad_keys_refill = 86400", lambda: 429 in site.statuses(5, "wrong", source=next(site.sources)), False, True
    yield "[limits] bad_keys_refill", "limits", "bad_keys = 1\nbad_keys_refill = 86400", "bad_keys = 1\nbad_keys_refill = 0.001", lambda: 429 in site.statuses(5, "wrong", source=next(site.sources)), True, False
    yield "a client.host", "clients", None, f'"k" = "moved.{ZONE}"', lambda: site.moves(f"moved.{ZONE}"), False, True
    yield "a client.ttl", "clients", None, f'"k" = {{ host = "{HOST}", ttl = 55 }}', site.ttl, 30, 55
    yield "a client.ptr", "clients", None, f'"k" = {{ host = "{HOST}", ptr = true }}', site.has_pointer, False, True
    yield "a client.changes", "clients", None, f'"k" = {{ host = "{HOST}", changes = 1 }}', lambda: site.statuses(2, "k")[1], 200, 429
    yield "a client.changes_refill", "clients", f'"k" = {{ host = "{HOST}", changes = 1 }}', f'"k" = {{ host = "{HOST}", changes = 1, changes_refill = 0.001 }}', lambda: site.statuses(2, "k")[1], 429, 200
    yield "a client.key", "clients", named_client('key = "one"'), named_client('key = "two"'), lambda: get("one"), "OK", "BADKEY"
    yield "a client.user", "clients", named_client(), named_client(user='user = "v"\npassword = "p"'), lambda: site.update("u", "p"), "good", "badauth"
    yield "a client.password", "clients", named_client(), named_client(user='user = "u"\npassword = "r"'), lambda: site.update("u", "p"), "good", "badauth"
    yield "a client.password_hash", "clients", named_client(), named_client(user=f'user = "u"\npassword_hash = "{hashed}"'), lambda: site.update("u", password), "badauth", "good"
    yield "a client.hosts", "clients", named_client(name=f'hosts = ["other.{ZONE}"]'), named_client(name=f'hosts = ["{HOST}", "other.{ZONE}"]'), lambda: site.update("u", "p"), "!yours", "good"
    yield "a client.may_set_address", "clients", named_client(), named_client("may_set_address = false"), lambda: site.update("u", "p", f"&myip={next(site.sources).replace('127.0', '192.0')}"), "good", "!yours"
    yield "a client.host", "clients", named_client('key = "k"', f'host = "other.{ZONE}"'), named_client('key = "k"'), lambda: site.moves(HOST), False, True
    yield "a client.ttl", "clients", named_client('key = "k"'), named_client('key = "k"\nttl = 55'), site.ttl, 30, 55
    yield "a client.ptr", "clients", named_client('key = "k"'), named_client('key = "k"\nptr = true'), site.has_pointer, False, True
    yield "a client.changes", "clients", named_client('key = "k"'), named_client('key = "k"\nchanges = 1'), lambda: site.statuses(2, "k")[1], 200, 429
    yield "a client.changes_refill", "clients", named_client('key = "k"\nchanges = 1'), named_client('key = "k"\nchanges = 1\nchanges_refill = 0.001'), lambda: site.statuses(2, "k")[1], 429, 200
    yield "a client.ipv6_suffix", "clients", named_client(suffix), named_client('ipv6_suffix = "::3:4"'), site.prefix, ["2001:db8:1:ab00::1:2"], ["2001:db8:1:ab00::3:4"]
    yield "a client.ipv6_subnet", "clients", named_client(suffix), named_client(suffix + "\nipv6_subnet = 7"), site.prefix, ["2001:db8:1:ab00::1:2"], ["2001:db8:1:ab07::1:2"]
    yield "a host.host", "clients", named_client(name=f'hosts = [{{ host = "other.{ZONE}" }}]'), listed(""), lambda: site.update("u", "p"), "!yours", "good"
    yield "a host.ttl", "clients", listed(""), listed(", ttl = 44"), lambda: site.update("u", "p") == "good" and site.named.ttl(HOST, "A"), 30, 44
    yield "a host.ptr", "clients", listed("") + 'key = "k"', listed(", ptr = true") + 'key = "k"', site.has_pointer, False, True
    yield "a host.ipv6_suffix", "clients", listed(f", {suffix}"), listed(', ipv6_suffix = "::3:4"'), site.prefix, ["2001:db8:1:ab00::1:2"], ["2001:db8:1:ab00::3:4"]
    yield "a host.ipv6_subnet", "clients", listed(f", {suffix}"), listed(f", {suffix}, ipv6_subnet = 7"), site.prefix, ["2001:db8:1:ab00::1:2"], ["2001:db8:1:ab07::1:2"]
    yield "a client.empty_removes", "clients", named_client(), named_client("empty_removes = true"), site.empty_parameter_removes, False, True
    yield "a client.stale_after", "clients", None, f'"k" = {{ host = "{HOST}", stale_after = 1 }}', site.stale_hosts, 0, 1
    yield "a client.stale_after", "clients", None, named_client("stale_after = 1"), site.stale_hosts, 0, 1
    yield "[admin] stale_after", "admin", None, parts["admin"] + "\nstale_after = 1", lambda: site.stale_hosts() > 0, False, True


# Whose effect takes more than a look.
ELSEWHERE = {
    "[dns] tcp": "test_how_the_dns_is_asked", "[[zone]] tcp": "test_how_the_dns_is_asked", "[dns] queries_in_flight": "test_how_the_dns_is_asked",
    "[dns] timeout": "test_what_waits_for_the_dns", "[[zone]] timeout": "test_what_waits_for_the_dns", "[dns] queue": "test_what_waits_for_the_dns",
    "[dns] batch": "test_what_waits_for_the_dns", "[dns] updates_in_flight": "test_what_waits_for_the_dns",
    "[dns] queries": "test_how_the_dns_is_asked", "[[zone]] queries": "test_how_the_dns_is_asked",
    "[dns] sign_queries": "test_how_the_dns_is_asked", "[[zone]] sign_queries": "test_how_the_dns_is_asked",
    "[dns] follow_serial": "test_freshness.test_a_zone_that_is_changed_without_its_serial",
    "[dns] read_back": "test_setups.test_a_server_that_confirms_and_does_nothing",
    "[dns] on_removal": "test_setups.test_a_host_that_is_taken_out_loses_its_records",
}


def names_of(setting):
    """ "cert key", "[dns] ttl" -> those of the schema."""
    section, _, names = setting.rpartition("]") if "]" in setting else ("", "", setting)
    if "." in setting:
        return {tuple(setting.split("."))}
    return {(section + "]" if section else "", name) for name in names.split()}


def test_every_setting_of_a_reload_takes_effect(stage, tmp_path):
    site = Site(stage, tmp_path)
    covered = set().union(*map(names_of, ELSEWHERE))
    for settings, part, old, new, look, before, after in cases(site):
        covered |= names_of(settings)
        if part == "top":
            old, new = (site.parts["top"] + (text or "") if text is None or "nskeyfile" not in text else text for text in (old, new))
        for text, seen in ((site.parts[part] if old is None else old, before), (new, after)):
            site.program.reload(site.text(**{part: text}))
            last = []
            await_true(lambda: last.append(look()) or last[-1] == seen, lambda: f"{settings}: {seen}, not {last[-1]}\n{text}\n{site.program.log()[-1500:]}")
    assert covered == {(setting["section"], setting["name"]) for setting in all_settings() if setting["effect"] == "reload" and setting["kind"] not in ("table", "tables")}


class Slow:
    """sftdyn and a DNS server whose answers wait, and UPDATEs that it was asked for."""

    def __init__(self, stage, folder, count=4):
        self.going = threading.Event()
        self.updates = []
        key = Key()
        self.server = QueueingDns(key, zones=("slow.example.org",), delay=lambda request: self.going.wait() and 0,
                                  after_reading=lambda request, connection: self.updates.append(request))
        stage.running.append(self.server)
        self.key = key.write(folder / "key")
        self.folder = folder
        self.keys = [f"k{number}" for number in range(count)]
        self.program = stage.sftdyn(self.text("timeout = 60"), arguments=("-v",))
        self.reloads = self.asked = 0
        self.waiting = []

    def text(self, dns="", zone=None, server=None):
        clients = "\n".join(f'"{key}" = "{key}.slow.example.org"' for key in self.keys)
        server = f'server = "{server or self.server.address}"\n'
        zones = "" if zone is None else f'[[zone]]\nname = "slow.example.org"\n{server}nskeyfile = "{self.key}"\n{zone}\n'
        return f'nskeyfile = "{self.key}"\n[dns]\n{server}{dns}\n{zones}[limits]\nchanges = 0\n[admin]\ncontrol = "{self.folder}/control"\n[clients]\n{clients}\n'

    def reload(self, **parts):
        self.program.reload(self.text(**parts))
        self.reloads += 1
        self.program.await_log("the configuration has", count=self.reloads)

    def ask(self, key):
        """In a thread, with a new address; the status when it is there."""
        answer = SimpleNamespace(status=None)
        self.asked += 1
        source = f"127.0.1.{self.asked}"

        def work():
            answer.status = self.program.get(key, source=source).status
        answer.thread = threading.Thread(target=work)
        answer.thread.start()
        self.waiting.append(answer)
        return answer

    def await_waiting(self, count):
        await_true(lambda: json.loads(run("status", "--json", "--socket", f"{self.folder}/control").stdout)["waiting"] == count, lambda: f"{count} wait\n{self.program.log()}")

    def go(self):
        self.going.set()
        for answer in self.waiting:
            answer.thread.join()
        self.waiting.clear()


def test_what_waits_for_the_dns(stage, tmp_path):
    slow = Slow(stage, tmp_path)
    # One that has a long time waits while those with a short one fail.
    patient = slow.ask("k0")
    slow.await_waiting(1)
    slow.reload(dns="timeout = 0.2")
    assert slow.program.get("k1").status == 500 and patient.status is None
    slow.reload(dns="timeout = 60", zone="timeout = 0.2")
    assert slow.program.get("k1").status == 500 and patient.status is None
    slow.reload(dns="timeout = 60\nqueue = 1")
    assert slow.program.get("k2").status == 503 and patient.status is None
    slow.go()
    assert patient.status == 200

    def updates(dns):
        """How many hosts are in each UPDATE, of four that come one after the other, and how many UPDATEs come before one is answered."""
        slow.going.clear()
        slow.reload(dns=f"timeout = 60\n{dns}")
        slow.updates.clear()
        for number, key in enumerate(slow.keys):
            slow.ask(key)
            slow.await_waiting(number + 1)
        early = len(slow.updates)
        slow.go()
        return early, [len({rrset.name for rrset in update.update}) for update in slow.updates if update.update]

    early, hosts = updates("")
    assert early == 1 and sum(hosts) == 4 and max(hosts) > 1
    assert updates("batch = 1") == (1, [1, 1, 1, 1])
    assert updates("updates_in_flight = 3")[0] == 3


def test_how_the_dns_is_asked(stage, tmp_path):
    slow = Slow(stage, tmp_path, count=10)
    slow.going.set()
    keys = iter(slow.keys)  # each is asked for once

    def queries(**parts):
        """After a reload: whether they come over TCP, and are signed."""
        slow.reload(**parts)
        del slow.server.requests[:]
        assert slow.program.get(next(keys)).status == 200
        return {(over_tcp, request.had_tsig) for request, over_tcp in slow.server.requests if request.opcode() == 0}

    assert queries() == {(False, True)}
    assert queries(dns="tcp = true") == {(True, True)}
    assert queries(zone="") == {(False, True)}
    assert queries(zone="tcp = true") == {(True, True)}
    assert queries(dns="sign_queries = false") == {(False, False)}
    assert queries(zone="sign_queries = false") == {(False, False)}
    assert queries(dns='queries = false\nzone = "slow.example.org"') == set()
    assert queries(zone="queries = false") == set()
    assert queries(zone="") == {(False, True)}

    # One that never answers is asked for so many names at once.
    for limit in (1, 3):
        with socket.create_server(("127.0.0.1", 0)) as silent_tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(silent_tcp.getsockname())
            silent.setblocking(False)
            slow.reload(dns=f"timeout = 60\nqueries_in_flight = {limit}", server="{}:{}".format(*silent.getsockname()))
            names = set()
            for key in slow.keys:
                slow.ask(key)
            slow.await_waiting(len(slow.keys))
            try:
                while True:
                    query = silent.recv(4096).lower()
                    names |= {query[12:15]} if b"slow" in query else set()  # and not that of the status
            except BlockingIOError:
                pass
            assert len(names) == limit
        slow.go()  # nothing listens there any more
