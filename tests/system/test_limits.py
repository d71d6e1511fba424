"""Budgets of hosts and bounds of queues."""

import signal
import threading

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


def test_a_full_queue_is_503_at_once_and_nothing_hangs(stage):
    server = stage.dns("named")
    hosts = {f"k{number}": f"h{number}.dyn.example.org" for number in range(20)}
    program = stage.sftdyn(conf(server, hosts, dns="queue = 5\ntimeout = 2"))
    server.process.send_signal(signal.SIGSTOP)
    answers = []
    clients = [threading.Thread(target=lambda key=key: answers.append(program.get(key))) for key in hosts]
    for client in clients:
        client.start()
    for client in clients:
        client.join(20)
    overloaded = [answer for answer in answers if answer.status == 503]
    assert len(overloaded) == 15
    assert all(answer.body == "FAIL" and int(answer.headers["Retry-After"]) > 0 for answer in overloaded)
    assert sum(answer.status == 500 for answer in answers) == 5
    server.process.send_signal(signal.SIGCONT)
    assert program.get("k0").body == "OK"
