# SPDX-License-Identifier: GPL-3.0-or-later
"""The process: signals, reload, a clean end, and what it leaves."""

import re
import resource
import signal
import threading
import time
from pathlib import Path

import pytest

from harness.process import await_true
from harness.sanitized import is_sanitized
from harness.sftdyn import conf, run
from test_dyndns import basic, hashed
from test_guesses import at_once

HOST = "home.dyn.example.org"


def test_sigterm_and_sigint_end_it_with_0(stage):
    server = stage.dns("named")
    for number in (signal.SIGTERM, signal.SIGINT):
        program = stage.sftdyn(conf(server, {"k": HOST}), name=f"s{number}")
        program.get("k")
        assert program.stop(number) == 0


def test_what_is_in_flight_is_finished(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 30"))
    assert program.get("k", source="127.0.0.2").body == "OK"
    server.process.stand_still()
    answers = []
    client = threading.Thread(target=lambda: answers.append(tuple(program.get("k", source="127.0.0.3"))))
    client.start()
    sockets = f"/proc/{program.process.pid}/net/tcp"
    port = f":{server.port:04X}"
    # The UPDATE lies unread in the stopped server's socket.
    await_true(lambda: any(line.split()[1].endswith(port) and line.split()[3] == "01" and not line.split()[4].endswith(":00000000")
                           for line in open(sockets).read().splitlines()[1:]), "the UPDATE is under way")
    program.process.send_signal(signal.SIGTERM)
    program.await_log("finishing what is under way")
    server.process.go_on()
    client.join(60)
    assert answers == [(200, "OK")]
    assert program.process.await_end(signal.SIGTERM) == 0
    assert server.records(HOST, "A") == ["127.0.0.3"]


def test_end_waits_no_longer_than_its_limit(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 60"))
    server.process.stand_still()
    answers = []
    client = threading.Thread(target=lambda: answers.append(program.raw(b"GET /k HTTP/1.0\r\n\r\n", seconds=150)))
    client.start()
    program.await_log(f"query {HOST}")
    program.process.send_signal(signal.SIGTERM)
    assert program.process.await_end(signal.SIGTERM, 40) == 0
    client.join(60)
    assert not client.is_alive()
    # It is given up in time for its answer, and said.
    [answer] = answers
    assert answer.startswith(b"HTTP/1.1 500 ") and answer.endswith(b"\r\n\r\nFAIL"), answer
    assert f"{HOST} A not updated: it was not done in time" in program.log()


def test_sighup_takes_a_new_conf(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"old": HOST, "kept": "kept.dyn.example.org"}))
    assert program.get("kept").body == "OK"
    program.reload(conf(server, {"new": HOST, "kept": "kept.dyn.example.org"}))
    program.await_log("the configuration has 2 clients")
    assert program.get("old").body == "BADKEY"
    assert program.get("new").body == "OK"
    assert program.get("kept").body == "UPTODATE"


def test_sighup_with_a_broken_conf_keeps_the_old_one(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"old": HOST}))
    program.reload('[clients]\n"new" = "bad..name"\nnonsense\n')
    program.await_log("the old one stays in use")
    assert "sftdyn.toml:3" in program.log()
    assert program.get("old").body == "OK"
    assert program.get("new").body == "BADKEY"
    program.reload(conf(server, {"new": HOST}))
    program.await_log("the configuration has 1 clients")
    assert program.get("new").body == "UPTODATE"


def test_sighup_can_change_the_server(stage):
    first = stage.dns("named", name="first")
    second = stage.dns("knot", name="second")
    program = stage.sftdyn(conf(first, {"k": HOST}))
    assert program.get("k").body == "OK"
    program.reload(conf(second, {"k": HOST}))
    program.await_log("the configuration has 1 clients")
    assert program.get("k").body == "OK"
    assert second.records(HOST, "A") == ["127.0.0.1"]


def test_idle_memory(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), arguments=())
    assert program.get("k").body == "OK"
    resident = program.resident_kib()
    if not is_sanitized:  # a sanitizer has memory of its own
        assert resident < 15 * 1024


def test_a_second_program_is_refused_the_port(stage):
    server = stage.dns("named")
    text = conf(server, {"k": HOST})
    program = stage.sftdyn(text)
    other = stage.folder / "other.toml"
    other.write_text(text)
    assert run(other, "-l", f"127.0.0.1:{program.port}").returncode == 1
    assert run(other, "-l", f"{program.port}").returncode == 1


def test_it_ends_when_its_timers_are_due(stage):
    """Signal and timers at once: they fell due while it was stopped. What fires then must not go on for ever."""
    server = stage.dns("named")
    for number in range(12):
        program = stage.sftdyn(conf(server, {"k": HOST}), name=f"due{number}")
        program.process.stand_still()
        # Nothing tells from outside when a timer of a stopped process is due: it is a second after the start.
        time.sleep(0.9 + 0.02 * number)
        program.process.send_signal(signal.SIGTERM)
        program.process.go_on()
        assert program.process.await_end(signal.SIGTERM) == 0


def allow_threads(program, allowed):
    """Where none is allowed there is no address space for a stack."""
    resource.prlimit(program.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if not allowed:
        status = Path(f"/proc/{program.process.pid}/status").read_text()
        size = int(re.search(r"VmSize:\s+(\d+)", status)[1]) * 1024 + (4 << 20)
        resource.prlimit(program.process.pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


without_threads = pytest.mark.skipif(is_sanitized, reason="its run-time takes address space as it likes")


@without_threads
def test_without_a_thread_for_passwords_others_are_served(stage):
    server = stage.dns("named")
    user = f'[clients.u]\nuser = "u"\npassword_hash = "{hashed("pw")}"\nhosts = ["u.dyn.example.org"]\n'
    program = stage.sftdyn(conf(server, {"k": HOST}) + user)
    allow_threads(program, False)
    update = "/nic/update?hostname=u.dyn.example.org"
    assert program.get(update, headers=basic("u", "pw")).body == "911"
    assert program.get(update, headers=basic("u", "pw")).body == "911"
    assert program.get("k").body == "OK"
    assert program.log().count("a thread can't be started: Resource temporarily unavailable; look at the limits of the service") == 1
    allow_threads(program, True)
    assert program.get(update, headers=basic("u", "pw")).body == "good 127.0.0.1"


@without_threads
def test_a_right_password_that_can_not_be_verified_is_not_wrong(stage):
    """One that takes more memory than there is: nothing is counted or remembered of it."""
    server = stage.dns("named")
    # One of 128 MiB: more than malloc reserves for a thread.
    large = "$argon2id$v=19$m=131072,t=1,p=1$c29tZXNhbHQ$lL/xDdCFCC8IIhqgUupF6d9iWJ8UonKVZ9QNdYoe7eA"
    user = f'[clients.u]\nuser = "u"\npassword_hash = "{large}"\nhosts = ["u.dyn.example.org"]\n'
    # One of 64 KiB, which begins the thread.
    small = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70"
    user += f'[clients.v]\nuser = "v"\npassword_hash = "{small}"\nhosts = ["v.dyn.example.org"]\n'
    program = stage.sftdyn(conf(server, {"k": HOST}, extra="[limits]\nbad_keys = 1\nbad_keys_refill = 3600") + user)
    update = "/nic/update?hostname=u.dyn.example.org"
    assert program.get(update, headers=basic("v", "guess"), source="127.0.0.9").body == "badauth"
    allow_threads(program, False)
    for _ in range(5):
        assert program.get(update, headers=basic("u", "pw")).body == "911"
    assert program.log().count("a password can't be verified: Memory allocation error") == 1, program.log()
    assert "a wrong credential from 127.0.0.1" not in program.log()
    assert program.get("k").body == "OK"
    allow_threads(program, True)
    assert program.get(update, headers=basic("u", "pw")).body == "good 127.0.0.1"


@without_threads
def test_without_a_thread_for_hooks_requests_are_refused(stage):
    server = stage.dns("named")
    program = stage.sftdyn(f'CLIENTS = {{}}\ndef get_host(query, ip):\n    return "{HOST}"\n', file="conf",
                           arguments=["-v", "--server", server.address, "--nskeyfile", server.key_file()])
    allow_threads(program, False)
    assert program.get("k").status == 503
    assert "a thread can't be started" in program.log()
    allow_threads(program, True)
    assert tuple(program.get("k")) == (200, "OK")


@without_threads
def test_without_a_thread_in_place_of_one_that_hangs_hooks_fail_until_there_is_one(stage):
    server = stage.dns("named")
    program = stage.sftdyn(f'import time\nCLIENTS = {{}}\ndef get_host(query, ip):\n    time.sleep(300 if query == "hang" else 0)\n    return "{HOST}"\n', file="conf",
                           arguments=["-v", "--server", server.address, "--nskeyfile", server.key_file()])
    assert program.get("k").body == "OK"
    allow_threads(program, False)
    assert program.get("hang").body == "FAIL"
    program.await_log("a thread can't be started")
    allow_threads(program, True)
    await_true(lambda: program.get("k").body == "UPTODATE", "the conf runs on another thread")


@without_threads
def test_without_a_thread_to_load_it_the_configuration_stays(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"old": HOST}))
    allow_threads(program, False)
    program.reload(conf(server, {"new": HOST}))
    program.await_log("the new configuration is not used; the old one stays in use")
    assert "there is no thread for it" in program.log()
    assert program.get("old").body == "OK"
    allow_threads(program, True)
    program.reload()
    program.await_log("the configuration has 1 clients")
    assert program.get("new").body == "UPTODATE"


@without_threads
def test_without_a_thread_that_waits_it_ends_at_once(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    assert program.get("k").body == "OK"
    allow_threads(program, False)
    assert program.stop() == 0


@pytest.mark.parametrize("is_off", [False, True])
def test_control_and_state_can_be_switched_off(stage, is_off):
    """As systemd's unit has it: the folders are there, and stand for the settings."""
    server = stage.dns("named")
    folders = {name: stage.folder / name for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY")}
    for folder in folders.values():
        folder.mkdir()
    off = "[admin]\ncontrol = false\nstate = false" if is_off else ""
    program = stage.sftdyn(conf(server, {"k": HOST}, extra=off), environment={name: str(folder) for name, folder in folders.items()})
    assert program.get("k").body == "OK"
    program.reload()
    program.await_log("the configuration has 1 clients")
    assert "takes effect only with a restart" not in program.log()
    assert (folders["RUNTIME_DIRECTORY"] / "control").exists() != is_off
    assert program.stop() == 0
    assert ([path.name for path in folders["STATE_DIRECTORY"].iterdir()] == []) == is_off
