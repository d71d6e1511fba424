# SPDX-License-Identifier: GPL-3.0-or-later
"""For those who run it: metrics, health, status, the memory of hosts, the event command."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness import journal
from harness.dns_servers import Key
from harness.fake_dns import QueueingDns
from harness.process import await_true, free_port
from harness.sanitized import is_sanitized
from harness.sftdyn import BINARY, conf, run

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"
OTHER = f"other.{ZONE}"


class Watched:
    """sftdyn with everything on."""

    def __init__(self, stage, server, admin="", clients=None, **kwargs):
        self.folder = stage.folder / "watched"
        (self.folder / "state").mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.control = self.folder / "control"
        text = conf(server, clients or {"secretkey-one": HOST, "secretkey-two": OTHER}, **kwargs)
        self.text = text + f'\n[admin]\nmetrics = "127.0.0.1:{self.port}"\ncontrol = "{self.control}"\nstate = "{self.folder / "state"}"\n{admin}\n'
        self.program = stage.sftdyn(self.text, name="watched")

    def page(self, path="/metrics"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        """The value of a line of the page of metrics."""
        return next(float(line.rpartition(" ")[2]) for line in self.page()[1].splitlines() if line.rpartition(" ")[0] == name)

    def status(self):
        result = run("status", "--json", "--socket", self.control)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def host(self, name):
        return next(host for host in self.status()["hosts"] if host["host"] == name)


@pytest.fixture
def named(stage):
    return stage.dns("named")


def test_requests_are_counted_by_dialect_and_outcome(stage, named):
    watched = Watched(stage, named)
    program = watched.program
    program.get("secretkey-one")
    program.get("secretkey-one")
    program.get("wrong")
    program.get("/")
    program.get("secretkey-one", method="PUT")
    program.get(f"/nic/update?hostname={HOST}&username=x&password=secretkey-one")
    program.get(f"/nic/update?hostname=unknown.example.net&username=x&password=secretkey-one")
    program.get("/nic/update?hostname=x&username=x&password=wrong")
    program.get(f"/update?domains={OTHER}&token=secretkey-two")
    for labels, count in {'dialect="secret_url",outcome="ok"': 1, 'dialect="secret_url",outcome="uptodate"': 1, 'dialect="secret_url",outcome="badkey"': 1,
                          'dialect="secret_url",outcome="address"': 1, 'dialect="secret_url",outcome="refused"': 1, 'dialect="dyndns2",outcome="uptodate"': 1,
                          'dialect="dyndns2",outcome="refused"': 1, 'dialect="dyndns2",outcome="badkey"': 1, 'dialect="duckdns",outcome="ok"': 1}.items():
        assert watched.metric(f"sftdyn_requests_total{{{labels}}}") == count, labels
    assert watched.metric("sftdyn_update_seconds_count") == 2
    assert watched.metric('sftdyn_update_changes_bucket{le="1"}') == 2
    assert watched.metric("sftdyn_clients") == 2
    assert watched.metric("process_open_fds") > 5
    assert "secretkey" not in watched.page()[1]


def test_promtool_takes_the_page(stage, named):
    watched = Watched(stage, named)
    watched.program.get("secretkey-one")
    result = subprocess.run(["promtool", "check", "metrics"], input=watched.page()[1], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_rules_and_dashboard_speak_of_metrics_that_are_there(stage, named):
    packaging = Path(__file__).parents[2] / "packaging"
    for command in (["check", "rules", "sftdyn.rules.yml"], ["test", "rules", "sftdyn.rules.test.yml"]):
        result = subprocess.run(["promtool", *command], cwd=packaging / "prometheus", capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
    dashboard = json.loads((packaging / "grafana/sftdyn.json").read_text())
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"]) + (packaging / "prometheus/sftdyn.rules.yml").read_text()
    page = Watched(stage, named, 'event_command = ["/bin/true"]').page()[1] + "sftdyn_certificate_expiry_timestamp_seconds{"
    for name in set(re.findall(r"\b(?:sftdyn|process)_\w+", asked)) - {"sftdyn_rules"}:
        assert re.search(rf"^{name}\b|{name}{{", page, re.MULTILINE), name


def table(header):
    """The first cells of a table of docs/operation.md."""
    text = (Path(__file__).parents[2] / "docs/operation.md").read_text()
    rows = text.split(f"\n| {header} |")[1].split("\n\n")[0].splitlines()[2:]
    return [row.split(" | ")[0].removeprefix("| ") for row in rows]


def quoted(cells):
    return [word for cell in cells for word in re.findall("`([^`]+)`", cell)]


def fields_of(value, name=""):
    """Of a document, those of what is in it too: "hosts", "hosts.type"."""
    out = {name} - {""}
    for part in value if isinstance(value, list) else [value]:
        for field, inner in part.items() if isinstance(part, dict) else ():
            out |= fields_of(inner, f"{name}.{field}".lstrip("."))
    return out


def series_of(page):
    """Name -> label -> values, without what a histogram adds."""
    out = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page, re.MULTILINE):
        name = re.sub("_(bucket|sum|count)$", "", name)
        found = out.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels):
            if label != "le":
                found.setdefault(label, set()).add(value)
    return out


def test_all_metrics_and_fields_of_the_status_are_documented_and_there(stage, named, tmp_path):
    """With everything there that either tells of."""
    assert run("cert", "dyn.example.org", "--dir", tmp_path).returncode == 0
    going = threading.Event()
    key = Key()
    server = QueueingDns(key, zones=("slow.example.org",), delay=lambda request: going.wait() and 0)
    stage.running.append(server)
    zone = f'[[zone]]\nname = "slow.example.org"\nserver = "{server.address}"\nnskeyfile = "{key.write(tmp_path / "slow.key")}"\ntimeout = 0.5'
    watched = Watched(stage, named, 'event_command = ["/bin/true"]', clients={"k": HOST, "slow": "a.slow.example.org"},
                      extra=f'https = "127.0.0.1:0"\ncert = "{tmp_path}/server.crt"\nkey = "{tmp_path}/server.key"\n{zone}')
    assert watched.program.get("k", headers={"X-Forwarded-For": "192.0.2.1"}).body == "OK"
    assert watched.program.get("slow").body == "FAIL"

    fields = set()
    for cell in table("field of `--json` | value"):
        outer, _, inner = cell.partition(": ")
        fields |= set(quoted([outer])) | {f"{quoted([outer])[0]}.{name}" for name in quoted([inner])}
    assert fields_of(watched.status()) == fields

    emitted = series_of(watched.page()[1])
    going.set()
    documented = {}
    for text in quoted(table("metric | meaning")):
        name, _, labels = text.partition("{")
        documented[name] = set(labels.rstrip("}").split(",")) - {""}
    assert documented.pop("process_…") == set()
    assert {name: set(labels) for name, labels in emitted.items() if not name.startswith("process_")} == documented
    text = (Path(__file__).parents[2] / "docs/operation.md").read_text()
    dialects = re.search(r"The dialects are (.*?) is for requests", text, re.DOTALL)[1]
    assert emitted["sftdyn_requests_total"] == {"dialect": set(quoted([dialects])), "outcome": set(quoted(table("outcome | the request")))}
    assert emitted["sftdyn_dns_errors_total"]["kind"] == set(quoted(table("kind | the DNS server, or sftdyn")))
    [events] = [row for row in text.splitlines() if row.startswith("| `sftdyn_event_commands_total")]
    assert emitted["sftdyn_event_commands_total"]["outcome"] == set(quoted([events.split(" | ")[1]]))


def test_the_page_over_a_unix_socket(stage, named):
    """Nobody says there for whom he asks."""
    path = stage.folder / "metrics"
    stage.sftdyn(conf(named, {"k": HOST}, extra=f'[admin]\nmetrics = "unix:{path}"'))
    for target in ("/metrics", "/healthz"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert (b"\nsftdyn_build_info{" in answer) == (target == "/metrics")


def test_the_page_has_nothing_else(stage, named):
    watched = Watched(stage, named)
    assert watched.page("/")[0] == 404
    assert watched.page("/secretkey-one")[0] == 404
    assert watched.program.get("/metrics").status == 403, "it is a key where clients ask"


def test_health_and_readiness(stage, named):
    watched = Watched(stage, named)
    assert watched.page("/healthz") == (200, "alive\n")
    assert watched.page("/readyz") == (200, "ready\n")
    named.stop()
    assert watched.page("/readyz")[0] == 503
    assert watched.metric("sftdyn_ready") == 0
    assert watched.page("/healthz")[0] == 200
    watched.program.get("secretkey-one")
    assert watched.metric('sftdyn_dns_errors_total{kind="unreachable"}') == 1
    assert watched.metric('sftdyn_requests_total{dialect="secret_url",outcome="fail"}') == 1
    named.start()
    assert watched.page("/readyz")[0] == 200


def test_health_asks_the_dns_nothing(stage, named):
    """What it does not ask it does not wait for."""
    watched = Watched(stage, named)
    named.process.stand_still()
    asked = watched.program.log().count("query . SOA")
    assert watched.page("/healthz") == (200, "alive\n")
    assert watched.program.log().count("query . SOA") == asked
    assert watched.page("/readyz")[0] == 503
    assert watched.program.log().count("query . SOA") > asked, "and readiness does"
    named.process.go_on()


def test_it_is_ready_while_one_address_of_the_server_answers(stage, named):
    down = f"127.0.0.1:{free_port()}"
    watched = Watched(stage, named, named=False, dns=f'servers = ["{down}", "{named.address}"]')
    assert watched.program.get("secretkey-one").body == "OK"
    assert watched.page("/readyz") == (200, "ready\n")
    assert watched.metric("sftdyn_ready") == 1
    assert watched.metric(f'sftdyn_server_up{{server="{down}",zone=""}}') == 0
    assert watched.metric(f'sftdyn_server_up{{server="{named.address}",zone=""}}') == 1
    status = watched.status()
    assert status["ready"] and {server["address"]: server["good"] for server in status["servers"]} == {down: False, named.address: True}
    named.stop()
    assert watched.page("/readyz")[0] == 503
    assert watched.metric("sftdyn_ready") == 0 and not watched.status()["ready"]


def test_it_is_not_ready_while_updates_hang(stage, tmp_path):
    """Queries are answered all the time."""
    going = threading.Event()
    going.set()
    key = Key()
    server = QueueingDns(key, delay=lambda request: going.wait() and 0)
    stage.running.append(server)
    watched = Watched(stage, server, dns="timeout = 1", key_file=key.write(tmp_path / "key"))
    await_true(lambda: watched.program.get("secretkey-one").body != "FAIL", "a busy machine may take longer than a second")
    await_true(lambda: watched.page("/readyz")[0] == 200, "it is ready")
    going.clear()
    assert watched.program.get("secretkey-one", source="127.0.0.7").body == "FAIL"
    await_true(lambda: watched.page("/readyz")[0] == 503, "requests fail")
    assert watched.program.get("secretkey-two").body == "FAIL"
    assert "an earlier UPDATE of the zone is still unanswered" in watched.program.log()
    assert watched.metric("sftdyn_ready") == 0
    assert watched.metric(f'sftdyn_server_up{{server="{server.address}",zone=""}}') == 1
    [zone] = watched.status()["in_doubt"]
    assert zone["zone"] == ZONE and zone["seconds"] >= 1
    assert f"zone {ZONE}: an UPDATE has been unanswered for" in run("status", "--socket", watched.control).stdout
    going.set()
    await_true(lambda: watched.page("/readyz")[0] == 200, "it is answered")
    await_true(lambda: watched.program.get("secretkey-two").body != "FAIL", "and so are requests")
    await_true(lambda: watched.status()["in_doubt"] == [], "nothing is in doubt")


def test_certificates_are_told_of(stage, named, tmp_path):
    assert run("cert", "dyn.example.org", "--days", "5", "--dir", tmp_path).returncode == 0
    port = free_port()
    text = (f'https = "127.0.0.1:0"\ncert = "{tmp_path}/server.crt"\nkey = "{tmp_path}/server.key"\n' + conf(named, {"k": HOST}) +
            f'\n[admin]\nmetrics = "127.0.0.1:{port}"\n')
    stage.sftdyn(text, listen=())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        found = re.search(r'^sftdyn_certificate_expiry_timestamp_seconds\{name="dyn.example.org"\} (\d+)$', answer.read().decode(), re.MULTILINE)
    assert 4 * 86400 < int(found[1]) - time.time() <= 5 * 86400


def test_of_two_certificates_with_one_name_the_first_to_expire_is_told_of(stage, named, tmp_path):
    """Two series with the same labels would be one to Prometheus: either."""
    for folder, days in (("new", 100), ("old", 3)):
        (tmp_path / folder).mkdir()
        assert run("cert", "dyn.example.org", "--days", str(days), "--dir", tmp_path / folder).returncode == 0
    port = free_port()
    pair = lambda folder: f'cert = "{tmp_path}/{folder}/server.crt"\nkey = "{tmp_path}/{folder}/server.key"\n'
    stage.sftdyn('https = "127.0.0.1:0"\n' + pair("new") + conf(named, {"k": HOST}, extra="[[certificate]]\n" + pair("old")) + f'\n[admin]\nmetrics = "127.0.0.1:{port}"\n', listen=())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        [expires] = re.findall(r'^sftdyn_certificate_expiry_timestamp_seconds\{name="dyn.example.org"\} (\d+)$', answer.read().decode(), re.MULTILINE)
    assert 2 * 86400 < int(expires) - time.time() <= 3 * 86400


def test_status_lists_hosts_and_those_that_never_came(stage, named):
    watched = Watched(stage, named)
    assert watched.status()["never"] == [HOST, OTHER]
    watched.program.get("secretkey-one", source="127.0.0.7")
    status = watched.status()
    assert status["never"] == [OTHER]
    assert status["clients"] == 2 and status["waiting"] == 0
    assert [(server["address"], server["good"]) for server in status["servers"]] == [(named.address, True)]
    [host] = status["hosts"]
    assert (host["host"], host["type"], host["address"], host["outcome"], host["stale"]) == (HOST, "A", "127.0.0.7", "ok", False)
    assert abs(host["checked_in"] - time.time()) < 60 and host["changed"] == host["checked_in"]
    watched.program.get("secretkey-one", source="127.0.0.7")
    assert watched.host(HOST)["outcome"] == "uptodate"
    people = run("status", "--socket", watched.control).stdout
    assert HOST in people and "127.0.0.7" in people and f"1 host never checked in: {OTHER}" in people and f"DNS server {named.address}: answers" in people
    assert run("status", watched.program.conf).stdout.startswith("sftdyn "), "the path is the configuration's"
    assert "secretkey" not in people + json.dumps(status)


def test_the_quietest_host_comes_first(stage, named):
    watched = Watched(stage, named)
    watched.program.get("secretkey-two")
    await_true(lambda: time.time() - watched.host(OTHER)["checked_in"] >= 1, "a second has passed")
    watched.program.get("secretkey-one")
    people = run("status", "--socket", watched.control).stdout
    assert people.index(OTHER) < people.index(HOST)


def test_a_host_that_is_nobodys_any_more_is_forgotten(stage, named):
    watched = Watched(stage, named, "stale_after = 1")
    for key in ("secretkey-one", "secretkey-two"):
        assert watched.program.get(key).body == "OK"
    await_true(lambda: watched.metric("sftdyn_stale_hosts") == 2, "both are stale")
    watched.program.reload(watched.text.replace(f'"secretkey-two" = "{OTHER}"', ""))
    watched.program.await_log("the configuration has 1 clients")
    assert watched.metric("sftdyn_stale_hosts") == 1
    status = watched.status()
    assert [host["host"] for host in status["hosts"]] == [HOST] and status["never"] == []
    watched.program.stop()
    database = watched.folder / "state/hosts.sqlite"
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT host FROM hosts").fetchall() == [(HOST,)]
    # It comes back as one that never checked in.
    watched.program.conf.write_text(watched.text.replace("stale_after = 1", ""))
    watched.program.start()
    assert watched.status()["never"] == [OTHER]
    assert watched.program.get("secretkey-two").body == "UPTODATE"
    assert not watched.host(OTHER)["stale"] and watched.metric("sftdyn_stale_hosts") == 0
    # One that goes while nobody serves is forgotten at the start.
    watched.program.stop()
    watched.program.conf.write_text(watched.text.replace(f'"secretkey-one" = "{HOST}"', ""))
    watched.program.start()
    assert [host["host"] for host in watched.status()["hosts"]] == [OTHER]
    watched.program.stop()
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT host FROM hosts").fetchall() == [(OTHER,)]


def test_a_host_is_forgotten_by_command(stage, named):
    watched = Watched(stage, named, "stale_after = 1")
    assert watched.program.get("secretkey-one").body == "OK"
    await_true(lambda: watched.metric("sftdyn_stale_hosts") == 1, "it is stale")
    result = run("forget", HOST, watched.program.conf)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{HOST}: forgotten\n", "")
    assert watched.metric("sftdyn_stale_hosts") == 0
    assert watched.status()["hosts"] == [] and HOST in watched.status()["never"]
    again = run("forget", HOST, "--socket", watched.control)
    assert again.returncode == 1 and "not known" in again.stderr
    watched.program.stop()
    with sqlite3.connect(watched.folder / "state/hosts.sqlite") as database:
        assert database.execute("SELECT host FROM hosts").fetchall() == []


def test_a_client_may_have_limits_of_its_own(stage, named):
    def client(limits):
        return f'{{ host = "{HOST}", {limits} }}'

    watched = Watched(stage, named, "stale_after = 1", clients={"one": client("changes = 1, changes_refill = 86400, stale_after = 0"), "two": OTHER})
    assert [watched.program.get("one", source=f"127.0.0.{number}").status for number in (1, 2)] == [200, 429]
    assert [watched.program.get("two", source=f"127.0.0.{number}").status for number in (1, 2)] == [200, 200]
    watched.program.await_log(f"{OTHER} A has not checked in for long")
    assert watched.metric("sftdyn_stale_hosts") == 1 and not watched.host(HOST)["stale"], "its own time is: never"
    watched.program.reload(watched.program.conf.read_text().replace("changes = 1, changes_refill = 86400, stale_after = 0", "stale_after = 1"))
    watched.program.await_log("the configuration has 2 clients")
    await_true(lambda: watched.metric("sftdyn_stale_hosts") == 2, "a reload takes it")
    assert watched.program.get("one", source="127.0.0.3").body == "OK"


def test_status_again_and_again(stage, named):
    watched = Watched(stage, named)
    process = subprocess.Popen([BINARY, "status", "--socket", watched.control, "--watch"], stdout=subprocess.PIPE, text=True)
    seen = ""
    while seen.count("sftdyn 1") < 2:
        seen += process.stdout.readline()
    process.terminate()  # a shell's background job would not hear SIGINT
    process.communicate(timeout=60)


def test_status_looks_into_the_configuration_that_nobody_named(tmp_path):
    """As its help says. /etc is one of the test's own, in a mount namespace."""
    (tmp_path / "etc/sftdyn").mkdir(parents=True)
    (tmp_path / "etc/sftdyn/sftdyn.toml").write_text('[admin]\ncontrol = "/run/elsewhere/control"\n')
    script = 'mount --bind "$1" /etc && exec "$2" status'
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", script, "sh", tmp_path / "etc", BINARY]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and "/run/elsewhere/control: the running sftdyn can't be asked" in result.stderr, result.stderr


def test_status_where_nobody_answers(tmp_path):
    result = run("status", "--socket", tmp_path / "none")
    assert result.returncode == 1
    assert "can't be asked" in result.stderr and "is it running" in result.stderr


def test_the_control_socket_is_for_owner_and_group(stage, named):
    watched = Watched(stage, named)
    assert watched.control.stat().st_mode & 0o777 == 0o660
    second = stage.folder / "second.toml"
    second.write_text(watched.text.replace(f'metrics = "127.0.0.1:{watched.port}"', ""))
    result = run(second, "-l", "127.0.0.1:0")
    assert result.returncode == 1 and "another sftdyn listens there" in result.stderr
    watched.program.stop()
    assert not watched.control.exists()
    # One that was left behind is replaced; something else is not.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(watched.control))
    watched.program.start()
    watched.status()
    watched.program.stop()
    watched.control.write_text("x")
    assert "something else is there" in run(watched.program.conf, "-l", "127.0.0.1:0").stderr


def test_a_reader_that_does_not_read_keeps_nobody_waiting(stage, named):
    watched = Watched(stage, named)
    stuck = []
    for _ in range(3):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(watched.control))
        stuck.append(one)
    assert tuple(watched.program.get("secretkey-one")) == (200, "OK")
    assert watched.host(HOST)["outcome"] == "ok"
    for one in stuck:
        one.close()


@pytest.mark.long
def test_it_ends_while_somebody_does_not_read_the_answer(stage, named):
    """More than a socket holds: the writer waits for its reader."""
    watched = Watched(stage, named, clients={f"k{n}": f"{'a' * 60}.h{n}.{ZONE}" for n in range(6000)})
    stuck = []
    for _ in range(3):
        stuck.append(socket.socket(socket.AF_UNIX))
        stuck[-1].connect(str(watched.control))
        assert stuck[-1].recv(1) == b"{", "the answer has begun"
    began = time.monotonic()
    assert watched.program.stop() == 0
    assert time.monotonic() - began < 4.5
    for one in stuck:
        one.close()


def test_it_ends_while_somebody_waits_for_an_answer(stage, named):
    watched = Watched(stage, named)
    named.process.stand_still()
    waiting = [socket.socket(socket.AF_UNIX), socket.create_connection(("127.0.0.1", watched.port))]
    waiting[0].connect(str(watched.control))
    waiting[1].sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    watched.program.await_log("query . SOA", count=2)
    assert watched.program.stop() == 0
    named.process.go_on()
    for one in waiting:
        one.close()


def test_hosts_are_remembered_over_a_restart(stage, named):
    watched = Watched(stage, named)
    watched.program.get("secretkey-one", source="127.0.0.7")
    before = watched.host(HOST)
    watched.program.stop()
    with sqlite3.connect(watched.folder / "state/hosts.sqlite") as database:
        assert database.execute("SELECT host, type, address, outcome FROM hosts").fetchall() == [(HOST, "A", "127.0.0.7", "ok")]
    watched.program.start()
    assert watched.host(HOST) == before
    assert "secretkey" not in (watched.folder / "state/hosts.sqlite").read_bytes().decode("latin-1")


def test_what_is_remembered_is_never_the_truth(stage, named):
    watched = Watched(stage, named)
    watched.program.get("secretkey-one", source="127.0.0.7")
    watched.program.stop()
    named.nsupdate(f"update delete {HOST} A")
    watched.program.start()
    assert tuple(watched.program.get("secretkey-one", source="127.0.0.7")) == (200, "OK"), "the server is asked, not the memory"


@pytest.mark.parametrize("damage", ["no file", "no folder", "not allowed"])
def test_without_a_memory_everything_works(stage, named, damage):
    watched = Watched(stage, named)
    watched.program.stop()
    database = watched.folder / "state/hosts.sqlite"
    if damage == "no file":
        database.write_bytes(b"this is no database, and long enough to be one" * 100)
    else:
        for file in database.parent.iterdir():
            file.unlink()
        database.parent.rmdir()
        if damage == "not allowed":
            database.parent.write_text("a file")
    watched.program.start()
    assert tuple(watched.program.get("secretkey-one")) == (200, "OK")
    assert watched.host(HOST)["outcome"] == "ok"
    watched.program.await_log("hosts are still served")


def test_what_could_not_be_saved_is_saved_later(stage, named):
    watched = Watched(stage, named)
    database = sqlite3.connect(watched.folder / "state/hosts.sqlite", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    assert watched.program.get("secretkey-one", source="127.0.0.7").body == "OK"
    watched.program.await_log("database is locked")
    database.execute("COMMIT")
    database.close()
    watched.program.stop()
    with sqlite3.connect(watched.folder / "state/hosts.sqlite") as database:
        assert database.execute("SELECT host, address FROM hosts").fetchall() == [(HOST, "127.0.0.7")]


def test_rows_of_somebody_elses_are_left_out(stage, named):
    watched = Watched(stage, named)
    watched.program.get("secretkey-one", source="127.0.0.7")
    watched.program.stop()
    rows = [("home\nforged", "A", "192.0.2.1", 1, 1, "ok", 0), (OTHER, "TXT", "192.0.2.1", 1, 1, "ok", 0), (OTHER, "A", "2001:db8::1", 2**62, 1, "ok", 0),
            (OTHER, "A", "192.0.2.1\0x", 2**62, 1, "ok", 0), ("", "A", "", 2**63 - 1, -2**63, "x", 7), (b"\xff\x00", "AAAA", b"\x00", "x", None, None, None)]
    with sqlite3.connect(watched.folder / "state/hosts.sqlite") as database:
        database.executemany("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    watched.program.start()
    assert [host["host"] for host in watched.status()["hosts"]] == [HOST]
    assert "rows are invalid, and are ignored" in watched.program.log()


def test_hooks_are_counted(stage, named):
    path = hook_file(stage, "#!/bin/sh\ncase $SFTDYN_HOST in other*) exit 1;; esac\n")
    watched = Watched(stage, named, f'event_command = ["{path}"]')
    watched.program.get("secretkey-one")
    watched.program.get("secretkey-two")
    await_true(lambda: watched.metric('sftdyn_event_commands_total{outcome="ok"}') == 1 and watched.metric('sftdyn_event_commands_total{outcome="failed"}') == 1, "both are counted")
    assert watched.metric("sftdyn_event_commands_waiting") == 0


def test_a_host_becomes_stale_and_comes_back(stage, named):
    watched = Watched(stage, named, "stale_after = 5")
    watched.program.get("secretkey-one")
    await_true(lambda: watched.host(HOST)["stale"], "it is stale")
    assert watched.metric("sftdyn_stale_hosts") == 1
    assert "  stale\n" in run("status", "--socket", watched.control).stdout
    watched.program.await_log(f"{HOST} A has not checked in for long")
    watched.program.get("secretkey-one")
    assert not watched.host(HOST)["stale"]


class Aged(Watched):
    """One client of two hosts, a and b, with a stale_after of a day; check-ins can be made older."""

    def __init__(self, stage, server):
        super().__init__(stage, server, f'stale_after = 86400\n[clients.c]\nuser = "u"\npassword = "a-password-of-a-test"\nhosts = ["a.{ZONE}", "b.{ZONE}"]')

    def update(self, host, parameters):
        return self.program.get(f"/nic/update?hostname={host}.{ZONE}&username=u&password=a-password-of-a-test&{parameters}").body

    def age(self, days, types=("A", "AAAA")):
        """Over a restart."""
        self.program.stop()
        with sqlite3.connect(self.folder / "state/hosts.sqlite") as database:
            for kind in types:
                database.execute("UPDATE hosts SET checked_in = checked_in - ? WHERE type = ?", (days * 86400, kind))
        self.program.start()

    def stale(self):
        """Names and types, as the document says; and how many hosts it is that the metric counts."""
        return {(host["host"].partition(".")[0], host["type"]) for host in self.status()["hosts"] if host["stale"]}, self.metric("sftdyn_stale_hosts")


def test_stale_are_hosts_and_not_addresses(stage, named):
    aged = Aged(stage, named)
    for host in ("a", "b"):
        assert aged.update(host, "myip=192.0.2.9,2001:db8::9").startswith("good")
    aged.age(2, ["AAAA"])
    assert aged.stale() == (set(), 0), "IPv4 checks in"
    aged.age(2, ["A"])
    assert aged.stale() == ({("a", "A"), ("a", "AAAA"), ("b", "A"), ("b", "AAAA")}, 2)
    assert aged.update("a", "myip=192.0.2.9").startswith("nochg")
    assert aged.stale() == ({("b", "A"), ("b", "AAAA")}, 1)
    assert aged.update("b", "offline=YES").startswith("good")
    aged.age(2, ["A"])
    assert {host for host, _ in aged.stale()[0]} == {"a"}, "nobody expects b, which is offline, for ever"
    assert aged.metric("sftdyn_stale_hosts") == 1


def test_another_time_of_stale_hosts_applies_to_all_at_the_reload(stage, named):
    aged = Aged(stage, named)
    assert aged.update("a", "myip=192.0.2.9").startswith("good")
    aged.age(2)
    assert aged.stale() == ({("a", "A")}, 1)
    both = {0: (set(), 0), 86400: ({("a", "A")}, 1), 864000: (set(), 0), 3600: ({("a", "A")}, 1)}
    for count, (seconds, expected) in enumerate(both.items(), 1):
        aged.program.reload(aged.text.replace("stale_after = 86400", f"stale_after = {seconds}"))
        aged.program.await_log("the configuration has", count=count)
        assert aged.stale() == expected, seconds
    aged.program.reload(aged.text.replace("stale_after = 86400", "stale_after = 864000"))
    aged.program.await_log("the configuration has", count=5)
    aged.program.stop()
    aged.program.start()
    assert aged.stale() == (set(), 0), "nor is what the state holds"


HOOK = """#!/bin/sh
env | grep ^SFTDYN | sort | tr '\\n' ' ' >> {out}
echo "args: $*" >> {out}
"""


def hook_file(stage, text=HOOK):
    path = stage.folder / "hook"
    path.write_text(text.format(out=stage.folder / "hook.out"))
    path.chmod(0o755)
    return path


def test_the_hook_is_told_of_changes_and_quiet_hosts(stage, named):
    watched = Watched(stage, named, f'stale_after = 1\nevent_command = ["{hook_file(stage)}", "two words", "$HOME;x"]')
    out = stage.folder / "hook.out"
    watched.program.get("secretkey-one", source="127.0.0.7")
    await_true(lambda: out.exists() and out.read_text().count("args:") >= 1, "the event command ran")
    first = out.read_text().splitlines()[0]
    assert f"SFTDYN_ADDRESS=127.0.0.7 SFTDYN_CHECKED_IN=" in first
    assert f"SFTDYN_EVENT=change SFTDYN_HOST={HOST} SFTDYN_OLD_ADDRESS= SFTDYN_TYPE=A args: two words $HOME;x" in first
    await_true(lambda: "SFTDYN_EVENT=stale" in out.read_text(), "it is told of the stale host")
    watched.program.get("secretkey-one", source="127.0.0.8")
    await_true(lambda: f"SFTDYN_EVENT=change SFTDYN_HOST={HOST} SFTDYN_OLD_ADDRESS=127.0.0.7" in out.read_text(), "and of the next change")
    assert "secretkey" not in out.read_text()


def test_a_hook_that_fails_or_is_missing_is_told_of(stage, named):
    path = hook_file(stage, "#!/bin/sh\nexit 3\n")
    watched = Watched(stage, named, f'event_command = ["{path}"]')
    assert tuple(watched.program.get("secretkey-one")) == (200, "OK")
    watched.program.await_log("the event command ended with status 3")
    path.unlink()
    assert tuple(watched.program.get("secretkey-two")) == (200, "OK")
    watched.program.await_log("the event command can't be run: No such file")


def test_the_hooks_helper_ends_with_the_program(stage, named):
    watched = Watched(stage, named, f'event_command = ["{hook_file(stage)}"]')
    children = Path(f"/proc/{watched.program.process.pid}/task/{watched.program.process.pid}/children").read_text().split()
    assert len(children) == 1
    kept = [os.readlink(f"/proc/{children[0]}/fd/{number}") for number in os.listdir(f"/proc/{children[0]}/fd") if int(number) > 2]
    assert sorted(one.partition(":")[0] for one in kept) == ["anon_inode", "socket"], "its signalfd, and nothing of the program's but the socket"
    watched.program.stop(signal.SIGKILL)
    await_true(lambda: not Path(f"/proc/{children[0]}").exists(), "the helper is gone")


def test_no_program_can_be_run_by_the_program_itself(stage, named):
    watched = Watched(stage, named, f'event_command = ["{hook_file(stage)}"]')
    status = Path(f"/proc/{watched.program.process.pid}/status").read_text()
    if not is_sanitized:
        assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("setting,said", [
    ('event_command = "x"', "event_command is of the wrong type"), ("event_command = []", "event_command is of the wrong type"), ('event_command = ["notify"]', "give its whole path"),
    ('stale_after = -1', "stale_after is out of range"), ("metric = 1", 'unknown setting "metric" in [admin]'), ('metrics = "x:1"', "metrics"),
])
def test_wrong_settings(stage, setting, said, tmp_path):
    path = tmp_path / "conf.toml"
    path.write_text(f"[admin]\n{setting}\n")
    result = run("check", path)
    assert result.returncode == 1 and said in result.stderr and ":2:" in result.stderr


def test_idle_memory_with_everything_on(stage, named):
    if is_sanitized:
        pytest.skip("sanitizers take memory of their own")
    watched = Watched(stage, named, f'event_command = ["{hook_file(stage)}"]')
    watched.program.get("secretkey-one")
    watched.page()
    watched.status()
    assert watched.program.resident_kib() < 20 * 1024


def test_the_port_of_metrics_is_said_without_v(stage, named):
    program = stage.sftdyn(conf(named, {"secretkey-one": HOST}) + '[admin]\nmetrics = "127.0.0.1:0"\n', arguments=())
    program.await_log("metrics on http://127.0.0.1:")
    port = program.log().rpartition("metrics on http://127.0.0.1:")[2].split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        assert answer.status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to put another file in the configuration's place")
def test_status_says_that_the_default_configuration_is_broken(tmp_path):
    (tmp_path / "sftdyn.toml").write_text("[admin\n")
    script = f'mount --make-rprivate / && mount -t tmpfs tmpfs /etc && mkdir /etc/sftdyn && cp {tmp_path}/sftdyn.toml /etc/sftdyn && exec {BINARY} status'
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "/etc/sftdyn/sftdyn.toml:1:" in result.stderr, result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to put another socket in the journal's place")
def test_the_journal_gets_fields(stage, named):
    """The real messages, on a socket of the test's in a namespace of its own."""
    path = stage.folder / "conf.toml"
    path.write_text(conf(named, {"secretkey-one": HOST}))
    messages = journal.messages_of(BINARY, path, free_port(), [("/secretkey-one", "127.0.0.1")], ["-v"])
    [event] = [message for message in messages if message.get("SFTDYN_HOST") == HOST]
    assert event["SFTDYN_CLIENT"] == event["SFTDYN_ADDRESS"] == "127.0.0.1"
    assert (event["SFTDYN_OUTCOME"], event["SFTDYN_DIALECT"], event["PRIORITY"], event["SYSLOG_IDENTIFIER"]) == ("ok", "secret_url", "6", "sftdyn")
    assert event["MESSAGE"] == f"{HOST} A 127.0.0.1: OK" and int(event["SFTDYN_DURATION_USEC"]) > 0
    assert "secretkey" not in str(messages)


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to put another socket in the journal's place")
def test_warnings_and_errors_have_the_journals_fields_without_v(stage, named):
    """journalctl SFTDYN_HOST=… finds what is wrong with a host, whatever the verbosity; also in the line that counts what repeats."""
    path = stage.folder / "conf.toml"
    others = {f"secretkey-{n}": f"h{n}.dyn.example.org" for n in range(3)}
    limits = '[limits]\nbad_keys = 1\nbad_keys_refill = 600\n[addresses]\ndeny = ["127.0.0.66/32"]'
    path.write_text(conf(named, {"secretkey-one": HOST, "secretkey-two": OTHER, **others}, extra=limits))
    named.stop()
    server = "127.0.0.1"
    update = f"/nic/update?hostname={HOST}&username=x&password=secretkey-one&myip=192.0.2.77"
    requests = [("/secretkey-one", server), *((f"/{key}", server) for key in others), (update, "127.0.0.3"), ("/secretkey-two", "127.0.0.66"),
                *((f"/wrong-{n}", "127.0.0.9") for n in range(3))]
    messages = journal.messages_of(BINARY, path, free_port(), requests)

    def about(text):
        [message] = [message for message in messages if text in message["MESSAGE"]]
        assert message["PRIORITY"] in ("3", "4"), message
        return {name: value for name, value in message.items() if name.startswith("SFTDYN_")}

    assert about(f"{HOST} A not updated: ") == {"SFTDYN_HOST": HOST, "SFTDYN_OUTCOME": "fail"}
    assert about("more like it since") == {"SFTDYN_HOST": list(others.values()), "SFTDYN_OUTCOME": "fail"}
    assert about("names another address") == {"SFTDYN_HOST": HOST, "SFTDYN_CLIENT": "127.0.0.3", "SFTDYN_DIALECT": "dyndns2"}
    assert about("must not be published") == {"SFTDYN_HOST": OTHER, "SFTDYN_CLIENT": "127.0.0.66", "SFTDYN_DIALECT": "secret_url", "SFTDYN_OUTCOME": "refused"}
    assert about("too many bad keys") == {"SFTDYN_CLIENT": "127.0.0.9", "SFTDYN_DIALECT": "secret_url", "SFTDYN_OUTCOME": "badkey"}
    assert "secretkey" not in str(messages)
