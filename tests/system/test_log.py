# SPDX-License-Identifier: GPL-3.0-or-later
"""The log: bounded whatever clients do, and nothing in it that a terminal or another reader could take for something else."""

import socket
from pathlib import Path

import pytest

from harness.sftdyn import BINARY, conf

HOST = "home.dyn.example.org"


def lines(program):
    return program.log().splitlines()


def flood(program, target, count):
    """`count` requests on one connection; returns how many answers came."""
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    last = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as connection:
        answers = b""
        for part in range(0, count, 50):
            number = min(50, count - part)
            whole = part + number == count
            connection.sendall(request * (number - whole) + last * whole)
            while answers.count(b"HTTP/1.1 ") < part + number:
                octets = connection.recv(65536)
                if not octets:
                    break
                answers += octets
    return answers.count(b"HTTP/1.1 ")


@pytest.mark.parametrize("target,said", [
    (f"/nic/update?hostname={HOST}&username=x&password=k&myip=192.0.2.77", "it names another address than its own"),
    (f"/nic/update?hostname={HOST}&username=x&password=k&myip=nonsense", "which is not an address that a host can have"),
    (f"/nic/update?hostname=unknown.example&username=x&password=k", ""),
    ("/nic/update?hostname=%0aforged&username=x&password=k", ""),
    ("/wrongkey", "too many bad keys"),
    ("/nic/update?hostname=x&username=x&password=wrong", "too many bad keys"),
    ("*", ""),
])
def test_no_client_writes_more_than_some_lines(stage, target, said):
    server = stage.dns("named")
    # Nobody is held back, so that what bounds the lines is the log itself.
    program = stage.sftdyn(conf(server, {"k": HOST}, extra="[limits]\nbad_keys = 1\nrequests_per_connection = 1000"),
                           arguments=())
    before = len(lines(program))
    count = 30 if "bad keys" in said else 500
    assert flood(program, target, count) > 0
    if said:
        assert said in program.log(), program.log()
    assert len(lines(program)) - before <= 3, program.log()[-3000:]


def test_the_count_comes_after_a_minute_by_itself(stage):
    """With a clock that runs faster: nothing else happens meanwhile, and the program goes on."""
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    if not Path(library).exists() or any(word in str(BINARY) for word in ("sanitize", "thread")):
        pytest.skip("libfaketime is not installed, or a sanitizer has clocks of its own")
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), arguments=(),
                           environment={"LD_PRELOAD": library, "FAKETIME": "+0 x30"})
    for _ in range(4):
        program.get(f"/nic/update?hostname={HOST}&username=x&password=k&myip=192.0.2.77")
    assert "more like it since" not in program.log()
    program.await_log("3 more like it since; the last: ", seconds=30)


def test_what_clients_send_reaches_no_terminal(stage):
    """Names, users, addresses and headers of control characters, of the direction of text, and of octets that are no text."""
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), arguments=("-vv",))
    evil = ["%0a2026-01-01%20error:%20forged", "%1b%5d0;title%07", "%0d", "%00", "%7f", "%9b31m", "%c2%9b31m", "%e2%80%ae", "%e2%81%a6", "%e2%80%a8", "%ff%fe",
            "%08%08"]
    for text in evil:
        for target in (f"/nic/update?hostname={text}&username=x&password=k", f"/nic/update?hostname={HOST}&myip={text}&username=x&password=k",
                       f"/nic/update?hostname={text}&username={text}&password={text}", f"/{text}", f"/update?domains={text}&token=k&ip={text}", f"/u/{text}/"):
            program.get(target)
            program.get(target, headers={"X-Forwarded-For": "1.2.3.4\x1b[31m", "User-Agent": "\x9b31m", "Authorization": f"Basic {text}"})
        program.raw(f"GET /{text} HTTP/1.1\r\nHost: a\x1b[2Jb\r\n\r\n".encode())
        program.raw(b"\x1b[31m\xe2\x80\xae\n\n")
    program.get("k")
    program.await_log(f"{HOST} A 127.0.0.1: OK")
    octets = (program.folder / "sftdyn.log").read_bytes()
    text = octets.decode()  # valid UTF-8
    assert not any(character < " " and character != "\n" or "\x7f" <= character <= "\x9f" for character in text)
    assert not any(character in text for character in "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert not any(line.startswith("2026-01-01 error: forged") for line in text.splitlines())
