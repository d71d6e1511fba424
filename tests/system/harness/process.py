# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of the test's: started, awaited, and surely ended."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path


resend_time = 10  # seconds until a signal is sent again where it may be held

_given_out = []  # a socket for each port, whose name keeps it from others


def free_port():
    """A port of 127.0.0.1 for UDP and TCP, for whoever asks until this process ends: no other test is given it, nor does the
    kernel give it to a connection, where it leaves any ports out."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first_of_kernel = int(file.read().split()[0])
    ports = range(10000, first_of_kernel if first_of_kernel > 11000 else 65536)
    for _ in range(1000):
        port = random.choice(ports)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0sftdyn-test-port-{port}")
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _given_out.append(claim)
        return port
    raise RuntimeError("no free port")


def await_true(condition, what, seconds=60):
    """Waits until `condition()` is true, and returns its value. `what` may be a function that makes the text."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.01)


class Process:
    """Its output goes to `log`, a file that the test may read."""

    def __init__(self, command, log, **kwargs):
        self.log_path = log
        # Whatever ends the test run ends the process: it dies with its parent.
        command = [str(word) for word in command]
        # The thread sanitizer holds a signal that comes while a thread computes until that thread's next call of the system;
        # one that waits already makes none.
        self.may_hold_signals = os.path.basename(os.path.dirname(command[0])) == "thread"
        command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **kwargs)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def cpu_seconds(self):
        """What its threads have taken of the processors, whatever else they do."""
        return sum(int(Path(f"/proc/{self.pid}/task/{task}/schedstat").read_text().split()[0])
                   for task in os.listdir(f"/proc/{self.pid}/task")) / 1e9

    def send_signal(self, number):
        os.kill(self.pid, number)

    def stand_still(self):
        """Stops it until `go_on`. The kernel begins only when the first thread takes the signal, and others go on until then."""
        self.send_signal(signal.SIGSTOP)
        await_true(lambda: set(self._states()) == {"T"}, "every thread stands still")

    def go_on(self):
        self.send_signal(signal.SIGCONT)

    def _states(self):
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/stat") as stat:
                    yield stat.read().rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                pass  # a thread that ended

    def stop(self, number=signal.SIGTERM, seconds=60):
        """Ends it, and returns its exit status."""
        if self.alive():
            self.go_on()
            self.send_signal(number)
        return self.await_end(number, seconds)

    def await_end(self, number, seconds=60):
        """Its exit status. The signal `number` was sent, which ends it."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.popen.wait(min(seconds, resend_time))
            except subprocess.TimeoutExpired:
                if time.monotonic() > end:
                    self.popen.kill()
                    self.popen.wait()
                    raise AssertionError(f"it did not end:\n{self.log()[-3000:]}") from None
                if self.may_hold_signals:
                    self.send_signal(number)

    def await_log(self, text, seconds=60, count=1):
        await_true(lambda: self.log().count(text) >= count, lambda: f"{text!r} in\n{self.log()[-3000:]}", seconds)
