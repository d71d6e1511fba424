# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages on a booted Debian: systemd, the journal and AppArmor are the real ones. In the order of the file, on one machine."""

import json
import re

import pytest

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"
CONF = "/etc/sftdyn/sftdyn.toml"


@pytest.fixture(scope="module")
def key(machine):
    """As the README says; the client's key."""
    machine.must("dpkg -i /root/sftdyn*.deb")
    states = machine.says("systemctl is-enabled sftdyn.service sftdyn.socket || true; systemctl is-active sftdyn.service || true")
    assert states.split() == ["disabled", "disabled", "inactive"], "an unedited sample starts nothing"
    machine.must(f"""
sftdyn setup bind {ZONE} --write /
mv /etc/sftdyn/{ZONE}.toml {CONF}
echo 'include "/etc/bind/named.conf.sftdyn";' >> /etc/bind/named.conf.local
named-checkconf -z && systemctl restart named
sftdyn doctor --resolver 127.0.0.1
systemctl enable --now sftdyn
""")
    return re.search(r'^"([0-9a-f]+)" = ', machine.says(f"cat {CONF}"), re.MULTILINE)[1]


def ask(machine, key, options="", base="http://127.0.0.1:8080"):
    return machine.says(f"curl -sS {options} '{base}/{key}'")


def journal(machine, *matches, lines=""):
    """Entries since the service was started last."""
    text = machine.says(f"journalctl --sync; journalctl -o json _SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID sftdyn) {' '.join(matches)} {lines}")
    return [json.loads(line) for line in text.splitlines()]


def edited(machine, conf, *, restart=True):
    """Puts a configuration in place of the one that is there."""
    machine.must(f"cat > {CONF} <<'END'\n{conf}\nEND\n" + ("systemctl restart sftdyn" if restart else "systemctl reload sftdyn"))


@pytest.fixture
def kept(machine, key):
    """The configuration, which is there again after the test."""
    machine.must(f"cp -p {CONF} /root/kept.toml")
    yield machine.says(f"cat {CONF}")
    machine.must(f"cp -p /root/kept.toml {CONF}; rm -rf /etc/systemd/system/sftdyn.service.d; systemctl daemon-reload; systemctl restart sftdyn")


def test_a_host_moves(machine, key):
    assert ask(machine, key) == "OK"
    assert ask(machine, key) == "UPTODATE"
    assert ask(machine, "wrong") == "BADKEY"
    assert machine.says(f"dig +short @127.0.0.1 {HOST}") == "127.0.0.1\n"
    assert journal(machine, "PRIORITY=4", "PRIORITY=3") == []  # neither warnings nor errors
    assert "libcap-ng" not in machine.says("journalctl -u sftdyn")


def test_it_has_nothing_that_it_does_not_need(machine, key):
    status = dict(line.split(":\t", 1) for line in machine.says("cat /proc/$(systemctl show -P MainPID sftdyn)/status").splitlines() if ":\t" in line)
    user = machine.says("id -u sftdyn").strip()
    assert set(status["Uid"].split()) == {user}
    assert {status[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    folders = machine.says("stat -c '%U:%G %a %n' /run/sftdyn /run/sftdyn/control /var/lib/sftdyn")
    assert folders.splitlines() == ["sftdyn:sftdyn 750 /run/sftdyn", "sftdyn:sftdyn 660 /run/sftdyn/control", "sftdyn:sftdyn 700 /var/lib/sftdyn"]


def test_reload_takes_the_configuration_anew(machine, key, kept):
    edited(machine, kept + f'"another" = "other.{ZONE}"\n', restart=False)
    assert ask(machine, "another") == "OK"
    edited(machine, "nonsense", restart=False)
    assert ask(machine, "another") == "UPTODATE", "the old one goes on"
    assert any("sftdyn.toml:1" in entry["MESSAGE"] for entry in journal(machine, "PRIORITY=3"))
    assert machine.says("systemctl show -P NRestarts sftdyn") == "0\n"


def test_the_journal_has_fields(machine, key, kept):
    machine.must("mkdir -p /etc/systemd/system/sftdyn.service.d; printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/sftdyn -v\\n' "
                 "> /etc/systemd/system/sftdyn.service.d/verbose.conf; systemctl daemon-reload; systemctl restart sftdyn")
    assert ask(machine, key) == "UPTODATE"
    entry, = journal(machine, f"SFTDYN_HOST={HOST}")
    assert entry["SFTDYN_CLIENT"] == entry["SFTDYN_ADDRESS"] == "127.0.0.1" and entry["SFTDYN_OUTCOME"] == "uptodate"
    assert int(entry["SFTDYN_DURATION_USEC"]) > 0 and entry["SYSLOG_IDENTIFIER"] == "sftdyn" and key not in entry["MESSAGE"]


def test_one_that_hangs_is_restarted_and_remembers(machine, key, kept):
    machine.must("mkdir -p /etc/systemd/system/sftdyn.service.d; printf '[Service]\\nWatchdogSec=10\\n' "
                 "> /etc/systemd/system/sftdyn.service.d/watchdog.conf; systemctl daemon-reload; systemctl restart sftdyn")
    before = {host["host"]: host for host in json.loads(machine.says("sftdyn status --json"))["hosts"]}
    assert HOST in before
    machine.must("""
first=$(systemctl show -P MainPID sftdyn)
kill -STOP $first
until [ "$(systemctl show -P NRestarts sftdyn)" -ge 1 ] && systemctl is-active -q sftdyn; do sleep 0.2; done
test "$(systemctl show -P MainPID sftdyn)" != $first
""")
    assert "Watchdog timeout" in machine.says("journalctl -u sftdyn")
    after = {host["host"]: host for host in json.loads(machine.says("sftdyn status --json"))["hosts"]}
    assert after[HOST]["checked_in"] == before[HOST]["checked_in"]
    assert ask(machine, key) == "UPTODATE"


def test_files_that_systemd_hands_over_and_ports_of_root(machine, key, kept):
    machine.must(f"""
mkdir -p /root/tls /etc/systemd/system/sftdyn.service.d
sftdyn cert localhost --dir /root/tls
cp -p /etc/bind/keys/sftdyn.key /root/sftdyn.key
chown bind:bind /etc/bind/keys/sftdyn.key; chmod 600 /etc/bind/keys/sftdyn.key
sed 's,:/etc/letsencrypt.*fullchain.pem,:/root/tls/server.crt,; s,:/etc/letsencrypt.*privkey.pem,:/root/tls/server.key,' \\
    /usr/share/doc/sftdyn/examples/credentials.conf > /etc/systemd/system/sftdyn.service.d/credentials.conf
systemctl daemon-reload
""")
    edited(machine, f"""
http = "80"
https = "443"
nskeyfile = "credential:nskeyfile"
cert = "credential:cert"
key = "credential:key"
[clients]
"{key}" = "{HOST}"
"another" = "new.{ZONE}"
""")
    assert ask(machine, key, "--cacert /root/tls/server.crt -4", "https://localhost") in ("OK", "UPTODATE")
    assert ask(machine, "another", "-4", "http://localhost") == "OK"
    assert machine.says("grep ^CapEff /proc/$(systemctl show -P MainPID sftdyn)/status").split()[1] == "0" * 16
    assert journal(machine, "PRIORITY=4", "PRIORITY=3") == []
    machine.must("cp -p /root/sftdyn.key /etc/bind/keys/sftdyn.key")


def test_the_socket_unit_starts_it(machine, key, kept):
    machine.must("systemctl stop sftdyn; systemctl start sftdyn.socket")
    assert machine.says("systemctl is-active sftdyn.service || true") == "inactive\n"
    assert ask(machine, key, "-4", "http://localhost:8080") == "UPTODATE"
    assert machine.says("systemctl is-active sftdyn.service") == "active\n"
    # Whoever asks while it is restarted waits.
    assert machine.says(f"""
systemctl restart sftdyn &
for i in $(seq 10); do curl -sS -4 http://localhost:8080/{key}; echo; done | sort | uniq -c
wait
""").split() == ["10", "UPTODATE"]
    machine.must("systemctl stop sftdyn.socket sftdyn.service")


def test_the_clients_timer(machine, key):
    machine.must(f"""
mkdir -p /etc/sftdyn/update
echo 'url = "http://127.0.0.1:8080/{key}"' > /etc/sftdyn/update/home.conf
chmod 600 /etc/sftdyn/update/home.conf
systemctl enable --now sftdyn-update@home.timer
systemctl start sftdyn-update@home.service
""")
    assert "UPTODATE" in machine.says("journalctl -o cat -u sftdyn-update@home.service")
    # A quarter of an hour and the random delay pass at once.
    before = int(machine.says("journalctl --sync; journalctl -o cat -u sftdyn-update@home.service | grep -c UPTODATE"))
    machine.must("date -s '+17 minutes'")
    machine.must(f"""
until [ "$(journalctl -o cat -u sftdyn-update@home.service | grep -c UPTODATE)" -gt {before} ]; do sleep 1; done
""")
    machine.must("echo 'url = \"http://127.0.0.1:8080/wrong\"' > /etc/sftdyn/update/home.conf")
    status, _ = machine.run("systemctl start sftdyn-update@home.service")
    assert status != 0 and "403" in machine.says("journalctl -o cat -u sftdyn-update@home.service")
    machine.must("systemctl disable --now sftdyn-update@home.timer; systemctl reset-failed; rm -r /etc/sftdyn/update")


def test_a_python_conf(machine, key, kept):
    machine.must(f"""
mv {CONF} /root/aside.toml
cat > /etc/sftdyn/conf <<'END'
import sqlite3

http = "8080"
nskeyfile = "/etc/bind/keys/sftdyn.key"

database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute("create table hosts (key text, host text)")
database.execute("insert into hosts values ('p', 'python.{ZONE}')")

def get_host(querystring, ip):
    row = database.execute("select host from hosts where key = ?", (querystring,)).fetchone()
    return row and row[0]

def nsupdatecommands(host, new_ip, headers):
    yield f"update delete {{host}}. A"
    yield f"update add {{host}}. 10 A {{new_ip}}"
END
chown root:sftdyn /etc/sftdyn/conf; chmod 640 /etc/sftdyn/conf
systemctl restart sftdyn
""")
    assert [ask(machine, "p"), ask(machine, "p"), ask(machine, "q")] == ["OK", "UPTODATE", "BADKEY"]
    assert machine.says(f"dig +short @127.0.0.1 python.{ZONE}") == "127.0.0.1\n"
    assert journal(machine, "PRIORITY=4", "PRIORITY=3") == []
    machine.must(f"rm /etc/sftdyn/conf; cp -p /root/aside.toml {CONF}")


def test_where_apparmor_lets_nobody_write(machine, key, kept):
    """A zone file in /etc/bind, owned by named's user: nothing but the profile forbids it."""
    machine.must(f"""
cp -p /etc/bind/named.conf.sftdyn /root/named.conf.sftdyn
mkdir /etc/bind/zones && chown bind:bind /etc/bind/zones
rndc sync -clean && cp -p /var/lib/bind/{ZONE}.zone /etc/bind/zones/
sed -i 's,/var/lib/bind/,/etc/bind/zones/,' /etc/bind/named.conf.sftdyn
systemctl restart named
sed -i 's/^"{key}".*/&\\n"denied" = "denied.{ZONE}"/' {CONF}
systemctl restart sftdyn
""")
    assert ask(machine, "denied") == "FAIL"
    assert any("SERVFAIL" in entry["MESSAGE"] for entry in journal(machine))
    status, text = machine.run("sftdyn doctor --resolver 127.0.0.1 --json")
    bad = [finding for finding in json.loads(text) if finding["result"] == "bad"]
    assert status == 1 and [finding["check"] for finding in bad] == ["apparmor"], text
    assert "move it to /var/lib/bind" in bad[0]["mend"]
    machine.must("cp -p /root/named.conf.sftdyn /etc/bind/; rm -r /etc/bind/zones; systemctl restart named")
    assert ask(machine, "denied") == "OK"
    machine.must("sftdyn doctor --resolver 127.0.0.1")


SETUP = {"knot": """
sed -i 's/^# *listen: .*/    listen: [ 0.0.0.0@53, ::@53 ]/' /etc/knot/knot.conf
echo 'include: /etc/knot/sftdyn.conf' >> /etc/knot/knot.conf
knotc conf-check
systemctl restart knot
""", "powerdns": """
sqlite3 /var/lib/powerdns/pdns.sqlite3 < /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql
chown -R pdns:pdns /var/lib/powerdns
printf 'launch=gsqlite3\\ngsqlite3-database=/var/lib/powerdns/pdns.sqlite3\\n' > /etc/powerdns/pdns.d/sqlite.conf
/etc/sftdyn/powerdns-zone.sh
systemctl restart pdns
"""}


@pytest.mark.parametrize("kind,unit", [("knot", "knot"), ("powerdns", "pdns")])
def test_the_other_servers_as_setup_writes_them(machine, key, kept, kind, unit):
    zone = f"{kind}.example.org"
    machine.must(f"""
systemctl stop named
rm {CONF}
sftdyn setup {kind} {zone} --write /
{SETUP[kind]}
systemctl restart sftdyn
""")
    own = re.search(r'^"([0-9a-f]+)" = ', machine.says(f"cat {CONF}"), re.MULTILINE)[1]
    assert [ask(machine, own), ask(machine, own)] == ["OK", "UPTODATE"], machine.says(f"journalctl -n 30 -u sftdyn -u {unit}")
    assert machine.says(f"dig +short @127.0.0.1 home.{zone}") == "127.0.0.1\n"
    machine.must("sftdyn doctor --resolver 127.0.0.1")
    machine.must(f"systemctl stop {unit}; rm -f /etc/sftdyn/sftdyn.key /etc/sftdyn/powerdns-zone.sh; systemctl start named")


def test_upgrade_restarts_what_runs(machine, key):
    first = machine.says("systemctl show -P MainPID sftdyn")
    machine.must("dpkg -i /root/sftdyn*.deb < /dev/null")
    assert machine.says("systemctl show -P MainPID sftdyn") not in (first, "0\n")
    assert ask(machine, key) == "UPTODATE"


def test_purge_ends_it(machine, key):
    machine.must("dpkg --purge sftdyn-python sftdyn")
    assert machine.says("pidof sftdyn || true; getent passwd sftdyn || true; ls -d /var/lib/sftdyn /run/sftdyn /etc/sftdyn 2>/dev/null || true") == ""
    assert machine.says("systemctl list-units --all --plain --no-legend 'sftdyn*'") == ""
