# SPDX-License-Identifier: GPL-3.0-or-later
"""`sftdyn demo`: what it prints works as it stands, and nothing is left behind."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness.process import Process, await_true, free_port
from harness.sftdyn import BINARY, run


@pytest.fixture
def demo(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    process = Process([BINARY, "demo", "-l", "127.0.0.1:0", "-l", "[::1]:0", "--dns-port", "0"], tmp_path / "log", env={**os.environ, "TMPDIR": str(folder)})
    await_true(lambda: "Ctrl-C" in process.log() or not process.alive(), "it has started")
    yield process, folder
    process.stop(signal.SIGKILL)


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sh(line):
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60).stdout.strip()


def test_the_printed_lines_work(demo):
    process, _ = demo
    curls = re.findall(r"^  (curl http.*/[0-9a-f]{32})$", process.log(), re.M)
    digs = re.findall(r"^  (dig .*)$", process.log(), re.M)
    assert len(curls) == 2 and len(digs) == 4, process.log()
    for curl, dig, address in zip(curls, digs, ("127.0.0.1", "::1")):
        assert sh(dig) == ""
        assert sh(curl.replace("curl", "curl -g -s")) == "OK"
        assert sh(dig) == address
        assert sh(curl.replace("curl", "curl -g -s")) == "UPTODATE"
    # The router, and the host behind it.
    [update] = re.findall(r"^  (curl -u .*)$", process.log(), re.M)
    assert sh(update.replace("curl", "curl -s")) == "good 192.0.2.1"
    assert [sh(dig) for dig in digs[2:]] == ["192.0.2.1", "2001:db8:1:0:1234:5678:9abc:def0"]
    [status] = re.findall(r"^  (/.* status --socket .*)$", process.log(), re.M)
    shown = sh(status)
    assert all(host in shown for host in ("home.dyn.example.org", "router.dyn.example.org", "nas.dyn.example.org")), shown
    [metrics] = re.findall(r"^  (curl .*/metrics)$", process.log(), re.M)
    assert 'sftdyn_requests_total{dialect="dyndns2",outcome="ok"} 2' in sh(metrics.replace("curl", "curl -s"))
    # As printed, also for a shell that sees the brackets of [::1].
    assert sh(curls[1] + " 2>/dev/null") == "UPTODATE"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind(demo, number):
    process, folder = demo
    knotd = children(process.pid)
    assert len(knotd) == 1
    assert len(list(folder.iterdir())) == 1
    assert process.stop(number) == 0
    assert list(folder.iterdir()) == []
    assert not Path(f"/proc/{knotd[0]}").exists()


def test_even_a_kill_leaves_no_process(demo):
    process, _ = demo
    knotd = children(process.pid)[0]
    process.send_signal(signal.SIGKILL)
    process.popen.wait(60)

    def gone():
        try:
            return Path(f"/proc/{knotd}/stat").read_text().split(") ")[1][0] == "Z"
        except FileNotFoundError:
            return True
    await_true(gone, "knotd has ended")


def test_port_in_use_is_a_clear_error(demo, tmp_path):
    process, _ = demo
    dns_port, http_port = re.search(r"on 127.0.0.1:(\d+)", process.log())[1], re.search(r"http://127.0.0.1:(\d+)", process.log())[1]
    result = run("demo", "-l", "127.0.0.1:0", "--dns-port", dns_port)
    assert result.returncode == 1 and f"port {dns_port}" in result.stderr and "--dns-port" in result.stderr
    result = run("demo", "-l", f"127.0.0.1:{http_port}", "--dns-port", "0")
    assert result.returncode == 1 and f"127.0.0.1:{http_port}" in result.stderr and "another program has this port" in result.stderr


def test_missing_knotd_is_a_clear_error(tmp_path):
    if Path("/usr/sbin/knotd").exists():
        # Hidden by a view of the file system without it.
        if os.geteuid() != 0:
            pytest.skip("needs root to hide knotd")
        command = f"mount -t tmpfs none /usr/sbin && exec {BINARY} demo -l 127.0.0.1:0 --dns-port {free_port()}"
        result = subprocess.run(["unshare", "--mount", "sh", "-c", command], capture_output=True, text=True, timeout=60)
    else:
        result = run("demo")
    assert result.returncode == 1
    assert "knotd is not installed" in result.stderr and "apt-get install knot" in result.stderr
