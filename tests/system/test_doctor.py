# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor: with everything right it finds nothing, and each thing that is broken it names."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from harness.dns_servers import ZONE, Key, Named
from harness.process import await_true, free_port
from harness.proxy import Proxy
from harness.sftdyn import BINARY, conf, run

HOST = f"home.{ZONE}"
ROOT = os.geteuid() == 0


class Practice:
    """A configuration, and what the doctor says of it."""

    def __init__(self, stage, server):
        self.folder = stage.folder
        self.server = server
        self.port = free_port()
        self.resolver = server.address

    def examine(self, text=None, arguments=(), clients=None, mode=0o600, **kwargs):
        path = self.folder / "doctor.toml"
        path.write_text(text if text is not None else f'http = "127.0.0.1:{self.port}"\n' + conf(self.server, clients or {"6fd2c1a7e05b4d83": HOST}, **kwargs))
        path.chmod(mode)
        result = run("doctor", path, "--json", "--resolver", self.resolver, "--named-conf", self.folder / "named/named.conf", *arguments)
        assert result.stderr == ""
        findings = json.loads(result.stdout)
        bad = [finding for finding in findings if finding["result"] == "bad"]
        assert result.returncode == (1 if bad else 0)
        return findings

    def bad(self, *arguments, **kwargs):
        """The one thing that is bad."""
        found = [finding for finding in self.examine(*arguments, **kwargs) if finding["result"] == "bad"]
        assert len(found) == 1, found
        assert found[0]["mend"]
        return found[0]["check"], found[0]["what"] + " -> " + found[0]["mend"]

    def one(self, check, result, *arguments, **kwargs):
        found = [finding for finding in self.examine(*arguments, **kwargs) if finding["check"] == check and finding["result"] == result]
        assert found, f"no {result} {check}"
        return found[0]["what"] + " -> " + found[0].get("mend", "")


def named(stage, **kwargs):
    return stage.dns("named", user="bind" if ROOT else None, **kwargs)


@pytest.fixture
def practice(stage):
    return Practice(stage, named(stage))


def test_nothing_is_wrong(practice, stage):
    world = stage.dns("named", name="world", zones=["example.org"])
    world.nsupdate(f"update add {ZONE} 60 NS ns.{ZONE}.")
    practice.resolver = world.address
    findings = practice.examine()
    assert {finding["result"] for finding in findings} == {"good"}, findings
    checks = [finding["check"] for finding in findings]
    assert checks == ["conf", "key", "listener", "server", "zone", "update", *(["zone-file"] if ROOT else []), "delegation"]
    people = run("doctor", practice.folder / "doctor.toml", "--resolver", practice.resolver)
    assert people.returncode == 0 and people.stdout.endswith("no problem was found\n")


def test_the_trial_changes_nothing(practice):
    practice.server.nsupdate(f"update add {HOST} 60 A 192.0.2.0")
    before = practice.server.serial(), practice.server.records(HOST, "A")
    practice.examine()
    assert (practice.server.serial(), practice.server.records(HOST, "A")) == before


def test_conf(practice):
    check, text = practice.bad("http = true\n")
    assert check == "conf" and "doctor.toml:1:8" in text and "expected" in text
    assert practice.examine("nonsense")[0]["check"] == "conf"


def test_readable_keys_in_the_conf(practice):
    assert "everybody" in practice.one("conf", "warning", mode=0o644)


def test_no_clients(practice):
    text = f'http = "127.0.0.1:{practice.port}"\nnskeyfile = "{practice.server.key_file()}"\n[dns]\nserver = "{practice.server.address}"\n'
    assert "every key is a bad key" in practice.one("clients", "warning", text)
    assert "--host" in practice.one("zone", "skipped", text)
    assert HOST in practice.one("zone", "good", text, ["--host", HOST])


def practice_key(practice, path):
    """What is said of the key, whatever else then fails."""
    found = next(finding for finding in practice.examine(key_file=path) if finding["result"] == "bad")
    return found["check"], found["what"] + " -> " + found["mend"]


def test_key_missing(practice):
    check, text = practice_key(practice, "/no/such.key")
    assert check == "key" and "there is no such file" in text


def test_key_not_valid(practice):
    path = practice.folder / "bad.key"
    path.write_text('key "x" { algorithm hmac-sha256; secret "not base64!"; };\n')
    check, text = practice_key(practice, path)
    assert check == "key" and "bad.key: the secret is not Base64" in text


@pytest.mark.skipif(not ROOT, reason="it takes root to try what another user may do")
def test_key_that_the_services_user_may_not_read(practice):
    path = practice.server.key.write(practice.folder / "private.key")
    found = [finding for finding in practice.examine(key_file=path, extra='[process]\nuser = "nobody"\n') if finding["check"] == "key" and finding["result"] == "bad"]
    assert "the user nobody may not read it" in found[0]["what"] and "chgrp nobody" in found[0]["mend"]


def test_session_key(practice, stage):
    text = f'http = "127.0.0.1:{practice.port}"\n[dns]\nserver = "{practice.server.address}"\n[clients]\n"k" = "{HOST}"\n'
    findings = practice.examine(text)
    assert any(finding["check"] == "session-key" or (finding["check"] == "key" and "start BIND" in finding.get("mend", "")) for finding in findings)


def test_server_down(practice):
    practice.server.stop()
    check, text = practice.bad()
    assert check == "server" and "nothing listens there" in text


def test_server_silent(practice):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found = [finding for finding in practice.examine(arguments=["--server", f"127.0.0.1:{silent.getsockname()[1]}"]) if finding["result"] == "bad"]
    assert found[0]["check"] == "server" and "did not answer in time" in found[0]["what"]


def test_wrong_secret(practice):
    check, text = practice_key(practice, Key().write(practice.folder / "other.key"))
    assert check == "signature" and "BADSIG" in text


def test_unknown_key(practice):
    check, text = practice_key(practice, Key(name="stranger").write(practice.folder / "stranger.key"))
    assert check == "signature" and "BADKEY" in text


def test_clocks(practice):
    """faketime is not at hand: the server itself answers BADTIME to a message of the past, so here the program's clock is put back."""
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if library is None:
        pytest.skip("libfaketime is not installed")
    practice.examine()
    result = subprocess.run([os.environ.get("SFTDYN", str(Path(__file__).parents[2] / "build/release/sftdyn")), "doctor", practice.folder / "doctor.toml", "--json"], capture_output=True, text=True,
                            timeout=120, env={**os.environ, "LD_PRELOAD": str(library), "FAKETIME": "-2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "ASAN_OPTIONS": "verify_asan_link_order=0", "DONT_FAKE_MONOTONIC": "1"})
    bad = [finding for finding in json.loads(result.stdout) if finding["result"] == "bad"]
    assert bad[0]["check"] == "clock" and "BADTIME" in bad[0]["what"]


def test_zone_not_there(practice):
    check, text = practice.bad(clients={"k": "home.example.net"})
    assert check == "zone" and "serves no zone that holds" in text


def test_host_is_a_cname(practice):
    practice.server.nsupdate(f"update add {HOST} 60 CNAME other.{ZONE}.")
    check, text = practice.bad()
    assert check == "zone" and "CNAME" in text


def test_update_refused(stage):
    server = named(stage, policy="allow-update { none; };")
    check, text = Practice(stage, server).bad()
    assert check == "update" and "REFUSED" in text and "allow-update" in text


def test_not_primary(stage):
    """The server has the zone from another one."""
    primary = stage.dns("named", name="primary")
    port = primary.port
    server = Named(stage.folder / "secondary", zones=["other.test"], key=primary.key)
    stage.running.append(server)
    configure = server.configure

    def configured():
        configure()
        with open(server.folder / "named.conf", "a") as file:
            file.write(f'zone "{ZONE}" {{ type secondary; primaries {{ 127.0.0.1 port {port}; }}; file "{server.folder}/copy"; masterfile-format text; }};\n')

    server.configure = configured
    server.start()
    await_true(lambda: server.query(ZONE, "SOA").rcode() == 0, "the zone is transferred")
    check, text = Practice(stage, server).bad()
    assert check == "update" and ("NOTAUTH" in text or "REFUSED" in text or "NOTIMP" in text), text


def test_zone_not_loaded(practice):
    server = practice.server
    server.stop()
    server.zone_file().write_text("this is no zone\n")
    server.zones.append("fine.test")
    server.zones.reverse()
    server.start()
    check, text = practice.bad()
    assert check == "zone" and "SERVFAIL" in text
    assert "the zone is not loaded: named-checkconf -z" in text and "could not write" not in text


@pytest.mark.skipif(not ROOT, reason="it takes root to try what another user may do")
def test_named_may_not_write_its_zone(practice):
    practice.server.folder.chmod(0o755)
    subprocess.run(["chown", "root:root", practice.server.folder], check=True)
    check, text = practice.bad()
    assert check == "zone-file" and "SERVFAIL" in text and "chown bind:bind" in text
    subprocess.run(["chown", "bind:bind", practice.server.folder], check=True)
    practice.server.zone_file().chmod(0o444)
    check, text = practice.bad()
    assert check == "zone-file" and "may not read and write" in text


def test_its_own_answer_proves_no_delegation(practice):
    assert "can't be seen from here" in practice.one("delegation", "skipped")
    result = run("doctor", practice.folder / "doctor.toml", "--resolver", practice.resolver)
    assert result.returncode == 0 and result.stdout.endswith("no problem was found in what was checked, 1 check could not be made\n")
    for wrong in ("nonsense", "resolver.example.org"):
        result = run("doctor", practice.folder / "doctor.toml", "--resolver", wrong)
        assert result.returncode == 2 and "this is not a server address" in result.stderr


def test_name_servers_that_nobody_finds(stage):
    server = stage.dns("knot")  # named takes no such name
    practice = Practice(stage, server)
    server.nsupdate(f"update add {ZONE} 60 NS localhost.")
    server.nsupdate(f"update add {ZONE} 60 NS lost.{ZONE}.")
    findings = practice.examine()
    texts = [finding["what"] for finding in findings if finding["check"] == "delegation" and finding["result"] == "warning"]
    assert len(texts) == 2 and f"{ZONE} names localhost as its name server" in texts[0] + texts[1] and f"names lost.{ZONE} as its name server, which has no address" in texts[0] + texts[1], texts
    assert "\n2 warnings, 1 check could not be made\n" in run("doctor", practice.folder / "doctor.toml", "--resolver", practice.resolver).stdout


def test_every_host_is_looked_at(practice):
    """Each of them, and what several have is told once."""
    server = practice.server
    server.nsupdate(f"update add alias.{ZONE} 60 CNAME other.{ZONE}.")
    clients = {f"{number:032x}": f"h{number}.{ZONE}" for number in range(250)}
    clients.update({"a" * 31 + "b": f"alias.{ZONE}", "c" * 31 + "d": "www.example.com", "e" * 31 + "f": "home.example.com"})
    findings = practice.examine(clients=clients)
    bad = [finding["what"] for finding in findings if finding["result"] == "bad"]
    assert len(bad) == 2, bad
    assert any(f"alias.{ZONE}: " in text and "CNAME" in text for text in bad), bad
    assert any("www.example.com: " in text and "(and so 1 more host)" in text for text in bad), bad
    assert any("a trial update of 250 hosts that changes nothing was taken" in finding["what"] for finding in findings)


def test_an_update_policy_by_name(stage):
    practice = Practice(stage, named(stage, policy=f"update-policy {{ grant sftdyn name h1.{ZONE} A; grant sftdyn name h2.{ZONE} A; }};"))
    findings = practice.examine(clients={f"{number:032x}": f"h{number}.{ZONE}" for number in range(1, 5)})
    bad = [finding["what"] for finding in findings if finding["result"] == "bad"]
    assert len(bad) == 1 and f"h3.{ZONE}: " in bad[0] and "REFUSED" in bad[0] and "(and so 1 more host)" in bad[0], bad
    assert any("a trial update of 2 hosts" in finding["what"] for finding in findings)


def test_one_cause_is_said_once(practice):
    path = practice.folder / "bad.key"
    path.write_text('key "x" { algorithm hmac-sha256; secret "not base64!"; };\n')
    path.chmod(0o600)
    assert practice.bad(key_file=path)[0] == "key"


def test_the_running_program_has_an_older_configuration(stage, practice):
    control = practice.folder / "control"
    text = f'http = "127.0.0.1:{practice.port}"\n' + conf(practice.server, {"6fd2c1a7e05b4d83": HOST}, extra=f'[admin]\ncontrol = "{control}"\n')
    program = stage.sftdyn(text, listen=())
    older = "has an older configuration: "

    def running():
        result = run("doctor", program.conf, "--json", "--resolver", practice.resolver)
        return [finding for finding in json.loads(result.stdout) if finding["check"] == "running"]

    assert running() == []
    program.conf.write_text(text + f'"90bbd8698198ea767a1c" = "new.{ZONE}"\n')
    found = running()
    assert len(found) == 1 and older in found[0]["what"] and "systemctl reload sftdyn" in found[0]["mend"]
    program.reload(program.conf.read_text())
    program.await_log("the configuration has 2 clients")
    assert running() == []


@pytest.mark.skipif(not ROOT, reason="it takes root to become somebody else")
def test_an_ordinary_user_is_told_what_takes_root(practice):
    practice.examine(mode=0o640)
    plain = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", BINARY]
    for command in (["check"], ["doctor"], ["client", HOST]):
        result = subprocess.run([*plain, *command, practice.folder / "doctor.toml"], capture_output=True, text=True)
        said = result.stdout + result.stderr
        assert result.returncode == 1 and "Permission denied" in said and "run this as root (sudo)" in said and "unexpected" not in said, said


@pytest.mark.skipif(not ROOT, reason="it takes root to try what another user may do")
def test_what_the_services_user_may_not_use(practice):
    """Its sockets' folders and groups, its state, the event command."""
    (practice.folder / "mine").mkdir(mode=0o700)
    program = practice.folder / "mine/notify"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    os.chmod(practice.folder, 0o755)
    findings = practice.examine(f'http = ["unix:{practice.folder}/mine/s", {{ listen = "unix:/tmp/s", group = "daemon" }}]\n' + conf(practice.server, {"6fd2c1a7e05b4d83": HOST}, extra=f'[process]\nuser = "nobody"\n[admin]\nstate = "mine"\ncontrol = "mine/control"\nevent_command = ["{program}"]\nmetrics = "192.0.2.1:9153"\n'))
    bad = {(finding["check"], finding["what"]): finding["mend"] for finding in findings if finding["result"] == "bad"}
    text = json.dumps(findings)
    for check, words in [("listener", "mine/s: the user nobody may not write to"), ("listener", "unix:/tmp/s: the user nobody is not in the group daemon"), ("state", "[admin] state: the user nobody may not write"),
                         ("control", "[admin] control: the user nobody may not write"), ("event-command", "notify: the user nobody may not run it"), ("listener", "192.0.2.1:9153")]:
        assert any(found == check and words in what for found, what in bad), f"{check} {words}\n{text}"
    assert any("usermod -aG daemon nobody" in mend for mend in bad.values())


def test_delegation(practice, stage):
    other = stage.dns("named", name="world", zones=["example.org"])
    practice.resolver = other.address
    text = practice.one("delegation", "warning")
    assert f"the world does not find {ZONE}" in text and f"{ZONE} NS " in text
    practice.resolver = f"127.0.0.1:{free_port()}"
    practice.one("delegation", "skipped")


def certificate(practice, *arguments):
    folder = practice.folder / "tls"
    folder.mkdir(exist_ok=True)
    assert run("cert", ZONE, "--dir", folder, *arguments).returncode == 0
    return f'https = "127.0.0.1:{free_port()}"\ncert = "{folder}/server.crt"\nkey = "{folder}/server.key"\n'


def test_certificates(practice):
    extra = certificate(practice)
    assert f"is for {ZONE}, and valid for 133" in practice.one("certificate", "good", extra=extra)
    folder = practice.folder / "tls"
    for file in folder.iterdir():
        file.unlink()
    assert "renew it" in practice.one("certificate", "warning", extra=certificate(practice, "--days", "3"))
    (folder / "server.key").write_text("nonsense")
    check, text = practice.bad(extra=extra)
    assert check == "certificate" and "server.key" in text


def test_certificate_that_has_expired(practice):
    folder = practice.folder / "tls"
    extra = certificate(practice)
    subprocess.run(["openssl", "x509", "-in", folder / "server.crt", "-signkey", folder / "server.key", "-days", "-1", "-out", folder / "old.crt"], check=True, capture_output=True)
    check, text = practice.bad(extra=extra.replace("server.crt", "old.crt"))
    assert check == "certificate" and "has expired" in text


def test_listeners(practice):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", practice.port))
        taken.listen()
        check, text = practice.bad()
        assert check == "listener" and f"(process {os.getpid()}) listens there -> stop it" in text
    check, text = practice.bad(f'http = "192.0.2.1:1234"\n' + conf(practice.server, {"k": HOST}))
    assert check == "listener" and "192.0.2.1:1234" in text
    check, text = practice.bad(f'http = "unix:{practice.folder}/none/socket"\n' + conf(practice.server, {"k": HOST}))
    assert check == "listener" and "make " in text


@pytest.mark.parametrize("where", ["127.0.0.1:", "", "[::1]:"])
def test_its_own_listener(stage, practice, where):
    text = f'http = "{where}{practice.port}"\n' + conf(practice.server, {"k": HOST})
    program = stage.sftdyn(text, listen=())
    assert f"sftdyn (process {program.process.pid}) listens there" in practice.one("listener", "good", text)


@pytest.mark.skipif(not ROOT, reason="it takes root to have capabilities to lose")
def test_a_listener_that_one_may_not_see_into(practice):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", practice.port))
        taken.listen()
        practice.examine()  # writes the configuration
        stripped = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", BINARY, "doctor", practice.folder / "doctor.toml"]
        result = subprocess.run(stripped, capture_output=True, text=True)
    assert f"127.0.0.1:{practice.port}: somebody listens there" in result.stdout


def test_limits(practice):
    assert "give out an old address" in practice.one("limits", "note", dns="ttl = 86400")
    assert "busy DNS server" in practice.one("limits", "warning", dns="timeout = 0.5")
    assert "files may be open" in practice.one("limits", "warning", extra="[limits]\nconnections = 1000000\n")


def test_what_admin_names(practice):
    assert practice.bad(extra='[admin]\nevent_command = ["/nonexistent/notify"]\n')[0] == "event-command"
    assert practice.bad(extra='[admin]\nstate = "doctor.toml"\n')[0] == "state"


@pytest.mark.skipif(not ROOT, reason="it takes root to try what another user may do")
def test_files_that_the_services_user_may_not_read(practice):
    extra = certificate(practice) + '[process]\nuser = "nobody"\n'
    findings = [finding for finding in practice.examine(extra=extra) if finding["result"] == "bad"]
    assert {finding["check"] for finding in findings} == {"conf", "key", "certificate"}
    for finding in findings:
        assert "the user nobody may not read it" in finding["what"] and finding["mend"]


def test_certificate_without_a_name(practice):
    folder = practice.folder / "tls"
    extra = certificate(practice)
    subprocess.run(["openssl", "req", "-x509", "-key", folder / "server.key", "-subj", "/CN=x", "-days", "100", "-out", folder / "server.crt"], check=True, capture_output=True)
    assert "no name in subjectAltName" in practice.one("certificate", "warning", extra=extra)


def test_slow_server(practice):
    proxy = Proxy(practice.server.port)
    try:
        proxy.mode, proxy.delay = "slow", 2.2
        text = practice.one("limits", "warning", dns="timeout = 4", arguments=["--server", proxy.address])
        assert "the server took" in text and "raise [dns] timeout" in text
    finally:
        proxy.stop()


def test_python_conf(practice):
    path = practice.folder / "conf"
    path.write_text(f'http = "127.0.0.1:{practice.port}"\nCLIENTS = {{"k": "{HOST}"}}\n')
    result = run("doctor", path, "--server", practice.server.address, "--nskeyfile", practice.server.key_file(), "--json")
    assert result.returncode == 0
    assert any(finding["check"] == "update" and finding["result"] == "good" for finding in json.loads(result.stdout))


def test_knot_and_powerdns(stage):
    for kind in ("knot", "powerdns"):
        server = stage.dns(kind)
        results = {(finding["check"], finding["result"]) for finding in Practice(stage, server).examine()}
        assert ("update", "good") in results and not any(result == "bad" for _, result in results), results


def test_nothing_secret_is_printed(practice):
    practice.examine(clients={"topsecretkey": HOST})
    for arguments in ([], ["--json"]):
        out = run("doctor", practice.folder / "doctor.toml", *arguments).stdout
        assert "topsecret" not in out and practice.server.key.secret not in out
