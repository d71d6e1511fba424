# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running process has given up."""

import ctypes
import errno
import os
import platform
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.process import await_true
from harness.sanitized import is_sanitized
from harness.sftdyn import conf, run

HOST = "home.dyn.example.org"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has anything to drop")


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
        assert values["Seccomp"] == ("0" if is_sanitized else "2")
    assert resource.prlimit(program.process.pid, resource.RLIMIT_CORE) == (0, 0)
    assert "warning" not in program.log(), program.log()


def test_privileges_are_dropped_in_the_threads_of_a_python_conf(stage):
    """Which were there before that."""
    server = stage.dns("named")
    text = f'hook_threads = 2\nCLIENTS = {{"k": "{HOST}"}}\ndef get_host(q, ip): return CLIENTS.get(q)\n'
    program = stage.sftdyn(text, file="conf", arguments=["-v", "--server", server.address, "--nskeyfile", server.key_file()])
    assert program.get("k").body == "OK"
    for _ in range(2):
        for task in os.listdir(f"/proc/{program.process.pid}/task"):
            values = status(program, task)
            assert int(values["CapEff"], 16) in ((1 << 2,) if os.geteuid() == 0 else (0,))
            assert values["CapPrm"] == values["CapEff"] and values["NoNewPrivs"] == "1"
        program.reload()
        program.await_log("SIGHUP: reloading")
        assert program.get("k").body == "UPTODATE"
    assert "could not" not in program.log()


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
def test_groups_and_the_bounding_set_are_the_users(stage):
    server = stage.dns("named")
    user = pwd.getpwnam("daemon")
    os.chown(server.key_file(), user.pw_uid, -1)
    for folder in [Path(server.key_file()).parent, *Path(server.key_file()).parents]:
        if str(folder) in ("/", "/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    program = stage.sftdyn(conf(server, {"k": HOST}, extra='[process]\nuser = "daemon"\n[admin]\nevent_command = ["/bin/true"]'))
    pid = program.process.pid
    for process in [pid, *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]:
        values = dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line)
        assert sorted(map(int, values["Groups"].split())) == sorted(os.getgrouplist("daemon", user.pw_gid))
        assert set(values["Uid"].split()) == {str(user.pw_uid)} and int(values["CapPrm"], 16) == 0
    root = stage.sftdyn(conf(server, {"k": HOST}), name="root")
    assert int(status(root)["CapBnd"], 16) == 1 << 2


def test_a_state_that_is_a_file_leaves_landlock_on(stage, tmp_path):
    (tmp_path / "state").write_text("")
    _, program = start(stage, f'[admin]\nstate = "{tmp_path}/state"')
    assert program.get("k").body == "OK"
    assert "no Landlock" not in program.log(), program.log()


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


@root_only
def test_a_user_may_be_a_number(stage):
    server = stage.dns("named")
    user = pwd.getpwnam("daemon")
    program = stage.sftdyn(f'http = "127.0.0.1:0"\n[process]\nuser = "{user.pw_uid}"\n[clients]\n', arguments=())
    assert set(status(program)["Uid"].split()) == {str(user.pw_uid)}
    assert set(status(program)["Gid"].split()) == {str(user.pw_gid)}


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
        # What is wrong is the sandbox, and not the file's mode.
        assert ("the sandbox ([process] landlock) lets this process read what was named" in program.log() and "restart sftdyn" in program.log()) == landlock
        assert "chgrp" not in program.log()
    finally:
        shutil.rmtree(elsewhere)


@root_only
def test_a_certificate_that_landlock_keeps_it_from_is_said(stage, tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        assert run("cert", "a.example.org", "--dir", tmp_path / folder).returncode == 0
    elsewhere = Path(tempfile.mkdtemp(dir="/root"))
    server = stage.dns("named")

    def text(folder):
        return f'https = "127.0.0.1:0"\ncert = "{folder}/server.crt"\nkey = "{folder}/server.key"\n' + conf(server, {"k": HOST})

    try:
        program = stage.sftdyn(text(tmp_path / "first"))
        for file in (tmp_path / "second").iterdir():
            shutil.copy(file, elsewhere)
        program.reload(text(elsewhere))
        program.await_log("can't be read: Permission denied; the sandbox ([process] landlock)")
    finally:
        shutil.rmtree(elsewhere)


def test_nothing_is_passed_on_to_what_a_hook_starts(stage):
    """A connection or a port that a command of a Python conf keeps open would outlive its end."""
    state = stage.folder / "state"
    state.mkdir()
    server = stage.dns("named")
    listeners = f'http = ["127.0.0.1:0", "unix:{state}/http"]\n'
    program = stage.sftdyn(listeners + conf(server, {"k": "home.dyn.example.org"}, extra=f'[admin]\nmetrics = "127.0.0.1:0"\ncontrol = "{state}/control"\nstate = "{state}"'),
                           listen=())
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.sendall(b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"OK" in client.recv(1000)
        flags = {}
        for descriptor in Path(f"/proc/{program.process.pid}/fdinfo").iterdir():
            flags[int(descriptor.name)] = int(re.search(r"^flags:\s+(\d+)", descriptor.read_text(), re.MULTILINE)[1], 8)
    assert len(flags) > 12 and [number for number, bits in flags.items() if number > 2 and not bits & os.O_CLOEXEC] == []


def test_in_the_sandbox_it_still_does_everything(stage):
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


PROBE = signal.SIGRTMIN + 5
TGKILL = 234 if platform.machine() == "x86_64" else 131  # the system call's number

# In the sandboxed program, whatever its configuration: the error of each attempt. 1: EPERM (seccomp), 13: EACCES (Landlock).
FORBIDDEN = {
    # Files.
    "make", "write", "append", "empty", "temporary", "truncate", "chmod", "fchmod", "fchown", "rename", "link", "symlink", "mkdir", "mknod", "unlink",
    "read-secret", "read-disk", "state-mkdir", "state-set-id",
    # Processes.
    "fork", "execute", "execveat", "kill", "kill-all", "tkill", "tgkill", "sigqueue", "pidfd", "setown", "setsig", "ptrace", "seize", "read-memory",
    "open-memory", "limit-other", "dumpable", "setuid",
    # Sockets.
    "netlink", "raw", "packet", "vsock", "unix-connect", "unix-datagram", "socketpair", "take-descriptor", "bind", "listen", "interface",
    # The kernel.
    "memfd", "io_uring", "bpf", "userfaultfd", "keyctl", "unshare", "mount", "perf", "personality", "write-and-execute", "make-executable", "map-code",
}
FORBIDDEN_TO_HELPER = {"ptrace", "seize", "read-memory", "open-memory", "setuid", "interface", "io_uring", "bpf", "userfaultfd", "keyctl", "unshare", "mount", "perf"}


@pytest.fixture(scope="session")
def probe_library(tmp_path_factory):
    library = tmp_path_factory.mktemp("probe") / "probe.so"
    subprocess.run(["gcc", "-Wall", "-shared", "-fPIC", "-o", library, Path(__file__).parent / "harness/probe.c"], check=True)
    return library


@pytest.fixture
def place():
    """A folder where services read, a file in it that the program's user could change, a file elsewhere, a socket and a process."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="sftdyn-place-"))
    elsewhere = Path(tempfile.mkdtemp(dir=Path.home(), prefix="sftdyn-secret-"))
    (folder / "victim").write_text("untouched")
    (elsewhere / "secret").write_text("secret")
    (folder / "state").mkdir(mode=0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()
    victim = subprocess.Popen(["sleep", "infinity"])
    try:
        yield {"PLACE": str(folder), "STATE": str(folder / "state"), "SECRET": str(elsewhere / "secret"), "SOCKET": str(folder / "socket"),
               "VICTIM": str(victim.pid)}
        assert victim.poll() is None, "the other process lives"
        assert (folder / "victim").read_text() == "untouched" and (folder / "victim").stat().st_mode & 0o7777 == 0o644
        assert {path.name for path in folder.iterdir()} == {"victim", "state", "socket"}
    finally:
        victim.kill()
        victim.wait()
        listener.close()
        shutil.rmtree(folder)
        shutil.rmtree(elsewhere)


def threads(pid):
    return [int(task) for task in os.listdir(f"/proc/{pid}/task")]


def probe(program, pid, task):
    """What a thread could do: name -> 0, or the error's number."""
    done = program.log().count(f"probe {task} end")
    if ctypes.CDLL(None, use_errno=True).syscall(TGKILL, pid, task, PROBE) != 0:
        raise OSError(ctypes.get_errno(), "tgkill")
    await_true(lambda: program.log().count(f"probe {task} end") > done or not program.process.alive(), lambda: f"thread {task} has tried\n{program.log()[-2000:]}")
    return {name: 0 if result.startswith("done") else int(result) for name, result in re.findall(rf"probe {task} ([\w-]+) (.*)", program.log())}


@pytest.mark.skipif(is_sanitized, reason="a sanitizer's run-time is not sandboxed")
@pytest.mark.parametrize("state", [False, True], ids=["", "state"])
@pytest.mark.parametrize("hook", [False, True], ids=["", "hook"])
def test_what_is_forbidden_is_refused_in_every_thread(stage, probe_library, place, state, hook):
    settings = ['[admin]', 'metrics = "127.0.0.1:0"'] + [f'state = "{place["STATE"]}"'] * state + ['event_command = ["/bin/true"]'] * hook
    server, program = start(stage, "\n".join(settings), environment={"LD_PRELOAD": str(probe_library), **place})
    assert program.get("k").body == "OK"
    pid = program.process.pid
    for task in threads(pid):
        results = probe(program, pid, task)
        # Root that stays root is kept by Landlock from other users' files, others by the files' modes.
        assert {name for name, error in results.items() if error in (errno.EPERM, errno.EACCES)} >= FORBIDDEN - {"ptrace", "seize"}, results
        assert {name for name, error in results.items() if error == 0} == ({"end", "state-make", "state-unlink"} if state else {"end"}), results
        assert not state or results["state-code"] == errno.EPERM, "no code comes by way of the state folder"
    assert program.get("k", source="127.0.0.9").body == "OK", "it still serves"
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == hook
    for child in map(int, children):
        assert threads(child) == [child]
        results = probe(program, child, child)
        assert {name for name, error in results.items() if error in (errno.EPERM, errno.EACCES)} == FORBIDDEN_TO_HELPER, results
        values = dict(line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines() if ":\t" in line)
        assert (values["NoNewPrivs"], values["Seccomp"]) == ("1", "2")
        assert int(values["CapEff"], 16) in ((1 << 2,) if os.geteuid() == 0 else (0,))
    assert "warning" not in program.log(), program.log()


@pytest.mark.skipif(is_sanitized, reason="a sanitizer's run-time is not sandboxed")
def test_systemd_is_told_and_nobody_else(stage, probe_library, place):
    """The socket to systemd is there before the sandbox is, and leads nowhere else."""
    manager, other = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    manager.bind(place["STATE"] + "/notify")
    other.bind(place["STATE"] + "/other")
    environment = {"LD_PRELOAD": str(probe_library), "NOTIFY_SOCKET": place["STATE"] + "/notify", "DATAGRAMS": place["STATE"] + "/other", **place}
    server, program = start(stage, "", environment=environment)
    assert program.get("k").body == "OK"
    for task in threads(program.process.pid):
        results = probe(program, program.process.pid, task)
        assert {name for name, error in results.items() if error == 0} == {"end", "systemd-tell"}, results
        assert {name for name, error in results.items() if name.startswith("systemd") and error == errno.EPERM} == {
            "systemd-sendto", "systemd-sendmsg", "systemd-connect", "systemd-high", "systemd-dup", "systemd-dupfd"}
        assert results["unix-connect"] == results["unix-datagram"] == results["socketpair"] == errno.EPERM
    assert program.stop() == 0
    manager.settimeout(60)
    heard = [manager.recv(4096).decode()]
    while heard[-1] != "STOPPING=1":
        heard.append(manager.recv(4096).decode())
    assert heard[0] == "READY=1" and heard.count("STATUS=probe") >= 3
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(1)
    manager.close()
    other.close()


@pytest.mark.skipif(is_sanitized, reason="a sanitizer's run-time is not sandboxed")
@pytest.mark.parametrize("setting,refused", [
    ("landlock", FORBIDDEN - {"read-secret", "read-disk"}),
    ("seccomp", {"make", "write", "append", "empty", "temporary", "truncate", "rename", "link", "symlink", "mkdir", "mknod", "unlink", "execute", "execveat",
                 "read-secret", "read-disk", "ptrace", "seize", "read-memory", "open-memory", "bind", "kill", "tkill", "tgkill", "sigqueue", "mount"}),
])
def test_each_half_alone_keeps_it_from_files_and_other_processes(stage, probe_library, place, setting, refused):
    server, program = start(stage, f"[process]\n{setting} = false", environment={"LD_PRELOAD": str(probe_library), **place})
    assert program.get("k").body == "OK"
    results = probe(program, program.process.pid, program.process.pid)
    assert {name for name in refused if results[name] not in (errno.EPERM, errno.EACCES)} == set(), results
    (Path(place["PLACE"]) / "victim").chmod(0o644)  # Landlock leaves modes alone


@pytest.mark.skipif(is_sanitized, reason="a sanitizer's run-time is not sandboxed")
def test_with_a_python_conf_privileges_are_gone_all_the_same(stage, probe_library, place):
    """Its code may do whatever the user may, so neither Landlock nor seccomp are there: no capability is, in any thread."""
    server = stage.dns("named")
    text = f"""
CLIENTS = {{"k": "{HOST}"}}
def get_ip(source, headers, key):
    return source
"""
    program = stage.sftdyn(text, file="conf", arguments=("-vv", "--server", server.address, "--nskeyfile", server.key_file()),
                           environment={"LD_PRELOAD": str(probe_library), "GENTLE": "1", **place})
    assert program.get("k").body == "OK"
    refused = {"setuid", "interface", "mount"} | ({"ptrace", "seize", "read-memory", "open-memory"} if os.geteuid() == 0 else set())
    tasks = threads(program.process.pid)
    assert len(tasks) > 3
    for task in tasks:
        results = probe(program, program.process.pid, task)
        assert {name for name in refused if results[name] not in (errno.EPERM, errno.EACCES)} == set(), results
        values = status(program, task)
        assert values["NoNewPrivs"] == "1" and int(values["CapEff"], 16) in ((1 << 2,) if os.geteuid() == 0 else (0,))
    assert program.get("k", source="127.0.0.9").body == "OK"
