# SPDX-License-Identifier: GPL-3.0-or-later
"""named, knotd and pdns_server, as Debian ships them, serving zones that take dynamic updates."""

import base64
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

from .process import Process, await_true, free_port

ZONE = "dyn.example.org"


class Key:
    def __init__(self, name="sftdyn", algorithm="hmac-sha256", secret=None):
        self.name = name
        self.algorithm = algorithm
        self.secret = secret or base64.b64encode(secrets.token_bytes(32)).decode()

    def bind_text(self):
        return f'key "{self.name}" {{\n    algorithm {self.algorithm};\n    secret "{self.secret}";\n}};\n'

    def write(self, path):
        path = Path(path)
        path.write_text(self.bind_text())
        path.chmod(0o600)
        return path


def zone_text(zone):
    return f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 900 604800 60\n@ NS ns\nns A 127.0.0.1\n"


class DnsServer:
    """What the servers have in common; `folder` is the server's own. Unless told otherwise it has a port of its own choice, on
    127.0.0.1."""

    def __init__(self, folder, zones=(ZONE,), key=None, port=0, v6=False, environment=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zones = list(zones)
        self.key = key or Key()
        self.port = port
        self.listen = ["127.0.0.1", *(["::1"] if v6 else [])]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def key_file(self):
        return self.key.write(self.folder / "sftdyn.key")

    def start(self):
        for attempt in range(5):
            self.port = self.port or free_port()
            self.configure()
            self.process = Process(self.command(), self.folder / "log", cwd=self.folder, env=self.environment)
            try:
                await_true(lambda: not self.process.alive() or self.answers(), f"the server answers\n{self.folder}")
                if self.process.alive():
                    return self
            except AssertionError:
                if attempt == 4:
                    raise
            output = self.process.log()
            self.process.stop(signal.SIGKILL)
            if attempt == 4 or "in use" not in output:
                raise AssertionError(f"the server did not start:\n{output[-3000:]}")
            self.port = 0  # somebody else was faster
        return self

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.stop(number)
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def answers(self):
        """By TCP: that nobody listens yet is told at once, where a datagram is lost and waited for."""
        question = dns.message.make_query(self.zones[0], "SOA")
        try:
            return dns.query.tcp(question, "127.0.0.1", port=self.port, timeout=2).rcode() == dns.rcode.NOERROR
        except (OSError, EOFError, dns.exception.DNSException):
            return False

    def query(self, name, rdtype, timeout=20):
        message = dns.message.make_query(name, rdtype)
        message.flags &= ~dns.flags.RD
        return dns.query.udp(message, "127.0.0.1", port=self.port, timeout=timeout)

    def records(self, name, rdtype):
        """The record data that the server serves, sorted, as text."""
        answer = self.query(name, rdtype)
        wanted = dns.rdatatype.from_text(rdtype)
        return sorted(rdata.to_text() for rrset in answer.answer if rrset.rdtype == wanted for rdata in rrset)

    def ttl(self, name, rdtype):
        wanted = dns.rdatatype.from_text(rdtype)
        return next(rrset.ttl for rrset in self.query(name, rdtype).answer if rrset.rdtype == wanted)

    def serial(self, zone=None):
        answer = self.query(zone or self.zones[0], "SOA")
        return answer.answer[0][0].serial

    def transfer(self, zone=None):
        """The whole zone, by AXFR."""
        zone = zone or self.zones[0]
        messages = dns.query.xfr("127.0.0.1", zone, port=self.port, lifetime=30, relativize=False)
        return dns.zone.from_xfr(messages, check_origin=False, relativize=False)

    def nsupdate(self, script, key=None):
        """Changes a zone behind sftdyn's back."""
        key_path = (key or self.key).write(self.folder / "nsupdate.key")
        text = f"server 127.0.0.1 {self.port}\n{script}\nsend\n"
        result = subprocess.run(["nsupdate", "-k", key_path], input=text, text=True, capture_output=True)
        assert result.returncode == 0, result.stderr


class Named(DnsServer):
    """BIND. With `session_key` the zones take updates by `update-policy local`, else by `allow-update` of the key."""

    def __init__(self, folder, zones=(ZONE,), key=None, session_key=False, policy=None, options="", threads=1, user=None, **kwargs):
        super().__init__(folder, zones, key, **kwargs)
        self.session_key = session_key
        self.policy = policy
        self.options = options
        self.user = user
        self.threads = threads

    @property
    def session_key_file(self):
        return self.folder / "session.key"

    def binary(self):
        # Where AppArmor confines /usr/sbin/named to its own folders, a copy elsewhere is not confined.
        if not Path("/sys/kernel/security/apparmor/profiles").exists():
            return "/usr/sbin/named"
        copy = self.folder / "named"
        if not copy.exists():
            shutil.copy("/usr/sbin/named", copy)
        return copy

    def configure(self):
        policy = self.policy or ("update-policy local;" if self.session_key else f'allow-update {{ key "{self.key.name}"; }};')
        zones = "".join(
            f'zone "{zone}" {{ type primary; file "{self.zone_file(zone)}"; journal "{self.zone_file(zone)}.jnl"; {policy} }};\n'
            for zone in self.zones)
        for zone in self.zones:
            if not self.zone_file(zone).exists():
                self.zone_file(zone).write_text(zone_text(zone))
        (self.folder / "named.conf").write_text(f"""
options {{
    directory "{self.folder}";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 port {self.port} {{ {"::1" if "::1" in self.listen else "none"}; }};
    pid-file "{self.folder}/named.pid";
    session-keyfile "{self.session_key_file}";
    recursion no;
    dnssec-validation no;
    empty-zones-enable no;
    allow-transfer {{ any; }};
    tcp-clients 500;
    {self.options}
}};
controls {{ }};
{self.key.bind_text()}
{zones}""")

    def zone_file(self, zone=ZONE):
        return self.folder / f"{zone}.zone"

    def command(self):
        command = [self.binary(), "-g", "-n", str(self.threads), "-c", self.folder / "named.conf"]
        if not self.user:
            return command
        # As Debian runs it: what it reads and writes is its user's.
        for path in self.folder.parents:
            if path != Path("/tmp") and path.is_relative_to("/tmp"):
                path.chmod(0o755)
        subprocess.run(["chown", "-R", f"{self.user}:{self.user}", self.folder], check=True)
        return [*command, "-u", self.user]


class Knot(DnsServer):
    def __init__(self, folder, zones=(ZONE,), key=None, actions="[query, update]", acl="sftdyn, all", **kwargs):
        super().__init__(folder, zones, key, **kwargs)
        self.actions = actions
        self.acl = acl

    def configure(self):
        zones = "".join(f"  - domain: {zone}\n    file: {zone}.zone\n    acl: [{self.acl}]\n" for zone in self.zones)
        for zone in self.zones:
            path = self.folder / f"{zone}.zone"
            if not path.exists():
                path.write_text(zone_text(zone))
        (self.folder / "knot.conf").write_text(f"""
server:
    rundir: "{self.folder}"
    listen: [{", ".join(f"{address}@{self.port}" for address in self.listen)}]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{self.folder}"
    journal-db-max-size: 64M
    kasp-db-max-size: 16M
    timer-db-max-size: 1M
    catalog-db-max-size: 16M
key:
  - id: {self.key.name}
    algorithm: {self.key.algorithm}
    secret: "{self.key.secret}"
acl:
  - id: sftdyn
    key: {self.key.name}
    action: {self.actions}
  - id: all
    address: 127.0.0.0/8
    action: transfer
template:
  - id: default
    storage: "{self.folder}"
zone:
{zones}""")

    def command(self):
        return ["/usr/sbin/knotd", "-c", self.folder / "knot.conf"]


class PowerDns(DnsServer):
    """With the SQLite backend. Its caches are off, so that what it serves is what its database holds."""

    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.socket_folder = tempfile.TemporaryDirectory(prefix="pdns-")  # a socket's path must be short

    def configure(self):
        database = self.folder / "pdns.sqlite3"
        if not database.exists():
            schema = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
            with sqlite3.connect(database) as connection:
                connection.executescript(schema.read_text())
                connection.execute("INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)",
                                   (self.key.name, self.key.algorithm, self.key.secret))
                for number, zone in enumerate(self.zones, 1):
                    connection.execute("INSERT INTO domains (id, name, type) VALUES (?, ?, 'NATIVE')", (number, zone))
                    for name, rdtype, content in ((zone, "SOA", f"ns.{zone} hostmaster.{zone} 1 3600 900 604800 60"),
                                                  (zone, "NS", f"ns.{zone}"), (f"ns.{zone}", "A", "127.0.0.1")):
                        connection.execute("INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) "
                                           "VALUES (?, ?, ?, ?, 60, 0, 1)", (number, name, rdtype, content))
                    for kind, content in (("TSIG-ALLOW-DNSUPDATE", self.key.name), ("ALLOW-DNSUPDATE-FROM", "127.0.0.0/8"),
                                          ("ALLOW-AXFR-FROM", "127.0.0.0/8")):
                        connection.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, ?, ?)", (number, kind, content))
        (self.folder / "pdns.conf").write_text(f"""
launch=gsqlite3
gsqlite3-database={database}
gsqlite3-pragma-synchronous=0
local-address={",".join(self.listen)}
local-port={self.port}
socket-dir={self.socket_folder.name}
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
guardian=no
daemon=no
receiver-threads=1
distributor-threads=1
zone-cache-refresh-interval=0
""")

    def command(self):
        return ["/usr/sbin/pdns_server", f"--config-dir={self.folder}"]


SERVERS = {"named": Named, "knot": Knot, "powerdns": PowerDns}
