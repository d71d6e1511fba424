# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the DNS server and of the way to it, with load. After each: whoever was told OK or UPTODATE last is what
the server serves, nobody waited longer than the deadline, and all works again."""

import os
import signal
from pathlib import Path

import pytest

from harness.dns_servers import ZONE, Key, Named
from harness.network import own_network
from harness.process import await_true
from harness.proxy import Proxy
from harness.sftdyn import conf
from harness.truth import Account, Load, violations

TIMEOUT = 1.5
HOSTS = 24
ADDRESSES = [f"127.0.2.{number}" for number in range(1, 6)]


PRIVATE = os.geteuid() == 0


@pytest.fixture(autouse=True)
def private_network():
    """Where port 53 is free: the configuration names no server, as most do."""
    if not PRIVATE:
        yield
        return
    with own_network():
        yield


class Play:
    """A DNS server behind a proxy, sftdyn, and clients at work. As root the proxy is where sftdyn looks by itself."""

    def __init__(self, stage, kind="named", timeout=TIMEOUT, verify=300, environment=None, extra="", **kwargs):
        self.server = stage.dns(kind, **kwargs)
        self.proxy = Proxy(self.server.port, 53, ("127.0.0.1", "::1")) if PRIVATE else Proxy(self.server.port)
        stage.running.append(self.proxy)
        self.key_file = self.server.key_file()
        self.accounts = [Account(f"h{number}.{ZONE}", "A") for number in range(HOSTS)]
        keys = {f"k{number}": account.host for number, account in enumerate(self.accounts)}
        text = conf(self.server, keys, dns=f"timeout = {timeout}\nfreshness = {verify}", extra=f"[limits]\nchanges = 0\n{extra}", key_file=self.key_file, named=not PRIVATE)
        self.text = text.replace(self.server.address, self.proxy.address)
        self.program = stage.sftdyn(self.text, arguments=("-v",), environment=environment)
        share = HOSTS // 4
        self.loads = [Load(self.program, [(f"k{number}", self.accounts[number]) for number in range(first, first + share)], ADDRESSES, first, timeout)
                      for first in range(0, HOSTS, share)]
        for load in self.loads:
            stage.running.append(load)
            load.start()
        self.progress()

    def total(self, what):
        return sum(getattr(load, what) for load in self.loads)

    def progress(self, what="changes", more=40, seconds=90):
        """Waits until clients got that many more answers of a kind."""
        before = self.total(what)
        await_true(lambda: self.total(what) >= before + more, lambda: f"{more} more {what}\n{self.program.log()[-2000:]}", seconds)

    def check(self):
        """All at rest: the invariant holds."""
        for load in self.loads:
            load.hold()
        for load in self.loads:
            assert load.held()
        assert violations(self.accounts, self.server, ZONE) == []
        for load in self.loads:
            assert load.errors == []
            load.release()

    def recovered(self):
        self.progress()
        self.check()


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_server_killed_in_the_middle_of_a_batch(stage, kind):
    play = Play(stage, kind)
    for _ in range(3):
        play.progress(more=100)
        play.server.stop(signal.SIGKILL)
        play.progress("failures", more=4)
        play.server.start()
        play.recovered()


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_server_stopped_and_continued(stage, kind):
    play = Play(stage, kind)
    for _ in range(3):
        play.progress(more=50)
        play.server.process.stand_still()
        play.progress("failures", more=8)
        play.server.process.go_on()
        play.recovered()


def test_server_slow_within_the_deadline(stage):
    play = Play(stage, timeout=8)
    play.proxy.delay = 0.3
    play.proxy.mode = "slow"
    before = play.total("failures")
    play.progress(more=30)
    assert play.total("failures") == before
    play.proxy.mode = "pass"
    play.recovered()


def test_server_slower_than_the_deadline(stage):
    play = Play(stage)
    play.proxy.delay = TIMEOUT + 1
    play.proxy.mode = "slow"
    play.progress("failures", more=8)
    play.proxy.mode = "pass"
    play.recovered()


@pytest.mark.parametrize("mode,words", [("garbage", ""), ("wrong-id", ""), ("wrong-tsig", "signature of the DNS server's answer is wrong"), ("cut", ""),
                                         ("reset", "")])
@pytest.mark.parametrize("kind", ["named", "knot"])
def test_answers_spoiled(stage, kind, mode, words):
    play = Play(stage, kind)
    play.proxy.mode = mode
    play.progress("failures", more=8)
    assert words in play.program.log()
    play.proxy.mode = "pass"
    play.recovered()


def test_datagrams_lost(stage):
    play = Play(stage, timeout=6, verify=0.01)
    play.proxy.mode = "udp-lost"
    before = play.total("changes")
    play.progress(more=30)
    assert play.total("changes") > before
    play.proxy.mode = "pass"
    play.recovered()


def test_answers_that_nobody_asked_for(stage):
    play = Play(stage, verify=0.01)
    play.proxy.mode = "flood"
    before = play.total("failures")
    play.progress(more=100)
    assert play.total("failures") == before
    play.proxy.mode = "pass"
    play.recovered()


def test_deaf_way_and_back(stage):
    play = Play(stage)
    play.proxy.mode = "deaf"
    play.progress("failures", more=8)
    play.proxy.mode = "pass"
    play.recovered()


def test_key_rolled_while_running(stage):
    play = Play(stage)
    for _ in range(2):
        play.server.key = Key(name=play.server.key.name)
        play.server.restart()
        play.progress("failures", more=2)
        play.program.await_log("BADSIG")
        fresh = play.key_file.with_suffix(".new")
        fresh.write_text(play.server.key.bind_text())
        fresh.rename(play.key_file)
        play.recovered()


def test_session_key_rolled_by_restarts(stage):
    server = stage.dns("named", session_key=True)
    program = stage.sftdyn(conf(server, {"k": f"home.{ZONE}"}, extra="[limits]\nchanges = 0", key_file=server.session_key_file))
    for number in range(4):
        assert program.get("k", source=ADDRESSES[number]).body == "OK"
        server.restart()
    assert server.records(f"home.{ZONE}", "A") == [ADDRESSES[3]]


class NamedOnASmallDisk(Named):
    """Its zone lies on a file system of its own, in a mount namespace of its own."""

    def zone_file(self, zone=ZONE):
        return self.folder / "small" / f"{zone}.zone"

    def configure(self):
        (self.folder / "small").mkdir(exist_ok=True)
        super().configure()

    def command(self):
        small = self.folder / "small"
        prepare = f"cp -r {small} {small}.copy && mount -t tmpfs -o size=512k none {small} && cp {small}.copy/* {small}/"
        return ["unshare", "--mount", "sh", "-c", f'{prepare} && exec "$@"', "sh", *super().command()]

    def inside(self):
        return Path(f"/proc/{self.process.pid}/root{self.folder}/small")


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk takes a mount, and that takes root")
def test_disk_of_the_server_full(stage):
    from harness import dns_servers
    dns_servers.SERVERS["named-small"] = NamedOnASmallDisk
    play = Play(stage, "named-small")
    filler = play.server.inside() / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(file, b"x" * 4096)
    os.close(file)
    play.progress("failures", more=8)
    assert "SERVFAIL" in play.program.log() and "disk is full" in play.program.log()
    filler.unlink()
    play.recovered()


def test_clock_moved_while_running(stage, tmp_path):
    from test_errors import build_clock_shift, preload
    shift = tmp_path / "shift"
    shift.write_text("0")
    play = Play(stage, environment={"LD_PRELOAD": preload(build_clock_shift(tmp_path)), "CLOCK_SHIFT_FILE": str(shift)})
    for seconds in ("4000", "-4000"):
        shift.write_text(seconds)
        play.progress("failures", more=8)
        shift.write_text("0")
        play.recovered()
    assert "BADTIME" in play.program.log()


def test_refused_for_all_and_back(stage):
    play = Play(stage)
    conf_path = play.server.folder / "named.conf"
    good = conf_path.read_text()
    conf_path.write_text(good.replace(f'allow-update {{ key "{play.server.key.name}"; }}', "allow-update { none; }"))
    play.server.process.send_signal(signal.SIGHUP)
    play.progress("failures", more=8)
    assert "REFUSED" in play.program.log()
    conf_path.write_text(good)
    play.server.process.send_signal(signal.SIGHUP)
    play.recovered()


def test_refused_hosts_do_not_fail_their_neighbours(stage):
    refused = {1, 7, 8, 20}
    policy = "update-policy { " + " ".join(f"deny sftdyn name h{number}.{ZONE} ANY;" for number in refused) + " grant sftdyn zonesub ANY; };"
    play = Play(stage, policy=policy)
    play.progress(more=200)
    for load in play.loads:
        load.stop()
    for number, account in enumerate(play.accounts):
        assert account.answers > 0
        assert account.sure == (number not in refused), account
    assert violations([account for number, account in enumerate(play.accounts) if number not in refused], play.server, ZONE) == []


def test_sftdyn_restarted_under_load(stage):
    play = Play(stage)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        play.progress(more=50)
        play.program.process.stop(number)
        play.program.start()
        play.recovered()


@pytest.mark.long
def test_memory_does_not_grow_while_the_server_is_away(stage):
    play = Play(stage, timeout=0.5)
    play.server.process.stand_still()
    play.progress("failures", more=40)
    before = play.program.resident_kib()
    play.progress("failures", more=120)
    assert play.program.resident_kib() < before + 2048
    play.server.process.go_on()
    play.recovered()


def test_the_deadline_is_kept_when_nothing_answers(stage):
    play = Play(stage, timeout=1)
    play.server.process.stand_still()
    play.progress("failures", more=12)
    for load in play.loads:
        load.hold()
    for load in play.loads:
        assert load.held()
    assert [load.errors for load in play.loads] == [[]] * len(play.loads)  # none waited for longer
    play.server.process.go_on()
    for load in play.loads:
        load.release()
    play.recovered()
