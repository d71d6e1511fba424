# SPDX-License-Identifier: GPL-3.0-or-later
"""The update itself against each server: keys, algorithms, zones, and the truth of UPTODATE."""

import os
import shutil
import signal

import pytest

from harness.dns_servers import SERVERS, Key, zone_text
from harness.process import await_true
from harness.sftdyn import conf

HOST = "home.dyn.example.org"
ALGORITHMS = ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]


@pytest.mark.parametrize("kind", SERVERS)
def test_each_server_takes_changes_in_both_families(stage, kind):
    server = stage.dns(kind)
    program = stage.sftdyn(conf(server, {"k": HOST}), listen=("127.0.0.1:0", "[::1]:0"))
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert program.get("k", source="127.0.0.2").body == "UPTODATE"
    assert program.get("k", source="127.0.0.3").body == "OK"
    program.addresses.reverse()
    assert program.get("k", source="::1", host="::1").body == "OK"
    assert program.get("k", source="::1", host="::1").body == "UPTODATE"
    assert server.records(HOST, "A") == ["127.0.0.3"]
    assert server.records(HOST, "AAAA") == ["::1"]


@pytest.mark.parametrize("kind", SERVERS)
def test_each_algorithm(stage, kind):
    for number, algorithm in enumerate(ALGORITHMS):
        server = stage.dns(kind, name=f"{kind}-{algorithm}", key=Key(algorithm=algorithm))
        program = stage.sftdyn(conf(server, {"k": HOST}), name=f"sftdyn-{algorithm}")
        assert program.get("k", source=f"127.0.0.{number + 2}").body == "OK", program.log()
        assert server.records(HOST, "A") == [f"127.0.0.{number + 2}"]
        program.stop()
        server.stop()


def test_session_key_is_the_default_form_and_follows_a_restart(stage):
    server = stage.dns("named", session_key=True)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=server.session_key_file))
    assert program.get("k", source="127.0.0.2").body == "OK"
    old = server.session_key_file.read_text()
    server.restart()
    assert server.session_key_file.read_text() != old
    assert program.get("k", source="127.0.0.3").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.3"]


def test_dnssec_keygen_pair(stage):
    key = Key(name="pair.example", algorithm="hmac-sha512")
    server = stage.dns("named", key=key)
    # As dnssec-keygen of BIND up to 9.12 wrote HMAC keys, and as other tools still do.
    stem = server.folder / "Kpair.example.+165+12345"
    stem.with_name(stem.name + ".private").write_text(f"Private-key-format: v1.3\nAlgorithm: 165 (HMAC_SHA512)\nKey: {key.secret}\nBits: AAA=\n")
    stem.with_name(stem.name + ".key").write_text(f"pair.example. IN KEY 512 3 165 {key.secret}\n")
    for number, ending in enumerate(["", ".key", ".private"]):
        program = stage.sftdyn(conf(server, {"k": HOST}, key_file=f"{stem}{ending}"), name=f"sftdyn{number}")
        assert program.get("k", source=f"127.0.0.{number + 2}").body == "OK", program.log()


def test_command_line_key_wins(stage):
    server = stage.dns("named")
    right = server.key_file()
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file="/nonexistent"), arguments=("--nskeyfile", str(right)))
    assert program.get("k").body == "OK"


def test_the_longest_zone_is_found(stage):
    server = stage.dns("named", zones=("example.org", "dyn.example.org", "deep.dyn.example.org"))
    program = stage.sftdyn(conf(server, {"a": "a.example.org", "b": "b.dyn.example.org", "c": "x.y.deep.dyn.example.org", "d": "dyn.example.org"}))
    before = {zone: server.serial(zone) for zone in server.zones}
    for key in "abcd":
        assert program.get(key).body == "OK"
    assert {zone: server.serial(zone) - before[zone] for zone in server.zones} == {"example.org": 1, "dyn.example.org": 2, "deep.dyn.example.org": 1}
    assert server.records("dyn.example.org", "A") == ["127.0.0.1"]


def test_the_zone_of_the_conf_needs_no_search_for_parents(stage):
    server = stage.dns("named", options="querylog yes;")
    program = stage.sftdyn(conf(server, {"k": HOST}, dns='zone = "dyn.example.org"'))
    assert program.get("k").body == "OK"
    assert server.process.log().count(f"query: {HOST} IN SOA") == 1, "whether a child of it holds the host"


def test_knot_that_allows_the_key_to_update_only(stage):
    server = stage.dns("knot", actions="update", acl="sftdyn")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    assert program.get("k").body == "OK"
    assert program.get("k").body == "UPTODATE"
    assert server.records(HOST, "A") == ["127.0.0.1"]


@pytest.mark.parametrize("kind", SERVERS)
def test_uptodate_after_a_restart_of_sftdyn(stage, kind):
    server = stage.dns(kind)
    text = conf(server, {"k": HOST})
    program = stage.sftdyn(text)
    assert program.get("k").body == "OK"
    serial = server.serial()
    assert program.stop() == 0
    program = stage.sftdyn(text)
    assert program.get("k").body == "UPTODATE"
    assert server.serial() == serial


def test_zone_edited_behind_our_back_is_repaired(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="freshness = 0.2"))
    assert program.get("k").body == "OK"
    server.nsupdate(f"update delete {HOST} A\nupdate add {HOST} 60 A 192.0.2.7")
    await_true(lambda: program.get("k").body == "OK", "the next check-in after freshness repairs it")
    assert server.records(HOST, "A") == ["127.0.0.1"]
    server.nsupdate(f"update delete {HOST} A")
    await_true(lambda: program.get("k").body == "OK", "a removed record too")
    assert server.records(HOST, "A") == ["127.0.0.1"]


def test_within_the_freshness_the_server_is_not_asked(stage):
    server = stage.dns("named", options="querylog yes;")
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="freshness = 300"))
    assert program.get("k").body == "OK"
    asked = server.process.log().count(f"query: {HOST}")
    for _ in range(20):
        assert program.get("k").body == "UPTODATE"
    assert server.process.log().count(f"query: {HOST}") == asked


def test_restored_zone_heals_as_hosts_check_in(stage):
    server = stage.dns("named")
    hosts = {f"k{number}": f"h{number}.dyn.example.org" for number in range(10)}
    program = stage.sftdyn(conf(server, hosts, dns="freshness = 0.2"))
    for key in hosts:
        assert program.get(key).body == "OK"
    server.stop()
    for path in server.folder.glob("*.zone*"):
        path.unlink()
    server.start()
    assert server.records("h0.dyn.example.org", "A") == []
    for key, host in hosts.items():
        # UPTODATE as long as what was found before is believed, then OK.
        await_true(lambda key=key: program.get(key).body == "OK", "it checks in")
        assert server.records(host, "A") == ["127.0.0.1"]


def test_server_that_is_stopped_and_comes_back(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    assert program.get("k", source="127.0.0.2").body == "OK"
    server.stop()
    assert tuple(program.get("k", source="127.0.0.3")) == (500, "FAIL")
    server.start()
    assert program.get("k", source="127.0.0.3").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.3"]


def test_an_idle_connection_that_the_server_closed_is_made_anew(stage):
    server = stage.dns("named", options="tcp-idle-timeout 1; tcp-keepalive-timeout 1; tcp-initial-timeout 25;")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    assert program.get("k", source="127.0.0.2").body == "OK"
    tcp = f"/proc/{program.process.pid}/net/tcp"
    port = f":{server.port:04X}"
    await_true(lambda: not any(line.split()[2].endswith(port) and line.split()[3] == "01" for line in open(tcp).read().splitlines()[1:]),
               "named closes the idle connection")
    assert program.get("k", source="127.0.0.3").body == "OK"


def test_key_replaced_on_disk(stage):
    server = stage.dns("named")
    path = server.folder / "used.key"
    Key(name=server.key.name).write(path)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=path))
    assert program.get("k").body == "FAIL"
    shutil.copy(server.key_file(), path)
    assert program.get("k").body == "OK"


def test_a_zone_written_by_hand_is_read(stage):
    server = stage.dns("named")
    server.stop()
    server.zone_file().unlink()
    for path in server.folder.glob("*.jnl"):
        path.unlink()
    server.zone_file().write_text(zone_text("dyn.example.org") + "home 30 A 127.0.0.1\n")
    server.start()
    program = stage.sftdyn(conf(server, {"k": HOST}))
    assert program.get("k").body == "UPTODATE"
    assert server.ttl(HOST, "A") == 30


def test_sighup_during_updates_loses_nothing(stage):
    server = stage.dns("named")
    text = conf(server, {"k": HOST}, extra="[limits]\nchanges = 0")
    program = stage.sftdyn(text)
    for number in range(60):
        if number % 5 == 0:
            os.kill(program.process.pid, signal.SIGHUP)
        assert program.get("k", source=f"127.0.0.{number % 2 + 2}").body == "OK"
