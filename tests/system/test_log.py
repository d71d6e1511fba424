# SPDX-License-Identifier: GPL-3.0-or-later
"""The log: bounded whatever clients do, and nothing in it that a terminal or another reader could take for something else."""

import json
import re
import socket
from pathlib import Path

import pytest

from harness.journal import messages_of
from harness.process import await_true, free_port
from harness.sftdyn import BINARY, conf, run

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


EVIL_COMMAND = """#!/bin/sh
printf 'plain\\n\\377\\376 \\033[31m "quoted" \\\\ \\000\\n' >&2
head -c 10000 /dev/zero | tr '\\0' x
printf '\\nwithout an end'
"""


def objects(text):
    """The lines of the log, each of which is an object; what standard output says is no part of it."""
    lines = [line for line in text.splitlines() if not line.startswith(("listening on ", "metrics on "))]
    said = [json.loads(line) for line in lines]
    for one in said:
        assert list(one)[:3] == ["time", "level", "message"], one
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["time"]), one
        assert one["level"] in ("critical", "error", "warning", "info", "debug"), one
    return said


def test_as_json_each_line_is_an_object_whatever_is_in_it(stage):
    server = stage.dns("named")
    command = stage.folder / "notify"
    command.write_text(EVIL_COMMAND)
    command.chmod(0o755)
    program = stage.sftdyn('log_format = "json"\n' + conf(server, {"k": HOST}, extra=f'[admin]\nevent_command = ["{command}"]'))
    for text in ("%0aforged", "%1b%5d0;title%07", "%00", "%9b31m", "%e2%80%ae", "%ff%fe", "x" * 5000):
        for target in (f"/nic/update?hostname={text}&username=x&password=k", f"/nic/update?hostname={HOST}&myip={text}&username=x&password=k", f"/{text}"):
            program.get(target, headers={"X-Forwarded-For": "1.2.3.4\x1b[31m", "User-Agent": "\x9b31m"})
    for _ in range(4):
        program.get(f"/nic/update?hostname={HOST}&username=x&password=k&myip=192.0.2.77")
    assert program.get("k").body == "OK"
    program.await_log("the event command: plain")
    assert program.stop() == 0
    said = objects((program.folder / "sftdyn.log").read_text())  # strictly UTF-8

    [request] = [one for one in said if one["message"] == f"{HOST} A 127.0.0.1: OK"]
    assert request["level"] == "info" and request["duration_usec"] > 0
    assert {name: request[name] for name in ("host", "address", "client", "dialect", "outcome")} == {
        "host": HOST, "address": "127.0.0.1", "client": "127.0.0.1", "dialect": "secret_url", "outcome": "ok"}
    [counts] = [one for one in said if re.match(r"\d+ more like it since; the last: .*another address than its own", one["message"])]
    assert counts["host"] == HOST and counts["client"] == "127.0.0.1"
    output = [one["message"].removeprefix("the event command: ") for one in said if one["message"].startswith("the event command: ")]
    assert output[:2] == ["plain", '\\xff\\xfe \\x1b[31m "quoted" \\ \\x00'], output[:2]
    assert "".join(output[2:-1]) == "x" * 10000 and output[-1] == "without an end"


@pytest.mark.parametrize("arguments,text,words", [
    (["--log-format", "json"], 'log = "inf\n[clients]\n', "something is not closed here"),
    (["--log-format", "json"], None, "No such file or directory"),
    ([], 'log_format = "json"\nhttp = true\n[clients]\n', "http is of the wrong type"),
])
def test_as_json_what_keeps_it_from_starting_is_an_object_too(tmp_path, arguments, text, words):
    """What the file has as its form is known where its syntax is right; the option says it from the first line on."""
    if text is not None:
        (tmp_path / "c.toml").write_text(text)
    result = run(tmp_path / "c.toml", *arguments)
    said = objects(result.stderr)
    assert result.returncode == 1 and [one["level"] for one in said] == ["critical"] and words in said[0]["message"]


def test_the_form_of_the_log_changes_with_a_restart(stage):
    server = stage.dns("named")
    text = conf(server, {"k": HOST})
    program = stage.sftdyn(text)
    program.reload('log_format = "json"\n' + text)
    program.await_log("log_format has changed: that takes effect only with a restart")
    program.stop()
    program.start()
    before = len(program.log())
    assert program.get("k").body == "OK"
    await_true(lambda: any(one["message"] == f"{HOST} A 127.0.0.1: OK" for one in objects(program.log()[before:])), "it is an object")
    program.stop()
    program.arguments += ["--log-format", "text"]
    program.start()
    before = len(program.log())
    assert program.get("k").body == "UPTODATE"
    program.await_log(f"info: {HOST} A 127.0.0.1: UPTODATE")


def test_the_journal_has_its_own_form(stage):
    server = stage.dns("named")
    (stage.folder / "c.toml").write_text('log_format = "json"\n' + conf(server, {"k": HOST}))
    said = messages_of(BINARY, stage.folder / "c.toml", free_port(), [("/k", "127.0.0.1")], ["-v"])
    assert any(one["MESSAGE"] == f"{HOST} A 127.0.0.1: OK" and one["SFTDYN_HOST"] == HOST for one in said), said
    assert not any(one["MESSAGE"].startswith("{") for one in said)
