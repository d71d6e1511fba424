# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request has one line at `-v` and is counted once, whatever its answer; several hosts of one request have one each."""

import re
import textwrap
import threading
import urllib.request

import pytest

from harness.process import await_true, free_port
from harness.sftdyn import conf

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"
SECRET = "secret-in-the-path"
UPDATE = "/nic/update?username=x&password=" + SECRET
FROM = " from 127.0.0.1"


def lines(program):
    return re.findall(r"^\S+ \S+ info: (.*)$", program.log(), re.MULTILINE)


class Told:
    """sftdyn at `-v`, and what it says and counts."""

    def __init__(self, stage, text, **kwargs):
        self.page = free_port()
        admin = f'\n[admin]\nmetrics = "127.0.0.1:{self.page}"\n'
        self.program = stage.sftdyn(text + admin, **{"arguments": ("-v",), **kwargs})

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/metrics", timeout=60) as answer:
            return answer.read().decode()

    def counts(self):
        rows = re.findall(r'^sftdyn_requests_total\{dialect="(\w+)",outcome="(\w+)"\} (\d+)$', self.metrics(), re.MULTILINE)
        return {f"{dialect} {outcome}": int(count) for dialect, outcome, count in rows}

    def by(self, ask):
        """The answer of `ask`, and the lines and counts that it brings about."""
        before, counts = len(lines(self.program)), self.counts()
        answer = ask(self.program)
        now = self.counts()
        return answer, lines(self.program)[before:], {name: now[name] - count for name, count in counts.items() if now[name] != count}


def get(target, **kwargs):
    return lambda program: program.get(target, **kwargs).status


def raw(octets):
    return lambda program: int(program.raw(octets).split()[1])


HEADER = b"GET /" + SECRET.encode() + b" HTTP/1.1\r\nHost: x\r\n"
CASES = {
    "OK": (get(SECRET), 200, f"{HOST} A 127.0.0.1: OK", "secret_url ok"),
    "BADKEY": (get("wrong-" + SECRET), 403, "a wrong credential" + FROM, "secret_url badkey"),
    "address": (get("/"), 200, f"a request{FROM}: its own address", "secret_url address"),
    "checkip": (get("/nic/checkip"), 200, f"a request{FROM}: its own address", "dyndns2 address"),
    "PUT": (get(SECRET, method="PUT"), 405, f"a request{FROM}: a method other than GET", "secret_url refused"),
    "HEAD": (get("/" + SECRET, method="HEAD"), 405, f"a request{FROM}: a method other than GET", "secret_url refused"),
    "DELETE of dyndns2": (get(UPDATE, method="DELETE"), 405, f"a request{FROM}: a method other than GET, POST and PUT", "dyndns2 refused"),
    "nochg": (get(UPDATE + f"&hostname={HOST}"), 200, f"{HOST} A 127.0.0.1: UPTODATE", "dyndns2 uptodate"),
    "badauth": (get("/nic/update?hostname=x&username=x&password=wrong"), 401, "a wrong credential" + FROM, "dyndns2 badkey"),
    "no credential": (get(f"/nic/update?hostname={HOST}"), 401, f"a request{FROM}: no credential", "dyndns2 no_credential"),
    "no hostname": (get(UPDATE), 200, f"{HOST} A 127.0.0.1: UPTODATE", "dyndns2 uptodate"),
    "not understood": (get(UPDATE + "&foo=1"), 400, f"a request{FROM}: it has a parameter \"foo\", which is not understood", "dyndns2 refused"),
    "credential for a page": (get("/nic/checkip", headers={"Authorization": "Basic dTpw"}), 400, f"a request{FROM}: it has a credential for a page that only shows its address", "dyndns2 refused"),
    "nohost": (get(UPDATE + "&hostname=unknown.example.net"), 404, f"unknown.example.net{FROM}: nohost", "dyndns2 refused"),
    "numhost": (get(UPDATE + "&hostname=" + ",".join(["a.b"] * 21)), 400, f"a request{FROM}: it names more hosts than are allowed", "dyndns2 refused"),
    "no address": (get(UPDATE + f"&hostname={HOST}&myip=nonsense"), 500, f"a request{FROM}: the address must not be published, or is invalid", "dyndns2 refused"),
    "another address": (get(UPDATE + f"&hostname={HOST}&myip=192.0.2.1"), 403, f"{HOST}{FROM}: !yours", "dyndns2 refused"),
    "denied, secret URL": (get(SECRET, source="127.0.0.66"), 403, f"{HOST} from 127.0.0.66: its address must not be published", "secret_url refused"),
    "denied, dyndns2": (get(UPDATE + f"&hostname={HOST}", source="127.0.0.66"), 500, "a request from 127.0.0.66: the address must not be published, or is invalid", "dyndns2 refused"),
    "too many parameters": (get("/nic/update?" + "a&" * 5000), 400, f"a request{FROM}: too many parameters", "dyndns2 refused"),
    "KO": (get("/update?domains=x&token=wrong"), 403, "a wrong credential" + FROM, "duckdns badkey"),
    "FreeDNS": (get("/u/wrong/"), 403, "a wrong credential" + FROM, "freedns badkey"),
    "no HTTP": (raw(b"nonsense " + SECRET.encode() + b"\r\n\r\n"), 400, f"a request{FROM}: refused unread with status 400", "none refused"),
    "no Host": (raw(b"GET /" + SECRET.encode() + b" HTTP/1.1\r\n\r\n"), 400, f"a request{FROM}: refused unread with status 400", "none refused"),
    "chunked": (raw(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, f"a request{FROM}: refused unread with status 411", "none refused"),
    "long body": (raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"), 413, f"a request{FROM}: refused unread with status 413", "none refused"),
    "long target": (raw(b"GET /" + SECRET.encode() * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"), 414, f"a request{FROM}: refused unread with status 414", "none refused"),
    "long header": (raw(HEADER + b"Authorization: " + SECRET.encode() * 1000 + b"\r\n\r\n"), 431, f"a request{FROM}: refused unread with status 431", "none refused"),
}


def test_every_answer_has_one_line_and_one_count(stage):
    server = stage.dns("named")
    told = Told(stage, conf(server, {SECRET: HOST}, extra='[limits]\nbad_keys = 1000\n[addresses]\ndeny = ["127.0.0.66/32"]'))
    found = {name: told.by(ask) for name, (ask, _, _, _) in CASES.items()}
    expected = {name: (status, [line], {count: 1}) for name, (_, status, line, count) in CASES.items()}
    assert found == expected
    assert SECRET not in told.program.log() and "wrong-" not in told.program.log()


def test_uptodate_and_fail(stage):
    server = stage.dns("named")
    told = Told(stage, conf(server, {"k": HOST, "l": f"other.{ZONE}"}, dns="timeout = 2"))
    told.program.get("k")
    assert told.by(get("k")) == (200, [f"{HOST} A 127.0.0.1: UPTODATE"], {"secret_url uptodate": 1})
    server.stop()
    assert told.by(get("l")) == (500, [f"other.{ZONE} A 127.0.0.1: FAIL"], {"secret_url fail": 1})


def test_429_and_503(stage):
    server = stage.dns("named")
    told = Told(stage, conf(server, {"k": HOST, "l": f"l.{ZONE}", "m": f"m.{ZONE}"}, dns="queue = 1\ntimeout = 30",
                            extra="[limits]\nchanges = 1\nchanges_refill = 600\nbad_keys = 1\nbad_keys_refill = 600"))
    told.program.get("k")
    assert told.by(get("k", source="127.0.0.2")) == (429, [f"{HOST} A 127.0.0.2: ABUSE (its budget of changes is spent)"], {"secret_url abuse": 1})
    for status in (403, 403, 429, 429):  # at once, late, and refused
        assert told.by(get("wrong")) == (status, ["a wrong credential" + FROM], {"secret_url badkey": 1})
    server.process.stand_still()
    waits = threading.Thread(target=told.program.get, args=("l",))
    waits.start()
    await_true(lambda: "\nsftdyn_waiting 1\n" in told.metrics(), "the queue is full")
    assert told.by(get("m")) == (503, [f"m.{ZONE} A 127.0.0.1: FAIL (too many wait already)"], {"secret_url overloaded": 1})
    server.process.go_on()
    waits.join()


def test_several_hosts_have_one_each(stage):
    server = stage.dns("named")
    told = Told(stage, conf(server, {}) + f'clients.k = {{ key = "{SECRET}", hosts = ["a.{ZONE}", "b.{ZONE}"] }}\n'.replace("clients.", ""))
    answer, said, counts = told.by(get(UPDATE + f"&hostname=a.{ZONE},unknown.example.net,b.{ZONE},a.{ZONE}"))
    assert (answer, sorted(said), counts) == (200, [f"a.{ZONE} A 127.0.0.1: OK", f"b.{ZONE} A 127.0.0.1: OK", f"unknown.example.net{FROM}: nohost"],
                                               {"dyndns2 ok": 2, "dyndns2 refused": 1})
    assert told.by(get(SECRET)) == (200, [f"a.{ZONE} A 127.0.0.1: UPTODATE", f"b.{ZONE} A 127.0.0.1: UPTODATE"], {"secret_url uptodate": 2})


def test_a_proxys_request_without_a_client(stage):
    """What a trusted proxy says of the client can't be read: nobody is served, and the proxy is named."""
    server = stage.dns("named")
    told = Told(stage, conf(server, {"k": HOST}, extra='trusted_proxies = ["127.0.0.1"]'))
    ask = raw(b"GET /k HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: nonsense\r\n\r\n")
    assert told.by(ask) == (400, [f"a request{FROM}: refused unread with status 400"], {"none refused": 1})


@pytest.mark.parametrize("arguments", [(), ("-q",)])
def test_without_v_there_is_none(stage, arguments):
    server = stage.dns("named")
    told = Told(stage, conf(server, {SECRET: HOST}, extra="[limits]\nbad_keys = 1000"), arguments=arguments)
    for name in ("OK", "BADKEY", "address", "PUT", "no credential", "not understood", "no HTTP", "long target", "chunked"):
        _, said, counts = told.by(CASES[name][0])
        assert (said, counts) == ([], {CASES[name][3]: 1}), name


HOOKS = f"""
    import time

    def get_ip(source_ip, headers, key):
        if key == "sleep": time.sleep(300)
        if headers.get("X-Bad"): raise ValueError("bad")
        return source_ip

    def get_host(querystring, ip):
        return None if querystring == "wrong" else "no name" if querystring == "none" else f"{{querystring}}.{ZONE}"

    def nsupdatecommands(host, new_ip, headers):
        return ["nonsense"] if host.startswith("bad.") else [f"update add {{host}} 30 A {{new_ip}}", f"update add {{host}} 30 TXT x"]
"""
HOOK_CASES = {
    "OK": (get("first"), 200, f"first.{ZONE} A 127.0.0.1: OK"),
    "UPTODATE": (get("first"), 200, f"first.{ZONE} A 127.0.0.1: UPTODATE"),
    "address": (get("/"), 200, f"a request{FROM}: its own address"),
    "no address": (get("/", headers={"X-Bad": "1"}), 500, f"a request{FROM}: a hook failed"),
    "get_ip raises": (get("first", headers={"X-Bad": "1"}), 500, f"a request{FROM}: a hook failed"),
    "get_host gives no name": (get("none"), 500, f"a request{FROM}: a hook failed"),
    "a script that is none": (get("bad"), 500, f"a request{FROM}: a hook failed"),
    "too late": (get("sleep"), 500, f"a request{FROM}: a hook did not return in time"),
    "BADKEY": (get("wrong"), 403, "a wrong credential" + FROM),
    "PUT": (get("first", method="PUT"), 405, f"a request{FROM}: a method other than GET"),
}


def test_hooks(stage):
    """A Python conf has no page of metrics."""
    server = stage.dns("named")
    arguments = ["-v", "--server", server.address, "--nskeyfile", server.key_file()]
    program = stage.sftdyn(textwrap.dedent(HOOKS), arguments=arguments, file="conf")
    for name, (ask, status, line) in HOOK_CASES.items():
        before = len(lines(program))
        assert (ask(program), lines(program)[before:]) == (status, [line]), name
