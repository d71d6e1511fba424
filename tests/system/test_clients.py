# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients (ddclient, inadyn, curl, wget, busybox) and routers as their makers document them."""

import base64
import json
import re
import socket
import subprocess

import pytest

from harness.process import Process, await_true
from harness.sftdyn import conf, run
from test_dyndns import CLIENTS, HOME, NAS, OTHER, PREFIX_CLIENTS, basic, start, update

PASSWORD = "correct horse"


def addresses(server, name):
    return server.records(name, "A"), server.records(name, "AAAA")


def guess_until_refused(program):
    """From the address that the client has."""
    await_true(lambda: update(program, f"hostname={HOME}", credential=("home", "guess")).status == 503, "guesses are refused")


# --- ddclient ---------------------------------------------------------------------------------------------------------


class Ddclient:
    def __init__(self, program, folder, hosts=(HOME,), login="home", password=PASSWORD):
        self.program, self.folder, self.hosts, self.login, self.password = program, folder, hosts, login, password
        self.server_path = ""

    def run(self, address, *options):
        path = self.folder / "ddclient.conf"
        script = f"script={self.server_path}\n" if self.server_path else ""
        path.write_text(f"ssl=no\nuse=cmd, cmd='echo {address}'\nprotocol=dyndns2\nserver=127.0.0.1:{self.program.port}\n{script}login={self.login}\n"
                        f"password='{self.password}'\n{','.join(self.hosts)}\n")
        path.chmod(0o600)
        out = subprocess.run(["ddclient", "-daemon", "0", "-foreground", "-noquiet", "-verbose", "-nosyslog", "-file", path, "-cache", self.folder / "ddclient.cache",
                              "-pid", self.folder / "pid", *options], capture_output=True, text=True, timeout=120)
        return out.stdout + out.stderr

    def cached(self, host=HOME):
        """What it believes is the outcome for the host."""
        line = next((line for line in (self.folder / "ddclient.cache").read_text().splitlines() if line.endswith(" " + host)), "")
        return dict(pair.split("=", 1) for pair in line.rsplit(" ", 1)[0].split(",") if "=" in pair)


def test_ddclient_ipv4_and_no_change(stage, tmp_path):
    server, program = start(stage)
    client = Ddclient(program, tmp_path)
    out = client.run("192.0.2.7")
    assert f"SUCCESS:  {HOME}: skipped" not in out and f"updating {HOME}: good: IP address set to 192.0.2.7" in out, out
    assert addresses(server, HOME) == (["192.0.2.7"], [])
    assert client.cached()["status"] == "good" and client.cached()["ip"] == "192.0.2.7"
    assert "skipped: IP address was already set to 192.0.2.7" in client.run("192.0.2.7")
    # Without its memory it asks, and takes the answer for a success.
    (tmp_path / "ddclient.cache").unlink()
    out = client.run("192.0.2.7")
    assert "No update required" in out and client.cached()["status"] in ("good", "nochg"), out


def test_ddclient_ipv6_and_both(stage, tmp_path):
    server, program = start(stage)
    (tmp_path / "6").mkdir()
    assert "good" in Ddclient(program, tmp_path).run("192.0.2.7")
    client = Ddclient(program, tmp_path / "6")
    out = client.run("2001:db8::7")
    assert client.cached().get("status", client.cached().get("status-ipv6")) == "good", out
    assert addresses(server, HOME) == (["192.0.2.7"], ["2001:db8::7"])


def test_ddclient_several_hosts(stage, tmp_path):
    server, program = start(stage)
    client = Ddclient(program, tmp_path, hosts=(HOME, NAS))
    out = client.run("192.0.2.8")
    assert f"updating {HOME}: good" in out and f"updating {NAS}: good" in out, out
    assert addresses(server, NAS) == (["192.0.2.8"], [])
    assert client.cached(NAS)["status"] == "good"


@pytest.mark.parametrize("what,login,password,hosts,expected", [
    ("wrong password", "home", "wrong", (HOME,), "401|badauth"), ("another's host", "home", PASSWORD, (OTHER,), "!yours: The hostname specified exists"),
    ("unknown host", "home", PASSWORD, ("nowhere.dyn.example.org",), "nohost: The hostname specified does not exist"),
])
def test_ddclient_is_told_what_is_wrong(stage, tmp_path, what, login, password, hosts, expected):
    server, program = start(stage)
    client = Ddclient(program, tmp_path, hosts, login, password)
    out = client.run("192.0.2.9")
    assert re.search(expected, out) and "good" not in out.replace("goodbye", ""), out
    assert addresses(server, hosts[0]) == ([], [])
    cache = tmp_path / "ddclient.cache"
    assert not cache.exists() or client.cached(hosts[0]).get("status") != "good"


def test_ddclient_tries_again_after_the_dns_was_down(stage, tmp_path):
    server, program = start(stage, dns="timeout = 4")
    client = Ddclient(program, tmp_path)
    server.stop()
    out = client.run("192.0.2.9")
    assert re.search("FAILED|dnserr|500", out), out
    assert client.cached().get("status") != "good"
    server.start()
    out = client.run("192.0.2.9", "-force")
    assert "good: IP address set to 192.0.2.9" in out, out
    assert addresses(server, HOME) == (["192.0.2.9"], [])


def test_ddclient_waits_when_too_many_guess(stage, tmp_path):
    server, program = start(stage, extra="[limits]\nbad_keys = 1\nbad_keys_refill = 600")
    guess_until_refused(program)
    client = Ddclient(program, tmp_path)
    out = client.run("192.0.2.9")
    assert "good" not in out and addresses(server, HOME) == ([], []), out
    cache = tmp_path / "ddclient.cache"
    assert not cache.exists() or client.cached().get("status") not in ("good", "badauth", "abuse"), "nothing that would keep it from trying again"
    program.reload(program.conf.read_text().replace("bad_keys = 1", "bad_keys = 100"))
    await_true(lambda: "good: IP address set to 192.0.2.9" in client.run("192.0.2.9"), "by itself it tries again")
    assert addresses(server, HOME) == (["192.0.2.9"], [])


# --- inadyn -----------------------------------------------------------------------------------------------------------


class Inadyn:
    def __init__(self, program, folder, hosts=(HOME,), login="home", password=PASSWORD):
        self.program, self.folder, self.hosts, self.login, self.password = program, folder, hosts, login, password

    def command(self, address, *options):
        path = self.folder / "inadyn.conf"
        names = ", ".join(f'"{host}"' for host in self.hosts)
        path.write_text(f"""allow-ipv6 = true
custom sftdyn {{
    username = "{self.login}"
    password = "{self.password}"
    ddns-server = "127.0.0.1:{self.program.port}"
    ddns-path = "/nic/update?hostname=%h&myip=%i"
    ssl = false
    hostname = {{ {names} }}
    checkip-command = "/bin/echo {address}"
}}
""")
        return ["inadyn", "-1", "-n", "-l", "debug", "-f", path, "--cache-dir", self.folder, "--no-pidfile", *options]

    def run(self, address, *options):
        out = subprocess.run(self.command(address, *options), capture_output=True, text=True, timeout=120)
        return out.returncode, out.stdout + out.stderr


def test_inadyn_ipv4_no_change_and_both(stage, tmp_path):
    server, program = start(stage)
    client = Inadyn(program, tmp_path)
    status, out = client.run("192.0.2.7")
    assert status == 0 and f"Successful alias table update for {HOME} => new IP# 192.0.2.7" in out, out
    assert addresses(server, HOME) == (["192.0.2.7"], [])
    status, out = client.run("192.0.2.7", "--force")
    assert status == 0 and "nochg 192.0.2.7" in out, out
    status, out = client.run("2001:db8::7")
    assert status == 0 and f"Successful alias table update for {HOME} => new IP# 2001:db8::7" in out, out
    assert addresses(server, HOME) == (["192.0.2.7"], ["2001:db8::7"])


def test_inadyn_several_hosts(stage, tmp_path):
    server, program = start(stage)
    status, out = Inadyn(program, tmp_path, hosts=(HOME, NAS)).run("192.0.2.8")
    assert status == 0, out
    assert addresses(server, HOME) == (["192.0.2.8"], []) and addresses(server, NAS) == (["192.0.2.8"], [])


@pytest.mark.parametrize("login,password,hosts,word", [("home", "wrong", (HOME,), "badauth"), ("home", PASSWORD, (OTHER,), "!yours"), ("home", PASSWORD, ("nowhere.dyn.example.org",), "nohost")])
def test_inadyn_is_told_what_is_wrong(stage, tmp_path, login, password, hosts, word):
    server, program = start(stage)
    status, out = Inadyn(program, tmp_path, hosts, login, password).run("192.0.2.9")
    assert status != 0 and word in out and "Successful alias table update" not in out, out
    assert addresses(server, hosts[0]) == ([], [])


def test_inadyn_waits_when_too_many_guess(stage, tmp_path):
    server, program = start(stage, extra="[limits]\nbad_keys = 1\nbad_keys_refill = 600")
    guess_until_refused(program)
    waiting = Process(Inadyn(program, tmp_path).command("192.0.2.9"), tmp_path / "inadyn.log")
    stage.running.append(waiting)
    waiting.await_log("911")
    waiting.await_log("Will retry again")
    assert waiting.alive() and "exiting" not in waiting.log(), waiting.log()
    waiting.stop()
    assert addresses(server, HOME) == ([], [])


def test_inadyn_waits_when_its_address_is_refused(stage, tmp_path):
    _, program = start(stage, extra='[addresses]\ndeny = ["198.51.100.0/24"]')
    waiting = Process(Inadyn(program, tmp_path).command("198.51.100.1"), tmp_path / "inadyn.log")
    stage.running.append(waiting)
    waiting.await_log("911")
    waiting.await_log("Will retry again")
    assert waiting.alive() and "exiting" not in waiting.log(), waiting.log()
    waiting.stop()


def test_inadyn_tries_again_after_the_dns_was_down(stage, tmp_path):
    server, program = start(stage, dns="timeout = 4")
    client = Inadyn(program, tmp_path)
    server.stop()
    # It would wait ten minutes before it tries again: it is ended, and started anew.
    waiting = Process(client.command("192.0.2.9"), tmp_path / "inadyn.log")
    stage.running.append(waiting)
    waiting.await_log("dnserr")
    waiting.stop()
    assert "Successful alias table update" not in waiting.log()
    server.start()
    status, out = client.run("192.0.2.9")
    assert status == 0 and "Successful alias table update" in out, out
    assert addresses(server, HOME) == (["192.0.2.9"], [])


@pytest.mark.parametrize("path", ['ddns-path = "/home-key"', 'ddns-path = "/home-key?%h"', 'ddns-path = "/%p"\n    password = "home-key"', 'ddns-path = "/home-key?ip="\n    append-myip = true'])
def test_inadyn_with_a_secret_url(stage, tmp_path, path):
    """It puts the host's name behind a path without a percent sign, and takes only OK for a success."""
    server, program = start(stage, CLIENTS.replace('key = "home-key"', 'key = "home-key"\nmay_set_address = true'), extra="[limits]\nchanges = 0")
    conf_file = tmp_path / "inadyn.conf"
    conf_file.write_text(f"""custom sftdyn {{
    ddns-server = "127.0.0.1:{program.port}"
    {path}
    ssl = false
    hostname = "{HOME}"
    checkip-command = "/bin/echo 192.0.2.7"
}}
""")
    for _ in range(2):
        out = subprocess.run(["inadyn", "-1", "-n", "--force", "-l", "debug", "-f", conf_file, "--cache-dir", tmp_path, "--no-pidfile"], capture_output=True, text=True, timeout=120)
        assert out.returncode == 0 and f"Successful alias table update for {HOME}" in out.stdout + out.stderr, out
    expected = "192.0.2.7" if "append" in path else "127.0.0.1"
    assert server.records(HOME, "A") == [expected]


def test_a_spent_budget_ends_no_client(stage, tmp_path):
    server, program = start(stage, extra="[limits]\nchanges = 1\nchanges_refill = 600")
    assert update(program, f"hostname={HOME}&myip=192.0.2.1").body == "good 192.0.2.1"
    waiting = Process(Inadyn(program, tmp_path).command("192.0.2.9"), tmp_path / "inadyn.log")
    stage.running.append(waiting)
    waiting.await_log("Will retry again")
    assert waiting.alive() and "exiting" not in waiting.log() and "911" in waiting.log(), waiting.log()
    waiting.stop()
    client = Ddclient(program, tmp_path)
    assert "good" not in client.run("192.0.2.9")
    assert not (tmp_path / "ddclient.cache").exists() or client.cached().get("status") not in ("good", "abuse")
    assert server.records(HOME, "A") == ["192.0.2.1"]


def test_ddclient_behind_a_secret_url(stage, tmp_path):
    server, program = start(stage, CLIENTS.replace('key = "home-key"', 'key = "home-key"\nmay_set_address = true'))
    client = Ddclient(program, tmp_path, login="any", password="thing")
    client.server_path = "/home-key"
    out = client.run("192.0.2.7")
    assert "good: IP address set to 192.0.2.7" in out, out
    assert addresses(server, HOME) == (["192.0.2.7"], [])


@pytest.mark.parametrize("host,word", [("nowhere.dyn.example.org", "nohost"), (OTHER, "!yours"), ("nodot", "notfqdn")])
def test_clients_that_read_the_status_alone_are_told(stage, host, word):
    _, program = start(stage)
    url = f"http://127.0.0.1:{program.port}/nic/update?hostname={host}&myip=192.0.2.1"
    curl = subprocess.run(["curl", "-sS", "--fail-with-body", "-u", "home:correct horse", url], capture_output=True, text=True)
    assert curl.returncode == 22 and curl.stdout == word
    assert subprocess.run(["wget", "-qO-", "--auth-no-challenge", "--user=home", "--password=correct horse", url], capture_output=True).returncode == 8
    assert subprocess.run(["busybox", "wget", "-qO-", "--header", "Authorization: " + basic()["Authorization"], url], capture_output=True).returncode != 0


# --- curl and wgets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [
    ["curl", "-sS", "-u", "home:correct horse", "{url}"], ["curl", "-sS", "{secret}"],
    ["wget", "-qO-", "--user=home", "--password=correct horse", "{url}"], ["wget", "-qO-", "--auth-no-challenge", "--user=home", "--password=correct horse", "{url}"],
    ["wget", "-qO-", "{secret}"], ["busybox", "wget", "-qO-", "http://home:correct%20horse@127.0.0.1:{port}/nic/update?hostname=" + HOME],
    ["busybox", "wget", "-qO-", "--header", "Authorization: Basic " + base64.b64encode(b"home:correct horse").decode(), "{url}"], ["busybox", "wget", "-qO-", "{secret}"],
], ids=lambda command: " ".join(command)[:40])
def test_command_line_clients(stage, command):
    server, program = start(stage)
    words = {"url": f"http://127.0.0.1:{program.port}/nic/update?hostname={HOME}", "secret": f"http://127.0.0.1:{program.port}/home-key", "port": program.port}
    out = subprocess.run([word.format(**words) for word in command], capture_output=True, text=True)
    assert out.stdout in ("good 127.0.0.1", "OK"), out
    assert server.records(HOME, "A") == ["127.0.0.1"]


# --- routers ----------------------------------------------------------------------------------------------------------


def ask(program, octets):
    out = program.raw(octets)
    head, _, body = out.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def authorization(user="home", password=PASSWORD):
    return "Authorization: " + basic(user, password)["Authorization"] + "\r\n"


def test_fritzbox(stage):
    """HTTP/1.0, User-Agent "Fritz!Box DDNS/…", placeholders put in as they are, and the name is resolved right after."""
    server, program = start(stage, PREFIX_CLIENTS.replace("correct horse", "pass word&x=ä"))
    def fritz(url):
        return ask(program, f"GET {url} HTTP/1.0\r\nHost: 127.0.0.1\r\nUser-Agent: Fritz!Box DDNS/1.0.2\r\n\r\n".encode())
    # A password with & or a space can't be sent in the URL, which is put together without encoding; with authorization it can.
    line = authorization(password="pass word&x=ä")
    url = f"/nic/update?hostname={HOME}&myip=192.0.2.1&myipv6=&ip6lanprefix="
    assert ask(program, f"GET {url} HTTP/1.0\r\nHost: 127.0.0.1\r\n{line}\r\n".encode()) == (200, "good 192.0.2.1")
    assert addresses(server, HOME) == (["192.0.2.1"], []), "the name is right before the answer is there"
    # Two URLs in one field, separated by a space: it asks for both.
    for url in (f"/nic/update?hostname={HOME}&myip=192.0.2.2", f"/nic/update?hostname={HOME}&myipv6=2001:db8:f::1&ip6lanprefix=2001:db8:1:2::/64"):
        assert ask(program, f"GET {url} HTTP/1.0\r\nHost: 127.0.0.1\r\n{line}\r\n".encode())[0] == 200
    assert addresses(server, HOME) == (["192.0.2.2"], ["2001:db8:f::1"])
    assert server.records(NAS, "AAAA") == ["2001:db8:1:2:1234:5678:9abc:def0"]
    assert fritz(f"/nic/update?hostname={HOME}&myip=192.0.2.3&username=home&password=wrong") == (401, "badauth")


def test_fritzbox_password_in_the_url(stage):
    server, program = start(stage, CLIENTS.replace("correct horse", "s3cret-Pa$$:ö"))
    url = f"/nic/update?hostname={HOME}&myip=192.0.2.1&myipv6=2001:db8::1&username=home&password=s3cret-Pa$$:ö"
    assert ask(program, f"GET {url} HTTP/1.0\r\nHost: x\r\nUser-Agent: Fritz!Box DDNS/1.0.2\r\n\r\n".encode()) == (200, "good 192.0.2.1,2001:db8::1")
    assert addresses(server, HOME) == (["192.0.2.1"], ["2001:db8::1"])


def test_unifi(stage):
    """It runs inadyn, with "/nic/update…" behind a server that ends in a slash."""
    server, program = start(stage)
    request = f"GET //nic/update?hostname={HOME}&myip=192.0.2.1 HTTP/1.0\r\nHost: 127.0.0.1\r\n{authorization()}User-Agent: inadyn/2.9.1 https://github.com/troglobit/inadyn/issues\r\n\r\n"
    assert ask(program, request.encode()) == (200, "good 192.0.2.1")


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "2001:DB8::0001"])
def test_opnsense_and_pfsense_compare_the_whole_body(stage, address):
    _, program = start(stage)
    for word in ("good", "nochg"):
        request = f"GET /nic/update?hostname={HOME}&myip={address} HTTP/1.1\r\nHost: x\r\n{authorization()}User-Agent: phpDynDNS/0.7\r\nConnection: close\r\n\r\n"
        assert ask(program, request.encode()) == (200, f"{word} {address}"), "nothing before it, and no line feed behind it"


def test_openwrt_needs_the_401_first(stage):
    server, program = start(stage)
    # As OpenWrt's uclient-fetch and wget: without credentials first, then with them, on a new connection or the same.
    url = f"/nic/update?hostname={HOME}&myip=192.0.2.1"
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as connection:
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        first = b""
        while not first.endswith(b"badauth"):
            first += connection.recv(4096)
        assert b"HTTP/1.1 401 " in first and b'WWW-Authenticate: Basic realm="sftdyn", charset="UTF-8"\r\n' in first
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n{authorization()}Connection: close\r\n\r\n".encode())
        second = b""
        while part := connection.recv(4096):
            second += part
    assert second.endswith(b"\r\n\r\ngood 192.0.2.1")
    assert server.records(HOME, "A") == ["192.0.2.1"]
    assert "too many bad keys" not in program.log()


def test_synology(stage):
    """Customised provider: https://host/nic/update?hostname=__HOSTNAME__&myip=__MYIP__&user=__USERNAME__&pass=__PASSWORD__"""
    server, program = start(stage)
    assert program.get(f"/nic/update?hostname={HOME}&myip=192.0.2.1&user=home&pass=correct%20horse", headers={"User-Agent": "Synology DDNS Updater/1.0"}).body == "good 192.0.2.1"
    assert server.records(HOME, "A") == ["192.0.2.1"]


def test_mikrotik_fetch(stage):
    """/tool fetch url=… user=… password=… mode=http: credentials at once, HTTP/1.1, and the answer into a file."""
    server, program = start(stage)
    request = f"GET /nic/update?hostname={HOME}&myip=192.0.2.1 HTTP/1.1\r\nHost: x:{program.port}\r\nUser-Agent: Mikrotik/7.x Fetch\r\n{authorization()}Accept-Encoding: deflate, gzip\r\nConnection: close\r\n\r\n"
    assert ask(program, request.encode()) == (200, "good 192.0.2.1")
    assert program.get("/home-key", headers={"User-Agent": "Mikrotik/7.x Fetch"}).body == "OK"


def test_glinet(stage):
    """OpenWrt's ddns-scripts with a custom URL: user and password within the URL, so that wget sends them after the 401."""
    server, program = start(stage)
    out = subprocess.run(["wget", "-qO-", f"http://home:correct%20horse@127.0.0.1:{program.port}/nic/update?hostname={HOME}&myip=192.0.2.1"], capture_output=True, text=True)
    assert out.stdout == "good 192.0.2.1", out


# --- what `sftdyn client` prints --------------------------------------------------------------------------------------


def sheet(program, name, *options):
    return run("client", name, program.conf, *options)


def part(text, heading):
    """What stands under a heading."""
    return text.split("\n# " + heading, 1)[1].split("\n\n", 1)[1].split("\n\n#", 1)[0]


def test_the_sheet_hides_secrets_from_pipes(stage):
    _, program = start(stage)
    out = sheet(program, "home")
    assert out.returncode == 0 and "home-key" not in out.stdout and "horse" not in out.stdout
    assert "--show" in out.stderr
    assert sheet(program, "nobody").returncode == 1


def test_what_the_sheet_says_works(stage, tmp_path):
    server, program = start(stage)
    out = sheet(program, "home", "--show", "--url", f"http://127.0.0.1:{program.port}/").stdout
    # The curl lines.
    for heading, word in (("By hand", "OK"), ("dyndns2 by hand", "nochg 127.0.0.1\nnochg 127.0.0.1")):
        assert subprocess.run(part(out, heading), shell=True, capture_output=True, text=True).stdout == word
    # ddclient's lines, in a file of its own.
    path = tmp_path / "ddclient.conf"
    path.write_text("use=cmd, cmd='echo 192.0.2.50'\n" + part(out, "ddclient"))
    path.chmod(0o600)
    result = subprocess.run(["ddclient", "-daemon", "0", "-foreground", "-noquiet", "-verbose", "-nosyslog", "-file", path, "-cache", tmp_path / "cache", "-pid", tmp_path / "pid"],
                            capture_output=True, text=True, timeout=120)
    assert server.records(HOME, "A") == ["192.0.2.50"], result.stdout + result.stderr
    # inadyn's.
    path = tmp_path / "inadyn.conf"
    path.write_text(part(out, "inadyn").replace("ssl = false", 'ssl = false\n    checkip-command = "/bin/echo 192.0.2.51"'))
    result = subprocess.run(["inadyn", "-1", "-n", "-f", path, "--cache-dir", tmp_path, "--no-pidfile"], capture_output=True, text=True, timeout=120)
    assert server.records(NAS, "A") == ["192.0.2.51"], result.stdout + result.stderr
    # The systemd units.
    units = part(out, "systemd").split("\n\n[Unit]\n")
    (tmp_path / "sftdyn-update.service").write_text(units[0] + "\n")
    (tmp_path / "sftdyn-update.timer").write_text("[Unit]\n" + units[1] + "\n")
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / "sftdyn-update.service", tmp_path / "sftdyn-update.timer"], capture_output=True, text=True)
    assert result.returncode == 0 and "sftdyn-update" not in result.stderr, result.stderr
    # A cron line has five times, and no % that cron would take for a line's end.
    cron = part(out, "cron")
    assert re.match(r"^(\S+ ){5}curl ", cron) and "%" not in cron
    # The QR code is there, and it is square.
    code = part(out, "QR code").splitlines()
    assert len(code) > 10 and len({len(line) for line in code}) == 1


def test_the_urls_of_the_sheet_are_understood(stage):
    """As the routers put them together, which are not at hand: each names another address."""
    server, program = start(stage)
    root = f"http://127.0.0.1:{program.port}"
    out = sheet(program, "home", "--show", "--url", root).stdout
    user, password = re.search(r"User name:   (.*)\nPassword:    (.*)", part(out, "FRITZ!Box")).groups()
    drayTek = dict(line.split(": ", 1) for line in part(out, "DrayTek").splitlines())
    usg = dict(line.split(": ", 1) for line in part(out, "USG").splitlines())
    cisco = re.search(r"add http://home:correct%20horse@(\S+)", part(out, "Cisco"))[1]
    comware = re.search(r"url (\S+)\n username (.*)\n password simple (.*)", part(out, "HPE") + "\n").groups()
    updater = json.loads(part(out, "qdm12"))["settings"][0]
    requests = {
        "ddns-go": (part(out, "ddns-go").replace("#{domain}", HOME).replace("#{ip}", "ADDRESS"), {}),
        "qdm12": (f"{updater['url']}&{updater['ipv4key']}=ADDRESS", {}),
        "DrayTek": (f"http://{drayTek['Provider Host']}{drayTek['Service API'].replace('###IP###', 'ADDRESS')}", {}),
        "USG": (f"http://{usg['Server']}/nic/update?system=dyndns&hostname={usg['Hostname']}&myip=ADDRESS", basic(usg["Username"], usg["Password"])),
        "Cisco": ("http://" + cisco.replace("<h>", HOME).replace("<a>", "ADDRESS"), basic()),
        "Comware": (comware[0].replace("<h>", HOME).replace("<a>", "ADDRESS"), basic(*comware[1:])),
        "MikroTik": (re.search(r'url="(.*?)"', part(out, "MikroTik"))[1], {}),
        "Home Assistant": (re.search(r'url: "(.*?)"', part(out, "Home Assistant"))[1], {}),
    }
    for number, (name, (url, headers)) in enumerate(requests.items(), 1):
        address = f"192.0.2.{number}" if "ADDRESS" in url else f"127.0.0.{number}"
        answer = program.get(url.replace("ADDRESS", address).removeprefix(root), headers=headers, source=f"127.0.0.{number}")
        assert tuple(answer) == (200, f"good {address}"), name
        assert server.records(HOME, "A") == [address], name
    assert (user, password) == ("home", PASSWORD)


def test_the_sheet_of_a_line(stage):
    server, program = start(stage, "")
    program.reload(program.conf.read_text() + '"a key/with?all sorts" = "sorts.dyn.example.org"\n')
    program.await_log("has 2 clients")
    out = sheet(program, "sorts.dyn.example.org", "--show", "--url", f"http://127.0.0.1:{program.port}").stdout
    assert subprocess.run(part(out, "By hand"), shell=True, capture_output=True, text=True).stdout == "OK"
    assert "a\\%20key/with\\%3Fall\\%20sorts" in part(out, "cron"), "cron ends a line at a %"
    assert part(out, "File for systemd") == f'url = "http://127.0.0.1:{program.port}/a%20key/with%3Fall%20sorts"'
    # Such a key may not name addresses, so the sheet names none.
    assert "myip" not in out
    assert server.records("sorts.dyn.example.org", "A") == ["127.0.0.1"]


def test_the_sheet_quotes_whatever_a_secret_holds(stage, tmp_path):
    """A shell, curl, ddclient and inadyn read the password as it is."""
    password = """it's "a" $(touch PWNED) `id` \\ ${HOME} #;%"""
    server, program = start(stage, "")
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    program.reload(program.conf.read_text() + f'[clients.odd]\nuser = "o\'dd"\npassword = "{quoted}"\nhosts = ["odd.dyn.example.org"]\n')
    program.await_log("has 2 clients")
    out = sheet(program, "odd", "--show", "--url", f"http://127.0.0.1:{program.port}").stdout
    assert subprocess.run(part(out, "dyndns2 by hand"), shell=True, capture_output=True, text=True, cwd=tmp_path).stdout == "good 127.0.0.1"
    path = tmp_path / "ddclient.conf"
    path.write_text("use=cmd, cmd='echo 192.0.2.50'\n" + part(out, "ddclient"))
    path.chmod(0o600)
    result = subprocess.run(["ddclient", "-daemon", "0", "-foreground", "-noquiet", "-verbose", "-nosyslog", "-file", path, "-cache", tmp_path / "cache", "-pid", tmp_path / "pid"],
                            capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert server.records("odd.dyn.example.org", "A") == ["192.0.2.50"], result.stdout + result.stderr
    path = tmp_path / "inadyn.conf"
    path.write_text(part(out, "inadyn").replace("ssl = false", 'ssl = false\n    checkip-command = "/bin/echo 192.0.2.51"'))
    result = subprocess.run(["inadyn", "-1", "-n", "-f", path, "--cache-dir", tmp_path, "--no-pidfile"], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert server.records("odd.dyn.example.org", "A") == ["192.0.2.51"], result.stdout + result.stderr
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "nonsense", "http://127.0.0.1:1/';touch PWNED;'", "http://x/\nExecStart=/bin/false", "http://x y/"])
def test_the_sheet_takes_no_url_that_is_none(stage, url):
    """Nor one that would have a meaning in what it is written into."""
    _, program = start(stage)
    refused = sheet(program, "home", "--show", "--url", url)
    assert refused.returncode == 2 and "expected for example https://dyn.example.org:4443" in refused.stderr and refused.stdout == ""


def test_the_file_for_systemd_is_one_that_curl_reads(stage, tmp_path):
    _, program = start(stage)
    out = sheet(program, "home", "--show", "--url", f"http://127.0.0.1:{program.port}").stdout
    (tmp_path / "home.conf").write_text(part(out, "File for systemd") + "\n")
    command = re.search(r"^ExecStart=(.*)$", part(out, "systemd"), re.MULTILINE)[1].replace("${CREDENTIALS_DIRECTORY}/curl.conf", str(tmp_path / "home.conf"))
    assert subprocess.run(command.split(), capture_output=True, text=True).stdout == "OK"
    assert "/etc/sftdyn/update/home.conf" in out and "sftdyn-update@home.timer" in out and "LoadCredential=curl.conf:/etc/sftdyn/update/%i.conf" in out
    assert "home-key" not in part(out, "systemd"), "units are for everybody to read"


def test_the_sheet_of_a_key_as_a_password(stage):
    server, program = start(stage, "")
    out = sheet(program, "short.dyn.example.org", "--show", "--url", f"http://127.0.0.1:{program.port}").stdout
    assert subprocess.run(part(out, "dyndns2 by hand"), shell=True, capture_output=True, text=True).stdout == "good 127.0.0.1"
    assert server.records("short.dyn.example.org", "A") == ["127.0.0.1"]
