# SPDX-License-Identifier: GPL-3.0-or-later
"""A conf in Python: its settings, its hooks, and what becomes of hooks that do what they should not."""

import contextlib
import http.client
import os
import re
import signal
import socket
import sqlite3
import textwrap
import threading
import time
from pathlib import Path

import pytest

from harness.process import await_true
from harness.sftdyn import run

ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"

STANDARD = f"""
    CLIENTS = {{
        "example": "{HOST}",
        "host=gnampf.{ZONE},key=4bea92410b3146d0": "gnampf.{ZONE}",
    }}

    def get_ip(source_ip, headers, key):
        return source_ip

    def get_host(querystring, ip):
        return CLIENTS.get(querystring)

    def nsupdatecommands(host, new_ip, headers):
        kind = "AAAA" if ":" in new_ip else "A"
        yield f"update delete {{host}} {{kind}}"
        yield f"update add {{host}} 10 {{kind}} {{new_ip}}"
        yield "send"
"""


def start(stage, server, text, **kwargs):
    """sftdyn with a Python conf, for that DNS server."""
    arguments = ["-vv", "--server", server.address, "--nskeyfile", server.key_file()]
    return stage.sftdyn(textwrap.dedent(text), arguments=arguments, file="conf", **kwargs)


@pytest.fixture
def named(stage):
    return stage.dns("named")


def test_the_standard_conf(stage, named):
    program = start(stage, named, STANDARD)
    assert tuple(program.get("example", source="127.0.0.2")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.2"]
    assert named.ttl(HOST, "A") == 10
    assert tuple(program.get("example", source="127.0.0.2")) == (200, "UPTODATE")
    assert tuple(program.get("example", source="127.0.0.3")) == (200, "OK")
    assert tuple(program.get(f"host=gnampf.{ZONE},key=4bea92410b3146d0")) == (200, "OK")
    assert tuple(program.get("nothing")) == (403, "BADKEY")
    assert tuple(program.get("/", source="127.0.0.9")) == (200, "127.0.0.9")
    answer = program.get("example", method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert answer.headers["Content-Length"] == str(len(answer.body))


def test_clients_alone_are_enough(stage, named):
    program = start(stage, named, f'CLIENTS = {{"example": "{HOST}", "again": "{HOST}", "other": "other.{ZONE}"}}\nttl = 5\n')
    assert tuple(program.get("example")) == (200, "OK")
    assert tuple(program.get("again")) == (200, "UPTODATE")
    assert tuple(program.get("again", source="127.0.0.2")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.2"]
    assert named.ttl(HOST, "A") == 30
    assert tuple(program.get("nothing")) == (403, "BADKEY")


def test_a_standard_script_is_verified_against_the_server(stage, named):
    program = start(stage, named, STANDARD)
    assert tuple(program.get("example")) == (200, "OK")
    program.stop()
    program.start()
    assert tuple(program.get("example")) == (200, "UPTODATE"), "the server was asked"
    program.stop()
    named.nsupdate(f"update delete {HOST} A")
    program.start()
    assert tuple(program.get("example")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.1"]


def test_settings(stage, named, tmp_path):
    conf = tmp_path / "settings" / "conf"
    conf.parent.mkdir()
    named.key.write(conf.parent / "key")
    conf.write_text(f'http = ["127.0.0.1:0", "[::1]:0"]\nnskeyfile = "key"\nverbose = True\nquiet = 2\nCLIENTS = {{"k": "{HOST}"}}\nother = object()\n')
    program = stage.sftdyn(conf.read_text(), name="settings", file="conf", listen=(), arguments=["--server", named.address])
    await_true(lambda: len(program.addresses_of_log()) == 2, "it listens on both")
    assert any("[::1]" in address for address in program.addresses_of_log())
    assert tuple(program.get("k")) == (200, "OK")
    assert " info: " not in program.log() and " warning: " not in program.log()


def test_settings_of_the_toml_file(stage, named, tmp_path):
    program = start(stage, named, f"""
        import dns.resolver  # no table

        limits = {{"changes": 1, "changes_refill": 3600}}
        admin = {{"control": {str(tmp_path / "control")!r}}}
        addresses = {{"mine": "192.0.2.1"}}  # nor is this
        CLIENTS = {{"k": "{HOST}"}}
    """)
    assert tuple(program.get("k")) == (200, "OK")
    assert tuple(program.get("k", source="127.0.0.2")) == (429, "ABUSE")
    assert (tmp_path / "control").is_socket()
    program.reload(f'limits = {{"changes": -1, "chnges": 5}}\nCLIENTS = {{"k": "{HOST}"}}\n')
    program.await_log("conf: changes is out of range")
    program.await_log("the new configuration is not used")


def test_the_command_line_wins(stage, named):
    program = stage.sftdyn(f'http = 1\nnskeyfile = "/none"\nquiet = 9\nCLIENTS = {{"k": "{HOST}"}}\n', file="conf",
                           arguments=["-v", "--server", named.address, "--nskeyfile", named.key_file()])
    assert tuple(program.get("k")) == (200, "OK")
    assert f"{HOST} A 127.0.0.1: OK" in program.log()


def test_https(stage, named, tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    assert run("cert", "localhost", "--dir", folder).returncode == 0
    program = stage.sftdyn(f'https = "127.0.0.1:0"\nkey = "server.key"\ncert = "server.crt"\nCLIENTS = {{"k": "{HOST}"}}\n', name="tls", file="conf",
                           listen=(), arguments=["--server", named.address, "--nskeyfile", named.key_file()])
    import ssl
    context = ssl.create_default_context(cafile=folder / "server.crt")
    connection = http.client.HTTPSConnection("localhost", program.port, context=context, timeout=60)
    connection.request("GET", "/k")
    assert connection.getresponse().read() == b"OK"
    connection.close()


@pytest.mark.parametrize("text,complaints", [
    ("http = 70000\nCLIENTS = {}\n", [r"conf:1: http = 70000: this is not an address"]),
    ("\nhttps = 4443\nCLIENTS = {}\n", [r"conf: https without cert and key"]),
    ("http = {}\nkey = 5\nverbose = 'x'\ndebug = []\nCLIENTS = {}\n",
     [r"conf:1: http is dict; expected", r"conf:2: key is int; expected", r"conf:3: verbose is str; expected", r"conf:4: debug is an empty list; expected"]),
    ("", [r"conf: there is neither a function get_host.* nor a dict CLIENTS; define", r"nsupdatecommands"]),
    ("def get_host(q, i): pass\n", [r"conf: there is neither a function nsupdatecommands"]),
    ("def nsupdatecommands(h, i, x): pass\n", [r"conf: there is neither a function get_host"]),
    ("CLIENTS = {'a': 5, '': 'x.example.org', '/c': 'x.example.org', 'd': 'x y', 7: 'x'}\n",
     [r"host of entry 1 of CLIENTS is int", r"key of entry 2", r"key of entry 3 of CLIENTS begins with a slash", r"entry 4 of CLIENTS: this host is not a valid domain name", r"key of entry 5"]),
    ("CLIENTS = {\n", [r"conf:1: this is no Python"]),
    ("CLIENTS = {}\nx = nothing\n", [r"conf:2: NameError: name '\[hidden\]' is not defined; correct it"]),
    ("CLIENTS = {}\nprint(nskeyfile)\n", [r"conf:2: NameError: name 'nskeyfile' is not defined; correct it"]),
    ("import sys\nsys.exit()\n", [r"conf:2: it ends the program"]),
])
def test_what_is_wrong_is_said(tmp_path, text, complaints):
    conf = tmp_path / "conf"
    conf.write_text(text)
    for arguments in (["check", conf], [conf]):
        result = run(*arguments)
        assert result.returncode == 1
        for complaint in complaints:
            assert re.search(complaint, result.stderr), result.stderr
    assert f"{len(complaints)} error" in run("check", conf).stderr


def test_check_of_a_good_conf(tmp_path):
    conf = tmp_path / "conf"
    conf.write_text(textwrap.dedent(STANDARD))
    result = run("check", conf)
    assert (result.returncode, result.stderr) == (0, "")
    assert "good" in result.stdout
    assert run("check", tmp_path / "none").returncode == 1


def test_without_the_plugin_the_package_is_named(tmp_path):
    import shutil

    from harness.sftdyn import BINARY
    shutil.copy(BINARY, tmp_path / "sftdyn")
    conf = tmp_path / "conf"
    conf.write_text("CLIENTS = {}\n")
    import subprocess
    result = subprocess.run([tmp_path / "sftdyn", conf], capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert "sftdyn-python" in result.stderr and "TOML" in result.stderr


def test_clients_read_from_a_file(stage, named, tmp_path):
    (tmp_path / "clients").write_text(f"# key host\nfirst first.{ZONE}\n\nsecond second.{ZONE}\n")
    program = start(stage, named, f"""
        CLIENTS = {{}}
        with open({str(tmp_path / "clients")!r}) as lines:
            for line in lines:
                line = line.partition("#")[0].split()
                if line:
                    CLIENTS[line[0]] = line[1]
    """)
    assert tuple(program.get("second")) == (200, "OK")
    assert named.records(f"second.{ZONE}", "A") == ["127.0.0.1"]
    assert tuple(program.get("third")) == (403, "BADKEY")
    (tmp_path / "clients").write_text(f"third third.{ZONE}\n")
    program.reload()
    program.await_log("the configuration has 1 clients")
    assert tuple(program.get("third")) == (200, "OK")
    assert tuple(program.get("second")) == (403, "BADKEY")


def test_hosts_from_sqlite(stage, named, tmp_path):
    with sqlite3.connect(tmp_path / "hosts.sqlite") as database:
        database.execute("CREATE TABLE hosts (key TEXT PRIMARY KEY, host TEXT, seen TEXT)")
        database.execute("INSERT INTO hosts VALUES ('secret', ?, NULL)", (HOST,))
    program = start(stage, named, f"""
        import sqlite3

        CLIENTS = None

        def get_host(querystring, ip):
            with sqlite3.connect({str(tmp_path / "hosts.sqlite")!r}) as database:
                row = database.execute("SELECT host FROM hosts WHERE key = ?", (querystring,)).fetchone()
                database.execute("UPDATE hosts SET seen = ? WHERE key = ?", (ip, querystring))
            return row and row[0]

        def nsupdatecommands(host, new_ip, headers):
            return [f"update delete {{host}} A", f"update add {{host}} 77 A {{new_ip}}"]
    """)
    assert tuple(program.get("secret")) == (200, "OK")
    assert named.ttl(HOST, "A") == 77
    assert tuple(program.get("wrong")) == (403, "BADKEY")
    with sqlite3.connect(tmp_path / "hosts.sqlite") as database:
        assert database.execute("SELECT seen FROM hosts").fetchall() == [("127.0.0.1",)]


@pytest.mark.parametrize("field", ["X-Forwarded-For", "X-Real-IP"])
def test_an_address_from_a_header(stage, named, field):
    program = start(stage, named, f"""
        CLIENTS = {{"k": "{HOST}"}}

        def get_ip(source_ip, headers, key):
            assert isinstance(source_ip, str) and isinstance(key, str)
            return headers.getall("{field.lower()}")[-1] if "{field.upper()}" in headers else source_ip
    """)
    assert tuple(program.get("/", headers={field: "192.0.2.7"})) == (200, "192.0.2.7")
    assert tuple(program.get("/")) == (200, "127.0.0.1")
    assert tuple(program.get("k", headers={field: "192.0.2.7"})) == (200, "OK")
    assert named.records(HOST, "A") == ["192.0.2.7"]
    assert tuple(program.get("k", headers={field: "2001:db8::7"})) == (200, "OK")
    assert named.records(HOST, "AAAA") == ["2001:db8::7"]
    assert tuple(program.get("k", headers={field: "192.0.2.7"})) == (200, "UPTODATE"), "each family for itself"
    assert tuple(program.get("k", headers={field: "::ffff:192.0.2.7"})) == (200, "UPTODATE")
    assert tuple(program.get("k", headers={field: "nonsense"})) == (500, "FAIL")
    assert tuple(program.get("wrong", headers={field: "nonsense"})) == (403, "BADKEY")
    program.await_log('get_ip returned "nonsense": expected an IPv4 or IPv6 address')
    assert tuple(program.get("/", headers={field: "<script>x"})) == (500, "FAIL"), "it is no part of an answer"


def test_get_ip_is_asked_for_each_get(stage, named):
    program = start(stage, named, f"""
        CLIENTS = {{"k": "{HOST}"}}

        def get_ip(source_ip, headers, key):
            print("asked for", repr(key))
            return "192.0.2.77" if not key else source_ip
    """)
    assert tuple(program.get("/")) == (200, "192.0.2.77")
    assert tuple(program.get("k")) == (200, "OK")
    assert tuple(program.get("k")) == (200, "UPTODATE")
    assert program.get("k", method="HEAD").status == 405
    assert re.findall(r"asked for (.*)", program.log()) == ["''", "'k'", "'k'"]


def test_standard_scripts_travel_together(stage, named):
    program = start(stage, named, f"""
        def get_host(querystring, ip):
            return f"{{querystring}}.{ZONE}"

        def nsupdatecommands(host, new_ip, headers):
            return ["zone {ZONE}", f"update delete {{host}} A", f"update add {{host}} 30 A {{new_ip}}", "send"]
    """)
    assert tuple(program.get("first")) == (200, "OK")
    named.process.stand_still()  # what comes meanwhile is gathered
    answers = []
    threads = [threading.Thread(target=lambda number=number: answers.append(tuple(program.get(f"host{number}")))) for number in range(20)]
    for thread in threads:
        thread.start()
    program.await_log("query host", count=20)
    named.process.go_on()
    for thread in threads:
        thread.join()
    assert answers == [(200, "OK")] * 20
    counts = [int(count) for count in re.findall(r"UPDATE of \S+ with (\d+) change", program.log())]
    assert sum(counts) == 21 and max(counts) > 1, counts


def test_several_records_in_one_script(stage, named):
    program = start(stage, named, f"""
        CLIENTS = {{"k": "{HOST}"}}

        def nsupdatecommands(host, new_ip, headers):
            yield "; all of it"
            yield "zone {ZONE}"
            yield "ttl 55"
            yield f"update delete {{host}}"
            yield f"update add {{host}} A {{new_ip}}"
            yield f'update add {{host}} 66 TXT "from {{new_ip}}" "by {{headers["User-Agent"]}}"'
            yield f"update add www.{{host}} CNAME {{host}}."
            yield "show"
            yield "send"
            yield f"update add second.{{host}} A {{new_ip}}"
    """)
    before = named.serial()
    assert tuple(program.get("k", headers={"User-Agent": "a;b"})) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.1"] and named.ttl(HOST, "A") == 55
    assert named.records(HOST, "TXT") == ['"from 127.0.0.1" "by a;b"'] and named.ttl(HOST, "TXT") == 66
    assert named.records(f"www.{HOST}", "CNAME") == [f"{HOST}."]
    assert named.records(f"second.{HOST}", "A") == ["127.0.0.1"]
    assert named.serial() == before + 2
    # The original's way with a host: the same address again is no work.
    assert tuple(program.get("k", headers={"User-Agent": "a;b"})) == (200, "UPTODATE")
    assert named.serial() == before + 2
    assert tuple(program.get("k", headers={"User-Agent": "c"}, source="127.0.0.2")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.2"]


def test_prerequisites(stage, named):
    program = start(stage, named, f"""
        CLIENTS = {{"k": "{HOST}"}}

        def nsupdatecommands(host, new_ip, headers):
            yield f"prereq nxrrset {{host}} A"
            yield f"update add {{host}} 30 A {{new_ip}}"
    """)
    assert tuple(program.get("k")) == (200, "OK")
    assert tuple(program.get("k")) == (200, "UPTODATE")
    assert tuple(program.get("k", source="127.0.0.2")) == (500, "FAIL")
    program.await_log("a prerequisite is not met")
    assert named.records(HOST, "A") == ["127.0.0.1"]


def test_another_zone_than_the_server_says_is_tried_as_it_is_written(stage, named):
    program = start(stage, named, f"""
        CLIENTS = {{"k": "{HOST}", "l": "{HOST}"}}

        def nsupdatecommands(host, new_ip, headers):
            yield "zone " + ("example.net" if new_ip == "127.0.0.2" else "{ZONE}")
            yield f"update delete {{host}} A"
            yield f"update add {{host}} 30 A {{new_ip}}"
    """)
    assert tuple(program.get("k")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.1"]
    assert tuple(program.get("k", source="127.0.0.2")) == (500, "FAIL")
    assert named.records(HOST, "A") == ["127.0.0.1"]


CASES = ("number", "name", "bytes", "exit", "none", "numbers", "empty", "unknown", "server", "text", "generator", "fine")

# The keys have nothing in common with what is logged: that would be hidden there.
BAD = f"""
    import time

    CASES = {CASES!r}

    def get_host(querystring, ip):
        if querystring == "sleep": time.sleep(300)
        if querystring == "loop":
            while True:
                pass
        if querystring.startswith("raise"): raise ValueError("no such thing: " + querystring)
        case = CASES[int(querystring.removeprefix("q"))]
        if case == "number": return 17  # a host of the conf's own kind
        if case == "name": return "a b..c"
        if case == "bytes": return b"bytes.{ZONE}"
        if case == "exit": raise SystemExit(1)
        return f"{{case}}.{ZONE}"

    def nsupdatecommands(host, new_ip, headers):
        host = host.decode() if isinstance(host, bytes) else f"number.{ZONE}" if host == 17 else host
        if host.startswith("none."): return None
        if host.startswith("numbers."): return [1, 2]
        if host.startswith("empty."): return []
        if host.startswith("unknown."): return [f"update delete {{host}} A", "frobnicate it"]
        if host.startswith("server."): return ["server 127.0.0.9", "send"]
        if host.startswith("text."): return f"update add {{host}} 5 A {{new_ip}}\\nsend\\n"
        if host.startswith("generator."): return broken(host)
        return ["realm ignored", "local 127.0.0.1", f"update add {{host}} 5 A {{new_ip}}"]

    def broken(host):
        yield f"update add {{host}} 5 A 127.0.0.9"
        raise KeyError(host)
"""


def case(program, name):
    """The answer for the key of a case."""
    return tuple(program.get(f"q{CASES.index(name)}"))


@pytest.mark.parametrize("name,said", [
    ("name", 'nsupdatecommands for what get_host returned, line 3: the TTL is missing'),
    ("exit", "SystemExit: 1"),
    ("none", "nsupdatecommands returned NoneType: expected an iterable of nsupdate lines"),
    ("numbers", "nsupdatecommands returned int: expected an iterable of nsupdate lines, each of them a str"),
    ("unknown", f"nsupdatecommands for unknown.{ZONE}, line 2: unknown command: \"frobnicate it\"; see nsupdate(1)"),
    ("server", f"nsupdatecommands for server.{ZONE}, line 1: the server can't be set here: the configuration sets it"),
    ("generator", f"KeyError: 'generator.{ZONE}'"),
])
def test_hooks_that_return_what_they_should_not(stage, named, name, said):
    program = start(stage, named, BAD)
    before = named.serial()
    assert case(program, name) == (500, "FAIL")
    program.await_log(said)
    assert named.serial() == before
    assert case(program, "fine") == (200, "OK")


def test_what_hooks_may_return(stage, named):
    program = start(stage, named, BAD)
    for name in ("bytes", "text", "fine", "empty", "number"):
        assert case(program, name) == (200, "OK"), name
    assert case(program, "number") == (200, "UPTODATE")
    for name in ("bytes", "text", "fine", "number"):
        assert named.records(f"{name}.{ZONE}", "A") == ["127.0.0.1"]
    program.await_log("realm has no meaning here and is ignored")
    program.await_log("local has no meaning here and is ignored")


def test_a_hook_that_raises(stage, named):
    program = start(stage, named, BAD)
    for number in range(5):
        assert tuple(program.get(f"raise-super-secret-{number}")) == (500, "FAIL")
    assert case(program, "fine") == (200, "OK")
    program.stop()
    log = (program.folder / "sftdyn.log").read_text()
    assert log.count("Traceback") == 1
    assert "get_host raised an exception" in log and "in get_host" in log and "ValueError: no such thing: [hidden]" in log
    assert "super" not in log and "4 more like it" in log


def test_the_text_of_a_failure_is_made_only_for_the_log(stage, named):
    """Looking for secrets in it takes the interpreter's time, and whoever sends wrong keys could take all of it."""
    program = start(stage, named, """
        limits = {"bad_keys": 1}
        made = 0

        class Wrong(Exception):
            def __str__(self):
                global made
                made += 1
                return "no such key"

        def get_ip(source_ip, headers, key):
            return source_ip if key else f"192.0.2.{made}"

        def get_host(querystring, ip):
            raise Wrong()

        def nsupdatecommands(host, new_ip, headers):
            return []
    """)
    statuses = [program.get(f"wrong-{number}").status for number in range(20)]
    assert sorted(statuses) == [429] * 18 + [500] * 2
    assert tuple(program.get("/", source="127.0.0.2")) == (200, "192.0.2.1")
    program.stop()
    log = (program.folder / "sftdyn.log").read_text()
    assert log.count("no such key") == 1 and "19 more like it since the first: get_host raised an exception" in log


SLOW = f"""
    CLIENTS = {{"k": "{HOST}", "slow": "slow.{ZONE}"}}
    ASKED = None

    def get_host(querystring, ip):
        global ASKED
        ASKED = querystring
        if querystring == "slow":
            print("the slow one begins")
            with open(FIFO) as released:
                released.read()
        return CLIENTS.get(querystring)

    def nsupdatecommands(host, new_ip, headers):
        return [f"update delete {{host}} TXT", f"update add {{host}} 30 TXT asked-for-{{ASKED}}"]
"""


def slow_conf(stage, named, tmp_path, head=""):
    fifo = tmp_path / "released"
    os.mkfifo(fifo)
    return start(stage, named, f"{head}\nFIFO = {str(fifo)!r}\n" + textwrap.dedent(SLOW)), fifo


def asked(program, *keys):
    answers = {}
    threads = [threading.Thread(target=lambda key=key: answers.__setitem__(key, tuple(program.get(key)))) for key in keys]
    for thread in threads:
        thread.start()
    return answers, threads


def test_hooks_of_requests_are_not_mixed_and_who_needs_none_does_not_wait(stage, named, tmp_path):
    program, fifo = slow_conf(stage, named, tmp_path)
    answers, threads = asked(program, "slow")
    program.await_log("the slow one begins")
    more, more_threads = asked(program, "k", "wrong")
    assert tuple(program.get("/")) == (200, "127.0.0.1"), "no hook is needed for it"
    assert not answers and not more
    fifo.write_text("")
    for thread in threads + more_threads:
        thread.join()
    assert answers == {"slow": (200, "OK")} and more == {"k": (200, "OK"), "wrong": (403, "BADKEY")}
    assert named.records(f"slow.{ZONE}", "TXT") == ['"asked-for-slow"']
    assert named.records(HOST, "TXT") == ['"asked-for-k"']


def test_a_conf_may_have_more_threads(stage, named, tmp_path):
    program, fifo = slow_conf(stage, named, tmp_path, "print('it is run')\nhook_threads = 2\n")
    answers, threads = asked(program, "slow")
    program.await_log("the slow one begins")
    assert tuple(program.get("k")) == (200, "OK"), "the other thread has run the conf for itself"
    assert not answers and program.log().count("it is run") == 2
    fifo.write_text("")
    for thread in threads:
        thread.join()
    assert answers == {"slow": (200, "OK")}
    assert named.records(f"slow.{ZONE}", "TXT") == ['"asked-for-slow"'], "its own globals"


def test_what_was_scripted_for_an_object_is_believed_until_its_names_change(stage, named, tmp_path):
    """Objects of the conf as hosts: pairs of one thread, of two, and of classes that each thread has for itself."""
    fifos = {name: tmp_path / name for name in ("script", "hold-1", "hold-2")}
    for fifo in fifos.values():
        os.mkfifo(fifo)
    program = start(stage, named, f"""
        dns = {{"timeout": 60}}  # also the hooks'
        hook_threads = 2

        class Host:
            def __init__(self, name):
                self.name = name

        HOSTS = {{"a": ("{HOST}", "laptop"), "b": ("{HOST}", "router"), "text": "{HOST}", "own": Host("own.{ZONE}")}}

        def wait(name):
            print(name, "waits")
            with open("{tmp_path}/" + name) as released:
                released.read()

        def get_ip(source_ip, headers, key):
            return None if "X-Offline" in headers else source_ip

        def get_host(querystring, ip):
            if querystring.startswith("hold"):
                wait(querystring)
            return HOSTS.get(querystring)

        def nsupdatecommands(host, new_ip, headers):
            name = host if isinstance(host, str) else host[0] if isinstance(host, tuple) else host.name
            script = [f"update delete {{name}} A"]
            if new_ip is not None:
                script.append(f"update add {{name}} 30 A {{new_ip}}")
            if "X-Wait" in headers:
                wait("script")
            return script
    """)

    def ask(key, address, expected="OK", **headers):
        answer = tuple(program.get(key, source=address, headers=headers))
        name = HOST if key != "own" else f"own.{ZONE}"
        assert (answer, named.records(name, "A")) == ((200, expected), [] if headers else [address]), (key, address)

    for _ in range(2):  # whichever thread it is that takes them
        for key, address in (("a", "127.0.0.2"), ("b", "127.0.0.3"), ("text", "127.0.0.4")):
            ask(key, address)
            ask(key, address, "UPTODATE")
    ask("a", "127.0.0.2")

    # A script that was made before another one, and is sent after it.
    answers = []
    late = threading.Thread(target=lambda: answers.append(tuple(program.get("b", source="127.0.0.5", headers={"X-Wait": "1"}))))
    late.start()
    program.await_log("script waits")
    ask("b", "127.0.0.6")
    fifos["script"].write_text("")
    late.join()
    assert answers == [(200, "OK")] and named.records(HOST, "A") == ["127.0.0.5"]
    ask("b", "127.0.0.6")
    ask("b", "127.0.0.6", "UPTODATE")

    # The host is another object on each thread, and equal to none of the other's.
    held = {}

    def hold(name):
        count = program.log().count(f"{name} waits")
        held[name] = threading.Thread(target=lambda: program.get(name))
        held[name].start()
        program.await_log(f"{name} waits", count=count + 1)

    def on_thread_of(name, *arguments, **headers):
        fifos[name].write_text("")
        held[name].join()
        ask("own", *arguments, **headers)
        hold(name)

    hold("hold-1")
    hold("hold-2")
    on_thread_of("hold-1", "127.0.0.2")
    on_thread_of("hold-2", "127.0.0.2", **{"X-Offline": "1"})
    on_thread_of("hold-1", "127.0.0.2")
    on_thread_of("hold-2", "127.0.0.3")
    on_thread_of("hold-1", "127.0.0.2")
    on_thread_of("hold-1", "127.0.0.2", "UPTODATE")
    on_thread_of("hold-2", "127.0.0.3")
    for name, thread in held.items():
        fifos[name].write_text("")
        thread.join()


def test_globals_belong_to_one_request_at_a_time(stage, named):
    """Hundreds of clients at once, of a conf that keeps in a global what nsupdatecommands is not given."""
    clients, rounds = 400, 5
    program = start(stage, named, f"""
        import time
        from urllib.parse import parse_qs

        ASKED = {{}}

        def get_ip(source_ip, headers, key):
            global ASKED
            ASKED = {{name: values[0] for name, values in parse_qs(key.lstrip("?")).items()}}
            time.sleep(0)  # whoever waits for the interpreter gets it
            return ASKED.get("ip", source_ip)

        def get_host(querystring, ip):
            time.sleep(0)
            return ASKED["host"] + ".{ZONE}"

        def nsupdatecommands(host, new_ip, headers):
            return [f"update delete {{host}} A", f"update add {{host}} 30 A {{ASKED['ip']}}", "send"]
    """)
    expected = {}
    for number in range(rounds):
        with contextlib.ExitStack() as held:
            connections = [held.enter_context(socket.create_connection(("127.0.0.1", program.port), timeout=100, source_address=(f"127.0.{i // 200 + 1}.{i % 200 + 1}", 0)))
                           for i in range(clients)]
            for i, connection in enumerate(connections):
                host, address = f"h{number}-{i}", f"10.{number}.{i // 200}.{i % 200}"
                expected[f"{host}.{ZONE}"] = address
                connection.sendall(f"GET /?host={host}&ip={address} HTTP/1.0\r\n\r\n".encode())
            for connection in connections:
                assert connection.makefile("rb").read().endswith(b"\r\n\r\nOK")
    zone = named.transfer(ZONE)
    served = {name.to_text(omit_final_dot=True): rdata.to_text() for name, _, rdata in zone.iterate_rdatas("A")}
    assert {name: address for name, address in served.items() if name in expected} == expected


def test_a_database_of_the_confs_thread(stage, named):
    program = start(stage, named, f"""
        import sqlite3

        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE hosts (key TEXT, host TEXT)")
        database.execute("INSERT INTO hosts VALUES ('secret', '{HOST}')")

        def get_host(querystring, ip):
            row = database.execute("SELECT host FROM hosts WHERE key = ?", (querystring,)).fetchone()
            return row and row[0]

        def nsupdatecommands(host, new_ip, headers):
            return [f"update delete {{host}} A", f"update add {{host}} 77 A {{new_ip}}"]
    """)
    for _ in range(2):
        assert tuple(program.get("wrong")) == (403, "BADKEY")
        assert program.get("secret").status == 200
        program.reload()
        program.await_log("the configuration has")
    assert named.records(HOST, "A") == ["127.0.0.1"]


def test_hooks_that_never_return(stage, named):
    program = start(stage, named, "print('it is run')\n" + textwrap.dedent(BAD))
    assert tuple(program.get("loop")) == (500, "FAIL")
    program.await_log("get_host did not return within 5 s: it is interrupted")
    program.await_log("HookTimeout")
    assert case(program, "fine") == (200, "OK")
    assert program.log().count("it is run") == 1, "the loop was ended, and its thread goes on"
    assert tuple(program.get("sleep")) == (500, "FAIL")
    program.await_log("code of the conf does not return: the conf was run again on another thread")
    assert case(program, "fine") == (200, "UPTODATE")
    assert program.log().count("it is run") == 2
    began = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - began < 50


def test_it_stops_while_hooks_are_at_work(stage, named):
    program = start(stage, named, textwrap.dedent(BAD).replace('if querystring == "sleep": ', 'print("at work", querystring)\n    if querystring == "sleep": '))

    def ask(key):
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may end before it has answered
            assert program.get(key).status == 500

    thread = threading.Thread(target=ask, args=["sleep"])
    thread.start()
    program.await_log("at work sleep")
    assert program.stop() == 0
    thread.join()


def test_asyncio_logging_and_signals_of_a_conf(stage, named):
    """The Python sftdyn ran its conf within asyncio."""
    program = start(stage, named, f"""
        import asyncio, logging, signal

        CLIENTS = {{"k": "{HOST}"}}

        def add(name):
            CLIENTS[name] = name + ".{ZONE}"
            logging.getLogger("added").warning("%s is there", name)

        async def add_slowly(name):
            await asyncio.sleep(0.01)
            add(name)

        def get_host(querystring, ip):
            if querystring == "task":
                asyncio.create_task(add_slowly("by-task"))
            if querystring == "raise":
                asyncio.get_running_loop().call_soon(lambda: [][0])
            return CLIENTS.get(querystring)

        def nsupdatecommands(host, new_ip, headers):
            logging.debug("commands of %s", host)
            return [f"update delete {{host}} A", f"update add {{host}} 30 A {{new_ip}}"]

        asyncio.get_event_loop().call_later(0.01, add, "by-timer")
        signal.signal(signal.SIGUSR1, lambda number, frame: add("by-signal"))
    """)
    program.await_log("warning: added: by-timer is there")
    assert tuple(program.get("by-timer")) == (200, "OK")
    assert program.get("task").status == 403
    program.await_log("warning: added: by-task is there")
    assert tuple(program.get("by-task")) == (200, "OK")
    program.await_log(f"debug: commands of by-task.{ZONE}")
    program.process.send_signal(signal.SIGUSR1)
    program.await_log("warning: added: by-signal is there")
    assert tuple(program.get("by-signal")) == (200, "OK")
    assert program.get("raise").status == 403
    program.await_log("IndexError")
    assert "[][0]" not in program.log(), "no source lines"
    program.reload("import signal\nsignal.signal(signal.SIGHUP, print)\n")
    program.await_log("the signal SIGHUP is sftdyn's own (it runs the conf anew): a conf can't have it")
    assert tuple(program.get("by-signal")) == (200, "UPTODATE")


def test_reload_runs_the_conf_anew(stage, named):
    program = start(stage, named, STANDARD)
    assert tuple(program.get("example")) == (200, "OK")
    program.reload(textwrap.dedent(STANDARD).replace('"example"', '"changed"').replace(" 10 ", " 20 "))
    program.await_log("the configuration has")
    assert tuple(program.get("example")) == (403, "BADKEY")
    assert tuple(program.get("changed", source="127.0.0.2")) == (200, "OK")
    assert named.ttl(HOST, "A") == 20
    for broken in ("raise RuntimeError('not now')\n", "CLIENTS = {\n", "x = 1\n"):
        program.reload(textwrap.dedent(STANDARD) + "\n" + broken if broken != "x = 1\n" else broken)
        program.await_log("the new configuration is not used", count=("raise RuntimeError('not now')\n", "CLIENTS = {\n", "x = 1\n").index(broken) + 1)
        assert tuple(program.get("changed", source="127.0.0.2")) == (200, "UPTODATE")
    program.reload(f'CLIENTS = {{"plain": "{HOST}"}}\n')
    program.await_log("the configuration has 1 clients")
    assert tuple(program.get("plain", source="127.0.0.4")) == (200, "OK")
    assert named.ttl(HOST, "A") == 30


# In each reading what the conf sets raises something.
RAISING = {
    "a path": "class X:\n    def __fspath__(self):\n        raise ValueError(f'no {list(CLIENTS)}')\nnskeyfile = X()\n",
    "a list": "class X(list):\n    def __iter__(self):\n        raise KeyError(*CLIENTS)\nhttp = X()\n",
    "sys.exit": "class X:\n    def __fspath__(self):\n        raise SystemExit(str(CLIENTS))\ncert = X()\n",
    "no exception of Python's": "class E(BaseException):\n    def __str__(self):\n        raise KeyboardInterrupt\nclass X:\n    def __fspath__(self):\n        raise E\nkey = X()\n",
    "a host": "class X:\n    def __fspath__(self):\n        raise ValueError(str(CLIENTS))\nCLIENTS['other'] = X()\n",
}


def test_a_conf_that_raises_while_it_is_read_ends_nothing(stage, named, tmp_path):
    key = "raised-key-HH55-abcdef"
    good = f'CLIENTS = {{"{key}": "{HOST}"}}\n'
    program = start(stage, named, good)
    for count, (name, text) in enumerate(RAISING.items(), 1):
        program.reload(good + text)
        program.await_log("the new configuration is not used", count=count)
        assert program.get(key).status == 200, name
        conf = tmp_path / "raising"
        conf.write_text(good + text)
        for arguments in (["check", conf], ["convert", conf], ["doctor", conf], [conf]):
            result = run(*arguments)
            said = result.stdout + result.stderr
            assert result.returncode == 1 and re.search(r"raising(:\d+)?: ", said), said
            assert "terminate" not in said and key not in said and "HH55" not in said, said
    assert "HH55" not in program.log()
    program.reload(good.replace(key, "another-key-JJ66"))
    program.await_log("the configuration has 1 clients")
    assert program.get("another-key-JJ66").status == 200


def test_one_address_does_not_take_all_connections(stage, named):
    program = start(stage, named, f"""
        CLIENTS = {{"k": "{HOST}"}}

        def get_ip(source_ip, headers, key):
            return headers.get("X-Real-IP", source_ip)
    """)
    def is_closed(connection):
        try:
            return connection.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    with contextlib.ExitStack() as held:
        connections = [held.enter_context(socket.create_connection(("127.0.0.1", program.port), timeout=60)) for _ in range(1300)]
        for connection in connections:
            connection.setblocking(False)
        # It may be a proxy that asks for all, and may have half of them.
        program.await_log("127.0.0.1 has 1250 connections, and gets no more")
        # Which ones depends on the order in which the threads accept them.
        await_true(lambda: sum(map(is_closed, connections)) >= 50, "the others are closed")
        assert tuple(program.get("k", source="127.0.0.2")) == (200, "OK")


def test_reload_that_never_ends(stage, named):
    program = start(stage, named, STANDARD)
    program.reload(textwrap.dedent(STANDARD) + "\nprint('waiting', flush=True)\nimport threading\nthreading.Event().wait()\n")
    program.await_log("waiting")
    assert tuple(program.get("example")) == (200, "OK")
    began = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - began < 50


@pytest.mark.parametrize("key,target", [
    ("a key with spaces", "/a%20key%20with%20spaces"),
    ("ünïcödé", "/%C3%BCn%C3%AFc%C3%B6d%C3%A9"),
    ("a/b", "/a%2Fb"), ("a%2Fb", "/a%2Fb"), ("a+b", "/a+b"), ("a&b=c;d", "/a&b=c;d"), ("host=x,key=y", "/host=x,key=y"),
    ("?hostname=a&password=b", "/?hostname=a&password=b"), ("a?b?c", "/a?b?c"), ("100%", "/100%"), ("a'\"<>\\^`{|}", "/a'\"<>\\^`{|}"),
    ("a//b", "//a//b"), ("a/", "/a/"), ("~!@$*()_-.:", "/~!@$*()_-.:"), ("#", "/%23"), ("a\nb", "/a%0Ab"),
])
@pytest.mark.parametrize("where", ["dict", "hook"])
def test_keys_of_all_kinds(stage, named, key, target, where):
    hook = "def get_host(querystring, ip):\n    return CLIENTS.get(querystring)\n" if where == "hook" else ""
    program = start(stage, named, f"CLIENTS = {{{key!r}: '{HOST}'}}\n" + hook)
    raw = program.raw(b"GET " + target.encode() + b" HTTP/1.0\r\n\r\n")
    assert raw.endswith(b"\r\n\r\nOK"), raw
    # Without hooks the other dialects are there too, and speak for themselves.
    assert program.raw(b"GET " + target.encode() + b"x HTTP/1.0\r\n\r\n").endswith((b"BADKEY", b"badauth"))


def test_convert_writes_toml_that_does_the_same(stage, named, tmp_path):
    conf = tmp_path / "old" / "conf"
    conf.parent.mkdir()
    named.key.write(conf.parent / "ns.key")
    conf.write_text('http = 8080\nnskeyfile = "ns.key"\n' + textwrap.dedent(STANDARD))
    toml = tmp_path / "new.toml"
    result = run("convert", conf, toml)
    assert (result.returncode, result.stderr) == (0, "")
    assert toml.stat().st_mode & 0o777 == 0o600
    text = toml.read_text()
    assert "get_host was tried with every key" in text and "ttl = 10" in text
    assert run("convert", conf, toml).returncode == 1, "it already exists"
    program = stage.sftdyn(text, arguments=["-v", "--server", named.address])
    assert tuple(program.get("example")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.1"] and named.ttl(HOST, "A") == 10
    assert tuple(program.get(f"host=gnampf.{ZONE},key=4bea92410b3146d0")) == (200, "OK")
    assert run("convert", conf).stdout == text
    assert "TOML already" in run("convert", toml).stderr


def test_convert_understands_the_sample(tmp_path):
    """Which has no clients yet: hooks are tried with one that is made up."""
    result = run("convert", Path(__file__).parents[2] / "packaging/sample.conf", tmp_path / "c.toml")
    assert (result.returncode, result.stderr) == (0, "")
    text = (tmp_path / "c.toml").read_text()
    assert 'http = "8080"' in text and "ttl = 30" in text and "there are no clients yet" in text and "Not carried over" not in text
    assert "good, 0 clients" in run("check", tmp_path / "c.toml").stdout


@pytest.mark.parametrize("text,lost", [
    ('CLIENTS = {}\ndef nsupdatecommands(h, i, x):\n    return ["update add x.example.org 5 A " + i]\n', "nsupdatecommands does more for a host that was made up"),
    ('def get_host(q, i):\n    return q + ".example.org"\nCLIENTS = {}\n', "get_host is not a look-up"),
    ('CLIENTS = {"a": "a.example.org", "b": "a.example.org"}\n', "a.example.org has several keys"),
    ('CLIENTS = {"a": "a.example.org"}\ndef get_ip(s, headers, k):\n    return headers.get("X-Real-IP", s)\n', "get_ip believes X-Real-IP"),
    ('CLIENTS = {"a": "a.example.org"}\ndef get_ip(s, headers, k):\n    return "192.0.2.55"\n', "get_ip does something of its own"),
    ('CLIENTS = {"a": "a.example.org"}\ndef nsupdatecommands(h, i, x):\n    return ["update add x.example.org 5 A " + i]\n', "nsupdatecommands does more for a.example.org"),
    # What no trial shows: the code is compared.
    *((f'CLIENTS = {{"a": "a.example.org"}}\nBLOCKED = []\n{code}\n', lost) for code, lost in (
        ("def get_host(q, ip):\n    if ip in BLOCKED: return None\n    return CLIENTS.get(q)", "get_host has code of its own"),
        ("def get_host(q, ip):\n    return CLIENTS.get(q.lower())", "get_host has code of its own"),
        ("def get_host(q, ip):\n    return CLIENTS.get(q.split('?')[0])", "get_host has code of its own"),
        ("def get_ip(s, headers, key):\n    return key.partition('?ip=')[2] or s", "get_ip has code of its own"),
        ("def nsupdatecommands(h, i, x):\n    if i.startswith('10.'): return []\n    t = 'AAAA' if ':' in i else 'A'\n"
         "    return [f'update delete {h} {t}', f'update add {h} 5 {t} {i}']", "nsupdatecommands has code of its own"),
        ("import threading\nthreading.Thread(target=print).start()", "the conf starts something that goes on beside its hooks"),
    )),
])
def test_convert_says_what_it_could_not_carry_over(tmp_path, text, lost):
    conf = tmp_path / "conf"
    conf.write_text(text)
    result = run("convert", conf)
    assert result.returncode == 1
    assert lost in result.stderr
    assert f"# Not carried over: {lost}" in result.stdout


def test_convert_carries_over_whom_get_ip_believes(tmp_path):
    conf = tmp_path / "conf"
    conf.write_text('print("said by the conf")\nCLIENTS = {"a": "a.example.org"}\ndef get_ip(source_ip, headers, key):\n'
                    '    if source_ip == "127.0.0.1":\n        return headers["X-Real-IP"]\n    return source_ip\n')
    result = run("convert", conf)
    assert result.returncode == 0, result.stderr
    assert 'proxy_header = "X-Real-IP"\ntrusted_proxies = ["127.0.0.1"]\n' in result.stdout
    assert "said by" not in result.stdout and "said by the conf" in result.stderr


def test_check_asks_the_hooks_where_they_run(tmp_path):
    conf = tmp_path / "conf"
    conf.write_text("import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('CREATE TABLE h (k, h)')\ndef get_host(q, ip):\n"
                    "    return db.execute('SELECT h FROM h WHERE k = ?', (q,)).fetchone()\ndef nsupdatecommands(h, i, x): return []\n")
    assert run("check", conf).returncode == 0
    conf.write_text(conf.read_text() + "def get_ip(source_ip, headers, key): return headers['No-Such-Field']\n")
    result = run("check", conf)
    assert result.returncode == 1 and "for an ordinary request get_ip raised an exception" in result.stderr


def test_modules_beside_the_conf_and_of_the_system(stage, named):
    folder = stage.folder / "sftdyn"
    folder.mkdir()
    (folder / "our_hosts.py").write_text(f'HOSTS = {{"k": "{HOST}"}}\n')
    program = start(stage, named, """
        import json, sqlite3, sys, urllib.request
        import dns.resolver  # of Debian's python3-dnspython
        import our_hosts

        CLIENTS = our_hosts.HOSTS
    """)
    assert tuple(program.get("k")) == (200, "OK")
    (folder / "our_hosts.py").write_text(f'HOSTS = {{"l": "{HOST}", "m": "m.{ZONE}"}}\n')
    program.reload()
    program.await_log("the configuration has 2 clients")
    assert tuple(program.get("l")) == (200, "UPTODATE")


def test_hooks_may_run_programs(stage, named, tmp_path):
    program = start(stage, named, f"""
        import subprocess

        CLIENTS = {{"k": "{HOST}"}}

        def get_host(querystring, ip):
            subprocess.run(["touch", {str(tmp_path / "touched")!r}], check=True)
            return CLIENTS.get(querystring)
    """)
    assert tuple(program.get("k")) == (200, "OK")
    assert (tmp_path / "touched").exists()


ENDS_OF_A_COPY = {
    "exit": "sys.exit(7)",
    "raise": "raise RuntimeError('in the copy')",
    "return": "return None",
}


def test_a_process_that_a_hook_forks_does_not_come_back(stage, named):
    """It would take requests of sftdyn, and keep its ports."""
    ends = "".join(f"            if querystring == {name!r}:\n                {code}\n" for name, code in ENDS_OF_A_COPY.items())
    program = start(stage, named, f"""
import asyncio, os, sys

CLIENTS = {{"k": "{HOST}"}}

def get_host(querystring, ip):
    if querystring.startswith("fork/"):
        child = os.fork()
        querystring = querystring[5:]
        if child == 0:
{ends}
        print("ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "for", querystring)
    return CLIENTS.get(querystring)

def nsupdatecommands(host, new_ip, headers):
    return [f"update delete {{host}} A", f"update add {{host}} 30 A {{new_ip}}"]

def fork_in_loop():
    if os.fork() == 0:
        return
    print("forked in the loop", os.waitstatus_to_exitcode(os.wait()[1]))

asyncio.get_event_loop().call_soon(fork_in_loop)
""")
    program.await_log("forked in the loop 0")
    for name, status in (("exit", 7), ("raise", 1), ("return", 0)):
        assert program.get(f"fork/{name}").status == 403
        program.await_log(f"ended with {status} for {name}")
    assert tuple(program.get("k")) == (200, "OK")
    assert program.log().count("in the copy") == 0


def descriptors(program):
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))


def test_a_conf_that_is_not_used_has_no_signals_and_keeps_nothing(stage, named):
    def text(name):
        return textwrap.dedent(f"""
            import asyncio, signal, time

            async def never():
                print("{name} runs a task")

            CLIENTS = {{"k": "{HOST}"}}
            dns = {{"timeout": 0.5}}
            print("top of {name}")
            signal.signal(signal.SIGUSR1, lambda *_: print("signal to {name}"))

            def get_host(querystring, ip):
                if querystring == "hang":
                    time.sleep(4)
                return CLIENTS.get(querystring)

            def nsupdatecommands(host, new_ip, headers):
                return [f"update delete {{host}} A", f"update add {{host}} 30 A {{new_ip}}"]
        """)

    program = start(stage, named, text("first"))
    assert program.get("k").body == "OK"
    before = descriptors(program)
    for count in range(1, 6):
        program.reload(text("refused") + "asyncio.get_event_loop().create_task(never())\nraise ValueError\n")
        program.await_log("the new configuration is not used", count=count)
    await_true(lambda: descriptors(program) <= before, "the refused confs have left nothing")
    program.process.send_signal(signal.SIGUSR1)
    program.await_log("signal to first")
    assert "refused runs a task" not in program.log()

    # A thread of the old conf that hangs is not replaced, beside the new conf.
    assert program.get("hang").status == 500
    program.reload(text("second"))
    program.await_log("the configuration has")
    assert program.get("k").status == 200
    program.await_log("HookTimeout")
    assert program.log().count("top of first") == 1
    program.process.send_signal(signal.SIGUSR1)
    program.await_log("signal to second")
    assert program.log().count("signal to first") == 1


def test_a_conf_that_hangs_when_it_is_run_again_is_run_once_more(stage, named, tmp_path):
    """As where a database is away for a while."""
    away = tmp_path / "away"
    program = start(stage, named, f"""
        import os, time

        CLIENTS = {{"k": "{HOST}"}}
        dns = {{"timeout": 0.5}}

        def connect():
            if os.path.exists({str(away)!r}):
                print("connects")
                time.sleep(10000)

        connect()

        def get_host(querystring, ip):
            connect()
            return CLIENTS.get(querystring)

        def nsupdatecommands(host, new_ip, headers):
            return [f"update delete {{host}} A", f"update add {{host}} 30 A {{new_ip}}"]
    """)
    assert program.get("k").body == "OK"
    away.touch()
    assert program.get("k").status == 500
    program.await_log("connects", count=2)
    away.unlink()
    await_true(lambda: program.get("k").body == "UPTODATE", "another thread runs it")
    assert program.stop() == 0


def test_sighup_and_sigint_are_not_pythons(stage, named):
    program = start(stage, named, STANDARD)
    assert program.stop(signal.SIGINT) == 0
    assert "KeyboardInterrupt" not in (program.folder / "sftdyn.log").read_text()


def test_the_sample(stage, named):
    sample = (Path(__file__).parents[2] / "packaging/sample.conf").read_text()
    program = start(stage, named, sample.replace("# \"90bb", "\"90bb").replace("home.dyn.example.org", HOST))
    assert tuple(program.get("90bbd8698198ea76")) == (200, "OK")
    assert named.records(HOST, "A") == ["127.0.0.1"]
    # Without its functions it does the same.
    program.reload(re.sub(r"\ndef .*", "", (program.folder / "conf").read_text(), flags=re.DOTALL))
    program.await_log("the configuration has 1 clients")
    assert tuple(program.get("90bbd8698198ea76")) == (200, "UPTODATE")
    assert tuple(program.get("90bbd8698198ea76", source="127.0.0.2")) == (200, "OK")


def test_what_a_hook_imports_late_is_hidden_as_well(stage, named):
    text = """
        def get_host(querystring, ip):
            import late_keys
            return late_keys.look_up(querystring)

        def nsupdatecommands(host, new_ip, headers):
            return []
    """
    module = """
        import importlib.util

        KEYS = {"aliceSECRET0123456789": "a.dyn.example.org"}
        NUMBERS = [4711471147, 8150815081]

        def look_up(key):
            if key == "number":
                if 1 not in NUMBERS:
                    raise ValueError(f"none of {NUMBERS}")
            raise ValueError(f"{key} is none of {sorted(KEYS)}")
    """
    (stage.folder / "conf-folder").mkdir()
    (stage.folder / "conf-folder/late_keys.py").write_text(textwrap.dedent(module))
    program = start(stage, named, text, name="conf-folder")
    for key in ("nokey", "number"):
        assert program.get(key).status == 500
    program.await_log("none of [[hidden], [hidden]]")
    program.await_log("is none of ['[hidden]']")
    assert not re.search("SECRET|4711|8150", program.log())


def test_what_a_request_holds_costs_no_more_than_its_length_and_is_not_remembered():
    """With the places of each part of a key that repeats itself, the first would take hours."""
    plugin = Path(__file__).resolve().parents[2] / "src/python/plugin"
    code = "".join((plugin / name).read_text() for name in ("known_words.py", "redaction.py")) + textwrap.dedent("""
        is_beside = lambda path, folder: False
        assert redacted("x" * 5000 + "y", ["x" * 400_000]) == "[hidden]y"
        words = Words()
        words.sure.add("conf-key")
        words.is_of_request = True
        words.add("z" * 400_000, False)
        words.add("a-long-word-of-a-request", False)
        words.is_of_request = False
        assert redacted("z" * 5000 + " conf-key a-long-word-of-a-request", ["key-of-request"], words) == "[hidden] [hidden] [hidden]"
        assert spellings_of_conf.cache_info().currsize == 1 and is_plain_word_of_conf.cache_info().currsize == 0
    """)
    exec(compile(code, "redaction", "exec"), {"__name__": "redaction"})


def test_a_refused_reload_leaves_the_old_conf_its_modules(stage, named):
    """They hold who may move what."""
    text = """
        http = "127.0.0.1:0"

        def get_host(querystring, ip):
            import keys_beside
            return keys_beside.KEYS.get(querystring)

        def nsupdatecommands(host, new_ip, headers):
            return [f"update delete {host} A", f"update add {host} 60 A {new_ip}"]
    """
    folder = stage.folder / "conf-folder"
    folder.mkdir()
    (folder / "keys_beside.py").write_text(f'KEYS = {{"old-key": "{HOST}"}}\n')
    program = start(stage, named, text, name="conf-folder")
    assert program.get("old-key").body == "OK"
    (folder / "keys_beside.py").write_text(f'KEYS = {{"new-key-of-another": "other.{ZONE}"}}\n')
    for mistake in ('\nhttp = "nonsense:x:y"\nimport keys_beside\n', "\nimport keys_beside\nraise ValueError\n"):
        already = program.log().count("the old one stays in use")
        program.reload(textwrap.dedent(text) + mistake)
        await_true(lambda: program.log().count("the old one stays in use") > already, "it is refused")
        assert tuple(program.get("new-key-of-another")) == (403, "BADKEY")
        assert program.get("old-key").body == "UPTODATE"
    program.reload(textwrap.dedent(text))
    program.await_log("the configuration has")
    assert program.get("new-key-of-another").body == "OK"
    assert tuple(program.get("old-key")) == (403, "BADKEY")
