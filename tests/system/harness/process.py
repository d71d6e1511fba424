"""A process of the test's: started, awaited, and surely ended."""

import os
import signal
import socket
import subprocess
import time


def free_port():
    """A port of 127.0.0.1 that is free for UDP and TCP now."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                try:
                    tcp.bind(("127.0.0.1", port))
                except OSError:
                    continue
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
        command = ["setpriv", "--pdeathsig", "KILL", "--"] + [str(word) for word in command]
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
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"it did not end:\n{self.log()[-3000:]}") from None

    def await_log(self, text, seconds=60, count=1):
        await_true(lambda: self.log().count(text) >= count, lambda: f"{text!r} in\n{self.log()[-3000:]}", seconds)
