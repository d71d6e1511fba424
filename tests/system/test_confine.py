"""What the running process has given up."""

import os
import pwd
import resource
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from harness.process import await_true
from harness.sftdyn import conf, run

HOST = "home.dyn.example.org"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has anything to drop")
SANITIZED = any(word in os.environ.get("SFTDYN", "") for word in ("sanitize", "thread"))


def status(program, task=None):
    path = f"/proc/{program.process.pid}/status" if task is None else f"/proc/{program.process.pid}/task/{task}/status"
    return dict(line.split(":\t", 1) for line in Path(path).read_text().splitlines() if ":\t" in line)


def start(stage, extra="", **kwargs):
    server = stage.dns("named")
    return server, stage.sftdyn(conf(server, {"k": HOST}, extra=extra), **kwargs)


def test_privileges_are_dropped_in_every_thread(stage):
    server, program = start(stage, arguments=())
    assert program.get("k").body == "OK"
    for task in os.listdir(f"/proc/{program.process.pid}/task"):
        values = status(program, task)
        # Root that stays root may read what others own (BIND's key); an unprivileged user has nothing left.
        assert int(values["CapEff"], 16) in ((1 << 2,) if os.geteuid() == 0 else (0,))
        assert values["CapPrm"] == values["CapEff"]
        assert int(values["CapInh"], 16) == 0 and int(values["CapAmb"], 16) == 0
        assert values["NoNewPrivs"] == "1"
        assert values["Seccomp"] == ("0" if SANITIZED else "2")
    assert resource.prlimit(program.process.pid, resource.RLIMIT_CORE) == (0, 0)
    assert "warning" not in program.log(), program.log()


@root_only
def test_it_becomes_another_user_and_keeps_a_low_port(stage):
    server = stage.dns("named")
    user = pwd.getpwnam("daemon")
    shutil.chown(server.key_file(), user.pw_uid)
    for folder in [Path(server.key_file()).parent, *Path(server.key_file()).parents]:
        if str(folder) in ("/", "/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    text = conf(server, {"k": HOST}, extra='[process]\nuser = "daemon"')
    for port in range(1000, 1020):
        try:
            program = stage.sftdyn(text, name=f"low{port}", listen=(f"127.0.0.1:{port}",))
            break
        except AssertionError:
            stage.running.pop()
    values = status(program)
    assert set(values["Uid"].split()) == {str(user.pw_uid)} and set(values["Gid"].split()) == {str(user.pw_gid)}
    assert int(values["CapPrm"], 16) == 0
    assert program.get("k").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.1"]


@root_only
def test_who_is_not_root_can_not_become_another(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('http = "127.0.0.1:0"\n[process]\nuser = "root"\n')
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if str(folder) == "/tmp":
            break
        folder.chmod(folder.stat().st_mode | 0o055)
    result = run(path, user=pwd.getpwnam("daemon").pw_uid, group=1, extra_groups=[])
    assert result.returncode == 1 and "can't become the user root: only root can" in result.stderr, result.stderr


def test_unknown_users_are_told(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[process]\nuser = "nobody-has-this"\nseccomp = 1\n')
    result = run("check", path)
    assert "there is no user of this name" in result.stderr and "seccomp is of the wrong type" in result.stderr


def test_each_can_be_switched_off(stage):
    _, program = start(stage, "[process]\nseccomp = false\nlandlock = false")
    assert status(program)["Seccomp"] == "0"
    assert program.get("k").body == "OK"


@root_only
@pytest.mark.parametrize("landlock", [True, False])
def test_landlock_keeps_it_from_what_is_not_its_business(stage, landlock):
    server, program = start(stage, f"[process]\nlandlock = {str(landlock).lower()}")
    elsewhere = Path(tempfile.mkdtemp(dir="/root"))
    try:
        key = elsewhere / "stolen.key"
        key.write_text(Path(server.key_file()).read_text())
        program.reload(conf(server, {"k": HOST}, extra=f"[process]\nlandlock = {str(landlock).lower()}", key_file=str(key)))
        program.await_log("the configuration has 1 clients")
        assert program.get("k").body == ("FAIL" if landlock else "OK")
        assert ("Permission denied" in program.log()) == landlock
    finally:
        shutil.rmtree(elsewhere)


def test_confined_it_still_does_everything(stage):
    """Changes, a lost DNS server, a reload, a new key file, a clean end."""
    server, program = start(stage)
    assert program.get("k", source="127.0.0.2").body == "OK"
    server.stop()
    assert program.get("k", source="127.0.0.4").body == "FAIL"
    server.start()
    program.reload()
    program.await_log("the configuration has 1 clients")
    key = Path(server.key_file())
    text = key.read_text()
    key.unlink()
    key.write_text(text)
    await_true(lambda: program.get("k", source="127.0.0.3").body == "OK", "it reads the new key")
    assert server.records(HOST, "A") == ["127.0.0.3"]
    assert program.stop(signal.SIGTERM) == 0
    assert "Operation not permitted" not in (program.folder / "sftdyn.log").read_text()
