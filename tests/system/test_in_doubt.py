# SPDX-License-Identifier: GPL-3.0-or-later
"""UPDATEs that got no answer and are carried out later: a disk that hangs, a server that stands still, a connection that ends.
Until their outcome is known nobody is told what may not stay so."""

import os
import signal
import socket
import struct
import threading
import time

import pytest

from harness.dns_servers import ZONE, Key
from harness.fake_dns import FakeDns, QueueingDns, is_fence
from harness.network import own_network
from harness.process import await_true
from harness.sftdyn import conf
from harness.stall import Stall

HOST = f"home.{ZONE}"
GOOD = ("OK", "UPTODATE")


@pytest.fixture
def private_network():
    if os.geteuid() != 0:
        pytest.skip("a network of its own takes root")
    with own_network():
        yield


@pytest.fixture
def stall(tmp_path):
    return Stall(tmp_path)


def stalling(stage, kind, stall, **kwargs):
    threads = {"threads": 4} if kind == "named" else {}  # the others go on while one hangs
    return stage.dns(kind, environment=stall.environment, **threads, **kwargs)


def told(program, source, key="k", seconds=60):
    """Asks from that address until it is told something good."""
    await_true(lambda: program.get(key, source=source).body in GOOD, f"{source} is served", seconds)


def reload(program, text):
    words = "the configuration has"
    before = program.log().count(words)
    program.reload(text)
    program.await_log(words, count=before + 1)


def in_doubt(program, server, stall):
    """The host is told .2, and then an UPDATE to .3 hangs; sftdyn's `timeout` is over."""
    assert program.get("k", source="127.0.0.2").body == "OK"
    stall.once(8)
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    served = server.records(HOST, "A")  # may wait for the thread that hangs
    assert served == ["127.0.0.2"] or not stall.hanging()


def nothing_wrong_is_told(program, server, stall):
    """.2 is served now, and .3 as soon as the disk goes on: .2 is told what lasts only after that."""
    while stall.hanging():
        body = program.get("k", source="127.0.0.2").body
        assert body == "FAIL" or not stall.hanging(), body
    told(program, "127.0.0.2")
    assert stall.over()
    assert server.records(HOST, "A") == ["127.0.0.2"]


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_a_disk_that_hangs(stage, stall, kind):
    server = stalling(stage, kind, stall)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 2"))
    in_doubt(program, server, stall)
    nothing_wrong_is_told(program, server, stall)


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_without_a_server_line_both_addresses_are_one_server(stage, private_network, stall, kind):
    server = stalling(stage, kind, stall, port=53, v6=True)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 2", named=False))
    in_doubt(program, server, stall)
    nothing_wrong_is_told(program, server, stall)


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_a_reload_keeps_what_is_in_doubt(stage, stall, kind):
    server = stalling(stage, kind, stall)
    text = conf(server, {"k": HOST}, dns="timeout = 2")
    program = stage.sftdyn(text)
    in_doubt(program, server, stall)
    other = server.key.write(server.folder / "other.key")
    reload(program, text.replace(str(server.key_file()), str(other)))
    nothing_wrong_is_told(program, server, stall)


@pytest.mark.parametrize("kind", ["named", "knot"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_what_is_in_doubt(stage, stall, kind, number):
    server = stalling(stage, kind, stall)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 2"))
    in_doubt(program, server, stall)
    program.process.stop(number)
    program.start()
    nothing_wrong_is_told(program, server, stall)


def test_without_a_server_line_a_server_that_stood_still(stage, private_network):
    server = stage.dns("named", port=53, v6=True)
    hosts = {f"k{number}": f"h{number}.{ZONE}" for number in range(40)}
    program = stage.sftdyn(conf(server, hosts, dns="timeout = 2\nfreshness = 0", extra="[limits]\nchanges = 0", named=False))

    def all_of(source):
        answers = {}
        clients = [threading.Thread(target=lambda key=key: answers.update({key: program.get(key, source=source).body})) for key in hosts]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        return answers
    for number in range(3):
        first, second = f"127.0.{number}.2", f"127.0.{number}.3"
        await_true(lambda: set(all_of(first).values()) <= set(GOOD), "all are served")
        server.process.stand_still()
        assert set(all_of(second).values()) == {"FAIL"}
        server.process.go_on()

        def all_told():
            answers = all_of(first)
            served = {key: server.records(host, "A") for key, host in hosts.items()}
            assert [key for key, body in answers.items() if body != "FAIL" and served[key] != [first]] == []
            return "FAIL" not in answers.values()
        await_true(all_told, "all are served")


def fake(stage, tmp_path, kind=QueueingDns, clients=None, dns="timeout = 1", extra="", **kwargs):
    key = Key()
    server = kind(key, **kwargs)
    stage.running.append(server)
    text = conf(server, clients or {"k": HOST}, dns=dns, extra=extra or "[limits]\nchanges = 0", key_file=key.write(tmp_path / "key"))
    return server, stage.sftdyn(text)


def address_in(request):
    """The address that an UPDATE sets; None: it sets none."""
    return next((rdata.to_text() for rrset in request.update if rrset.deleting is None for rdata in rrset), None)


def served(server, host=HOST):
    import dns.name
    import dns.rdatatype
    return server.records.get((dns.name.from_text(host), dns.rdatatype.A), [])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    connection.close()


@pytest.mark.parametrize("end", [lambda connection: connection.shutdown(socket.SHUT_RDWR), reset], ids=["fin", "rst"])
def test_the_end_of_a_connection_undoes_nothing(stage, tmp_path, end):
    """The first try is carried out three seconds after its connection has ended; in between nothing may be sent."""
    ended = []

    def cut(request, connection):
        if address_in(request) == "127.0.0.5" and not ended:
            ended.append(request)
            end(connection)

    def delay(request):
        return 3 if address_in(request) == "127.0.0.5" and not server.done_with("127.0.0.5") else 0
    server, program = fake(stage, tmp_path, dns="timeout = 10", delay=delay, after_reading=cut)
    assert program.get("k", source="127.0.0.4").body == "OK"
    assert program.get("k", source="127.0.0.5").body == "OK"  # the second try
    assert program.get("k", source="127.0.0.6").body == "OK"
    assert [address_in(one) for one in server.done if not is_fence(one)] == ["127.0.0.4", "127.0.0.5", "127.0.0.5", "127.0.0.6"]
    kinds = ["fence" if is_fence(one) else address_in(one) for one in server.done]
    first = kinds.index("127.0.0.5")
    assert kinds[first + 1:first + 3] == ["fence", "fence"], "nothing but fences before the outcome of the first is known"
    assert served(server) == ["127.0.0.6"]


def test_the_end_of_a_connection_resolves_nothing(stage, tmp_path):
    def cut(request, connection):
        if address_in(request) == "127.0.0.3":
            connection.shutdown(socket.SHUT_RDWR)
    server, program = fake(stage, tmp_path, delay=lambda request: 3 if address_in(request) == "127.0.0.3" else 0, after_reading=cut)
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    told(program, "127.0.0.2")
    assert [address_in(one) for one in server.done if not is_fence(one)][-2:] == ["127.0.0.3", "127.0.0.2"]
    assert served(server) == ["127.0.0.2"]


def test_an_answer_that_does_not_verify_resolves_nothing(stage, tmp_path):
    def forge(request, connection):
        if address_in(request) == "127.0.0.3":
            import dns.message
            answer = dns.message.make_response(request)
            answer.use_tsig(server.keyring, keyname=next(iter(server.keyring)))
            answer.request_mac = b"x" * 32
            wire = answer.to_wire()
            connection.sendall(struct.pack("!H", len(wire)) + wire)
    server, program = fake(stage, tmp_path, delay=lambda request: 3 if address_in(request) == "127.0.0.3" else 0, after_reading=forge)
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    assert "signature of the DNS server's answer is wrong" in program.log()
    told(program, "127.0.0.2")
    assert [address_in(one) for one in server.done if not is_fence(one)][-2:] == ["127.0.0.3", "127.0.0.2"]
    assert served(server) == ["127.0.0.2"]


def test_a_late_answer_breaks_nothing_of_another_zone(stage, tmp_path):
    other = "home.other.example.org"
    slow = {"127.0.0.3": 4, "127.0.0.4": 1.5}
    server, program = fake(stage, tmp_path, clients={"k": HOST, "o": other}, dns="timeout = 2", zones=(ZONE, "other.example.org"),
                           delay=lambda request: slow.get(address_in(request), 0))
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert program.get("o", source="127.0.0.2").body == "OK"
    began = time.monotonic()
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    # The answer to the first, and to its fences, comes while this one is under way.
    await_true(lambda: time.monotonic() - began > 3, "its answer comes soon")
    assert program.get("o", source="127.0.0.4").body == "OK"
    told(program, "127.0.0.2")
    assert served(server) == ["127.0.0.2"] and served(server, other) == ["127.0.0.4"]


def test_a_fence_resolves_only_what_was_sent_before_it(stage, tmp_path):
    """One server that does everything in the order in which it was sent, whatever zone it is of."""
    other = "home.other.example.org"
    slow = {"127.0.0.3": 5, "127.0.0.4": 3}

    class Strict(QueueingDns):
        def __init__(self, *arguments, **kwargs):
            super().__init__(*arguments, **kwargs)
            self.queues = {zone: self.queues[self.zones[0]] for zone in self.zones}
    server, program = fake(stage, tmp_path, kind=Strict, clients={"k": HOST, "o": other}, dns="timeout = 1", zones=(ZONE, "other.example.org"),
                           delay=lambda request: slow.get(address_in(request), 0))
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert program.get("o", source="127.0.0.2").body == "OK"
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    assert program.get("o", source="127.0.0.4").body == "FAIL"
    told(program, "127.0.0.2", "o")
    assert server.done_with("127.0.0.4"), "nothing is told before"
    assert [address_in(one) for one in server.done if not is_fence(one)][-1] == "127.0.0.2"
    assert served(server, other) == ["127.0.0.2"]


def test_a_refused_fence_resolves_nothing(stage, tmp_path):
    """The server takes no more UPDATEs, but carries out the one that it has."""
    import dns.rcode
    refusing = threading.Event()

    class Refusing(QueueingDns):
        def serve_update(self, request, connection):
            if not refusing.is_set():
                return False
            answer = dns.message.make_response(request)
            answer.set_rcode(dns.rcode.REFUSED)
            answer.use_tsig(self.keyring, keyname=next(iter(self.keyring)))
            answer.request_mac = request.mac
            wire = answer.to_wire()
            connection.sendall(struct.pack("!H", len(wire)) + wire)
            return True
    server, program = fake(stage, tmp_path, kind=Refusing, delay=lambda request: 4 if address_in(request) == "127.0.0.3" else 0)
    assert program.get("k", source="127.0.0.2").body == "OK"
    refuse_after = threading.Timer(0.5, refusing.set)
    refuse_after.start()
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    refuse_after.join()
    while address_in(server.done[-1]) != "127.0.0.3":
        body = program.get("k", source="127.0.0.2").body
        assert body == "FAIL" or address_in(server.done[-1]) == "127.0.0.3", body
    refusing.clear()
    told(program, "127.0.0.2")
    assert served(server) == ["127.0.0.2"]


def test_a_host_at_work_during_a_reload_moves_to_its_new_server(stage, tmp_path):
    key = Key()
    path = key.write(tmp_path / "key")
    old = QueueingDns(key, zones=("example.org",), delay=lambda request: 1 if address_in(request) else 0)
    new = FakeDns(key)
    stage.running += [old, new]
    text = conf(old, {"k": HOST}, dns="timeout = 10\nfreshness = 300", extra="[limits]\nchanges = 0", key_file=path)
    program = stage.sftdyn(text)
    assert program.get("k", source="127.0.0.2").body == "OK"
    answers = []
    client = threading.Thread(target=lambda: answers.append(program.get("k", source="127.0.0.3").body))
    client.start()
    await_true(lambda: len(old.updates()) + old.queues[old.zones[0]].qsize() >= 1 and program.log().count("with 1 change") >= 2, "the UPDATE is under way")
    reload(program, text.replace("[clients]", f'[[zone]]\nname = "{ZONE}"\nserver = "{new.address}"\nnskeyfile = "{path}"\n[clients]'))
    client.join()
    assert answers == ["OK"]
    assert served(new) == ["127.0.0.3"], "what is told OK after the reload is what the new server serves"
    for number in range(3):
        assert program.get("k", source=f"127.0.0.{number % 2 + 4}").body == "OK"
        assert served(new) == [f"127.0.0.{number % 2 + 4}"]


def test_a_silent_server_on_tcp_costs_nothing(stage, tmp_path):
    """It takes connections and answers nothing: requests fail at their deadline, however many came before."""
    hosts = {f"k{number}": f"h{number}.{ZONE}" for number in range(50)}
    server, program = fake(stage, tmp_path, kind=FakeDns, clients=hosts, dns="timeout = 0.3\ntcp = true\nqueries_in_flight = 1000",
                           bend=lambda request, wire, over_tcp: None)
    slowest = 0

    def ask(key):
        nonlocal slowest
        for _ in range(20):
            began = time.monotonic()
            assert program.get(key).body == "FAIL"
            slowest = max(slowest, time.monotonic() - began)
    clients = [threading.Thread(target=ask, args=(key,)) for key in hosts]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert slowest < 8, slowest  # a busy machine's pauses
    assert program.get("k0").body == "FAIL"


def test_what_may_have_arrived_goes_to_no_other_address(stage, tmp_path):
    key = Key()
    first = FakeDns(key, bend=lambda request, wire, over_tcp: wire if not over_tcp or is_fence(request) else None)
    second = FakeDns(key)
    stage.running += [first, second]
    text = conf(first, {"k": HOST}, dns="timeout = 3", key_file=key.write(tmp_path / "key"))
    program = stage.sftdyn(text.replace(f'server = "{first.address}"', f'servers = ["{first.address}", "{second.address}"]'))
    assert program.get("k").body == "FAIL"
    assert len(first.updates()) == 1 and second.updates() == []
