# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets stay where they belong: in no message, and not in the memory of the running program."""

import base64
import json
import os
import re

import pytest

from harness.dns_servers import ZONE
from harness.process import await_true
from harness.sanitized import heap_of_its_own
from harness.sftdyn import conf, run

KEY = "zuegellos-key-WW42-fedcba0123"
ROOT = os.geteuid() == 0

# A line in the wrong table, a key twice, host and key swapped, a bare key with a dot, a quotation mark that is missing.
MISTAKES = {
    "above": f'"{KEY}" = "home.{ZONE}"\n[clients]\n',
    "in dns": f'[dns]\n"{KEY}" = "home.{ZONE}"\n',
    "twice": f'[clients]\n"{KEY}" = "home.{ZONE}"\n"{KEY}" = "nas.{ZONE}"\n',
    "twice, inline": f'[clients]\n"{KEY}" = {{ host = "home.{ZONE}" }}\n"{KEY}" = {{ host = "nas.{ZONE}" }}\n',
    "swapped": f'[clients]\n"home.{ZONE}" = "{KEY}"\n',
    "swapped, outside of the zone": f'[dns]\nzone = "{ZONE}"\n[clients]\n"home.{ZONE}" = "{KEY}"\n',
    "bare, with a dot": f'[clients]\nk.{KEY} = "home.{ZONE}"\n',
    "a table": f'[clients.{KEY}]\nhosts = ["home.{ZONE}"]\n',
    "not closed": f'[clients]\n"{KEY} = "home.{ZONE}"\n',
    "no quotation marks": f'[clients]\n"home.{ZONE}" = {KEY}\n',
}


def pieces(secret, size=6):
    return {secret[start:start + size] for start in range(len(secret) - size + 1)}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_file_is_told_by_its_place(name, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(MISTAKES[name])
    for arguments in (["check", path], [path], ["doctor", path], ["doctor", path, "--json"], ["client", "home", path]):
        result = run(*arguments)
        said = result.stdout + result.stderr
        assert result.returncode == 1 and re.search(r"c\.toml:[1-9]\d*:[1-9]", said), said
        assert not [piece for piece in pieces(KEY) if piece in said], said


def test_a_reload_with_a_mistake_tells_no_key(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {KEY: f"home.{ZONE}"}))
    for count, text in enumerate(MISTAKES.values(), 1):
        program.reload(text)
        program.await_log("the new configuration is not used", count=count)
    assert tuple(program.get(KEY)) == (200, "OK")
    assert not [piece for piece in pieces(KEY) if piece in program.log()]


# --- the memory of the running program ---


def found_in(pid, words):
    """How often each word is in the memory of a process, and where."""
    found = {}
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            fields = line.split()
            begin, end = (int(text, 16) for text in fields[0].split("-"))
            if "r" not in fields[1] or fields[-1] in ("[vvar]", "[vsyscall]"):
                continue
            try:
                memory.seek(begin)
                octets = memory.read(end - begin)
            except OSError:
                continue
            for word in words:
                if octets.count(word.encode()):
                    found.setdefault(word, []).append((fields[-1] if len(fields) > 5 else "anonymous", octets.count(word.encode())))
    return found


def family(pid):
    """The process and its children."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [pid, *map(int, children.read().split())]


@pytest.mark.long
@heap_of_its_own
@pytest.mark.skipif(not ROOT, reason="reads the memory of a process that is not dumpable")
def test_no_key_and_no_password_is_in_memory(stage):
    server = stage.dns("named")
    many = {f"plain-key-{number}-TT77-abcdef": f"h{number}.{ZONE}" for number in range(50)}
    secrets = {"plain": KEY, "inline": "inline-table-key-SS66-abc", "escaped": "escaped-key-\\-PP44-abc", "named": "named-client-key-RR55-abc",
               "password": "configured-pass-word-QQ17", "short": "short-key-9Zx", **{f"many{number}": key for number, key in enumerate(many)}}
    rest = (f'"{secrets["inline"]}" = {{ host = "inline.{ZONE}", ttl = 60 }}\n'
            f'"escaped-key-\\\\-PP44-abc" = "escaped.{ZONE}"\n'
            f'[clients.home]\nuser = "home"\npassword = "{secrets["password"]}"\nhosts = ["n.{ZONE}"]\n'
            f'[clients.keyed]\nkey = "{secrets["named"]}"\nhosts = ["m.{ZONE}"]\n'
            f'[clients.short]\nkey = "{secrets["short"]}"\nhosts = ["o.{ZONE}"]\n')
    text = conf(server, {KEY: f"home.{ZONE}", **many}, extra='[admin]\nevent_command = ["/bin/true"]\n') + rest
    program = stage.sftdyn(text, arguments=("-v",))
    basic = base64.b64encode(f"home:{secrets['password']}".encode()).decode()
    guessed = "guessed-key-EE99-abcdef"
    words = [*secrets.values(), basic, guessed, guessed + "-as-a-password"]

    def nothing_is_found():
        await_true(lambda: not any(found_in(pid, words) for pid in family(program.process.pid)),
                   lambda: [found_in(pid, words) for pid in family(program.process.pid)], seconds=20)

    def requests():
        assert program.get(KEY).status == 200 and program.get(secrets["named"]).status == 200 and program.get(guessed).status == 403
        said = program.get(f"/nic/update?hostname=n.{ZONE}", headers={"Authorization": f"Basic {basic}"})
        assert said.body.startswith(("good", "nochg")), said
        wrong = base64.b64encode(f"home:{guessed}-as-a-password".encode()).decode()
        assert program.get(f"/nic/update?hostname=n.{ZONE}", headers={"Authorization": f"Basic {wrong}"}).status == 401
        program.get(f"/update?domains=m&token={secrets['named']}")
        program.get(f"/nic/update?hostname=m.{ZONE}", headers={"Authorization": f"Token {secrets['named']}"})
        # The scan finds what is there.
        assert found_in(os.getpid(), [KEY])

    assert len(family(program.process.pid)) == 2, "the command's helper"
    nothing_is_found()
    requests()
    nothing_is_found()
    for count in (1, 2):
        program.reload(text)
        program.await_log("the configuration has 56 clients", count=count)
        nothing_is_found()
    requests()
    nothing_is_found()
    # Nor of a configuration that is not taken.
    program.reload(text + f'"{KEY}" = "again.{ZONE}"\n[clients.home]\n')
    program.await_log("the new configuration is not used")
    nothing_is_found()


@heap_of_its_own
@pytest.mark.skipif(not ROOT, reason="reads the memory of a process that is not dumpable")
@pytest.mark.parametrize("more", [0, 1, 2, 3, 5, 8])
def test_no_key_is_in_the_helpers_memory_whatever_the_size_of_the_configuration(stage, more):
    """Small ones leave their text in the processor's registers, which a new process spills to its stack."""
    secrets = ["memory-key-AA11-one-abcdef", "memory-key-BB22-two-abcdef", "memory-password-CC33"]
    text = f"""http = "127.0.0.1:0"
nskeyfile = "{stage.folder}/none.key"
[admin]
event_command = ["/bin/true"]
[dns]
server = "127.0.0.1:5"
[clients]
"{secrets[0]}" = {{ host = "home.{ZONE}" }}
[clients.m]
key = "{secrets[1]}"
user = "m"
password = "{secrets[2]}"
hosts = ["m.{ZONE}"]
""" + "".join(f'[clients.h{number}]\nkey = "further-key-{number}-abcdef"\nhosts = ["h{number}.{ZONE}"]\n' for number in range(more))
    program = stage.sftdyn(text, arguments=())
    [_, helper] = family(program.process.pid)
    # It drops the settings once it has been forked.
    await_true(lambda: not found_in(helper, secrets), lambda: found_in(helper, secrets), seconds=20)


# --- what check and doctor say of them ---


def weaknesses(tmp_path, text, mode=0o600, name="c.toml"):
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    result = run("check", path)
    assert result.returncode == 0, result.stderr
    warnings = [line for line in result.stdout.splitlines() if line.startswith("warning: ")]
    doctor = json.loads(run("doctor", path, "--json").stdout)
    for line in warnings:
        assert any(finding["result"] == "warning" and finding["what"] in line for finding in doctor), (line, doctor)
    return warnings


GOOD = f'[clients]\n"6fd2c1a7e05b4d83" = "home.{ZONE}"\n'


def test_nothing_weak_is_not_warned_of(tmp_path):
    assert weaknesses(tmp_path, GOOD) == []
    assert weaknesses(tmp_path, GOOD, mode=0o640) == []


@pytest.mark.parametrize("mode,said", [(0o644, "everybody on this machine may read the keys in it"), (0o602, "everybody on this machine may change it"),
                                       (0o666, "everybody on this machine may change it")])
def test_a_conf_that_others_may_use(tmp_path, mode, said):
    found = weaknesses(tmp_path, GOOD, mode)
    assert any(said in line and "c.toml" in line for line in found), found


@pytest.mark.skipif(not ROOT, reason="gives a file to another group")
def test_a_conf_that_its_group_may_change(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(GOOD)
    os.chown(path, 0, 1)
    assert any("the group daemon may change it" in line for line in weaknesses(tmp_path, GOOD, 0o660))


def test_a_folder_that_others_may_write_to(tmp_path):
    tmp_path.chmod(0o777)
    assert any("write to its folder" in line for line in weaknesses(tmp_path, GOOD))
    tmp_path.chmod(0o1777)
    assert weaknesses(tmp_path, GOOD) == []


def test_included_files_that_others_may_use(tmp_path):
    folder = tmp_path / "clients.d"
    folder.mkdir()
    folder.chmod(0o750)
    files = [folder / f"{number:02}.toml" for number in range(12)]
    for number, file in enumerate(files):
        file.write_text(f'[clients]\n"90bb4f0c1d2e3a4b5c6d7e8f90a1b2{number:02}" = "h{number}.{ZONE}"\n')
        file.chmod(0o640)
    text = 'include = "clients.d"\n' + GOOD
    assert weaknesses(tmp_path, text) == []
    files[3].chmod(0o644)
    files[4].chmod(0o662)
    found = weaknesses(tmp_path, text)
    assert len(found) == 2 and f"{files[3]}: everybody on this machine may read the keys in it" in found[0]
    assert f"{files[4]}: everybody on this machine may change it, and with it where hosts point" in found[1]
    for file in files:
        file.chmod(0o604)
    found = weaknesses(tmp_path, text)
    assert len(found) == 11 and f"{folder}: 2 more like these of files in it" in found[10] and "chmod 640" in found[10]
    # Who may write to the folder may add a file, also where nobody's can be taken away.
    for file in files:
        file.chmod(0o600)
    for mode in (0o777, 0o1777):
        folder.chmod(mode)
        [found] = weaknesses(tmp_path, text)
        assert f"{folder}: everybody on this machine may change it, and with it where hosts point; chmod go-w {folder}" in found
    folder.chmod(0o750)
    files[0].write_text(f'[clients]\n"home" = "h0.{ZONE}"\n"a%20b-6fd2c1a7e05b4d83" = "h20.{ZONE}"\n')
    files[1].write_text(f'[clients]\n"a b-6fd2c1a7e05b4d83" = "h21.{ZONE}"\n')
    found = weaknesses(tmp_path, text)
    assert len(found) == 2 and f"{files[0]}:2: this client's key is short or plain enough" in found[0]
    assert f"{files[0]}:3: this client's key is the percent-encoded form of the one in {files[1]}:2" in found[1]
    if ROOT:
        os.chown(files[2], 1, 0)
        found = weaknesses(tmp_path, text)
        assert len(found) == 3 and f"{files[2]}: it belongs to " in found[0] and "may change it" in found[0]
        os.chown(files[2], 0, 0)
        os.chown(folder, 1, 0)
        assert f"{folder}: it belongs to " in weaknesses(tmp_path, text)[0]


def test_key_files_that_others_may_use(tmp_path):
    from harness.dns_servers import Key

    assert run("cert", "localhost", "--dir", tmp_path).returncode == 0
    key = Key().write(tmp_path / "ns.key")
    text = f'https = "127.0.0.1:1"\ncert = "server.crt"\nkey = "server.key"\nnskeyfile = "ns.key"\n[[zone]]\nname = "{ZONE}"\nnskeyfile = "ns.key"\n{GOOD}'
    assert weaknesses(tmp_path, text) == []
    key.chmod(0o644)
    (tmp_path / "server.key").chmod(0o646)
    found = weaknesses(tmp_path, text)
    assert [line for line in found if "ns.key: everybody on this machine may read the TSIG key in it" in line], found
    assert [line for line in found if "server.key: everybody on this machine may read the private key in it" in line], found
    assert [line for line in found if "server.key: everybody on this machine may change it" in line], found
    assert len(found) == 3


@pytest.mark.parametrize("clients,said", [
    ('"a" = "home.example.org"\n', ":2: this client's key is short or plain enough to be guessed"),
    ('"home" = "home.example.org"\n', ":2: this client's key is short or plain enough to be guessed"),
    ('"a-long-host-name.dyn.example.org" = "a-long-host-name.dyn.example.org"\n', ":2: this client's key is a name that everybody knows"),
    ('"6fd2c1a7%20e05b4d83" = "a.example.org"\n"6fd2c1a7 e05b4d83" = "b.example.org"\n', ":2: this client's key is the percent-encoded form of the one in line 3"),
], ids=["a letter", "a word", "its host", "another's encoded form"])
def test_weak_keys(tmp_path, clients, said):
    found = weaknesses(tmp_path, "[clients]\n" + clients)
    assert len(found) == 1 and said in found[0], found
    assert "6fd2c1a7" not in found[0]


def test_weak_keys_of_a_python_conf(tmp_path):
    found = weaknesses(tmp_path, f'http = "127.0.0.1:0"\nCLIENTS = {{"6fd2c1a7e05b4d83": "a.{ZONE}", "topsecret": "b.{ZONE}"}}\n', name="conf")
    assert len(found) == 1 and "conf, entry 2 of CLIENTS: this client's key is short or plain" in found[0] and "topsecret" not in found[0], found


def test_modules_beside_a_python_conf(tmp_path):
    """They run as the conf does, and may hold its keys."""
    text = f'import tables_of_ours, words_of_ours\nhttp = "127.0.0.1:0"\nCLIENTS = {{**tables_of_ours.HOSTS}}\n'
    hosts, words = tmp_path / "tables_of_ours.py", tmp_path / "words_of_ours.py"
    hosts.write_text(f'HOSTS = {{"6fd2c1a7e05b4d83": "a.{ZONE}"}}\n')
    words.write_text('WORDS = {"greeting": "hello"}\n')
    for mode, said in ((0o600, []), (0o644, [f"{hosts}: everybody on this machine may read the keys in it"]),
                       (0o622, [f"{hosts}: everybody on this machine may change it", f"{words}: everybody on this machine may change it"])):
        hosts.chmod(mode)
        words.chmod(mode)
        found = weaknesses(tmp_path, text, name="conf")
        assert len(found) == len(said) and all(any(one in line for line in found) for one in said), (mode, found)


# --- Python ---


@pytest.mark.parametrize("mistake", [
    "CLIENTS = {KEY: 'home.example.org'}\n",
    "import sys\nCLIENTS = {sys.KEY: 'home.example.org'}\n",
    "import KEY\n",
    "from os import KEY\n",
    "def clients(): pass\nCLIENTS = clients(KEY='home.example.org')\n",
])
def test_a_key_without_quotation_marks_is_not_told(stage, tmp_path, mistake):
    key = "PYKEY4bea92410b3146d0"
    path = tmp_path / "conf"
    path.write_text(mistake.replace("KEY", key))
    for arguments in (["check", path], ["convert", path], ["doctor", path], [path]):
        result = run(*arguments)
        said = result.stdout + result.stderr
        assert result.returncode == 1 and re.search(r"conf:\d", said), said
        assert not [piece for piece in pieces(key) if piece in said], said


def test_nor_is_it_by_a_hook(stage):
    key = "PYKEY4bea92410b3146d0"
    server = stage.dns("named")
    text = f'def get_host(q, ip):\n    return {{{key}: "home.{ZONE}"}}[q]\ndef nsupdatecommands(host, ip, headers):\n    return []\n'
    program = stage.sftdyn(text, file="conf", arguments=("-vv", "--server", server.address, "--nskeyfile", server.key_file()))
    assert tuple(program.get("nosuchkey")) == (500, "FAIL")
    program.await_log("NameError: name '[hidden]' is not defined")
    assert not [piece for piece in pieces(key) if piece in program.log()]


@heap_of_its_own
@pytest.mark.skipif(not ROOT, reason="reads the memory of a process that is not dumpable")
def test_header_fields_do_not_stay_in_memory(stage):
    """Those that no hook reads are known to C++ alone, which zeroizes them. (All functions are bound at the start: else the
    loader spills registers, and what was copied through them, to the stack when one is called for the first time.)"""
    server = stage.dns("named")
    text = f'CLIENTS = {{"k": "home.{ZONE}"}}\ndef get_ip(source, headers, key):\n    return headers.get("X-Real-IP", source)\n'
    program = stage.sftdyn(text, file="conf", environment={"LD_BIND_NOW": "1"}, arguments=("-v", "--server", server.address, "--nskeyfile", server.key_file()))
    secrets = [f"header-secret-{number}-KK88-abcdef" for number in range(20)]
    before = "a" * 40  # the heap keeps its lists in the first octets of what was freed
    for secret in secrets:
        assert program.get("k", headers={"Authorization": f"Bearer {before}{secret}{before}", "Cookie": f"id={before}{secret}"}).status == 200
    await_true(lambda: not found_in(program.process.pid, secrets), lambda: found_in(program.process.pid, secrets), seconds=20)


def test_a_wrong_key_shows_no_line_of_a_python_conf(stage):
    server = stage.dns("named")
    program = stage.sftdyn(f'nskeyfile = "{server.key_file()}"\n' + f"""
def get_host(querystring, ip):
    return {{"PYKEY-alice-0123": "py1.{ZONE}", "PYKEY-bob-fedc": "py2.{ZONE}"}}[querystring]

def nsupdatecommands(host, new_ip, headers):
    return []
""", file="conf", arguments=("-vv", "--server", server.address))
    assert tuple(program.get("nosuchkey")) == (500, "FAIL")
    program.await_log("KeyError: '[hidden]'")
    program.await_log("in get_host")
    assert "PYKEY" not in program.log() and "alice" not in program.log() and "return {" not in program.log()


@pytest.mark.parametrize("hooks", [
    'def get_ip(source, headers, key):\n    return str(list(K))\ndef get_host(q, ip):\n    return K.get(q)\n',
    'def get_host(q, ip):\n    return str(list(K))\n',
    'def get_host(q, ip):\n    return list(K)[0]\n',
    'def get_host(q, ip):\n    return K.get(q)\ndef nsupdatecommands(host, ip, headers):\n    yield "frob %s" % list(K)\n',
    'def get_host(q, ip):\n    return K.get(q)\ndef nsupdatecommands(host, ip, headers):\n    yield "update delete %s A" % K\n',
])
def test_what_a_hook_gave_shows_no_key(stage, hooks):
    server = stage.dns("named")
    keys = ("PYKEY-alice-0123456789", "PYKEY-bob-fedcba98765")
    text = f'K = {{"{keys[0]}": "a.{ZONE}", "{keys[1]}": "b.{ZONE}"}}\n' + hooks
    if "nsupdatecommands" not in hooks:
        text += 'def nsupdatecommands(host, ip, headers):\n    yield "update delete x A"\n'
    program = stage.sftdyn(text, arguments=["-vv", "--server", server.address, "--nskeyfile", server.key_file()], file="conf")
    assert tuple(program.get(keys[1])) == (500, "FAIL")
    # What get_host gives is for nsupdatecommands alone: nothing of it is shown.
    program.await_log("[hidden]" if "nsupdatecommands" in hooks else "FAIL")
    for key in keys:
        assert not any(piece in program.log() for piece in pieces(key)), program.log()
