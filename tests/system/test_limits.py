# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets of hosts and bounds of queues."""

import threading

import pytest

from harness.process import await_true
from harness.sftdyn import conf

HOST = "home.dyn.example.org"


def test_a_host_that_flips_stays_within_its_budget(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST, "other": "other.dyn.example.org"}))
    before = server.serial()
    answers = [program.get("k", source=f"127.0.0.{number % 2 + 2}") for number in range(60)]
    bodies = [answer.body for answer in answers]
    assert bodies[:10] == ["OK"] * 10
    assert set(bodies[10:]) == {"ABUSE", "UPTODATE"}
    abuse = next(answer for answer in answers if answer.body == "ABUSE")
    assert abuse.status == 429
    assert 1 <= int(abuse.headers["Retry-After"]) <= 30
    assert server.serial() - before == 10
    # Its neighbour has a budget of its own, and the last address that was taken is served.
    assert program.get("other").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.3"]


def test_the_budget_comes_back(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, extra="[limits]\nchanges = 1\nchanges_refill = 0.5"))
    assert program.get("k", source="127.0.0.2").body == "OK"
    answer = program.get("k", source="127.0.0.3")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    await_true(lambda: program.get("k", source="127.0.0.3").body == "OK", "one more change is allowed")


def test_zero_turns_the_budget_off(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, extra="[limits]\nchanges = 0"))
    assert {program.get("k", source=f"127.0.0.{number % 2 + 2}").body for number in range(40)} == {"OK"}


def ask_all(program, keys):
    """Requests at the same time: their answers as they come, and the threads that get them."""
    answers = []
    clients = [threading.Thread(target=lambda key=key: answers.append(program.get(key, timeout=120))) for key in keys]
    for client in clients:
        client.start()
    return answers, clients


@pytest.mark.parametrize("known_zones", [True, False])
def test_a_full_queue_is_503_at_once_and_nothing_hangs(stage, known_zones):
    """Also where no host's zone is known, as after a start, or a reload with another server."""
    server = stage.dns("named")
    hosts = {f"k{number}": f"h{number}.dyn.example.org" for number in range(20)}
    program = stage.sftdyn(conf(server, hosts, dns="queue = 5\ntimeout = 60"))
    if known_zones:
        assert {program.get(key, source="127.0.0.9").body for key in hosts} == {"OK"}
    server.process.stand_still()
    answers, clients = ask_all(program, hosts)
    # While the server stands still only those that found no room are answered.
    await_true(lambda: len(answers) >= 15, "all but five are turned away")
    overloaded = list(answers)
    assert len(overloaded) == 15
    assert all((answer.status, answer.body) == (503, "FAIL") for answer in overloaded)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in overloaded)
    server.process.go_on()
    for client in clients:
        client.join()
    assert [answer.body for answer in answers[15:]] == ["OK"] * 5
    # There is room again.
    assert {program.get(key).body for key in hosts} == {"OK", "UPTODATE"}


def test_those_that_wait_for_a_server_that_stands_still_fail_in_time(stage):
    server = stage.dns("named")
    hosts = {f"k{number}": f"h{number}.dyn.example.org" for number in range(5)}
    program = stage.sftdyn(conf(server, hosts, dns="timeout = 1"))
    server.process.stand_still()
    answers, clients = ask_all(program, hosts)
    for client in clients:
        client.join()
    assert [(answer.status, answer.body) for answer in answers] == [(500, "FAIL")] * 5
    server.process.go_on()
    await_true(lambda: program.get("k0").body in {"OK", "UPTODATE"}, "the server is asked again")
