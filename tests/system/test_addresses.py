# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses are published, and who is told when one looks wrong."""

import base64
import json

import pytest

from harness.process import await_true
from harness.sftdyn import conf, run

HOST = "home.dyn.example.org"
TRUSTED = 'trusted_proxies = ["127.0.0.1"]\n'
USER = '\n[clients.c]\nkey = "named"\nuser = "u"\npassword = "pw"\nhosts = ["c.dyn.example.org"]\n'
BASIC = {"Authorization": "Basic " + base64.b64encode(b"u:pw").decode()}


def start(stage, head="", extra="", clients=None, tail=USER, **kwargs):
    server = stage.dns("named")
    return server, stage.sftdyn(head + conf(server, clients or {"k": HOST}, extra=extra) + tail, **kwargs)


def by_header(program, address, target="k", **headers):
    return program.get(target, headers={"X-Forwarded-For": address, **headers})


@pytest.mark.parametrize("address", ["0.1.2.3", "169.254.1.1", "240.0.0.1", "255.255.255.255", "fe80::1", "fec0::1", "::127.0.0.1", "64:ff9b::7f00:1",
                                     "64:ff9b:1::7f00:1", "2002:7f00:1::", "::ffff:169.254.1.1", "100::1"])
def test_what_no_host_can_have_is_published_in_no_way(stage, address):
    server, program = start(stage, TRUSTED)
    serial = server.serial()
    assert by_header(program, address).status in (400, 403)
    assert by_header(program, address, "named").status in (400, 403)
    assert tuple(by_header(program, "192.0.2.1", f"/nic/update?hostname=c.dyn.example.org&myip={address}", **BASIC)) == (500, "911")
    assert tuple(by_header(program, "192.0.2.1", f"/update?domains=c&token=named&ip={address}")) == (500, "KO")
    assert server.serial() == serial


@pytest.mark.parametrize("address", ["1.2.3.4%00", "1.2.3.4%00%0agood%20<script>", "1.2.3.4%0a", "1.2.3.4x", "01.2.3.4", "1.2.3", "0x1020304", "1.2.3.4/x", "1.2.3.4/24%00<b>",
                                     "fe80::1%25lo", "2001:db8::1%251", "[]", "[1.2.3.4"])
def test_what_was_not_understood_is_not_echoed(stage, address):
    server, program = start(stage)
    serial = server.serial()
    for path in ("/nic/update?hostname=c.dyn.example.org&myip=", "/nic/update?hostname=c.dyn.example.org&ip6lanprefix="):
        assert tuple(program.get(path + address, headers=BASIC)) == (500, "911")
    for path in ("/update?domains=c&token=named&verbose=true&ip=", "/update/c/named/"):
        assert tuple(program.get(path + address.replace("/", "%2F"))) == (500, "KO")
    assert server.serial() == serial


def test_a_prefix_and_a_suffix_make_no_forbidden_address(stage):
    tail = '\n[clients.c]\nkey = "named"\nhosts = [{ host = "c.dyn.example.org", ipv6_suffix = "::1" }]\nmay_set_address = true\n'
    server, program = start(stage, extra='[addresses]\ndeny = ["2001:db8:bad::/48"]\n', tail=tail)
    token = {"Authorization": "Token named"}
    assert program.get("/nic/update?hostname=c.dyn.example.org&ip6lanprefix=0:0:0:0:8::/64", headers=token).body == "911"
    assert program.get("/nic/update?hostname=c.dyn.example.org&ip6lanprefix=2001:db8:bad::/64", headers=token).body == "911"
    assert server.records("c.dyn.example.org", "AAAA") == []
    program.await_log("2001:db8:bad::1 must not be published ([addresses] in the configuration)")
    assert program.get("/nic/update?hostname=c.dyn.example.org&ip6lanprefix=2001:db8:900d::/64", headers=token).status == 200
    assert server.records("c.dyn.example.org", "AAAA") == ["2001:db8:900d::1"]


def test_a_loopback_address_is_for_requests_from_it(stage):
    """A trial, also with a proxy on the same machine; a client that names one is refused."""
    server, program = start(stage, TRUSTED)
    assert program.get("k", source="127.0.0.5").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.5"]
    assert by_header(program, "127.0.0.6").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.6"]
    for address in ("127.0.0.7", "::1", "::ffff:127.0.0.7"):
        assert program.get(f"/nic/update?hostname=c.dyn.example.org&myip={address}", headers=BASIC).body == "911"
    assert server.records("c.dyn.example.org", "A") == []


@pytest.mark.parametrize("rules,refused,taken", [
    ('deny = ["private"]', ["10.1.2.3", "192.168.1.1", "172.16.0.1"], ["192.0.2.1", "100.64.0.1", "fd00::1"]),
    ('deny = ["loopback"]', [], ["10.1.2.3"]),
    ('deny = ["carrier-grade-nat", "unique-local"]', ["100.64.0.1", "fd00::1"], ["10.1.2.3"]),
    ('deny = "198.51.100.0/24"', ["198.51.100.1"], ["192.0.2.1"]),
    ('allow = ["192.0.2.0/24"]', ["198.51.100.1", "10.0.0.1", "2001:db8::1"], ["192.0.2.1"]),
    ('deny = ["unique-local"]\nallow = ["192.168.0.0/16"]', ["fd00::5efe:c0a8:101", "fd00::1"], ["192.168.1.1"]),
    ('allow = ["203.0.113.0/24"]', ["2001:db8::5efe:cb00:7101", "2002:cb00:7101::1"], ["203.0.113.1"]),
    ('deny = ["private"]\nallow = ["192.168.7.0/24"]', ["192.168.8.1"], ["192.168.7.1", "198.51.100.1"]),
    ("", [], ["10.1.2.3", "100.64.0.1", "fd00::1", "192.0.2.1", "198.18.0.1", "2001:db8::1"]),
])
def test_allow_and_deny(stage, rules, refused, taken):
    server, program = start(stage, TRUSTED, extra=f"[addresses]\n{rules}\n[limits]\nchanges = 0\n")
    serial = server.serial()
    for address in refused:
        assert tuple(by_header(program, address)) == (403, "BADADDRESS")
        assert tuple(by_header(program, address, "/u/named/")) == (500, "911")
        assert tuple(by_header(program, "192.0.2.1", f"/nic/update?hostname=c.dyn.example.org&myip={address}", **BASIC)) == (500, "911")
    assert server.serial() == serial
    if refused:
        program.await_log(f"{HOST} is not updated: {refused[0]} must not be published ([addresses] in the configuration)")
    for address in taken:
        assert by_header(program, address).body == "OK", address
        assert by_header(program, "192.0.2.1", f"/nic/update?hostname=c.dyn.example.org&myip={address}", **BASIC).body == f"good {address}"
    if "loopback" in rules:
        assert tuple(program.get("k")) == (403, "BADADDRESS")


def test_the_rules_change_with_a_reload(stage):
    server, program = start(stage, TRUSTED)
    assert by_header(program, "10.0.0.1").body == "OK" and by_header(program, "10.0.0.1").body == "UPTODATE"
    program.reload(program.conf.read_text().replace("[dns]", '[addresses]\ndeny = ["private"]\n[dns]'))
    await_true(lambda: by_header(program, "10.0.0.1").status == 403, "what was known before is looked at again")
    assert by_header(program, "192.0.2.1").body == "OK"


@pytest.mark.parametrize("line,what", [('deny = ["lan"]', 'this is neither a network nor one of the words for networks'), ("allow = [7]", "networks as strings"), ('forbid = []', "unknown setting in [addresses]; known here: allow, deny")])
def test_wrong_rules_are_told(tmp_path, line, what):
    path = tmp_path / "c.toml"
    path.write_text(f'[addresses]\n{line}\n[clients]\nk = "{HOST}"\n')
    result = run("check", path)
    assert result.returncode == 1 and "c.toml:2:" in result.stderr and what in result.stderr, result.stderr


def test_a_conf_without_a_script_of_its_own_is_ruled_too(stage):
    server = stage.dns("named")
    text = f'CLIENTS = {{"k": "{HOST}"}}\ndef get_ip(source, headers, key):\n    return headers.get("X-Real-IP", source)\n'
    program = stage.sftdyn(text, arguments=["-vv", "--server", server.address, "--nskeyfile", server.key_file()], file="conf")
    for address, status in (("169.254.1.1", 403), ("127.0.0.9", 403), ("240.0.0.1", 403), ("fe80::1%lo", 500), ("010.0.0.1", 500)):
        assert program.get("k", headers={"X-Real-IP": address}).status == status, address
    assert program.get("k", headers={"X-Real-IP": "192.0.2.1"}).body == "OK"
    assert server.records(HOST, "A") == ["192.0.2.1"]
    assert program.get("k").body == "OK", "where the connection comes from"


SCRIPT = """
def get_ip(source, headers, key):
    return headers.get("X-Real-IP", source)

def nsupdatecommands(host, new_ip, headers):
    kind = "AAAA" if ":" in new_ip else "A"
    if headers.get("X-Kind"):
        yield f'update add {host} 5 TXT "{new_ip}"'
        return
    if headers.get("X-Other"):
        yield f"update add www.{host} 5 {kind} {new_ip}"
        yield f"update add {host} 5 TXT other"
        return
    yield f"update delete {host} {kind}"
    yield f"update add {host} 5 {kind} {new_ip}"
"""


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "fe80::1", "::", "255.255.255.255", "::ffff:0.0.0.0", "127.0.0.9"])
def test_nor_is_it_by_a_script_of_the_confs_own(stage, address):
    server = stage.dns("named")
    text = f'CLIENTS = {{"k": "{HOST}"}}\n' + SCRIPT
    program = stage.sftdyn(text, arguments=["-vv", "--server", server.address, "--nskeyfile", server.key_file()], file="conf")
    serial = server.serial()
    for more in ({}, {"X-Other": "1"}):
        assert tuple(program.get("k", headers={"X-Real-IP": address, **more})) == (403, "BADADDRESS")
    assert server.serial() == serial
    program.await_log(" is not updated: ")
    # Records of other types are the conf's own business, and what the connection comes from is published.
    assert tuple(program.get("k", headers={"X-Real-IP": address, "X-Kind": "1"})) == (200, "OK")
    assert tuple(program.get("k", source="127.0.0.7")) == (200, "OK")
    assert server.records(HOST, "A") == ["127.0.0.7"]


# --- who is warned ----------------------------------------------------------------------------------------------------


def admin(stage):
    return f'[admin]\ncontrol = "{stage.folder}/control"\n'


def status(stage):
    out = run("status", "--socket", stage.folder / "control", "--json")
    assert out.returncode == 0, out.stderr
    return [(one["check"], one["address"]) for one in json.loads(out.stdout)["warnings"]]


def test_a_proxy_that_nobody_named_is_noticed(stage):
    server, program = start(stage, extra=admin(stage))
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert program.get("k", headers={name: "for=192.0.2.1" if name == "Forwarded" else "192.0.2.1"}).status == 200
    program.get("k", headers={"X-Real-IP": "192.0.2.1"}, source="127.0.0.2")
    assert server.records(HOST, "A") == ["127.0.0.2"], "nobody is believed"
    assert status(stage) == [("untrusted-proxy", "127.0.0.1"), ("untrusted-proxy", "127.0.0.2")]
    assert program.log().count("127.0.0.1 sends a forwarding header, but is not one of trusted_proxies") == 1
    assert 'trusted_proxies = ["127.0.0.1"]' in program.log()
    text = run("status", "--socket", stage.folder / "control").stdout
    assert "warning: 127.0.0.1 sends a forwarding header" in text and '-> if it is your proxy: trusted_proxies = ["127.0.0.1"]' in text
    found = {one["check"]: one["result"] for one in json.loads(run("doctor", program.conf, "--json").stdout)}
    assert found["untrusted-proxy"] == "warning"


def test_strangers_take_no_warning_from_the_proxy_that_hosts_move_through(stage):
    """Whoever has no right credential can send such headers from as many addresses as it likes."""
    server, program = start(stage, extra=admin(stage))
    header = {"X-Forwarded-For": "192.0.2.1"}
    for number in range(1, 31):
        program.get(("/", "wrong", "/nic/update?hostname=c.dyn.example.org&username=u&password=wrong")[number % 3], headers=header, source=f"127.0.1.{number}")
    strangers = status(stage)
    assert len(strangers) == 8 and all(check == "untrusted-proxy" and address.startswith("127.0.1.") for check, address in strangers)
    assert len([line for line in program.log().splitlines() if "without a valid credential" in line]) == 9, "eight, and that there are no more"
    assert program.get("k", headers=header).status == 200
    assert program.get("/nic/update?hostname=c.dyn.example.org", headers={**header, **BASIC}, source="127.0.0.2").status == 200
    own = [("untrusted-proxy", "127.0.0.1"), ("untrusted-proxy", "127.0.0.2")]
    assert status(stage) == own + strangers
    program.await_log("127.0.0.1 sends a forwarding header, but is not one of trusted_proxies")
    # A stranger of whom was told, whose hosts move in the end.
    assert program.get("k", headers=header, source=strangers[0][1]).status == 200
    assert status(stage) == own + [strangers[0]] + strangers[1:]
    found = [one for one in json.loads(run("doctor", program.conf, "--json").stdout) if one["check"] == "untrusted-proxy"]
    assert any("127.0.0.1" in json.dumps(one) for one in found)


def test_a_trusted_proxy_that_says_nothing_or_something_else_is_noticed(stage):
    _, program = start(stage, TRUSTED, extra=admin(stage))
    assert program.get("/").body == "127.0.0.1" and status(stage) == [], "whoever only looks whether it is alive"
    assert by_header(program, "192.0.2.1").body == "OK" and status(stage) == [], "as it should be"
    program.get("k")
    program.get("k", headers={"X-Real-IP": "192.0.2.1"})
    program.get("k")
    assert status(stage) == [("silent-proxy", "127.0.0.1"), ("other-header", "127.0.0.1")]
    assert program.log().count("sends no forwarding header") == program.log().count("sends another header than proxy_header names") == 1


def test_many_hosts_with_one_address_are_noticed(stage):
    hosts = {f"k{number}": f"h{number}.dyn.example.org" for number in range(4)}
    server, program = start(stage, TRUSTED, extra=admin(stage), clients=hosts)
    for number in range(4):
        assert by_header(program, "198.51.100.1", f"k{number}").body == "OK"
    for number in range(2):
        assert by_header(program, "172.17.0.1", f"k{number}").body == "OK"
        assert by_header(program, "172.17.0.1", f"k{number}").body == "UPTODATE"
    assert status(stage) == []
    for number in range(2, 4):
        assert by_header(program, "172.17.0.1", f"k{number}").body == "OK"
    assert status(stage) == [("shared-address", "172.17.0.1")]
    assert program.log().count("hosts have been given one address, 172.17.0.1") == 1
    # One client's hosts share its address.
    tail = '\n[clients.c]\nkey = "all"\nhosts = ["a.dyn.example.org", "b.dyn.example.org", "c.dyn.example.org"]\n'
    other = stage.sftdyn(conf(server, {"k": HOST}) + tail, name="other")
    assert other.get("all").body == "OK"
    assert "one address" not in other.log()


PLAIN_SCRIPT = """
def nsupdatecommands(host, new_ip, headers):
    return [f"update delete {host} A", f"update add {host} 5 A {new_ip}"]
"""
PLAIN_GET_IP = "def get_ip(source_ip, headers, key):\n    return source_ip\n"


@pytest.mark.parametrize("hooks", ["", PLAIN_SCRIPT, PLAIN_GET_IP, PLAIN_GET_IP + PLAIN_SCRIPT], ids=["get_host", "script", "get_ip", "all"])
def test_a_python_conf_is_warned_too(stage, hooks):
    """Behind a proxy that its hooks do not ask: all hosts become the proxy's address."""
    server = stage.dns("named")
    text = 'CLIENTS = {f"k{number}": f"h{number}.dyn.example.org" for number in range(5)}\ndef get_host(q, ip):\n    return CLIENTS.get(q)\n' + hooks
    program = stage.sftdyn(text, arguments=["-v", "--server", server.address, "--nskeyfile", server.key_file()], file="conf")
    for number in range(5):
        assert tuple(program.get(f"k{number}", headers={"X-Forwarded-For": f"198.51.100.{number + 1}"})) == (200, "OK")
    assert program.log().count("127.0.0.1 sends a forwarding header, and no hook of the conf reads it: its own address counts") == 1
    assert program.log().count("3 hosts have been given one address, 127.0.0.1") == 1
    assert "let get_ip return" in program.log() and "trusted_proxies" not in program.log()


def test_a_python_conf_that_reads_headers_knows_what_it_does(stage):
    server = stage.dns("named")
    text = f'CLIENTS = {{"k": "{HOST}"}}\ndef get_ip(source, headers, key):\n    return headers.get("X-Forwarded-For", source) if source == "127.0.0.1" else source\n'
    program = stage.sftdyn(text, arguments=["-v", "--server", server.address, "--nskeyfile", server.key_file()], file="conf")
    for source in ("127.0.0.1", "127.0.0.2"):
        assert program.get("k", source=source, headers={"X-Forwarded-For": "198.51.100.1"}).body == "OK"
    assert " warning: " not in program.log()
