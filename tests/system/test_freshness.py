# SPDX-License-Identifier: GPL-3.0-or-later
"""What others change in a zone is noticed as soon as `freshness` says, and what nobody changes costs one query of the zone's serial:
several programs on one zone, edits by nsupdate, and servers that do not tell the serial."""

import threading

import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from harness.dns_servers import SERVERS, ZONE, Key
from harness.fake_dns import FakeDns
from harness.process import await_true
from harness.sftdyn import conf
from harness.stall import Stall

HOST = f"home.{ZONE}"
APEX = dns.name.from_text(ZONE)
NO_LIMIT = "[limits]\nchanges = 0"


def at_once(*calls):
    """Runs them in threads, and returns their results when all are done."""
    results = [None] * len(calls)

    def run(number):
        results[number] = calls[number]()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_two_programs_on_one_zone(stage, kind):
    server = stage.dns(kind)
    a, b = (stage.sftdyn(conf(server, {"k": HOST, "other": f"other.{ZONE}"}, dns="freshness = 0", extra=NO_LIMIT), name=name) for name in "ab")
    # The first change of a host is read back, which has to find it.
    for program, source in ((a, "127.0.0.6"), (b, "127.0.0.7")):
        assert [program.get(key, source=source).body for key in ("k", "other")] == ["OK", "OK"]
    for number in range(5):
        assert a.get("k", source="127.0.0.2").body == "OK"
        assert b.get("k", source="127.0.0.3").body == "OK"
        assert a.get("k", source="127.0.0.2").body == "OK", "and not UPTODATE: the other has changed it"
        assert b.get("k", source="127.0.0.2").body == "UPTODATE"
        # At the same time, from different addresses, and beside changes of another host.
        told = at_once(*(lambda program=program, key=key, source=source: program.get(key, source=source).body
                         for program, source in ((a, "127.0.0.4"), (b, "127.0.0.5")) for key in ("k", "other")))
        assert set(told) <= {"OK", "UPTODATE"}
        for host, key in ((HOST, "k"), (f"other.{ZONE}", "other")):
            served, = server.records(host, "A")
            assert [program.get(key, source=served).body for program in (a, b)] == ["UPTODATE", "UPTODATE"]
            assert a.get(key, source="127.0.0.6").body == "OK"
            assert b.get(key, source=served).body == "OK"


def test_two_programs_with_the_default_freshness(stage):
    server = stage.dns("named")
    a, b = (stage.sftdyn(conf(server, {"k": HOST}), name=name) for name in "ab")
    assert a.get("k", source="127.0.0.2").body == "OK"
    assert b.get("k", source="127.0.0.3").body == "OK"
    await_true(lambda: a.get("k", source="127.0.0.2").body == "OK", "what the other has written is noticed after a second")
    assert server.records(HOST, "A") == ["127.0.0.2"]


@pytest.mark.parametrize("kind", SERVERS)
def test_an_edit_by_somebody_else_is_noticed_at_the_next_check_in(stage, kind):
    server = stage.dns(kind)
    hosts = {f"k{number}": f"h{number}.{ZONE}" for number in range(4)}
    program = stage.sftdyn(conf(server, hosts, dns="freshness = 0", extra=NO_LIMIT))
    for word in ("OK", "UPTODATE", "UPTODATE"):
        assert [program.get(key).body for key in hosts] == [word] * 4
    for edit in (f"update delete {hosts['k1']} A\nupdate add {hosts['k1']} 60 A 192.0.2.7", f"update delete {hosts['k1']} A"):
        server.nsupdate(edit)
        assert [program.get(key).body for key in hosts] == ["UPTODATE", "OK", "UPTODATE", "UPTODATE"]
        assert server.records(hosts["k1"], "A") == ["127.0.0.1"]


def test_an_edit_that_knot_carries_out_together_with_our_update_is_noticed(stage, tmp_path):
    """knotd raises the serial once for all UPDATEs that wait at a zone."""
    stall = Stall(tmp_path)
    server = stage.dns("knot", environment=stall.environment)
    ours, other = f"ours.{ZONE}", f"other.{ZONE}"
    program = stage.sftdyn(conf(server, {"ours": ours, "other": other}, dns="freshness = 0", extra=NO_LIMIT))
    for word in ("OK", "UPTODATE", "UPTODATE"):
        assert [program.get(key).body for key in ("ours", "other")] == [word] * 2
    before = server.serial()
    stall.once(3)
    first = threading.Thread(target=lambda: server.nsupdate(f"update add first.{ZONE} 60 A 192.0.2.1"))
    first.start()
    await_true(stall.hanging, "the first UPDATE hangs")
    told, _ = at_once(lambda: program.get("ours", source="127.0.0.2").body,
                      lambda: server.nsupdate(f"update delete {other} A\nupdate add {other} 60 A 192.0.2.7", key=Key(server.key.name, server.key.algorithm, server.key.secret)))
    first.join()
    assert told == "OK"
    assert server.serial() - before in (2, 3), "2: it has carried out the two together"
    assert program.get("other").body == "OK"
    assert server.records(other, "A") == ["127.0.0.1"]


class Serials(FakeDns):
    """Tells the serial of its zone, which stays the same; or what `soa` says."""

    def __init__(self, key, **kwargs):
        self.soa = lambda response: None
        self.blocked = threading.Event()
        self.blocked.set()
        super().__init__(key, **kwargs)
        self.records[(APEX, dns.rdatatype.SOA)] = ["ns. hostmaster. 1 3600 900 604800 60"]

    @staticmethod
    def is_reading(request):
        return request.opcode() == dns.opcode.QUERY and request.question[0].name == APEX and request.question[0].rdtype == dns.rdatatype.SOA

    def carry_out(self, request):
        response = super().carry_out(request)
        if self.is_reading(request):
            self.soa(response)
        return response

    def readings(self):
        return {request.id for request, _ in self.requests if self.is_reading(request)}

    def queries_for_hosts(self):
        return [request for request, _ in self.requests if request.question[0].rdtype == dns.rdatatype.A]


@pytest.fixture
def fake(stage, tmp_path):
    def make(clients, dns_settings, **kwargs):
        key = Key()
        server = Serials(key, **kwargs)
        stage.running.append(server)
        return server, stage.sftdyn(conf(server, clients, dns=dns_settings, extra=NO_LIMIT, key_file=key.write(tmp_path / "key")))
    return make


def test_many_check_ins_share_one_query(fake):
    hosts = {f"k{number}": f"h{number}.{ZONE}" for number in range(40)}
    release = threading.Event()
    release.set()

    def bend(request, wire, over_tcp):
        if Serials.is_reading(request):
            release.wait(60)
        return wire
    server, program = fake(hosts, "freshness = 0\ntimeout = 60", bend=bend)
    for _ in range(3):
        for key in hosts:
            assert program.get(key).body in ("OK", "UPTODATE")
    readings, queries, accepted = len(server.readings()), len(server.queries_for_hosts()), program.log().count("accepted")
    release.clear()
    results = []
    waiting = threading.Thread(target=lambda: results.extend(at_once(*(lambda key=key: program.get(key).body for key in hosts))))
    waiting.start()
    await_true(lambda: program.log().count("accepted") == accepted + len(hosts), "all wait")
    release.set()
    waiting.join()
    assert set(results) == {"UPTODATE"}
    assert len(server.readings()) - readings <= 2, "the first, and one for all that came when that was sent"
    assert len(server.queries_for_hosts()) == queries


@pytest.mark.parametrize("how", ["refused", "elsewhere", "unanswered"])
def test_a_server_that_does_not_tell_the_serial_is_asked_for_each_record(fake, how):
    server, program = fake({"k": HOST}, "freshness = 0\ntimeout = 8", bend=lambda request, wire, over_tcp: None if how == "unanswered" and Serials.is_reading(request) else wire)
    if how == "refused":
        server.soa = lambda response: (response.set_rcode(dns.rcode.REFUSED), response.answer.clear())
    elif how == "elsewhere":
        server.soa = lambda response: response.answer.clear()
    assert [program.get("k").body for _ in range(3)] == ["OK", "UPTODATE", "UPTODATE"]
    for _ in range(2):
        server.records[(dns.name.from_text(HOST), dns.rdatatype.A)] = ["192.0.2.7"]
        assert program.get("k").body == "OK"
        assert program.get("k").body == "UPTODATE"
    assert server.readings()


def test_a_zone_that_is_changed_without_its_serial(fake):
    server, program = fake({"k": HOST}, "freshness = 0")
    assert [program.get("k").body for _ in range(3)] == ["OK", "UPTODATE", "UPTODATE"]
    edited = (dns.name.from_text(HOST), dns.rdatatype.A)
    server.records[edited] = ["192.0.2.7"]
    assert program.get("k").body == "UPTODATE", "nothing says that it was changed"
    text = program.conf.read_text()
    program.reload(text.replace("freshness = 0", "freshness = 0\nfollow_serial = false"))
    program.await_log("the configuration has")
    readings = len(server.readings())
    for _ in range(2):
        server.records[edited] = ["192.0.2.7"]
        assert program.get("k").body == "OK"
        assert server.records[edited] == ["127.0.0.1"]
    assert len(server.readings()) == readings
