# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do wrong, each with the sentence that must appear. The numbers are those of the table of mistakes that newcomers
were seen to make; what other tests show is named in ELSEWHERE."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from harness.dns_servers import ZONE, Key, zone_text
from harness.process import free_port
from harness.sftdyn import BINARY, conf, run

ROOT = os.geteuid() == 0
HOST = f"home.{ZONE}"
SECRET = "6fd2c1a7e05b4d83aa90"
LINE = f'"{SECRET}" = "{HOST}"\n'

# The mistake, the file, and what `check` says of it. M stands for a client's key, which is never said.
CHECKED = [
    (6, '[dns]\nzone = "dyn.example.org"\n[clients]\n"M" = "home.example.net"\n', [":4:26: this host is not in the zone that [dns] names", "correct one of them"]),
    (12, 'htttp = "8080"\n[dns]\nttl = "30"\n', ['unknown setting "htttp"; did you mean http?', "ttl is of the wrong type (string); expected a whole number"]),
    (13, '[clients]\n"M" = home.dyn.example.org\n', [":2:26: this is not a value", "every text in straight quotation marks"]),
    (13, 'nskeyfile = /etc/bind/sftdyn.key\n', [":1:13: this is not a value", "every text in straight quotation marks"]),
    (13, '[clients]\n“M” = “home.dyn.example.org”\n', [":2:1: this is a curly quotation mark; write straight ones"]),
    (13, '[clients]\n"M" = “home.dyn.example.org”\n', [":2:26: this is a curly quotation mark; write straight ones"]),
    (14, '[clients]\n"M" = "home.dyn.example.org\n', ["something is not closed here; a text ends in its own line, with the quotation mark that it began with"]),
    (14, '[clients]\n"M = "home.dyn.example.org"\n', ["there is no = after the name"]),
    (15, '[clients]\n"M" : "home.dyn.example.org"\n', ['there is no = after the name; write name = "value", and clients as "key" = "host.example.org"']),
    (15, "http: 8080\n", ["there is no = after the name"]),
    (16, '[clients]\nM.nas = "home.dyn.example.org"\n', ["a client's key or name that has a dot in it takes quotation marks"]),
    (17, '[clients.nas.dyn.example.org]\nkey = "M"\n', ['a client\'s key or name that has a dot in it takes quotation marks: "key.with.dots" = "host.example.org", [clients."host.example.org"]']),
    (18, '[clients]\n"M" = "home.dyn.example.org"\n[clients]\n"k" = "a.example.org"\n', [":3:1: this name already exists", "put all its lines under one header"]),
    (19, '[clients]\n"M" = "home.dyn.example.org"\nhttps = "4443"\n', [":3:1: https is the name of a setting, and stands below [clients]; write settings of the server at the file's top, above the first [table]"]),
    (19, '[clients]\n"M" = "home.dyn.example.org"\nhttp = 8080\ncert = "/etc/sftdyn/server.crt"\nnskeyfile = "/etc/bind/x"\ntrusted_proxies = ["127.0.0.1"]\n',
     [f":{line}:1: {name} is the name of a setting" for line, name in ((3, "http"), (4, "cert"), (5, "nskeyfile"), (6, "trusted_proxies"))]),
    (19, '[clients]\n"M" = "home.dyn.example.org"\ntimeout = 5\n', [":3:1: timeout is the name of a setting", "write settings of the server in [dns]"]),
    (19, '[clients]\nhost = "home.dyn.example.org"\nkey = "M"\n', [":2:1: host is the name of a setting", "and those of one client below a line [clients.NAME]"]),
    (20, '[clients]\n"M" = "home"\n', [":2:26: this host has no dot in it: a host is written with its zone; write it whole"]),
    (20, '[clients.nas]\nkey = "M"\nhosts = ["home"]\n', [":3:10: this host has no dot in it"]),
    (20, '[clients]\n"home.dyn.example.org" = "M"\n', [":2:1: host and key are in the wrong order; the key comes first"]),
    (22, '[clients]\n"M" = "b\u202eüro.dyn.example.org"\n', [":2:26: this host is not a valid domain name: it has letters that no domain name can have (IDNA 2008)"]),
    (23, '[clients]\n"M" = "a.example.org"\n"M" = "b.example.org"\n', [":3:1: this key appears twice (first in line 2)"]),
    (25, '[clients]\n"/M" = "a.example.org"\n', [":2:1: a client's key begins with a slash; leave it out"]),
    (26, '[clients]\n"https://dyn.example.org/M" = "a.example.org"\n', [":2:1: a client's key is a whole URL; write only what stands behind the server's name and its slash"]),
    (26, '[clients.nas]\nkey = "http://dyn.example.org:8080/M"\nhosts = ["a.example.org"]\n', [":2:7: a client's key is a whole URL"]),
    (33, 'https = "4443"\n[clients]\n', ["https without cert and key; HTTPS takes all three", "sftdyn cert HOSTNAME makes cert and key"]),
    (33, 'cert = "a"\n[clients]\n', ["cert without https and key"]),
    (53, '[admin]\nevent_command = ["/usr/local/bin/notthere"]\n', ["[admin] event_command can't be run: No such file or directory; give the program's full path"]),
    (12, "[client]\n", ['unknown setting "client"; did you mean clients?']),
    (12, '"M" = "home.dyn.example.org"\n', ["if this is a client's key, it belongs below [clients]"]),
]

# What is taken, and what `check` says beside "good".
TAKEN = [
    (21, f'[clients]\n"{SECRET}" = "home.dyn.example.org."\n', []),
    (22, f'[clients]\n"{SECRET}" = "büro.dyn.example.org"\n', ["note: büro.dyn.example.org is xn--bro-hoa.dyn.example.org in the DNS"]),
    (22, f'[clients.a]\nkey = "{SECRET}"\nhosts = ["Straße.dyn.example.org", "*.büro.example.org"]\n', ["is xn--strae-oqa.dyn.example.org in the DNS", "is *.xn--bro-hoa.example.org in the DNS"]),
    (24, '[clients]\n"a key with spaces 90bb4f0c1d2e3a4b" = "home.dyn.example.org"\n', []),
    (26, f'[clients]\n"dyn.example.org:8080/{SECRET}" = "home.dyn.example.org"\n', ["warning: ", ":2:1: a client's key begins with a server's name; write only what stands behind"]),
    (27, '[clients]\n"home" = "home.dyn.example.org"\n', ["this client's key is short or plain enough to be guessed; make a long random one: openssl rand -hex 16"]),
    (27, '[clients.nas]\nuser = "nas"\npassword = "a"\nhosts = ["home.dyn.example.org"]\n', ["this client's password is short or plain enough to be guessed"]),
    (48, f"[clients]\r\n'{SECRET}' = 'home.dyn.example.org'\r\n", []),
    (48, f'\ufeff[clients]\n"{SECRET}" = "home.dyn.example.org"\n', []),
    (20, f'[dns]\nzone = "lan"\n[clients]\n"{SECRET}" = "lan"\n', []),
    (19, f'[clients]\n"https" = "a.example.org"\n[clients.log]\nkey = "{SECRET}"\nhosts = ["b.example.org"]\n', []),
]

# Octets that are no UTF-8.
ENCODED = [
    (49, LINE.encode("utf-16"), "this is UTF-16, or not text; save the file as UTF-8"),
    (49, ("[clients]\n" + LINE).encode("utf-16-le"), "this is UTF-16, or not text; save the file as UTF-8"),
    (49, f'[clients]\n"{SECRET}" = "büro.example.org"\n'.encode("latin-1"), ":2:27: this is not UTF-8; save the file as UTF-8"),
]

# Shown by other tests.
ELSEWHERE = {
    3: "test_errors.py", 28: "test_errors.py::test_key_file_unreadable_says_who_tried", 30: "test_doctor.py::test_files_that_the_services_user_may_not_read",
    34: "test_https.py", 36: "test_doctor.py::test_files_that_the_services_user_may_not_read", 37: "test_doctor.py::test_the_running_program_has_an_older_configuration",
    38: "test_config.py::test_the_settings_that_need_a_restart_are_named_together", 39: "test_doctor.py::test_named_may_not_write_its_zone",
    43: "test_addresses.py", 44: "test_addresses.py", 45: "test_dyndns.py", 47: "test_doctor.py::test_clocks", 54: "test_demo.py::test_missing_knotd_is_a_clear_error", 55: "test_https.py",
}


def open_folders(folder):
    """Everybody may come there."""
    for path in (folder, *folder.parents):
        if path != Path("/tmp") and path.is_relative_to("/tmp"):
            path.chmod(0o755)


def check(folder, content):
    path = folder / "c.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return run("check", path)


def missing(said, sentences):
    return [sentence for sentence in sentences if sentence not in said]


def test_what_check_says(tmp_path):
    wrong = []
    for number, text, sentences in CHECKED:
        result = check(tmp_path, text.replace("M", SECRET))
        if result.returncode != 1 or missing(result.stderr, sentences) or SECRET[:6] in result.stderr:
            wrong.append((number, text, result.returncode, missing(result.stderr, sentences), result.stderr))
    for number, text, sentences in TAKEN:
        result = check(tmp_path, text)
        if result.returncode != 0 or ": good, " not in result.stdout or missing(result.stdout, sentences):
            wrong.append((number, text, result.returncode, missing(result.stdout, sentences), result.stdout + result.stderr))
    for number, octets, sentence in ENCODED:
        result = check(tmp_path, octets)
        if result.returncode != 1 or sentence not in result.stderr:
            wrong.append((number, octets, result.returncode, sentence, result.stderr))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_pair_in_the_wrong_order(tmp_path):
    """35: key and certificate swapped; 34: those of two pairs."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run("cert", f"{name}.example.org", "--dir", tmp_path / name).returncode == 0
    pair = 'https = "4443"\ncert = "{}"\nkey = "{}"\n[clients]\n' + LINE
    for cert, key, sentence in (("a/server.key", "a/server.crt", "there is a private key in it, and no certificate; are cert and key swapped?"),
                                ("a/server.crt", "b/server.crt", "there is a certificate in it, and no private key; are cert and key swapped?"),
                                ("a/server.crt", "b/server.key", "does not fit the certificate")):
        result = check(tmp_path, pair.format(cert, key))
        assert result.returncode == 1 and sentence in result.stderr, result.stderr


# The mistake, how the doctor's configuration differs, and what it says. {…} are the server's own.
EXAMINED = [
    (1, {"key": Key(name="sftdynn")}, ["BADKEY", "does not know our key", "add the key to the server's configuration"]),
    (2, {"key": Key()}, ["BADSIG", "the secret or the algorithm is not the one"]),
    (4, {"key_text": 'key "sftdyn" {\n algorithm hmac-sha256;\n secret "abc";\n};\n'}, ["the secret is not Base64"]),
    (5, {"clients": {SECRET: "home.dyn.exmaple.org"}}, ["home.dyn.exmaple.org: ", "serves no zone that holds"]),
    (7, {"dns": 'zone = "example.org"'}, ["dyn.example.org is served"]),  # its child zone is found
    (8, {}, ["whether the world finds dyn.example.org can't be seen from here", "sftdyn doctor --resolver 9.9.9.9", "1 check could not be made"]),
    (9, {"clients": {SECRET: "home.loop.example.org"}}, ["loop.example.org names localhost as its name server", "1 warning"]),
    (10, {"nobody": True}, ["nothing listens there (connection refused)"]),
    (29, {"closed": True}, ["the user nobody may not read it", "it may not enter {folder}/closed: chgrp nobody {folder}/closed"]),
    (40, {"clients": {SECRET: "home.broken.example.org"}}, ["SERVFAIL", "the zone is not loaded: named-checkconf -z"]),
    (41, {"clients": {SECRET: f"closed.{ZONE}"}}, ["REFUSED", "its policy does not allow this name or type", "update-policy"]),
    (46, {"http": "0.0.0.0:{port}"}, ["0.0.0.0 is IPv4 alone: clients with IPv6 are refused", "a port alone"]),
    (50, {"clients": {SECRET: HOST, "90bb4f0c1d2e3a4b5c6d": f"alias.{ZONE}"}}, [f"alias.{ZONE} is a CNAME", "remove the CNAME, or use another name"]),
    (51, {"clients": {SECRET: f"a.moved.{ZONE}"}}, [f"a.moved.{ZONE}", "use another name"]),
    (52, {"server": "ns.example.org"}, ["this is not a server address", "expected an IP address, with a port if it is not 53"]),
]


class Clinic:
    """One named with zones of every kind, and the doctor."""

    def __init__(self, stage, folder):
        self.folder = folder
        open_folders(folder)
        zones = stage.folder / "named"
        zones.mkdir()
        (zones / "loop.example.org.zone").write_text(zone_text("loop.example.org").replace("@ NS ns\n", "@ NS localhost.\n"))
        (zones / "broken.example.org.zone").write_text("this is no zone\n")
        self.server = stage.dns("named", zones=[ZONE, "loop.example.org", "broken.example.org"],
                                policy=f"update-policy {{ deny sftdyn name closed.{ZONE} A; grant sftdyn zonesub ANY; }};")
        self.server.nsupdate(f"update add alias.{ZONE} 60 CNAME other.{ZONE}.\nupdate add moved.{ZONE} 60 DNAME other.{ZONE}.")
        self.port = free_port()

    def examine(self, case):
        key_file = self.folder / "case.key"
        key_file.write_text(case.get("key_text") or (case.get("key") or self.server.key).bind_text())
        key_file.chmod(0o600)
        extra = ""
        if case.get("closed"):
            closed = self.folder / "closed"
            closed.mkdir(mode=0o700, exist_ok=True)
            key_file = key_file.rename(closed / "case.key")
            key_file.chmod(0o644)
            extra = '[process]\nuser = "nobody"'
        text = conf(self.server, case.get("clients") or {SECRET: HOST}, key_file=key_file, dns=case.get("dns", ""), extra=extra)
        if "server" in case or "nobody" in case:
            text = text.replace(f'server = "{self.server.address}"', f'server = "{case.get("server") or f"127.0.0.1:{free_port()}"}"')
        path = self.folder / "case.toml"
        path.write_text(f'http = "{case.get("http", "127.0.0.1:{port}").format(port=self.port)}"\n' + text)
        path.chmod(0o600)
        return run("doctor", path, "--resolver", self.server.address, "--named-conf", self.folder / "none")


def test_what_the_doctor_says(stage, tmp_path):
    clinic = Clinic(stage, tmp_path)
    wrong = []
    for number, case, sentences in EXAMINED:
        if "closed" in case and not ROOT:
            continue
        result = clinic.examine(case)
        said = result.stdout + result.stderr
        absent = missing(said, [sentence.replace("{folder}", str(tmp_path)) for sentence in sentences])
        if absent or "unexpected" in said or re.search("^no problem was found$", said, re.MULTILINE):
            wrong.append((number, case, absent, said))
    # 11: somebody else has the port.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", clinic.port))
        taken.listen()
        said = clinic.examine({}).stdout
        if f"127.0.0.1:{clinic.port}: " not in said or "-> stop it, or choose another port" not in said:
            wrong.append((11, said))
    assert not wrong, "\n".join(map(str, wrong))


def test_what_the_command_line_says(tmp_path):
    wrong = []
    for number, arguments, status, sentences in [
        (56, ["nonsense"], 2, ['there is no command and no file "nonsense"', "Commands: check, convert, doctor", "`sftdyn help`"]),
        (56, ["doctr"], 2, ['there is no command and no file "doctr"; did you mean doctor?']),
        (56, ["help"], 0, ["Subcommands:", "doctor", "--nskeyfile"]),
        (56, ["help", "doctor"], 0, ["--resolver"]),
        (56, ["help", "docter"], 2, ["did you mean doctor?"]),
        (56, ["none.toml"], 1, ["none.toml: the configuration can't be read: No such file or directory"]),
    ]:
        result = run(*arguments, cwd=tmp_path)
        said = result.stdout + result.stderr
        if result.returncode != status or missing(said, sentences):
            wrong.append((number, arguments, result.returncode, missing(said, sentences), said))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.skipif(not ROOT, reason="it takes root to become somebody else")
def test_what_an_ordinary_user_is_told(tmp_path):
    """31, 32"""
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "c.toml").write_text("[clients]\n" + LINE)
    closed.chmod(0o700)
    (tmp_path / "open.toml").write_text("[clients]\n" + LINE)
    open_folders(tmp_path)
    own = tmp_path / "own"
    own.mkdir(mode=0o777)
    own.chmod(0o777)
    (tmp_path / "group.toml").write_text(f'http = {{ listen = "unix:{own}/s", group = "www-data" }}\n[clients]\n{LINE}')
    plain = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", BINARY]
    for arguments, sentence in [(["check", closed / "c.toml"], "run this as root (sudo)"), (["doctor", closed / "c.toml"], "run this as root (sudo)"),
                                (["client", HOST, closed / "c.toml"], "run this as root (sudo)"), ([closed / "c.toml"], "run this as root (sudo)"),
                                (["status", "--socket", closed / "s"], "are you root or in its group?"), ([tmp_path / "open.toml", "-l", "127.0.0.1:82"], "CAP_NET_BIND_SERVICE"),
                                ([tmp_path / "group.toml"], "can't give the socket to its group: sftdyn's user is not in it; put that user into the group")]:
        result = subprocess.run([*plain, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd="/")
        said = result.stdout + result.stderr
        assert result.returncode == 1 and sentence in said and "unexpected" not in said, (arguments, said)


def test_two_at_one_place(stage, tmp_path):
    """42"""
    server = stage.dns("named")
    control = tmp_path / "control"
    text = conf(server, {SECRET: HOST}, extra=f'[admin]\ncontrol = "{control}"\n')
    program = stage.sftdyn(text)
    result = run(program.conf, "-l", f"127.0.0.1:{program.port}")
    assert result.returncode == 1 and "in use" in result.stderr + result.stdout
    result = run(program.conf, "-l", "127.0.0.1:0")
    assert result.returncode == 1 and "another sftdyn listens there" in result.stderr + result.stdout


def test_every_mistake_is_shown_somewhere():
    shown = {number for number, *_ in [*CHECKED, *TAKEN, *ENCODED, *EXAMINED]} | set(ELSEWHERE) | {11, 31, 32, 34, 35, 42, 56}
    assert shown == set(range(1, 57))
    for place in ELSEWHERE.values():
        file, _, test = place.partition("::")
        assert f"def {test}" in (Path(__file__).parent / file).read_text()
