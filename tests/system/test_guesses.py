"""Guessing keys: late answers, then refusals, and a line that fail2ban reads."""

import subprocess
import threading
import time
from pathlib import Path

from harness.process import await_true
from harness.sftdyn import conf

HOST = "home.dyn.example.org"
FILTER = Path(__file__).resolve().parents[2] / "packaging/fail2ban/filter.d/sftdyn.conf"


def start(stage, limits, arguments=("-vv",), extra="", **kwargs):
    server = stage.dns("named")
    return stage.sftdyn(extra + conf(server, {"right": HOST}, extra="[limits]\n" + limits), arguments=arguments, **kwargs)


def test_delayed_then_refused_and_the_right_key_still_works(stage):
    program = start(stage, "bad_keys = 3\nbad_keys_refill = 600")
    def three(source):
        began = time.monotonic()
        assert [tuple(program.get(f"guess{number}", source=source)) for number in range(3)] == [(403, "BADKEY")] * 3
        return time.monotonic() - began
    # Each of these is answered at once; a busy machine may delay one or the other.
    assert min(three(f"127.0.0.{number}") for number in (11, 12, 13, 1)) < 0.9
    late = []
    def guess():
        begin = time.monotonic()
        late.append((*program.get("guess"), time.monotonic() - begin))
    threads = [threading.Thread(target=guess) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry[:2] for entry in late] == [(403, "BADKEY")] * 3
    assert min(entry[2] for entry in late) > 0.9
    answer = program.get("guess")
    assert (answer.status, answer.body) == (429, "BADKEY")
    assert 1 <= int(answer.headers["Retry-After"]) <= 600
    # A neighbour behind the same address has the right key, and somebody else makes a mistake.
    assert program.get("right").body == "OK"
    def neighbours(source):
        began = time.monotonic()
        assert program.get("right").body == "UPTODATE"
        assert program.get("guess", source=source).status == 403
        return time.monotonic() - began
    assert min(neighbours(f"127.0.0.{number}") for number in (2, 3, 4)) < 0.9
    for _ in range(10):
        assert program.get("guess").status == 429
    assert program.log().count("too many bad keys from 127.0.0.1") == 1
    assert "guess" not in program.log()


def test_it_is_forgotten(stage):
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 0.5")
    statuses = [program.get("guess").status for _ in range(3)]
    assert statuses == [403, 403, 429] or statuses == [403, 403, 403]
    await_true(lambda: program.get("guess").status == 403, "one more is answered")


def test_zero_refuses_nobody(stage):
    program = start(stage, "bad_keys = 0")
    assert {program.get("guess").status for _ in range(60)} == {403}


def test_an_ipv6_network_is_one_client(stage):
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 600", extra='trusted_proxies = ["127.0.0.1"]\n')
    def guess(address):
        return program.get("guess", headers={"X-Forwarded-For": address}).status
    assert [guess(f"2001:db8:1:2::{number}") for number in range(1, 4)] == [403, 403, 429]
    assert guess("2001:db8:1:3::1") == 403
    assert guess("198.51.100.7") == 403


def test_fail2ban_finds_the_guesser_and_nobody_else(stage, tmp_path):
    # The default verbosity: what runs as a service.
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 600", arguments=(), extra='trusted_proxies = ["127.0.0.1"]\n')
    for address in ("198.51.100.7", "2001:db8::7"):
        for _ in range(5):
            program.get("guess", headers={"X-Forwarded-For": address})
    program.get("guess", headers={"X-Forwarded-For": "203.0.113.1"})
    program.get("right", headers={"X-Forwarded-For": "203.0.113.2"})
    log = tmp_path / "log"
    log.write_text(program.log())
    result = subprocess.run(["fail2ban-regex", "--print-all-matched", log, FILTER], capture_output=True, text=True)
    assert "2 matched" in result.stdout, result.stdout + result.stderr
    matched = [line for line in program.log().splitlines() if "too many bad keys" in line]
    assert len(matched) == 2
    hosts = subprocess.run(["fail2ban-regex", "-o", "ip", log, FILTER], capture_output=True, text=True).stdout.split()
    assert sorted(hosts) == ["198.51.100.7", "2001:db8::7"]
    # As systemd's journal shows it.
    journal = tmp_path / "journal"
    journal.write_text("".join(f"Nov 24 12:00:00 host sftdyn[123]: {line}\n" for line in program.log().splitlines()))
    hosts = subprocess.run(["fail2ban-regex", "-o", "ip", journal, FILTER], capture_output=True, text=True).stdout.split()
    assert sorted(hosts) == ["198.51.100.7", "2001:db8::7"]
