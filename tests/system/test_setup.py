# SPDX-License-Identifier: GPL-3.0-or-later
"""What `sftdyn setup` writes works: the real servers are started with it, and a host is moved."""

import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

from harness.dns_servers import Knot, Named, PowerDns
from harness.sftdyn import run

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"


def write(folder, server, zone=ZONE, *options):
    result = run("setup", server, zone, "--write", folder, *options)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


class Written:
    """A server whose configuration is a little of the test's, and what was written."""

    def __init__(self, *arguments, written, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.written = Path(written)


class WrittenNamed(Written, Named):
    def configure(self):
        super().configure()
        conf = self.folder / "named.conf"
        # Only its zone; the rest of Debian's configuration has other places.
        text = re.sub(r'zone "[^"]*" \{.*\};\n', "", conf.read_text())
        includes = "".join(f'include "{file}";\n' for file in sorted((self.written / "etc/bind").glob("named.conf.*")))
        conf.write_text(re.sub(r'key "sftdyn" \{.*?\};\n', "", text, flags=re.DOTALL) + includes)


class WrittenKnot(Written, Knot):
    def configure(self):
        super().configure()
        conf = self.folder / "knot.conf"
        # On Debian it runs as the user knot; here it is whoever runs the test.
        for zone in (self.written / "var/lib/knot").iterdir():
            os.chown(zone, os.geteuid(), os.getegid())
        # The one with the key is first.
        confs = sorted((self.written / "etc/knot").iterdir(), key=lambda file: len(file.name))
        conf.write_text(conf.read_text().partition("key:")[0] + "".join(f"include: {file}\n" for file in confs))


class WrittenPowerDns(Written, PowerDns):
    def configure(self):
        super().configure()
        database = self.folder / "pdns.sqlite3"
        database.unlink()
        with sqlite3.connect(database) as connection:
            connection.executescript(Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql").read_text())
        conf = self.folder / "pdns.conf"
        text = re.sub(r"(allow-)?dnsupdate.*\n", "", conf.read_text())
        conf.write_text(text + f"include-dir={self.written}/etc/powerdns/pdns.d\n")
        for script in sorted((self.written / "etc/sftdyn").glob("*.sh"), reverse=True):
            subprocess.run([script], env={**os.environ, "PDNS_OPTIONS": f"--config-dir={self.folder}"}, check=True, capture_output=True)


KINDS = [("bind", WrittenNamed), ("knot", WrittenKnot), ("powerdns", WrittenPowerDns)]


@pytest.mark.parametrize("kind,server", KINDS)
def test_what_is_written_works(stage, kind, server):
    written = stage.folder / "written"
    said = write(written, kind, ZONE, "--ns", f"ns.{ZONE}", "--address", "192.0.2.90", "--address", "2001:db8::90")
    assert "then:" in said and f"{ZONE}. NS ns.{ZONE}." in said and "sftdyn doctor" in said
    conf_path = written / "etc/sftdyn/sftdyn.toml"
    # A further zone has the key of the first; its client is a line more.
    more = write(written, kind, "dyn.example.net", "--ns", "ns.example.org", "--address", "192.0.2.90")
    line = re.search(rf'add to {conf_path}, below \[clients\]:  ("[0-9a-f]{{32}}" = "home.dyn.example.net")\n', more)[1]
    conf_path.write_text(conf_path.read_text() + line + "\n")

    dns = server(stage.folder / kind, written=written)
    stage.running.append(dns)
    dns.start()
    # The zone says who serves it, and where that is: a resolver finds it again after the first answer.
    assert dns.records(ZONE, "NS") == [f"ns.{ZONE}."]
    for name in (ZONE, f"ns.{ZONE}"):
        assert (dns.records(name, "A"), dns.records(name, "AAAA")) == (["192.0.2.90"], ["2001:db8::90"])
    soa = dns.records(ZONE, "SOA")[0].split()
    assert (soa[0], soa[1], soa[6]) == (f"ns.{ZONE}.", f"hostmaster.{ZONE}.", "60"), "an unknown host is asked for again soon"
    assert dns.records("dyn.example.net", "NS") == ["ns.example.org."]

    conf = conf_path.read_text()
    keys = dict((host, key) for key, host in re.findall(r'^"([0-9a-f]{32})" = "(\S+)"$', conf, re.MULTILINE))
    assert set(keys) == {HOST, "home.dyn.example.net"}
    assert f"http://{ZONE}:8080/{keys[HOST]}" in said
    assert run("check", conf_path).returncode == 0
    program = stage.sftdyn(conf, arguments=["--server", dns.address])
    for host, key in keys.items():
        assert tuple(program.get(key, source="127.0.0.3")) == (200, "OK")
        assert dns.records(host, "A") == ["127.0.0.3"]
    doctor = run("doctor", conf_path, "--server", dns.address)
    assert "a trial update" in doctor.stdout, doctor.stdout
    # Nobody without the key, not even on this machine.
    refused = subprocess.run(["nsupdate"], input=f"server 127.0.0.1 {dns.port}\nzone {ZONE}\nupdate add x.{ZONE} 60 A 192.0.2.1\nsend\n", capture_output=True, text=True)
    assert refused.returncode != 0 and dns.records(f"x.{ZONE}", "A") == []


def test_other_zones_of_powerdns_stay_closed(stage):
    """Its own default lets any local user change each zone that has no key of its own."""
    written = stage.folder / "written"
    write(written, "powerdns", ZONE, "--ns", "ns.example.org")
    dns = WrittenPowerDns(stage.folder / "pdns", written=written)
    stage.running.append(dns)
    dns.start()
    options = f"--config-dir={dns.folder}"
    subprocess.run(["pdnsutil", options, "create-zone", "other.example.org", "ns.example.org"], check=True, capture_output=True)
    said = subprocess.run(["nsupdate"], input=f"server 127.0.0.1 {dns.port}\nzone other.example.org\nupdate add x.other.example.org 60 A 192.0.2.1\nsend\n", capture_output=True, text=True)
    assert said.returncode != 0 and "REFUSED" in said.stderr and dns.records("x.other.example.org", "A") == []


@pytest.mark.parametrize("kind", ["bind", "knot", "powerdns"])
def test_printing_writes_nothing(kind, tmp_path):
    result = run("setup", kind, ZONE, cwd=tmp_path)
    assert result.returncode == 0 and list(tmp_path.iterdir()) == []
    for place in {"bind": ("/etc/bind/keys/sftdyn.key", f"/var/lib/bind/{ZONE}.zone", "bind:bind"), "knot": ("/etc/knot/sftdyn.conf", f"/var/lib/knot/{ZONE}.zone", "knot:knot"),
                  "powerdns": ("/etc/powerdns/pdns.d/sftdyn.conf", "pdnsutil")}[kind]:
        assert place in result.stdout


def test_files_have_their_modes_and_owners(tmp_path):
    write(tmp_path, "bind")
    modes = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {"etc/bind/keys/sftdyn.key": 0o640, f"var/lib/bind/{ZONE}.zone": 0o644, "etc/bind/named.conf.sftdyn": 0o644, "etc/sftdyn/sftdyn.toml": 0o640}
    if os.geteuid() == 0:
        assert (tmp_path / f"var/lib/bind/{ZONE}.zone").owner() == "bind"


def test_nothing_is_overwritten(tmp_path):
    write(tmp_path, "bind")
    before = (tmp_path / "etc/bind/keys/sftdyn.key").read_text()
    result = run("setup", "bind", ZONE, "--write", tmp_path)
    assert result.returncode == 1 and "already exists" in result.stderr and "nothing was written" in result.stderr
    assert (tmp_path / "etc/bind/keys/sftdyn.key").read_text() == before
    # A package's sample stays, too: another file is written beside it.
    other = tmp_path / "other"
    (other / "etc/sftdyn").mkdir(parents=True)
    (other / "etc/sftdyn/sftdyn.toml").write_text("# sample\n")
    assert f"mv {other}/etc/sftdyn/{ZONE}.toml" in write(other, "bind")
    assert (other / "etc/sftdyn/sftdyn.toml").read_text() == "# sample\n"


def test_a_link_that_others_may_have_made_is_not_followed(tmp_path):
    """Where others may write, a folder may be swapped for a link to one of root's."""
    victim = tmp_path / "victim"
    victim.mkdir()
    shared = tmp_path / "written/var/lib"
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    (shared / "bind").symlink_to(victim)
    result = run("setup", "bind", ZONE, "--write", tmp_path / "written")
    assert result.returncode == 1 and "it is a symbolic link in a folder where others may write" in result.stderr
    assert list(victim.iterdir()) == [], "nothing through the link"
    assert [path for path in (tmp_path / "written").rglob("*") if path.is_file()] == [], "all files, or none"


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    folder = tmp_path / "var/lib/bind"
    folder.mkdir(parents=True)
    (folder / f"{ZONE}.zone").symlink_to(victim)
    result = run("setup", "bind", ZONE, "--write", tmp_path)
    assert result.returncode == 1 and "already exists" in result.stderr and not victim.exists()


# Swaps the zone's file for a link as soon as it has its name, as a process of bind's may in bind's folder.
SWAPPER = """
import os, sys
zone, victim = sys.argv[1:]
print("ready", flush=True)
while True:
    try:
        os.unlink(zone)
        break
    except FileNotFoundError:
        pass
os.symlink(victim, zone)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_no_other_file_is_given_away(tmp_path):
    victim = tmp_path / "shadow"
    victim.write_text("root's")
    victim.chmod(0o600)
    for number in range(5):
        written = tmp_path / f"w{number}"
        zone = written / f"var/lib/bind/{ZONE}.zone"
        zone.parent.mkdir(parents=True)
        swapper = subprocess.Popen(["/usr/bin/python3", "-c", SWAPPER, zone, victim], stdout=subprocess.PIPE)
        try:
            assert swapper.stdout.readline() == b"ready\n"
            run("setup", "bind", ZONE, "--write", written)
            swapper.wait(timeout=60)
        finally:
            swapper.kill()
            swapper.wait()
            swapper.stdout.close()
        assert zone.is_symlink() and victim.owner() == "root" and victim.stat().st_mode & 0o777 == 0o600 and victim.read_text() == "root's"


def test_each_has_keys_of_its_own(tmp_path):
    write(tmp_path / "a", "knot")
    write(tmp_path / "b", "knot")
    for file in ("etc/sftdyn/sftdyn.key", "etc/sftdyn/sftdyn.toml"):
        assert (tmp_path / "a" / file).read_text() != (tmp_path / "b" / file).read_text()


@pytest.mark.parametrize("arguments,said", [(["bind", "a b"], "a b"), (["bind", "*.x"], "a zone can't be a wildcard"), (["unbound", ZONE], "unbound"), (["bind"], "ZONE")])
def test_wrong_arguments(arguments, said, tmp_path):
    result = run("setup", *arguments, "--write", tmp_path)
    assert result.returncode != 0 and said in result.stderr and list(tmp_path.iterdir()) == []
