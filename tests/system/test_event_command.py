# SPDX-License-Identifier: GPL-3.0-or-later
"""The event command ([admin] event_command): nothing is lost, nothing outlives the program, and nobody can make it run anything else."""

import array
import ctypes
import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from harness.sanitized import not_sanitized
from harness.process import await_true
from harness.sftdyn import run
from test_admin import HOST, OTHER, Watched, hook_file

MESSAGE = 312  # octets


@pytest.fixture
def named(stage):
    return stage.dns("named")


def children(process):
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_there(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def many(count):
    return {f"k{n}": f"h{n}.dyn.example.org" for n in range(count)}


def test_four_run_at_once(stage, named):
    hook = hook_file(stage, "#!/bin/sh\necho + >> {out}\nsleep 0.3\necho - >> {out}\n")
    hosts = many(10)
    watched = Watched(stage, named, f'event_command = ["{hook}"]', clients=hosts)
    for key in hosts:
        assert watched.program.get(key).body == "OK"
    out = stage.folder / "hook.out"
    await_true(lambda: out.exists() and out.read_text().count("-") == 10, "all have run")
    now = most = 0
    for mark in out.read_text().split():
        now += 1 if mark == "+" else -1
        most = max(most, now)
    assert most == 4


def test_number_and_time_are_settings(stage, named):
    hook = hook_file(stage, "#!/bin/sh\necho $SFTDYN_HOST >> {out}\nexec sleep 60\n")
    hosts = many(3)
    watched = Watched(stage, named, f'event_command = ["{hook}"]\nevent_commands_at_once = 1\nevent_command_time = 0.2', clients=hosts)
    for key in hosts:
        watched.program.get(key)
    out = stage.folder / "hook.out"
    await_true(lambda: out.exists() and out.read_text().split() == list(hosts.values()), "one after the other, each for its time")
    watched.program.await_log("the event command did not end in time, and was killed")


@pytest.mark.parametrize("chosen", [["failure"], ["change", "failure"], ["change"], ["stale"], None])
def test_events_are_those_that_are_chosen(stage, named, chosen):
    """A host changes, an update of it fails twice, and it is stale."""
    hook = hook_file(stage, "#!/bin/sh\necho $SFTDYN_EVENT $SFTDYN_HOST $SFTDYN_ADDRESS $SFTDYN_OLD_ADDRESS >> {out}\n")
    events = "" if chosen is None else f"events = {json.dumps(chosen)}"
    watched = Watched(stage, named, f'event_command = ["{hook}"]\nstale_after = 3\n{events}')
    assert watched.program.get("secretkey-one").body == "OK"
    named.stop()
    for _ in range(2):
        assert watched.program.get("secretkey-one", source="127.0.0.2").body == "FAIL"
    watched.program.await_log(f"{HOST} A has not checked in for long")
    out = stage.folder / "hook.out"
    expected = {"change": f"change {HOST} 127.0.0.1", "failure": f"failure {HOST} 127.0.0.2 127.0.0.1", "stale": f"stale {HOST} 127.0.0.1 127.0.0.1"}
    expected = [expected[kind] for kind in ("change", "failure", "stale") if kind in (chosen or ["change", "stale"])]
    await_true(lambda: out.exists() and len(out.read_text().splitlines()) >= len(expected), "all have run")
    assert watched.program.stop() == 0
    assert sorted(out.read_text().splitlines()) == sorted(expected)


def test_nobody_is_forgotten_when_all_hosts_change_and_go_quiet_at_once(stage, named):
    """As after an outage. The socket to the helper holds some 278 messages."""
    count = 400
    hook = hook_file(stage, "#!/bin/sh\necho $SFTDYN_EVENT $SFTDYN_HOST >> {out}\n")
    hosts = many(count)
    watched = Watched(stage, named, f'event_command = ["{hook}"]\nstale_after = 1', clients=hosts)
    for key in hosts:
        assert watched.program.get(key).body == "OK"
    out = stage.folder / "hook.out"
    told = lambda: set(out.read_text().splitlines())
    await_true(lambda: out.exists() and {f"change {host}" for host in hosts.values()} <= told(), "all changes", 300)
    await_true(lambda: {f"stale {host}" for host in hosts.values()} <= told(), "all stale hosts", 300)
    assert "not run" not in watched.program.log()


@not_sanitized
@pytest.mark.parametrize("waiting", [0, 1, 30])
def test_it_ends_within_five_seconds_whatever_runs_and_waits(stage, named, waiting):
    hook = hook_file(stage, "#!/bin/sh\ntrap '' TERM\necho $$ >> {out}\nsleep 60 & echo $! >> {out}\nwait; wait\nsleep 60\n")
    hosts = many(4 + waiting)
    watched = Watched(stage, named, f'event_command = ["{hook}"]', clients=hosts)
    for key in hosts:
        assert watched.program.get(key).body == "OK"
    out = stage.folder / "hook.out"
    await_true(lambda: out.exists() and len(out.read_text().split()) == 8, "four run")
    began = time.monotonic()
    assert watched.program.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 5.5, "five seconds, and what a busy machine adds"
    await_true(lambda: not any(is_there(process) for process in out.read_text().split()), "nothing of them goes on")
    log = (watched.program.folder / "sftdyn.log").read_text()
    assert f"at the end {4 + waiting} event commands were not run or had not ended" in log
    assert all(re.search(rf"at the end .*\bchange {host} A\b", log) for host in hosts.values()), "each is named"


def test_a_stale_event_that_was_lost_at_the_end_is_told_after_the_restart(stage, named):
    told = stage.folder / "hook.out"
    hook_file(stage, "#!/bin/sh\necho $SFTDYN_EVENT >> {out}\n[ $SFTDYN_EVENT != stale ] || exec sleep 60\n")
    watched = Watched(stage, named, f'stale_after = 1\nevent_command = ["{stage.folder / "hook"}"]')
    watched.program.get("secretkey-one")
    await_true(lambda: told.exists() and told.read_text().split() == ["change", "stale"], "it is being told")
    watched.program.stop()
    told.unlink()
    hook_file(stage, "#!/bin/sh\necho $SFTDYN_EVENT $SFTDYN_HOST >> {out}\n")
    watched.program.start()
    await_true(lambda: told.exists() and told.read_text() == f"stale {HOST}\n", "it is told")
    await_true(lambda: watched.metric('sftdyn_event_commands_total{outcome="ok"}') == 1, "to the end")
    watched.program.stop()
    watched.program.start()
    # Stale hosts are looked for as it starts: what is told of another comes after it.
    watched.program.get("secretkey-two")
    await_true(lambda: f"change {OTHER}" in told.read_text(), "the next event")
    assert told.read_text().count(f"stale {HOST}") == 1, "once"


def test_changes_and_failures_that_were_not_told_at_the_end_are_told_after_the_restart(stage, named):
    hook = hook_file(stage, "#!/bin/sh\necho begun >> {out}\nexec sleep 60\n")
    watched = Watched(stage, named, f'event_command = ["{hook}"]\nevents = ["change", "failure"]\nevent_commands_at_once = 1')
    told = stage.folder / "hook.out"
    assert watched.program.get("secretkey-one").body == "OK"
    await_true(told.exists, "it runs")
    assert watched.program.get("secretkey-one", source="127.0.0.2").body == "OK"
    named.stop()
    assert watched.program.get("secretkey-two", source="127.0.0.3").body == "FAIL"
    assert watched.program.stop(signal.SIGTERM) == 0
    log = (watched.program.folder / "sftdyn.log").read_text()
    assert f"at the end 3 event commands were not run or had not ended; they are run after the next start: change {HOST} A, change {HOST} A, failure {OTHER} A" in log
    told.unlink()
    hook_file(stage, "#!/bin/sh\necho $SFTDYN_EVENT $SFTDYN_HOST $SFTDYN_ADDRESS $SFTDYN_OLD_ADDRESS >> {out}\n")
    for _ in range(2):
        watched.program.start()
        await_true(lambda: told.exists() and len(told.read_text().splitlines()) >= 2, "they are told")
        watched.program.stop()
        assert sorted(told.read_text().splitlines()) == [f"change {HOST} 127.0.0.2", f"failure {OTHER} 127.0.0.3"], "once, with the newest address"


def test_quick_ones_that_wait_are_run_before_the_end(stage, named):
    hook = hook_file(stage, "#!/bin/sh\nsleep 0.05\necho $SFTDYN_HOST >> {out}\n")
    hosts = many(12)
    watched = Watched(stage, named, f'event_command = ["{hook}"]', clients=hosts)
    for key in hosts:
        watched.program.get(key)
    assert watched.program.stop(signal.SIGTERM) == 0
    assert set((stage.folder / "hook.out").read_text().split()) == set(hosts.values())


def test_after_a_crash_nothing_of_it_goes_on(stage, named):
    hook = hook_file(stage, "#!/bin/sh\necho $$ >> {out}\nsleep 60 & echo $! >> {out}\nwait\n")
    hosts = many(8)
    watched = Watched(stage, named, f'event_command = ["{hook}"]', clients=hosts)
    for key in hosts:
        watched.program.get(key)
    out = stage.folder / "hook.out"
    await_true(lambda: out.exists() and len(out.read_text().split()) == 8, "four run")
    [helper] = children(watched.program.process.pid)
    watched.program.stop(signal.SIGKILL)
    await_true(lambda: not is_there(helper), "the helper is gone")
    await_true(lambda: not any(is_there(process) for process in out.read_text().split()), "and what it ran")
    assert len(out.read_text().split()) == 8, "no other began"


def test_commands_end_with_the_helper_and_it_is_said(stage, named):
    hook = hook_file(stage, "#!/bin/sh\necho $$ >> {out}\nexec sleep 60\n")
    watched = Watched(stage, named, f'event_command = ["{hook}"]')
    watched.program.get("secretkey-one")
    out = stage.folder / "hook.out"
    await_true(lambda: out.exists() and out.read_text().strip(), "it runs")
    [helper] = children(watched.program.process.pid)
    os.kill(helper, signal.SIGKILL)
    watched.program.await_log("the process that runs the event command has ended; it is not run until sftdyn is restarted")
    await_true(lambda: not is_there(out.read_text().strip()), "the command is gone")
    assert tuple(watched.program.get("secretkey-two")) == (200, "OK")
    assert watched.program.stop() == 0


def test_what_could_not_be_run_is_named_and_tried_again(stage, named):
    path = hook_file(stage)
    path.chmod(0o600)
    watched = Watched(stage, named, f'event_command = ["{path}"]')
    watched.program.get("secretkey-one")
    watched.program.await_log("the event command can't be run: Permission denied; it is tried again")
    assert f"(change {HOST} A)" in watched.program.log()
    path.chmod(0o755)
    out = stage.folder / "hook.out"
    await_true(lambda: out.exists() and HOST in out.read_text(), "it is run")


def test_settings_are_checked(tmp_path):
    path = tmp_path / "conf.toml"
    for setting in ("event_commands_at_once = 0", "event_commands_at_once = 65", "event_commands_at_once = \"4\"", "event_command_time = 0", "event_command_time = 3601"):
        path.write_text(f"[admin]\n{setting}\n")
        result = run("check", path)
        assert result.returncode == 1 and ":2:" in result.stderr and setting.split()[0] in result.stderr, result.stderr


# What somebody can do who has taken the program over: send what he likes by its socket.

def socket_of(process):
    """The program's own end of the socket to its helper."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(process)
    try:
        for number in map(int, os.listdir(f"/proc/{process}/fd")):
            if not os.readlink(f"/proc/{process}/fd/{number}").startswith("socket:"):
                continue
            copy = libc.syscall(438, pidfd, number, 0)  # pidfd_getfd
            if copy < 0:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
            end = socket.socket(fileno=copy)
            if (end.family, end.type) == (socket.AF_UNIX, socket.SOCK_SEQPACKET):
                return end
            end.close()
    finally:
        os.close(pidfd)
    raise AssertionError("no such socket")


def message(host=b"home.dyn.example.org", kind=1, family=4, has=3, checked_in=1700000000, address=b"\xc0\x00\x02\x01", old=b"\xc0\x00\x02\x02", mark=b"SFE1", tail=b"", number=2**40):
    """As src/server/event.cpp lays it out."""
    octets = mark + bytes([kind, family, min(len(host), 255), has]) + number.to_bytes(8, "little") + checked_in.to_bytes(8, "little", signed=True)
    return (octets + address.ljust(16, b"\0") + old.ljust(16, b"\0") + host).ljust(MESSAGE, b"\0") + tail


FORGED = {
    "variables": b"SFTDYN_HOST=x\0BASH_ENV=$(touch {pwned})\0LD_PRELOAD={pwned}.so\0",
    "variables of the length": b"BASH_ENV=$(touch {pwned})\0LD_PRELOAD={pwned}.so".ljust(MESSAGE, b"\0"),
    "nothing": b"",
    "a short one": message()[:-1],
    "a long one": message(tail=b"\0"),
    "a very long one": message(tail=b"LD_PRELOAD=x\0" * 5000),
    "another mark": message(mark=b"SFE2"),
    "another event": message(kind=4),
    "no event": message(kind=0),
    "another type": message(family=16),
    "unknown bits": message(has=0xff),
    "a variable in the name": message(host=b"a\0LD_PRELOAD={pwned}.so"),
    "a line in the name": message(host=b"a\nLD_PRELOAD=x"),
    "a command in the name": message(host=b"$(touch {pwned})"),
    "an empty name": message(host=b""),
    "a long name": message(host=b"a" * 254),
    "a long label": message(host=b"a" * 64),
    "capitals": message(host=b"A.example"),
    "what follows the name": message(host=b"a")[:57] + b"LD_PRELOAD=x".ljust(MESSAGE - 57, b"\0"),
    "what follows an address": message(address=b"\xc0\x00\x02\x01LD_PRELOAD="),
    "an address that is none": message(has=2),
    "an early time": message(checked_in=-1),
    "a late time": message(checked_in=2**62),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a process's socket")
def test_only_six_values_that_are_what_they_say_get_through(stage, named):
    pwned = stage.folder / "pwned"
    hook = stage.folder / "hook"
    hook.write_text(f"#!/bin/bash\nenv | sort | tr '\\n' ' ' >> {stage.folder}/hook.out\necho >> {stage.folder}/hook.out\n")
    hook.chmod(0o755)
    watched = Watched(stage, named, f'event_command = ["{hook}"]')
    out = stage.folder / "hook.out"
    with socket_of(watched.program.process.pid) as end:
        for name, octets in FORGED.items():
            end.send(octets.replace(b"{pwned}", str(pwned).encode()))
        end.send(b"x", 0)
        # A right one gets through, so the others have been read.
        end.send(message(host=b"right.example"))
        await_true(lambda: out.exists() and "right.example" in out.read_text(), watched.program.log)
    [line] = out.read_text().splitlines()
    variables = dict(word.split("=", 1) for word in line.split())
    assert {name: value for name, value in variables.items() if name not in ("PWD", "SHLVL", "_")} == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SFTDYN_EVENT": "change", "SFTDYN_HOST": "right.example",
        "SFTDYN_TYPE": "A", "SFTDYN_ADDRESS": "192.0.2.1", "SFTDYN_OLD_ADDRESS": "192.0.2.2", "SFTDYN_CHECKED_IN": "1700000000"}
    assert not pwned.exists()
    assert watched.program.log().count("refused an invalid message") == 1, "once, however many come"
    watched.program.get("secretkey-one")
    await_true(lambda: HOST in out.read_text(), "and the program's own go on")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a process's socket")
def test_a_descriptor_sent_along_is_not_kept(stage, named):
    watched = Watched(stage, named, f'event_command = ["{hook_file(stage)}"]')
    [helper] = children(watched.program.process.pid)
    before = len(os.listdir(f"/proc/{helper}/fd"))
    with socket_of(watched.program.process.pid) as end, open("/etc/passwd") as file:
        for _ in range(20):
            end.sendmsg([message()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))])
        await_true(lambda: (stage.folder / "hook.out").exists() and (stage.folder / "hook.out").read_text().count("args:") == 20, "all are run")
    assert len(os.listdir(f"/proc/{helper}/fd")) <= before + 1
