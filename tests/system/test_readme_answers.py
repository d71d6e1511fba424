# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of secret URLs, as README.md lists them: each is provoked, and there is no other row."""

import re
import threading
from pathlib import Path

from harness.process import await_true
from harness.sftdyn import conf

ROOT = Path(__file__).resolve().parents[2]
ZONE = "dyn.example.org"


def rows():
    """{(status, body)}; "" for a body that the table does not name."""
    table = (ROOT / "README.md").read_text().split("## What it answers")[1].split("\n\n")[1].splitlines()[2:]
    found = set()
    for row in table:
        statuses, body = [cell.strip() for cell in row.split("|")[1:3]]
        for status in statuses.split(", "):
            found.add((int(status), body.strip("`")))
    return found


def raw_status(program, octets):
    return int(re.match(rb"HTTP/1\.\d (\d+) ", program.raw(octets))[1])


def test_each_answer_of_the_readme(stage):
    server = stage.dns("named")
    clients = {f"k{number}": f"h{number}.{ZONE}" for number in range(4)}
    extra = '[limits]\nchanges = 1\nchanges_refill = 600\nbad_keys = 1\nbad_keys_refill = 600\n[addresses]\ndeny = ["127.0.0.66/32"]'
    program = stage.sftdyn(conf(server, clients, dns="queue = 1\n", extra=extra), arguments=("-vv",))
    seen = {tuple(program.get("k0", source="127.0.0.2")), tuple(program.get("k0", source="127.0.0.2")), tuple(program.get("k0", source="127.0.0.3"))}
    assert tuple(program.get("/", source="127.0.0.9")) == (200, "127.0.0.9")
    seen |= {(200, "your address"), tuple(program.get("k1", source="127.0.0.66"))}
    seen |= {tuple(program.get("wrong", source="127.0.0.7")) for _ in range(3)}
    for octets in (b"nonsense\r\n\r\n", b"POST /k0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                   b"POST /k0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"POST /k0 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
                   b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"):
        seen.add((raw_status(program, octets), ""))
    # One waits for the DNS server, and there is room for no other.
    server.process.stand_still()
    first = threading.Thread(target=lambda: seen.add(tuple(program.get("k1", source="127.0.0.4"))))
    first.start()
    await_true(lambda: f"h1.{ZONE} A 127.0.0.4: accepted" in program.log(), "it waits")
    seen.add(tuple(program.get("k2", source="127.0.0.5")))
    server.process.go_on()
    first.join()
    server.stop()
    seen.add(tuple(program.get("k3", source="127.0.0.6")))
    assert seen == rows()
