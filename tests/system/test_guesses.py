# SPDX-License-Identifier: GPL-3.0-or-later
"""Guessing keys: late answers, then refusals, and a line that fail2ban reads."""

import base64
import json
import os
import shutil
import socket
import statistics
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import journal
from harness.sanitized import not_sanitized
from harness.process import Process, await_true, free_port
from harness.sftdyn import BINARY, conf
from test_dyndns import hashed

HOST = "home.dyn.example.org"
FILTER = Path(__file__).resolve().parents[2] / "packaging/fail2ban/filter.d/sftdyn.conf"


TRUSTED = 'trusted_proxies = ["127.0.0.1"]\n'


def pipelined(program, requests):
    """Status and body of each (target, client, headers), all on one connection; the client's address goes into X-Forwarded-For."""
    answers = []
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as connection, connection.makefile("rb") as stream:
        for first in range(0, len(requests), 50):
            part = requests[first:first + 50]
            connection.sendall("".join(f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n" +
                                       "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
                                       for target, client, headers in part).encode())
            for _ in part:
                status, length = int(stream.readline().split()[1]), 0
                while (line := stream.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.append((status, stream.read(length).decode()))
    return answers


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


def test_an_ipv6_site_is_not_as_many_clients_as_it_has_networks(stage):
    """With a network of 48 bits nobody has 65,536 budgets, nor fills the table of those who guess."""
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 600", extra=TRUSTED)
    def statuses(networks):
        return [status for status, _ in pipelined(program, [("/guess", network, {}) for network in networks])]
    homes = statuses([f"2001:db8:1:{number:x}::1" for number in range(256)])
    assert (homes.count(403), homes.count(429)) == (8, 248), "of 56 bits"
    company = statuses([f"2001:db8:1:{number * 256:x}::1" for number in range(1, 256)])
    assert (company.count(403), company.count(429)) == (24, 231), "of 48 bits"
    assert statuses(["2001:db8:2::1", "198.51.100.1"]) == [403, 403]
    assert pipelined(program, [("/right", "2001:db8:1:5::1", {})])[0][0] == 200, "a key is found at once"


def test_a_full_table_lets_nobody_guess(stage):
    """65,536 addresses with a wrong key each: after them nobody is remembered, and nobody guesses without being counted."""
    program = start_with_user(stage, "bad_keys = 3\nbad_keys_refill = 6000\nrequests_per_connection = 1000000", head=TRUSTED)
    target = f"/nic/update?hostname={NAME}&myip=192.0.2.1"
    def ask(source, password):
        return pipelined(program, [(target, source, basic("u", password))])[0]
    assert ask("203.0.113.1", "pw") == (200, "good 192.0.2.1")
    filled = pipelined(program, [("/guess", f"10.0.{number // 256}.{number % 256}", {}) for number in range(1 << 16)])
    assert {status for status, _ in filled} == {403}
    guesses = [ask(f"198.51.100.{number}", f"guess {number}") for number in range(30)]
    assert guesses == [(401, "badauth")] * 6 + [(503, "911")] * 24, "they share one budget"
    assert ask("198.51.100.200", "pw") == (503, "911"), "an answer would tell whoever guesses"
    assert ask("203.0.113.1", "pw") == (200, "nochg 192.0.2.1"), "it was right from there before"
    assert pipelined(program, [("/right", "198.51.100.200", {})])[0][0] == 200
    assert ask("10.0.0.0", "guess")[0] == 401, "who is remembered has a budget of its own"
    assert program.log().count("so many addresses send bad keys that no more can be counted") == 1
    assert "too many bad keys from" not in program.log(), "nobody in particular has used it up"


def test_many_guessers_are_named_so_often_and_counted(stage, tmp_path):
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 600", arguments=(), extra=TRUSTED)
    addresses = [f"198.51.{100 + number // 200}.{1 + number % 200}" for number in range(400)]
    def burst(address):
        """The second is answered late, so each on a connection of its own."""
        request = f"GET /guess HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n"
        connection = socket.create_connection(("127.0.0.1", program.port), timeout=60)
        connection.sendall((2 * (request + "\r\n") + request + "Connection: close\r\n\r\n").encode())
        return connection
    connections = [burst(address) for address in addresses]
    for connection in connections:
        octets = b""
        while part := connection.recv(65536):
            octets += part
        assert octets.count(b"HTTP/1.1 403 ") == 2 and octets.count(b"HTTP/1.1 429 ") == 1
        connection.close()
    program.stop()
    text = (program.folder / "sftdyn.log").read_text()
    lines = [line for line in text.splitlines() if "too many bad keys from" in line]
    assert len(lines) == 101, len(lines)
    assert "300 more like it since; the last: too many bad keys from" in lines[-1]
    log = tmp_path / "log"
    log.write_text(text)
    hosts = subprocess.run(["fail2ban-regex", "-o", "ip", log, FILTER], capture_output=True, text=True).stdout.split()
    assert len(hosts) == len(set(hosts)) == 100 and set(hosts) <= set(addresses), "the count bans nobody"


@pytest.mark.parametrize("form", ["text", "json"])
def test_fail2ban_finds_the_guesser_and_nobody_else(stage, tmp_path, form):
    # The default verbosity: what runs as a service.
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 600", arguments=("--log-format", form), extra='trusted_proxies = ["127.0.0.1"]\n')
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
    if form == "json":
        return
    # As systemd's journal shows it.
    lines = tmp_path / "journal"
    lines.write_text("".join(f"Nov 24 12:00:00 host sftdyn[123]: {line}\n" for line in program.log().splitlines()))
    hosts = subprocess.run(["fail2ban-regex", "-o", "ip", lines, FILTER], capture_output=True, text=True).stdout.split()
    assert sorted(hosts) == ["198.51.100.7", "2001:db8::7"]


# --- a Python conf ---


def start_python(stage, text):
    server = stage.dns("named")
    return stage.sftdyn(text, arguments=["-v", "--server", server.address, "--nskeyfile", server.key_file()], file="conf")


def at_once(count, ask):
    """The answers to so many requests, of which some are late."""
    answers = [None] * count
    def one(number):
        answers[number] = tuple(ask(number))
    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_guesses_are_counted_for_whom_get_ip_names(stage, tmp_path):
    program = start_python(stage, f'CLIENTS = {{"right": "{HOST}"}}\ndef get_ip(ip, headers, q):\n    return headers.get("X-Real-IP", ip)\n')
    answers = at_once(45, lambda number: program.get(f"guess{number}", headers={"X-Real-IP": f"198.51.100.{number + 1}"}))
    assert answers == [(403, "BADKEY")] * 45
    assert "too many bad keys" not in program.log()
    assert "a wrong credential from 198.51.100.45" in program.log() and "a wrong credential from 127.0.0.1" not in program.log()
    answers = at_once(45, lambda number: program.get(f"guess{number}", headers={"X-Real-IP": "203.0.113.9"}))
    assert answers.count((403, "BADKEY")) in range(40, 43) and set(answers) == {(403, "BADKEY"), (429, "BADKEY")}
    # The others behind the proxy, and the proxy itself, are nobody who guesses.
    assert tuple(program.get("guess", headers={"X-Real-IP": "203.0.113.10"})) == (403, "BADKEY")
    assert tuple(program.get("guess")) == (403, "BADKEY")
    assert program.get("right", headers={"X-Real-IP": "203.0.113.9"}).body == "OK"
    log = tmp_path / "log"
    log.write_text(program.log())
    hosts = subprocess.run(["fail2ban-regex", "-o", "ip", log, FILTER], capture_output=True, text=True).stdout.split()
    assert hosts == ["203.0.113.9"]


@pytest.mark.parametrize("line,answer", [
    ("PROXIED[key]", (500, "FAIL")),
    ("PROXIED.get(key)", (403, "BADKEY")),
    ('PROXIED.get(key, "nobody")', (403, "BADKEY")),
    ('PROXIED.get(key, "0.0.0.0")', (403, "BADKEY")),
], ids=["raises", "None", "no address", "nobody's"])
def test_a_key_that_get_ip_fails_with_is_a_guess(stage, line, answer):
    program = start_python(stage, f'CLIENTS = {{"right": "{HOST}"}}\nPROXIED = {{"right": "198.51.100.7"}}\n'
                                  f'def get_ip(ip, headers, key):\n    return {line}\n')
    answers = at_once(60, lambda number: program.get(f"guess{number}"))
    assert answers.count(answer) in range(40, 43) and answers.count((429, "BADKEY")) == 60 - answers.count(answer)
    assert tuple(program.get("right")) == (200, "OK")


def test_a_get_ip_that_fails_whatever_the_key_is_no_guess(stage):
    program = start_python(stage, f'CLIENTS = {{"right": "{HOST}"}}\ndef get_ip(ip, headers, key):\n    return headers["X-None"]\n')
    assert at_once(60, lambda number: program.get("right")) == [(500, "FAIL")] * 60


def test_a_key_that_get_host_raises_for_is_a_guess(stage):
    program = start_python(stage, f'T = {{"right": "{HOST}"}}\ndef get_host(q, ip):\n    return T[q]\n'
                                  'def nsupdatecommands(host, ip, headers):\n    return [f"update delete {host} A", f"update add {host} 5 A {ip}"]\n')
    began = time.monotonic()
    answers = at_once(60, lambda number: program.get(f"guess{number}"))
    assert time.monotonic() - began > 0.9, "some are late"
    assert answers.count((500, "FAIL")) in range(40, 43) and answers.count((429, "BADKEY")) == 60 - answers.count((500, "FAIL"))
    assert program.log().count("too many bad keys from 127.0.0.1; refused for now") == 1
    assert program.log().count("Traceback") == 1 and "guess" not in program.log()
    assert tuple(program.get("right")) == (200, "OK")
    assert tuple(program.get("other", source="127.0.0.2")) == (500, "FAIL")


# --- every dialect ----------------------------------------------------------------------------------------------------

USER = """
[clients.u]
key = "token"
user = "u"
password = "pw"
hosts = ["u.dyn.example.org"]
"""
NAME = "u.dyn.example.org"


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def start_with_user(stage, limits="bad_keys = 1\nbad_keys_refill = 600", user=USER, head="", **kwargs):
    server = stage.dns("named")
    return stage.sftdyn(head + conf(server, {"right": HOST}, extra="[limits]\n" + limits) + user, **kwargs)


GUESSES = {
    "secret URL": (("guess", {}), (403, "BADKEY"), (429, "BADKEY"), ("right", {})),
    "dyndns2": ((f"/nic/update?hostname={NAME}", basic("u", "guess")), (401, "badauth"), (503, "911"), None),
    "dyndns2, unknown user": ((f"/nic/update?hostname={NAME}", basic("nobody", "guess")), (401, "badauth"), (503, "911"), (f"/nic/update?hostname={NAME}", basic("any", "token"))),
    "dyndns2, in the query": ((f"/nic/update?hostname={NAME}&user=u&pass=guess", {}), (401, "badauth"), (503, "911"), None),
    "Token": ((f"/?hostname={NAME}", {"Authorization": "Token guess"}), (401, "badauth"), (503, "911"), (f"/?hostname={NAME}", {"Authorization": "Token token"})),
    "DuckDNS": (("/update?domains=u&token=guess", {}), (403, "KO"), (503, "KO"), ("/update?domains=u&token=token", {})),
    "DuckDNS, path": (("/update/u/guess", {}), (403, "KO"), (503, "KO"), ("/update/u/token", {})),
    "FreeDNS": (("/u/guess/", {}), (403, "ERROR: Invalid update URL"), (429, "ERROR: Invalid update URL"), ("/u/token/", {})),
    "FreeDNS, version 1": (("/dynamic/update.php?guess", {}), (403, "ERROR: Invalid update URL"), (429, "ERROR: Invalid update URL"), ("/dynamic/update.php?token", {})),
    "password without a user": ((f"/nic/update?hostname={NAME}&password=guess", {}), (401, "badauth"), (503, "911"), (f"/nic/update?hostname={NAME}&password=token", {})),
    "the host as user": ((f"/nic/update?hostname={NAME}", basic(NAME, "guess")), (401, "badauth"), (503, "911"), (f"/nic/update?hostname={NAME}", basic(NAME, "token"))),
    "key": ((f"/nic/update?hostname={NAME}&key=guess", {}), (401, "badauth"), (503, "911"), (f"/nic/update?hostname={NAME}&key=token", {})),
    "dynv6": ((f"/api/update?zone={NAME}&token=guess", {}), (403, "invalid authentication token"), (503, "server error"), (f"/api/update?zone={NAME}&token=token", {})),
    "YDNS": ((f"/api/v1/update/?host={NAME}", basic("u", "guess")), (401, "badauth"), (503, "911"), (f"/api/v1/update/?host={NAME}", basic("any", "token"))),
    "easyDNS": ((f"/dyn/generic.php?hostname={NAME}", basic("u", "guess")), (401, "NOACCESS"), (503, "TOOSOON"), (f"/dyn/generic.php?hostname={NAME}", basic("any", "token"))),
    "regfish": ((f"/?fqdn={NAME}&token=guess", {}), (403, "failure|401|passed token is not valid"), (503, "failure|500|try again later"), (f"/?fqdn={NAME}&token=token", {})),
    "any path": ((f"/x/y?hostname={NAME}", basic("u", "guess")), (401, "badauth"), (503, "911"), (f"/x/y?hostname={NAME}", basic("any", "token"))),
    "secret URL with something behind it": (("/guess?ip=", {}), (403, "BADKEY"), (429, "BADKEY"), ("/token?ip=", {})),
    "secret URL with a host behind it": (("/guess" + NAME, {}), (403, "BADKEY"), (429, "BADKEY"), ("/token" + NAME, {})),
}


@pytest.mark.parametrize("dialect", GUESSES)
def test_the_budget_holds_for_every_dialect(stage, dialect):
    program = start_with_user(stage)
    guess, wrong, refused, right = GUESSES[dialect]
    answers = [program.get(guess[0], headers=guess[1]) for _ in range(4)]
    assert [tuple(answer) for answer in answers] == [wrong, wrong, refused, refused]
    assert 500 < int(answers[3].headers["Retry-After"]) <= 600, "the setting counts"
    assert program.log().count("too many bad keys from 127.0.0.1; refused for now") == 1
    # It is one budget for all of them, and nobody else's.
    for (target, headers), _, other, _ in GUESSES.values():
        assert tuple(program.get(target, headers=headers)) == other
    assert tuple(program.get(guess[0], headers=guess[1], source="127.0.0.2")) == wrong
    # A key is found at once, and its owner does not pay for a neighbour.
    if right:
        assert program.get(right[0], headers=right[1]).status == 200
    assert program.get("right").status == 200


def test_past_the_second_budget_a_password_is_not_looked_at(stage):
    program = start_with_user(stage)
    target, right, wrong = f"/nic/update?hostname={NAME}&myip=192.0.2.1", basic("u", "pw"), basic("u", "guess")
    assert program.get(target, headers=wrong, source="127.0.0.2").status == 401
    assert program.get(target, headers=right, source="127.0.0.2").body == "good 192.0.2.1", "past the first budget it is"
    for _ in range(2):
        program.get(target, headers=wrong)
    assert tuple(program.get(target, headers=right)) == (503, "911"), "it was never right from here"
    for _ in range(2):
        program.get(target, headers=wrong, source="127.0.0.2")
    assert tuple(program.get(target, headers=wrong, source="127.0.0.2")) == (503, "911")
    assert program.get(target, headers=right, source="127.0.0.2").body == "nochg 192.0.2.1", "it was right from here before"
    assert program.get(target, headers=basic("other", "pw"), source="127.0.0.2").status == 503
    assert program.get(target, headers=right, source="127.0.0.3").body == "nochg 192.0.2.1"


def test_many_guesses_at_once_are_as_many_guesses(stage):
    user = USER.replace('password = "pw"', f'password_hash = "{hashed("pw")}"')
    program = start_with_user(stage, "bad_keys = 3\nbad_keys_refill = 600\nconnections_per_client = 1000", user)
    answers = []
    def guess(number):
        answers.append(program.get(f"/nic/update?hostname={NAME}", headers=basic("u", f"guess{number}")).status)
    threads = [threading.Thread(target=guess, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(401) <= 6 and set(answers) <= {401, 500, 503}
    assert program.get(f"/nic/update?hostname={NAME}", headers=basic("u", "guess")).status in (401, 503)


def test_the_limit_of_a_network_behind_the_proxy_protocol(stage):
    server = stage.dns("named")
    text = 'http = { listen = "127.0.0.1:0", proxy_protocol = true }\ntrusted_proxies = ["127.0.0.1"]\n'
    program = stage.sftdyn(text + conf(server, {"k": HOST}, extra="[limits]\nconnections_per_client = 2\nbad_keys = 1\nbad_keys_refill = 600"), listen=())
    held, answers = [], []
    for number in range(3):
        connection = socket.create_connection(("127.0.0.1", program.port), timeout=10)
        held.append(connection)
        connection.sendall(f"PROXY TCP6 2001:db8:1:2::{number + 1} ::1 1234 80\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        try:
            answers.append(bool(connection.recv(4096)))
        except ConnectionResetError:
            answers.append(False)
    for connection in held:
        connection.close()
    assert answers == [True, True, False], "they are of one network"
    def guess(address):
        request = f"PROXY TCP6 {address} ::1 1234 80\r\nGET /guess HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return int(program.raw(request.encode()).split()[1])
    assert [guess(f"2001:db8:7:7:{number}::1") for number in range(1, 4)] == [403, 403, 429]
    assert guess("2001:db8:7:8::1") == 403


# --- hashed passwords under attack ------------------------------------------------------------------------------------


def hashed_users(names):
    return "".join(f'[clients.{name}]\nuser = "{name}"\npassword_hash = "{hashed("pw")}"\nhosts = ["{name}.dyn.example.org"]\n' for name in names)


class Attack:
    """Wrong passwords from many networks, on some connections of each, for as long as it lasts."""

    def __init__(self, program, networks, connections=6):
        self.connections = len(networks) * connections
        script = Path(__file__).parent / "harness/guesser.py"
        self.process = subprocess.Popen(["/usr/bin/python3", script, str(program.port), str(connections), *networks], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def aim(self, users):
        """Guesses for these from now on; "-" is one who does not exist."""
        self._say(" ".join(users))

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answers(self):
        """How many answers of each status came."""
        self._say("?")
        return self._counts(self.process.stdout.readline())

    def end(self):
        out, _ = self.process.communicate(timeout=60)
        return self._counts(out)

    @staticmethod
    def _counts(line):
        return {int(status): count for status, count in json.loads(line or "{}").items()}


NETWORKS = {
    "one": ["198.51.100.1"],
    **{str(count): [f"198.51.100.{number + 1}" for number in range(count)] for count in (3, 6, 12, 50)},
    "an IPv6 network of 56 bits": [f"2001:db8:0:{number:x}::1" for number in range(256)],
}


@not_sanitized
@pytest.mark.parametrize("networks", NETWORKS)
def test_the_right_client_is_served_while_others_guess(stage, networks):
    """Whoever guesses, for its user, for others, or for users that there are not. No user was verified before, and the budget is
    so large that nobody is refused for having spent it. Each request is served, and in time: one by one, not the quickest."""
    users = [f"u{number}" for number in range(9)]
    value = hashed("pw")
    clients = "".join(f'[clients.{user}]\nuser = "{user}"\npassword_hash = "{value}"\nhosts = ["{user}.dyn.example.org"]\n' for user in [*users, "quiet"])
    program = start_with_user(stage, "bad_keys = 100000\nrequests_per_connection = 1000000", clients, head=TRUSTED, arguments=())
    def timed(user, password, source):
        began = time.monotonic()
        answer = pipelined(program, [(f"/nic/update?hostname={user}.dyn.example.org&myip=192.0.2.1", source, basic(user, password))])[0]
        return answer, time.monotonic() - began
    # What verifying takes here, and now: some 0.05 s where nothing else runs.
    quiet = max(timed("quiet", f"guess {number}", "203.0.113.99")[1] for number in range(3))
    attack = Attack(program, NETWORKS[networks], 2 if "IPv6" in networks else 6)
    times = []
    try:
        for number, user in enumerate(users):
            attack.aim(([user], [other for other in users if other != user], ["-"])[number % 3])
            # The attack has come to these users when as many answers have come as there are connections.
            before = sum(attack.answers().values())
            await_true(lambda: sum(attack.answers().values()) - before >= attack.connections, "the attack goes on")
            answer, took = timed(user, "pw", f"203.0.113.{number + 1}")
            times.append(took)
            assert answer == (200, "good 192.0.2.1"), (user, times)
        assert pipelined(program, [("/right", "203.0.113.50", {})])[0][0] == 200
    finally:
        statuses = attack.end()
    assert max(times) < max(1, 10 * quiet), (times, quiet)
    assert statuses.get(401, 0) > 5, f"they were at it: {statuses}"
    if len(NETWORKS[networks]) > 3:
        assert statuses.get(500, 0) > 5, f"those for whom there is no place have their answer: {statuses}"


def test_guessing_hashed_passwords_is_within_the_budgets(stage):
    program = start_with_user(stage, "bad_keys = 2\nbad_keys_refill = 600", hashed_users("u"), head=TRUSTED, arguments=())
    attack = Attack(program, NETWORKS["3"] + NETWORKS["an IPv6 network of 56 bits"], 1)
    try:
        attack.aim(["u", "-"])
        program.await_log("too many bad keys from 2001:db8:")
        program.await_log("too many bad keys from 198.51.100.1;")
        await_true(lambda: attack.answers().get(503, 0) > 100, "the others are refused")
    finally:
        statuses = attack.end()
    assert 0 < statuses[401] <= 3 * 4 + 16 and statuses[503] > 100, statuses


def test_the_time_of_an_answer_does_not_tell_who_there_is(stage):
    user = hashed_users("u") + '[clients.p]\nuser = "plain"\npassword = "secret"\nhosts = ["p.dyn.example.org"]\n'
    program = start_with_user(stage, "bad_keys = 0", user)
    def took(name, guess):
        """Of the processors, which is what the time of an answer is where nothing else runs."""
        before = program.process.cpu_seconds()
        assert program.get(f"/nic/update?hostname={NAME}", headers=basic(name, guess)).status == 401
        return program.process.cpu_seconds() - before
    # In turns: what else the machine does meets all of them.
    names = ("u", "plain", "nobody", "else")
    rounds = [{name: took(name, f"guess {number}") for name in names} for number in range(8)]
    times = {name: statistics.median(one[name] for one in rounds) for name in names}
    assert max(times.values()) < 2 * min(times.values()), times
    # What was tried before is known at once, for whomever.
    again = {name: statistics.median(took(name, "guess 1") for _ in range(8)) for name in names}
    assert max(again.values()) < min(times.values()) / 2, (again, times)


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to put another socket in the journal's place")
def test_fail2ban_finds_the_guesser_in_the_journal(stage, tmp_path):
    """The messages that sftdyn sends to the journal, in the lines that fail2ban makes of its entries: time, host, identifier."""
    server = stage.dns("named")
    path = tmp_path / "conf.toml"
    path.write_text(conf(server, {"secretkey-one": HOST}, extra="[limits]\nbad_keys = 1\nbad_keys_refill = 600\n"))
    requests = [*((f"/guess{number}", "127.0.0.1") for number in range(4)), ("/secretkey-one", "127.0.0.1")]
    found = journal.messages_of(BINARY, path, free_port(), requests, ["-v"])
    messages = [message["MESSAGE"] for message in found]
    assert "too many bad keys from 127.0.0.1; refused for now" in messages
    lines = tmp_path / "journal"
    lines.write_text("".join(f"Nov 24 12:00:00 host sftdyn[123]: {message}\n" for message in messages))
    found = subprocess.run(["fail2ban-regex", "-o", "ip", lines, FILTER], capture_output=True, text=True).stdout.split()
    assert found == ["127.0.0.1"]


RECORD = """[Definition]
actionban = echo "<ip> <bantime>" >> {}
actionunban =
"""


def test_the_real_fail2ban_bans_the_guesser_and_nobody_else(stage, tmp_path):
    """The shipped filter and jail, but for where the log is and what is done to whom it bans."""
    folder = tmp_path / "fail2ban"
    for name in ("filter.d", "jail.d", "action.d"):
        (folder / name).mkdir(parents=True)
    shutil.copy(FILTER, folder / "filter.d")
    shutil.copy(FILTER.parents[1] / "jail.d/sftdyn.conf", folder / "jail.d")
    shutil.copy("/etc/fail2ban/fail2ban.conf", folder)
    banned = tmp_path / "banned"
    (folder / "action.d/record.conf").write_text(RECORD.format(banned))
    program = start(stage, "bad_keys = 1\nbad_keys_refill = 600", arguments=(), extra='trusted_proxies = ["127.0.0.1"]\n')
    log = program.folder / "sftdyn.log"
    (folder / "jail.conf").write_text("[DEFAULT]\naction = record\n")
    (folder / "jail.local").write_text(f"[sftdyn]\nbackend = polling\njournalmatch =\nlogpath = {log}\n")
    paths = ["-c", folder, "-s", tmp_path / "socket", "-p", tmp_path / "pid"]
    server = Process(["fail2ban-server", "-xf", *paths, "--logtarget", "STDOUT", "--syslogsocket", "none", "start"], tmp_path / "server.log")
    stage.running.append(server)
    server.await_log("Jail 'sftdyn' started")
    for address in ("198.51.100.7", "2001:db8::7"):
        for _ in range(5):
            program.get("guess", headers={"X-Forwarded-For": address})
    program.get("guess", headers={"X-Forwarded-For": "203.0.113.1"})
    program.get("right", headers={"X-Forwarded-For": "203.0.113.2"})
    await_true(lambda: banned.exists() and len(banned.read_text().splitlines()) == 2, lambda: program.log() + server.log())
    assert sorted(banned.read_text().splitlines()) == ["198.51.100.7 3600", "2001:db8::7 3600"]
    status = subprocess.run(["fail2ban-client", *map(str, paths), "status", "sftdyn"], capture_output=True, text=True, timeout=60).stdout
    assert "Currently banned:\t2" in status, status
