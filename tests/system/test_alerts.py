# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped alerts, evaluated by the real Prometheus on what sftdyn's page of metrics says in each situation."""

import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness.dns_servers import Key
from harness.fake_dns import QueueingDns
from harness.process import Process, await_true, free_port
from harness.sftdyn import conf
from test_https import Authority

HOST = "home.dyn.example.org"
RULES = Path(__file__).parents[2] / "packaging/prometheus/sftdyn.rules.yml"


class Prometheus:
    """Looks each quarter of a second, and needs no more than that to be sure: the shipped rules wait for minutes."""

    def __init__(self, folder, target):
        folder.mkdir()
        rules = re.sub(r"\[\w+\]", "[5s]", re.sub(r"for: \w+", "for: 0s", RULES.read_text()))
        (folder / "rules.yml").write_text(rules)
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms", "evaluation_interval": "250ms"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "sftdyn", "static_configs": [{"targets": [target]}]}]}))
        self.port = free_port()
        self.process = Process(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                f"--web.listen-address=127.0.0.1:{self.port}"], folder / "log")
        await_true(lambda: self.value("up") == 1, lambda: f"Prometheus reads the page\n{self.process.log()[-2000:]}")

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.URLError:
            assert self.process.alive(), self.process.log()[-2000:]
            return {}

    def value(self, name):
        result = self.ask(f"query?query={name}").get("result")
        return float(result[0]["value"][1]) if result else None

    def firing(self):
        """The alerts that fire: name -> summary."""
        return {alert["labels"]["alertname"]: alert["annotations"]["summary"] for alert in self.ask("alerts").get("alerts", []) if alert["state"] == "firing"}

    def await_alert(self, name):
        """Its summary."""
        return await_true(lambda: self.firing().get(name), lambda: f"{name} fires, not only {self.firing()}")

    def await_rounds(self, count):
        """Until the rules have been evaluated so often from now on."""
        seen = set()

        def is_over():
            for group in self.ask("rules").get("groups", []):
                seen.add(group["lastEvaluation"])
            return len(seen) > count
        await_true(is_over, "the rules are evaluated")

    def stop(self):
        self.process.stop()


@pytest.fixture
def watch(stage, tmp_path):
    """watch(server, …) -> sftdyn and a Prometheus that watches it."""
    ended = []

    def start(server, clients=None, extra="", admin="", listen=("127.0.0.1:0",), head="", **kwargs):
        port = free_port()
        text = head + conf(server, clients or {"k": HOST}, extra=f'{extra}\n[admin]\nmetrics = "127.0.0.1:{port}"\n{admin}', **kwargs)
        program = stage.sftdyn(text, listen=listen)
        ended.append(Prometheus(tmp_path / "prometheus", f"127.0.0.1:{port}"))
        return program, ended[-1]
    yield start
    for one in ended:
        one.stop()


class Repeated:
    """Does something again and again for as long as it lasts."""

    def __init__(self, action):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work, args=(action,))
        self.thread.start()

    def work(self, action):
        number = 0
        while not self.over.wait(0.05):
            action(number)
            number += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def test_where_all_is_well_nothing_fires(stage, watch):
    program, prometheus = watch(stage.dns("named"))
    for number in range(2, 5):
        assert program.get("k", source=f"127.0.0.{number}").body == "OK"
    assert program.get("wrong").status == 403
    prometheus.await_rounds(8)
    assert prometheus.firing() == {}
    assert prometheus.value("sftdyn_ready") == 1


def test_a_program_that_is_gone(stage, watch):
    program, prometheus = watch(stage.dns("named"))
    program.stop()
    assert "can't be asked" in prometheus.await_alert("SftdynDown")


def test_a_dns_server_that_is_gone(stage, watch):
    server = stage.dns("named")
    program, prometheus = watch(server)
    server.stop()
    assert "can't update the DNS" in prometheus.await_alert("SftdynNotReady")
    with Repeated(lambda number: program.get("k")):
        prometheus.await_alert("SftdynUpdatesFail")
    server.start()
    await_true(lambda: not {"SftdynNotReady", "SftdynServerDown"} & set(prometheus.firing()), "they end with the server's return")


def test_one_of_two_dns_servers_is_gone(stage, watch):
    server = stage.dns("named")
    down = f"127.0.0.1:{free_port()}"
    program, prometheus = watch(server, named=False, dns=f'servers = ["{down}", "{server.address}"]')
    assert program.get("k").body == "OK"
    assert down in prometheus.await_alert("SftdynServerDown")
    prometheus.await_rounds(4)
    assert set(prometheus.firing()) == {"SftdynServerDown"}


def test_a_dns_server_that_is_slow(stage, watch):
    key = Key()
    server = QueueingDns(key, delay=lambda request: 1.2)
    stage.running.append(server)
    program, prometheus = watch(server, key_file=key.write(stage.folder / "key"), extra="[limits]\nchanges = 0")
    with Repeated(lambda number: program.get("k", source=f"127.0.0.{number % 200 + 2}")):
        assert "over a second" in prometheus.await_alert("SftdynSlowUpdates")


def test_a_host_that_is_stale(stage, watch):
    program, prometheus = watch(stage.dns("named"), clients={"k": HOST, "other": "other.dyn.example.org"}, admin="stale_after = 1")
    assert program.get("k").body == "OK"
    assert program.get("other").body == "OK"
    assert prometheus.await_alert("SftdynHostsStale").startswith("2 hosts of ") or await_true(
        lambda: prometheus.firing().get("SftdynHostsStale", "").startswith("2 hosts of "), "both are stale")


def test_somebody_who_guesses(stage, watch):
    program, prometheus = watch(stage.dns("named"), extra="[limits]\nbad_keys = 100000")
    with Repeated(lambda number: program.get(f"guess{number}")):
        assert "guesses keys" in prometheus.await_alert("SftdynKeysGuessed")


def test_a_certificate_that_expires(stage, watch, tmp_path):
    authority = Authority(tmp_path / "ca")
    key, cert = authority.server("short", days=3)
    program, prometheus = watch(stage.dns("named"), listen=(), head=f'https = "127.0.0.1:0"\ncert = "{cert}"\nkey = "{key}"\n')
    assert "for localhost expires in 2d" in prometheus.await_alert("SftdynCertificateExpires")


def test_a_reload_that_is_refused(stage, watch):
    program, prometheus = watch(stage.dns("named"))
    prometheus.await_rounds(2)
    assert prometheus.firing() == {} and prometheus.value("sftdyn_config_last_reload_successful") == 1
    began = prometheus.value("sftdyn_config_last_reload_success_timestamp_seconds")
    good = program.conf.read_text()
    program.reload("nonsense\n" + good)
    assert "did not take its new configuration" in prometheus.await_alert("SftdynReloadRefused")
    assert prometheus.value("sftdyn_config_last_reload_success_timestamp_seconds") == began
    program.reload(good)
    await_true(lambda: prometheus.firing() == {}, lambda: prometheus.firing())


def test_an_event_command_that_fails_and_one_that_is_not_there_any_more(stage, watch):
    program, prometheus = watch(stage.dns("named"), admin='event_command = ["/bin/false"]', extra="[limits]\nchanges = 0")
    prometheus.await_rounds(4)
    assert prometheus.firing() == {}, "before there was an event"
    with Repeated(lambda number: program.get("k", source=f"127.0.0.{number % 200 + 2}")):
        prometheus.await_alert("SftdynEventCommandsFail")
    [helper] = subprocess.run(["pgrep", "-P", str(program.process.pid)], capture_output=True, text=True, check=True).stdout.split()
    os.kill(int(helper), signal.SIGKILL)
    program.await_log("the process that runs the event command has ended")
    assert program.get("k", source="127.0.1.1").body == "OK"
    assert "wait for the event command" in prometheus.await_alert("SftdynEventsWait")


# It takes 200,000 events: promtool evaluates its rule (test_admin), and a unit test counts one (event_feeder_test).
NOT_PROVOKED = {"SftdynEventsLost"}


def test_every_alert_is_provoked_here():
    source = Path(__file__).read_text().split("NOT_PROVOKED")[0]
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    assert {name for name in alerts if f'await_alert("{name}")' not in source} == NOT_PROVOKED
    told = RULES.with_suffix(".test.yml").read_text()
    assert all(f"alertname: {name}\n" in told for name in NOT_PROVOKED)
