"""The configuration file and the command line: everything wrong is said at once, with its place and the mend."""

import pytest

from harness.sftdyn import conf, run


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
    for words in ["c.toml:1:8: this is no address to listen on", 'c.toml:2:1: unknown setting "htttp"; did you mean http?', "c.toml:4:10: this is no server address",
                  "c.toml:5:7: ttl is of the wrong type", "c.toml:6:11: timeout is out of range", "c.toml:8:7: this host is not a valid domain name: a label is empty",
                  "c.toml:9:7: a client's value is of the wrong type", 'c.toml:10:33: unknown setting "tttl"', "c.toml:11:7: a client has no host",
                  "c.toml:13:7: this host is there twice (first in line 12)", "c.toml:14:1: a client's key is empty", "c.toml:15:1: a client's key begins with a slash",
                  "c.toml:16:7: this host is not a valid domain name: it may hold letters", "13 things to mend"]:
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
    for words in ["none.key", "c.toml:5:1: this zone is there twice", "a [[zone]] has no name", "c.toml:11:12: this is no server address"]:
        assert words in result.stderr, result.stderr
    assert f"{tmp_path}/none.key" in result.stderr


@pytest.mark.parametrize("arguments,words", [(["--nonsense"], "--nonsense"), (["-l", "nowhere"], "no address to listen on"), (["a", "b"], "b")])
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


def test_command_line_wins_over_the_file(stage):
    server = stage.dns("named")
    program = stage.sftdyn('http = "127.0.0.1:1"\n' + conf(server, {"k": "a.dyn.example.org"}))
    assert program.port != 1
    assert program.get("k").body == "OK"


def test_listeners_of_the_file(stage):
    server = stage.dns("named")
    program = stage.sftdyn('http = ["127.0.0.1:0", "[::1]:0"]\n' + conf(server, {"k": "a.dyn.example.org"}), listen=())
    assert {host for host, _ in program.addresses} == {"127.0.0.1", "::1"} or len(program.addresses) == 1
