# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file and the command line: everything wrong is said at once, with its place and the mend."""

import ctypes
import json
import os
import subprocess
from pathlib import Path

import pytest

from harness.process import await_true
from harness.sftdyn import BINARY, conf, run


def check(tmp_path, text, name="c.toml"):
    path = tmp_path / name
    path.write_text(text)
    return run("check", path)


def test_a_good_file(tmp_path):
    result = check(tmp_path, 'http = "8080"\n[clients]\n"a" = "a.example.org"\n"b" = { host = "b.example.org", ttl = 60 }\n')
    assert result.returncode == 0, result.stderr
    assert "good, 2 clients" in result.stdout


def test_everything_wrong_is_said_at_once(tmp_path):
    result = check(tmp_path, """http = "80800"
htttp = "8080"
[dns]
server = "dns.example.org"
ttl = "30"
timeout = 1000
[clients]
"a" = "-bad..name"
"b" = 7
"c" = { host = "c.example.org", tttl = 3 }
"d" = { ttl = 3 }
"e" = "same.example.org"
"f" = "SAME.example.org."
"" = "empty.example.org"
"/g" = "g.example.org"
"h" = "h h.example.org"
""")
    assert result.returncode == 1
    for words in ["c.toml:1:8: this is not an address to listen on", 'c.toml:2:1: unknown setting "htttp"; did you mean http?', "c.toml:4:10: this is not a server address",
                  "c.toml:5:7: ttl is of the wrong type", "c.toml:6:11: timeout is out of range", "c.toml:8:7: this host is not a valid domain name: a label is empty",
                  "c.toml:9:7: a client's value is of the wrong type", 'c.toml:10:33: unknown setting "tttl"', "c.toml:11:7: a client has no host",
                  "c.toml:14:1: a client's key is empty", "c.toml:15:1: a client's key begins with a slash",
                  "c.toml:16:7: this host is not a valid domain name: it may hold letters", "12 errors"]:
        assert words in result.stderr, f"{words}\n---\n{result.stderr}"
    assert "expected a whole number from 0" in result.stderr


def test_a_key_is_not_printed(tmp_path):
    result = check(tmp_path, '[clients]\n"topsecret" = 7\n"topsecret2" = "bad..name"\n"/topsecret3" = "a.example.org"\n"topsecret4" = { hots = "x" }\n')
    assert result.returncode == 1
    assert "topsecret" not in result.stderr


def test_the_same_key_twice(tmp_path):
    result = check(tmp_path, '[clients]\n"k" = "a.example.org"\n"k" = "b.example.org"\n')
    assert result.returncode == 1
    assert ":3:" in result.stderr


def test_broken_syntax_has_a_place(tmp_path):
    result = check(tmp_path, 'http = "8080\n[clients]\n')
    assert result.returncode == 1
    assert "c.toml:1:" in result.stderr


def test_missing_file(tmp_path):
    for arguments in (["check", tmp_path / "none.toml"], [tmp_path / "none.toml"]):
        result = run(*arguments)
        assert result.returncode == 1
        assert "none.toml" in result.stderr and "No such file" in result.stderr


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "d.toml").mkdir()
    result = run("check", tmp_path / "d.toml")
    assert result.returncode == 1 and "it is a folder" in result.stderr


@pytest.mark.parametrize("name", ["pipe.toml", "pipe"])
def test_a_pipe_is_no_file(tmp_path, name):
    """Nobody writes into it: who opened it would wait for ever."""
    os.mkfifo(tmp_path / name)
    result = run("check", tmp_path / name, timeout=20)
    assert result.returncode == 1 and "it is not a regular file" in result.stderr and "1 error" in result.stderr


@pytest.mark.parametrize("name", ["zero.toml", "zero"])
def test_a_device_is_no_file(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/zero")
    result = run("check", tmp_path / name, timeout=20)
    assert result.returncode == 1 and "it is not a regular file" in result.stderr


@pytest.mark.parametrize("name", ["large.toml", "large"])
def test_a_file_has_a_largest_size(tmp_path, name):
    with open(tmp_path / name, "wb") as file:
        file.truncate((1 << 30) + 1)
    result = run("check", tmp_path / name, timeout=20)
    assert result.returncode == 1 and "it is larger than 1024 MiB" in result.stderr


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_no_configuration(stage, text):
    """Whoever writes it anew empties it first, and a reload may come in between."""
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": "a.dyn.example.org"}))
    assert program.get("k").body == "OK"
    program.reload(text)
    program.await_log("the configuration is empty")
    program.await_log("the new configuration is not used; the old one stays in use")
    assert program.get("k").body == "UPTODATE"
    result = run("check", program.conf)
    assert result.returncode == 1 and "the configuration is empty" in result.stderr


LONG = "/run/" + "x" * 103


@pytest.mark.parametrize("text,words", [
    ('[clients.home]\nhost = "home.example.org"\n', ["c.toml:1:1: a client has neither key nor user", "its table's name is not a key"]),
    ('[clients]\nhome.host = "home.example.org"\n', ["c.toml:2:1: a client has neither key nor user"]),
    ('[clients]\n"k" = "192.0.2.1"\n', ["c.toml:2:7: this host is an address, not a name", "name the host that gets its client's address"]),
    ('[clients]\n"k" = { host = "2001:db8::1" }\n', ["c.toml:2:16: this host is an address"]),
    ('[clients.c]\nkey = "k"\nhosts = ["::ffff:192.0.2.1"]\n', ["c.toml:3:10: this host is an address"]),
    ('[dns]\nzone = "a b"\n', ["c.toml:2:8: this zone is not a valid domain name: it may hold letters"]),
    ('[dns]\nzone = "*.example.org"\n', ["c.toml:2:8: this zone is not a valid domain name: a zone can't be a wildcard"]),
    ('[[zone]]\nname = "a\\tb"\n', ["c.toml:2:8: this zone is not a valid domain name"]),
    ('http = []\n', ["c.toml:1:8: http is an empty list; name an address to listen on, or leave the line out"]),
    ('[admin]\nmetrics = []\n', ["c.toml:2:11: metrics is an empty list"]),
    ('[dns]\nservers = []\n', ["c.toml:2:11: servers is an empty list"]),
    ('[addresses]\nallow = []\n', ["c.toml:2:9: allow is an empty list"]),
    ('http = "unix:/run/"\n', ["c.toml:1:8: this is not an address to listen on"]),
    ('[admin]\nmetrics = { listen = "9153", proxy_protocol = true }\n', ["c.toml:2:47: metrics takes no proxy_protocol; leave it out"]),
    ('[clients.z]\nuser = "u"\npassword = "p"\nhosts = ["a.example.org"]\n[clients.a]\nuser = "u"\npassword = "p"\nhosts = ["b.example.org"]\n', ["c.toml:5:1: this client's user appears twice (first in line 1)"]),
    ('http = ["8080", "8080"]\n', ["c.toml: port 8080 of http is named twice (by http too); keep one of them"]),
    ('http = ["8080", "127.0.0.1:8080"]\n', ["port 8080 of http is named twice"]),
    ('http = ["0.0.0.0:8080", "127.0.0.1:8080"]\n', ["port 8080 of http is named twice"]),
    ('http = ["unix:/run/x", "unix:/run/x"]\n', ["this socket of http is named twice"]),
    ('http = "9153"\n[admin]\nmetrics = "9153"\n', ["port 9153 of [admin] metrics is named twice (by http too)"]),
    ('http = { listen = "8080", proxy_protocol = true }\n', ["http has proxy_protocol, but there are no trusted_proxies", 'name the proxy: trusted_proxies = ["192.0.2.1"]']),
    (f'http = "unix:{LONG}"\n', ["c.toml:1:8: the socket's path is too long: 108 octets; a Unix socket's path has up to 107 octets"]),
    (f'[admin]\ncontrol = "{LONG}"\n', ["c.toml:2:11: the socket's path is too long: 108 octets"]),
    ('[admin]\nevent_command = ["/nonexistent/notify"]\n', ["/nonexistent/notify: [admin] event_command can't be run: No such file or directory; give the program's full path"]),
    ('[admin]\nevent_command = ["/tmp"]\n', ["/tmp: [admin] event_command is not a program"]),
    ('[admin]\nevent_command = ["/etc/passwd"]\n', ["/etc/passwd: [admin] event_command can't be run: nobody may execute it; chmod a+x /etc/passwd"]),
    ('[admin]\nstate = "c.toml"\n', ["c.toml: [admin] state is not a folder"]),
    ('[admin]\nstate = true\n', ["c.toml:2:9: state is of the wrong type (boolean); expected a path, or false for none"]),
    ('[admin]\ncontrol = ""\n', ["c.toml:2:11: control is empty; name a path, or write false for none"]),
    ('cert = false\n', ["c.toml:1:8: cert is of the wrong type (boolean); expected the path of a file"]),
    ('log = "verbose"\n', ['c.toml:1:7: log has no such value; expected one of "error", "warning", "info", "debug"']),
    ('[process]\nuser = "4294967294"\n', ["c.toml:2:8: there is no user of this name"]),
])
def test_what_would_be_found_at_the_start_or_later_is_found_before(tmp_path, text, words):
    result = check(tmp_path, text)
    assert result.returncode == 1
    for word in words:
        assert word in result.stderr, f"{word}\n---\n{result.stderr}"


@pytest.mark.parametrize("text", [
    'http = ["0", "0"]\n', 'http = ["127.0.0.1:8080", "127.0.0.2:8080", "[::1]:8080"]\n', 'http = ["0.0.0.0:8080", "[::]:8080"]\n',
    'http = "[::1]:9153"\n[admin]\nmetrics = "9153"\n', 'http = { listen = "unix:/run/x", proxy_protocol = true }\n',
    'http = { listen = "8080", proxy_protocol = true }\ntrusted_proxies = "127.0.0.1"\n', f'[admin]\ncontrol = "{LONG[:-1]}"\n',
    '[dns]\nzone = "0/25.2.0.192.in-addr.arpa"\n', 'trusted_proxies = []\n[addresses]\ndeny = []\n', '[admin]\nevent_command = ["/bin/true"]\n',
    '[clients]\n"192.0.2.1" = "a1.b2"\n"k" = { host = "home.example.org" }\n',
])
def test_what_is_like_it_is_good(tmp_path, text):
    result = check(tmp_path, text)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_folder_that_is_not_there_yet_is_a_warning(tmp_path):
    """systemd makes some of them at the start."""
    (tmp_path / "here").mkdir()
    result = check(tmp_path, 'http = ["unix:/nonexistent/a/http", "unix:/tmp/http"]\n[admin]\ncontrol = "/nonexistent/b/control"\nstate = "/nonexistent/c"\n')
    assert result.returncode == 0, result.stderr
    for folder, setting in (("a", "http"), ("b", "[admin] control"), ("c", "[admin] state")):
        assert f"warning: /nonexistent/{folder}: the folder of {setting} is not there" in result.stdout, result.stdout
    assert result.stdout.count("is not there") == 3
    assert "not there" not in check(tmp_path, '[admin]\ncontrol = "here/control"\nstate = "here"\n').stdout


@pytest.mark.parametrize("text", ['http = "{}"', "http = ['8080', '{}']", 'https = "{}"', 'verbose = "{}"', 'key = ["{}", "x"]'])
def test_a_python_conf_is_not_quoted(tmp_path, text):
    """A key may stand in the wrong place."""
    result = check(tmp_path, text.format("s3cr3t-90bbd8698198ea76") + '\nCLIENTS = {"k": "a.example.org"}\n', name="conf")
    assert result.returncode == 1 and "90bbd" not in result.stderr + result.stdout and "conf:1: " in result.stderr


def test_an_address_is_no_host_in_a_python_conf_either(tmp_path):
    result = check(tmp_path, 'CLIENTS = {"k": "192.0.2.1"}\n', name="conf")
    assert result.returncode == 1 and "the host of entry 1 of CLIENTS is an address, not a name" in result.stderr


def all_settings():
    tool = Path(BINARY).parent / "src/config/sftdyn_document_settings"
    return json.loads(subprocess.run([tool, "--json"], capture_output=True, text=True, check=True).stdout)


def changed_value(setting):
    """A value in its range that is not the default."""
    if setting["kind"] == "flag":
        return "false" if setting["default"] else "true"
    value = setting["least"] if setting["default"] == setting["most"] else setting["most"]
    return str(value / 1000) if setting["kind"] == "seconds" else str(value)


def test_a_reload_takes_every_setting_or_names_it(stage):
    """The schema says which need a restart; the running program is asked for each that is a number or a flag."""
    server = stage.dns("named")
    text = conf(server, {"k": "a.dyn.example.org"})
    head, tail = text.split("[dns]\n")
    dns, clients = tail.split("[clients]\n")
    program = stage.sftdyn(text)
    reloads = 0
    for setting in all_settings():
        section = setting["section"]
        if setting["kind"] not in ("flag", "integer", "seconds") or section not in ("[dns]", "[limits]", "[process]", "[admin]"):
            continue
        line = f"{setting['name']} = {changed_value(setting)}\n"
        own_dns = dns.replace("timeout = 20\n", "") if setting["name"] == "timeout" else dns
        if setting["name"] == "queries":
            own_dns += 'zone = "dyn.example.org"\n'  # which a server that can't be asked needs
        other = "" if section == "[dns]" else f"{section}\n{line}"
        before = program.log()
        program.reload(f"{head}[dns]\n{own_dns}{line if section == '[dns]' else ''}{other}[clients]\n{clients}")
        reloads += 1
        program.await_log("the configuration has 1 clients", count=reloads)
        new = program.log()[len(before):]
        if setting["effect"] == "restart":
            assert f"{section} {setting['name']} has changed: that takes effect only with a restart" in new, new
        else:
            assert "takes effect with a restart" not in new, new
        assert "not taken" not in new
    assert reloads > 25
    assert program.get("k").body == "OK"


def test_the_settings_that_need_a_restart_are_named_together(stage):
    server = stage.dns("named")
    text = conf(server, {"k": "a.dyn.example.org"})
    program = stage.sftdyn(text)
    program.reload('trusted_proxies = "192.0.2.1"\nproxy_header = "Forwarded"\n' + text + '[process]\nuser = "root"\n[admin]\nevent_command = ["/bin/true"]\n')
    program.await_log("trusted_proxies, proxy_header, [process] user and [admin] event_command have changed: that takes effect only with a restart")
    assert program.get("k").body == "OK"


FORMER_NAMES = [("admin", "hook", '["/bin/true"]', "event_command"), ("admin", "hooks_at_once", "3", "event_commands_at_once"),
                ("admin", "hook_time", "9", "event_command_time"), ("dns", "verify_interval", "60", "freshness")]


@pytest.mark.parametrize("section, old, value, name", FORMER_NAMES)
def test_a_setting_is_taken_under_its_former_name_with_a_warning(stage, tmp_path, section, old, value, name):
    server = stage.dns("named")
    setting = f"{old} = {value}"
    text = conf(server, {"k": "a.dyn.example.org"}, **({"dns": setting} if section == "dns" else {"extra": f"[{section}]\n{setting}"}))
    warning = f"{old} is the former name of a setting; write {name} in its place"
    program = stage.sftdyn(text)
    program.await_log(warning)
    result = check(tmp_path, program.conf.read_text())
    assert result.returncode == 0 and warning in result.stdout and "warning: " in result.stdout
    program.reload(text.replace(f"{old} =", f"{name} ="))
    program.await_log("the configuration has 1 clients")
    assert "takes effect with a restart" not in program.log(), "it is the same setting with the same value"


@pytest.mark.parametrize("section, old, value, name", FORMER_NAMES)
def test_a_setting_under_both_its_names_is_refused(tmp_path, section, old, value, name):
    result = check(tmp_path, f"[{section}]\n{old} = {value}\n{name} = {value}\n")
    assert result.returncode == 1
    assert f"{old} and {name} are one setting; leave {old} out: it is the former name" in result.stderr


class Opens:
    """Counts how often a file is opened (inotify(7))."""

    IN_OPEN = 0x20

    def __init__(self, path):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self.libc.inotify_init1(os.O_NONBLOCK)
        assert self.libc.inotify_add_watch(self.descriptor, os.fsencode(path), self.IN_OPEN) >= 0

    def count(self):
        try:
            return len(os.read(self.descriptor, 65536)) // 16  # an event without a name
        except BlockingIOError:
            return 0


def test_a_configuration_with_a_hook_is_read_once(stage):
    server = stage.dns("named")
    counts = []
    for name, hook in (("without", ""), ("with", '[admin]\nevent_command = ["/bin/true"]\n')):
        program = stage.sftdyn(conf(server, {"k": "a.dyn.example.org"}, extra=hook), name=name)
        program.stop()
        opens = Opens(program.conf)
        program.start()
        counts.append(opens.count())
    assert counts == [1, 1]


def test_zones(tmp_path):
    result = check(tmp_path, """[[zone]]
name = "a.example.org"
server = "127.0.0.1"
nskeyfile = "none.key"
[[zone]]
name = "A.example.org"
[[zone]]
server = ["127.0.0.1:5353", "[::1]"]
[[zone]]
name = "b.example.org"
servers = ["127.0.0.1:0"]
""")
    assert result.returncode == 1
    for words in ["none.key", "c.toml:5:1: this zone appears twice", "a [[zone]] has no name", "c.toml:11:12: this is not a server address"]:
        assert words in result.stderr, result.stderr
    assert f"{tmp_path}/none.key" in result.stderr


@pytest.mark.parametrize("arguments,words", [(["--nonsense"], "--nonsense"), (["-l", "nowhere"], "not an address to listen on"), (["a", "b"], "b")])
def test_usage_errors(arguments, words):
    result = run(*arguments)
    assert result.returncode == 2
    assert words in result.stderr


def test_help_and_version():
    result = run("--help")
    assert result.returncode == 0 and "--nskeyfile" in result.stdout and "demo" in result.stdout
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("sftdyn 1.")


@pytest.mark.parametrize("arguments,update,error,debug", [([], False, True, False), (["-v"], True, True, False), (["-vv"], True, True, True),
                                                            (["-q"], False, True, False), (["-qq"], False, False, False), (["-d"], True, True, True),
                                                            (["-v", "-q"], False, True, False)])
def test_verbosity(stage, arguments, update, error, debug):
    server = stage.dns("knot", actions="update")
    program = stage.sftdyn(conf(server, {"k": "a.dyn.example.org", "z": "a.example.net"}), arguments=arguments)
    assert program.get("k").body == "OK"
    assert program.get("z").body == "FAIL"
    log = program.log()
    assert ("a.dyn.example.org A 127.0.0.1: OK" in log) == update
    assert ("serves no zone" in log) == error
    assert ("UPDATE of dyn.example.org with 1 change" in log) == debug


def test_warning_is_the_default_level(stage):
    server = stage.dns("named")
    assert "no clients" in stage.sftdyn(conf(server, {}), arguments=(), name="default").log()
    assert "no clients" not in stage.sftdyn(conf(server, {}), arguments=("-q",), name="quiet").log()


@pytest.mark.parametrize("level,arguments,warning,update,debug", [("error", (), False, False, False), ("warning", (), True, False, False),
                                                                    ("info", (), True, True, False), ("debug", (), True, True, True),
                                                                    ("debug", ("-q",), False, False, False), ("error", ("-v",), True, True, False)])
def test_the_level_of_the_log_in_the_file(stage, level, arguments, warning, update, debug):
    server = stage.dns("named")
    text = conf(server, {"k": "a.dyn.example.org"}, extra='[addresses]\ndeny = ["127.0.0.2/32"]')
    program = stage.sftdyn(f'log = "{level}"\n' + text, arguments=arguments)
    assert program.get("k").body == "OK"
    assert program.get("k", source="127.0.0.2").status == 403
    log = program.log()
    assert ("must not be published" in log, "A 127.0.0.1: OK" in log, "UPDATE of dyn.example.org with 1 change" in log) == (warning, update, debug)
    if arguments:
        return
    # A reload takes it, also when the line is gone.
    program.reload('log = "info"\n' + text)
    await_true(lambda: "a.dyn.example.org A 127.0.0.1: UPTODATE" in said_of_request(program), "each request is said")
    program.reload(text)
    await_true(lambda: "a.dyn.example.org A" not in said_of_request(program), "warnings alone are said")


def said_of_request(program):
    """What is logged of one more request."""
    before = len(program.log())
    assert program.get("k").status == 200
    return program.log()[before:]


def test_command_line_wins_over_the_file(stage):
    server = stage.dns("named")
    program = stage.sftdyn('http = "127.0.0.1:1"\n' + conf(server, {"k": "a.dyn.example.org"}))
    assert program.port != 1
    assert program.get("k").body == "OK"


def test_listeners_of_the_file(stage):
    server = stage.dns("named")
    program = stage.sftdyn('http = ["127.0.0.1:0", "[::1]:0"]\n' + conf(server, {"k": "a.dyn.example.org"}), listen=())
    assert {host for host, _ in program.addresses} == {"127.0.0.1", "::1"} or len(program.addresses) == 1
