# SPDX-License-Identifier: GPL-3.0-or-later
"""The mode of everything that sftdyn writes, with a umask that takes nothing away."""

import os
import re
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from harness.process import free_port
from harness.sftdyn import BINARY, conf, run

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def serving(stage, server, folder):
    text = f'http = ["127.0.0.1:0", "unix:{folder}/http"]\n' + conf(server, {"secretkey-one": HOST})
    text += f'\n[admin]\nmetrics = "unix:{folder}/metrics"\ncontrol = "{folder}/control"\nstate = "{folder}/state"\n'
    return stage.sftdyn(text, listen=())


def test_of_a_running_program(stage, tmp_path, open_umask):
    server = stage.dns("named")
    (tmp_path / "state").mkdir(mode=0o755)
    program = serving(stage, server, tmp_path)
    assert mode(tmp_path / "state/hosts.sqlite") == 0o600
    assert mode(tmp_path / "control") == 0o660
    assert mode(tmp_path / "http") & 0o007 == 0o006 or mode(tmp_path / "http") & 0o007 == 0, "as http says it"
    modes = {path: mode(path) for path in [tmp_path / "http", tmp_path / "metrics"]}
    assert all(m & 0o111 == 0 for m in modes.values()), modes
    program.stop()
    assert {path.name for path in (tmp_path / "state").iterdir()} <= {"hosts.sqlite", "hosts.sqlite-journal"}
    for path in (tmp_path / "state").iterdir():
        assert mode(path) == 0o600, path


def test_a_memory_that_others_may_read_is_closed_to_them(stage, tmp_path, open_umask):
    """As versions before made it."""
    server = stage.dns("named")
    (tmp_path / "state").mkdir()
    with sqlite3.connect(tmp_path / "state/hosts.sqlite") as database:
        database.execute("PRAGMA journal_mode = TRUNCATE")
    (tmp_path / "state/hosts.sqlite-journal").touch()
    (tmp_path / "state/hosts.sqlite").chmod(0o644)
    program = serving(stage, server, tmp_path)
    assert program is not None
    program.stop()
    for path in (tmp_path / "state").iterdir():
        assert mode(path) == 0o600, path


def test_a_link_in_its_place_is_not_followed(stage, tmp_path):
    server = stage.dns("named")
    (tmp_path / "state").mkdir()
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "elsewhere").chmod(0o644)
    (tmp_path / "state/hosts.sqlite").symlink_to(tmp_path / "elsewhere")
    program = serving(stage, server, tmp_path)
    program.await_log("hosts are still served")
    assert mode(tmp_path / "elsewhere") == 0o644 and (tmp_path / "elsewhere").read_text() == ""


def test_of_a_certificate(tmp_path, open_umask):
    assert run("cert", ZONE, "--dir", tmp_path).returncode == 0
    assert mode(tmp_path / "server.key") == 0o600
    assert mode(tmp_path / "server.crt") & 0o133 == 0


@pytest.mark.parametrize("kind", ["bind", "knot", "powerdns"])
def test_of_what_setup_writes(kind, tmp_path, open_umask):
    """No secret is for everybody, and nothing may be written by others."""
    assert run("setup", kind, ZONE, "--write", tmp_path).returncode == 0
    secrets = 0
    for path in tmp_path.rglob("*"):
        if not path.is_file():
            continue
        assert mode(path) & 0o002 == 0, path
        if re.search(r"[A-Za-z0-9+/]{60,}|[0-9a-f]{32}", path.read_text()):
            secrets += 1
            assert mode(path) & 0o007 == 0, path
    assert secrets > 0
