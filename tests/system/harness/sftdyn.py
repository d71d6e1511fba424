# SPDX-License-Identifier: GPL-3.0-or-later
"""The program under test."""

import http.client
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from .process import Process, await_true

BINARY = os.environ.get("SFTDYN", str(Path(__file__).resolve().parents[3] / "build/release/sftdyn"))


class Answer:
    def __init__(self, status, body, headers, version=11):
        self.status = status
        self.body = body
        self.headers = headers
        self.version = version

    def __iter__(self):
        return iter((self.status, self.body))

    def __repr__(self):
        return f"{self.status} {self.body!r}"


class Sftdyn:
    """Started on ports of its own choice; `conf` is the text of its configuration file."""

    def __init__(self, folder, conf, arguments=("-vv",), listen=("127.0.0.1:0",), environment=None, file="sftdyn.toml"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.conf = self.folder / file
        self.conf.write_text(conf)
        self.arguments = list(arguments)
        self.listen = listen
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.addresses = []

    def start(self):
        log = self.folder / "sftdyn.log"
        already = log.read_text().count("listening on") if log.exists() else 0
        command = [BINARY, self.conf, *self.arguments]
        for address in self.listen:
            command += ["-l", address]
        self.process = Process(command, log, env=self.environment)

        def listening():
            if not self.process.alive():
                raise AssertionError(f"it did not start:\n{self.log()[-3000:]}")
            found = self.addresses_of_log()[already:]
            return found if len(found) >= max(len(self.listen), 1) else None

        self.addresses = [split_address(text) for text in await_true(listening, "it listens")]
        return self

    def addresses_of_log(self):
        """All that it says it listens on, also of starts before."""
        return re.findall(r"listening on (?:https?://|unix:)(\S+)", self.log())

    @property
    def port(self):
        return self.addresses[0][1]

    def log(self):
        return self.process.log()

    def await_log(self, text, seconds=60, count=1):
        self.process.await_log(text, seconds, count)

    def stop(self, number=signal.SIGTERM):
        status = None
        if self.process:
            status = self.process.stop(number)
            log = self.log()
            self.process = None
            found = re.search("ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|LeakSanitizer", log)
            assert not found, log[max(0, found.start() - 1000):][:16000]
        return status

    def reload(self, conf=None):
        if conf is not None:
            self.conf.write_text(conf)
        self.process.send_signal(signal.SIGHUP)

    def get(self, target, source="127.0.0.1", method="GET", headers=None, host="127.0.0.1", timeout=60):
        """One request on a connection of its own. `source` is the address that it comes from."""
        connection = http.client.HTTPConnection(host, self.port, timeout=timeout, source_address=(source, 0))
        try:
            connection.putrequest(method, target if target.startswith("/") else "/" + target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), response.headers, response.version)
        finally:
            connection.close()

    def raw(self, octets, seconds=60, host="127.0.0.1"):
        """Sends octets as they are, and returns all that comes back until the connection ends."""
        with socket.create_connection((host, self.port), timeout=seconds) as connection:
            connection.sendall(octets)
            out = b""
            while True:
                try:
                    part = connection.recv(65536)
                except ConnectionResetError:
                    return out
                if not part:
                    return out
                out += part

    def resident_kib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")


def split_address(text):
    if text.startswith("/"):
        return text, None  # a Unix socket
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


def run(*arguments, timeout=120, **kwargs):
    """Runs the program to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **kwargs)


def conf(server, clients, dns="", extra="", key_file=None, named=True):
    """The text of a configuration for one DNS server, which is not `named` when it is where sftdyn looks by itself. `clients`
    maps keys to hosts, or to inline tables.

    Unless `dns` says otherwise requests wait longer than by default: the machine of a test may be busy."""
    if "timeout" not in dns:
        dns += "\ntimeout = 20"
    lines = [f'nskeyfile = "{key_file or server.key_file()}"', extra, "[dns]", f'server = "{server.address}"' if named else "", dns, "[clients]"]
    for key, host in clients.items():
        value = host if host.startswith("{") else f'"{host}"'
        lines.append(f"{toml_string(key)} = {value}")
    return "\n".join(lines) + "\n"


def toml_string(text):
    out = ""
    for character in text:
        if character in '"\\':
            out += "\\" + character
        elif ord(character) < 0x20 or ord(character) == 0x7F:
            out += f"\\u{ord(character):04x}"
        else:
            out += character
    return f'"{out}"'
