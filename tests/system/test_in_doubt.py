"""UPDATEs that got no answer and are carried out later: a disk that hangs, a server that stands still. Until it is known what
became of them nobody is told what may not stay so."""

import os
import threading
import time

import pytest

from harness.dns_servers import ZONE
from harness.network import own_network
from harness.process import await_true
from harness.sftdyn import conf
from harness.stall import Stall

HOST = f"home.{ZONE}"


@pytest.fixture
def private_network():
    if os.geteuid() != 0:
        pytest.skip("a network of its own takes root")
    with own_network():
        yield


def told(program, last):
    """Asks as that address until it is told something good."""
    return await_true(lambda: program.get("k", source=last).body in ("OK", "UPTODATE"), f"{last} is served")


@pytest.mark.parametrize("kind", ["named"])
def test_without_a_server_line_both_addresses_are_one_server(stage, tmp_path, private_network, kind):
    stall = Stall(tmp_path)
    threads = {"threads": 4} if kind == "named" else {}  # the others go on while one hangs
    server = stage.dns(kind, port=53, v6=True, environment=stall.environment, **threads)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 2", named=False))
    assert program.get("k", source="127.0.0.2").body == "OK"
    stall.once(6)
    assert program.get("k", source="127.0.0.3").body == "FAIL"
    assert stall.hanging()
    # It serves .2 now, and .3 as soon as the disk goes on.
    assert program.get("k", source="127.0.0.2").body == "FAIL"
    assert stall.hanging()
    told(program, "127.0.0.2")
    assert stall.over()
    assert server.records(HOST, "A") == ["127.0.0.2"]


def test_without_a_server_line_a_server_that_stood_still(stage, private_network):
    server = stage.dns("named", port=53, v6=True)
    hosts = {f"k{number}": f"h{number}.{ZONE}" for number in range(40)}
    program = stage.sftdyn(conf(server, hosts, dns="timeout = 2\nverify_interval = 0", extra="[limits]\nchanges = 0", named=False))

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
        assert set(all_of(first).values()) <= {"OK", "UPTODATE"}
        server.process.stand_still()
        assert set(all_of(second).values()) == {"FAIL"}
        server.process.go_on()
        answers = {}
        end = time.monotonic() + 60
        while set(answers.values()) != {"OK"} and set(answers.values()) != {"UPTODATE"} and time.monotonic() < end:
            answers = all_of(first)
            served = {key: server.records(host, "A") for key, host in hosts.items()}
            assert [key for key, body in answers.items() if body != "FAIL" and served[key] != [first]] == []
        assert "FAIL" not in answers.values()
