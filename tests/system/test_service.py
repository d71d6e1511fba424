# SPDX-License-Identifier: GPL-3.0-or-later
"""As a service of systemd: what it is told, and the unit."""

import signal
import socket

import pytest

from harness.sftdyn import conf

HOST = "home.dyn.example.org"


class Manager:
    """systemd's end of the notification socket."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(60)
        self.heard = []

    def await_word(self, word):
        while word not in self.heard:
            self.heard += self.socket.recv(4096).decode().split("\n")
        self.heard.clear()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.socket.close()


def test_it_says_when_it_serves_reloads_and_ends(stage, manager):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), environment={"NOTIFY_SOCKET": manager.path})
    manager.await_word("READY=1")
    assert program.get("k").body == "OK"
    program.reload()
    manager.await_word("RELOADING=1")
    manager.await_word("READY=1")
    program.reload("broken")
    manager.await_word("RELOADING=1")
    manager.await_word("READY=1")
    assert program.get("k").body == "UPTODATE"
    program.process.send_signal(signal.SIGTERM)
    manager.await_word("STOPPING=1")
    assert program.process.await_end(signal.SIGTERM) == 0


def test_it_feeds_the_watchdog(stage, manager):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), environment={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"})
    for _ in range(3):
        manager.await_word("WATCHDOG=1")
    # It is the engine that feeds it: one that hangs is noticed.
    program.process.stand_still()
    manager.socket.settimeout(1.5)
    with pytest.raises(TimeoutError):
        for _ in range(100):
            manager.await_word("WATCHDOG=1")
    program.process.go_on()
    manager.await_word("WATCHDOG=1")


def test_without_a_manager_nothing_is_said(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    assert "systemd" not in program.log()
