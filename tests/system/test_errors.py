# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong is answered with FAIL, and logged once with the host, the server and the likely cause."""

import os
import tempfile
from pathlib import Path

import pytest

from harness.dns_servers import Key
from harness.process import free_port
from harness.sftdyn import conf, run

HOST = "home.dyn.example.org"


def fails(program, *words):
    assert tuple(program.get("k")) == (500, "FAIL")
    log = program.log()
    for word in words:
        assert word in log, log
    return log


def test_key_file_missing(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file="/nonexistent/key"))
    fails(program, HOST, "/nonexistent/key", "the key file can't be read as ", ": No such file", "user root" if os.geteuid() == 0 else "user ")


def test_key_file_unreadable_says_who_tried():
    with tempfile.TemporaryDirectory(prefix="sftdyn-test-") as folder:
        os.chmod(folder, 0o755)
        path = Key().write(f"{folder}/sftdyn.key")
        conf_path = Path(folder, "c.toml")
        conf_path.write_text('nskeyfile = "sftdyn.key"\n[clients]\n"k" = "home.dyn.example.org"\n')
        path.chmod(0)
        # root may read everything, so root looks as nobody.
        result = run("check", conf_path, cwd="/", **({"user": "nobody"} if os.geteuid() == 0 else {}))
    assert result.returncode == 1
    assert "user nobody (uid 65534)" in result.stderr or os.geteuid() != 0, result.stderr
    assert f"(uid {os.geteuid() or 65534})" in result.stderr
    assert f"{folder}/sftdyn.key" in result.stderr and "the key file can't be read as user" in result.stderr and ": Permission denied" in result.stderr and "chmod" in result.stderr


@pytest.mark.parametrize("text,complaint", [
    ("key \"k\" { algorithm hmac-sha256; secret \"not base64!\"; };", "the secret is not Base64"),
    ("key \"k\" { algorithm hmac-sha257; secret \"AAAA\"; };", "\"hmac-sha257\" is not known"),
    ("key \"k\" { secret \"AAAA\"; };", "no algorithm"),
    ("key \"k\" {\n algorithm hmac-sha256;\n secret \"AAAA\"\n};", ":4: expected \";\""),
    ("hello", "this is not a TSIG key"),
    ("", "the file ends where \"key\" should be"),
])
def test_key_file_of_the_wrong_form(stage, text, complaint):
    server = stage.dns("named")
    path = server.folder / "bad.key"
    path.write_text(text)
    log = fails(stage.sftdyn(conf(server, {"k": HOST}, key_file=path)), complaint, str(path))
    assert "AAAA" not in log and "not base64!" not in log


def test_server_not_there(stage):
    server = stage.dns("named")
    server.stop()
    fails(stage.sftdyn(conf(server, {"k": HOST})), HOST, server.address, "nothing listens there (connection refused)")


def test_server_silent(stage):
    server = stage.dns("named")
    server.process.send_signal(19)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 3"))
    fails(program, HOST, server.address, "did not answer in time")


@pytest.mark.parametrize("kind", ["named", "knot", "powerdns"])
def test_wrong_secret_is_badsig(stage, kind):
    server = stage.dns(kind)
    wrong = Key(name=server.key.name).write(server.folder / "wrong.key")
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=wrong))
    log = fails(program, HOST, server.address)
    # PowerDNS tells the reason in its own log only, and answers with a plain error.
    assert kind == "powerdns" or "NOTAUTH (BADSIG)" in log
    assert server.records(HOST, "A") == []


@pytest.mark.parametrize("kind", ["named", "knot"])
def test_unknown_key_is_badkey(stage, kind):
    server = stage.dns(kind)
    wrong = Key(name="stranger").write(server.folder / "wrong.key")
    fails(stage.sftdyn(conf(server, {"k": HOST}, key_file=wrong)), HOST, server.address, "NOTAUTH (BADKEY)", "stranger")
    assert server.records(HOST, "A") == []


@pytest.mark.parametrize("kind,shift", [("named", 1000), ("named", -1000), ("knot", 1000)])
def test_wrong_clock_is_badtime(stage, kind, shift, tmp_path):
    server = stage.dns(kind)
    library = build_clock_shift(tmp_path)
    program = stage.sftdyn(conf(server, {"k": HOST}), environment={"LD_PRELOAD": preload(library), "CLOCK_SHIFT": str(shift)})
    log = fails(program, HOST, server.address, "NOTAUTH (BADTIME)", "NTP")
    if kind == "named":
        seconds = int(log.split("clock is ")[1].split(" s ")[0])
        assert abs(seconds - abs(shift)) < 20
        assert ("ahead of" if shift > 0 else "behind") in log
    assert server.records(HOST, "A") == []


def preload(library):
    """The library behind the sanitizer's, which wants to be first."""
    import re
    import subprocess

    from harness.sftdyn import BINARY
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True).stdout
    sanitizer = re.search(r"=> (\S*lib[at]san\S*)", linked)
    return f"{sanitizer[1]}:{library}" if sanitizer else str(library)


def build_clock_shift(folder):
    """A library that moves the wall clock, and leaves the steady one."""
    import subprocess

    source = folder / "shift.c"
    source.write_text("""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static time_t shift(void) {
    const char *s = getenv("CLOCK_SHIFT"), *file = getenv("CLOCK_SHIFT_FILE");
    char text[32] = "";
    FILE *f = file ? fopen(file, "r") : NULL;
    if (f) {
        if (fgets(text, sizeof text, f)) s = text;
        fclose(f);
    }
    return s ? atol(s) : 0;
}
time_t time(time_t *out) {
    struct timespec now;
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    real(CLOCK_REALTIME, &now);
    now.tv_sec += shift();
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
""")
    library = folder / "shift.so"
    subprocess.run(["g++", "-x", "c++", "-fpermissive", "-w", "-shared", "-fPIC", "-o", library, source], check=True, capture_output=True)
    return library


def test_refused_by_policy(stage):
    server = stage.dns("named", policy='update-policy { grant sftdyn name allowed.dyn.example.org A; };')
    program = stage.sftdyn(conf(server, {"k": HOST, "ok": "allowed.dyn.example.org"}))
    fails(program, HOST, server.address, "answered REFUSED", "update-policy")
    assert program.get("ok").body == "OK"


def test_no_zone_for_the_host(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": "home.example.com"}))
    fails(program, "home.example.com", server.address, "serves no zone that holds")


def test_zone_that_the_server_does_not_serve_is_notauth(stage):
    server = stage.dns("named", zones=("dyn.example.org", "example.org"))
    program = stage.sftdyn(conf(server, {"k": HOST}, dns='zone = "org"\nqueries = false'))
    fails(program, HOST, server.address, "answered NOTAUTH", "primary")


def test_name_outside_of_its_zone_is_notzone(stage):
    # named answers NOTZONE when the name is not under the zone that the UPDATE is for; sftdyn finds that before it asks.
    server = stage.dns("named")
    path = stage.folder / "c.toml"
    path.write_text(conf(server, {"k": "home.example.net"}, dns='zone = "dyn.example.org"'))
    result = run("check", path)
    assert result.returncode == 1
    assert "this host is not in the zone that [dns] names" in result.stderr


def test_servfail_names_the_likely_causes(stage):
    server = stage.dns("named")
    # A folder where the journal should be: named can't write it, whoever it runs as.
    (server.folder / "dyn.example.org.zone.jnl").mkdir()
    program = stage.sftdyn(conf(server, {"k": HOST}))
    fails(program, HOST, server.address, "answered SERVFAIL", "journal", "AppArmor")
    assert server.records(HOST, "A") == []


def test_cname_in_the_way(stage):
    server = stage.dns("named")
    server.nsupdate(f"update add {HOST} 60 CNAME other.dyn.example.org.")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    fails(program, HOST, "is a CNAME")
    server.nsupdate(f"update delete {HOST} CNAME")
    assert program.get("k").body == "OK"


def test_secondary_server_is_told_apart(stage):
    primary = stage.dns("named", name="primary")
    secondary = stage.dns("named", name="secondary", zones=("other.example.org",))
    program = stage.sftdyn(conf(secondary, {"k": HOST}))
    fails(program, HOST, secondary.address, "serves no zone")
    assert primary.records(HOST, "A") == []


def test_a_flood_of_one_error_is_summarised(stage):
    server = stage.dns("named")
    server.stop()
    program = stage.sftdyn(conf(server, {"k": HOST}), arguments=())
    for _ in range(100):
        assert program.get("k").body == "FAIL"
    assert program.log().count("not updated") == 1
    program.stop()
    log = (program.folder / "sftdyn.log").read_text()
    assert "99 more like it" in log
    assert log.count("not updated") == 2


def test_port_in_use_is_an_error(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    path = stage.folder / "second.toml"
    path.write_text(conf(server, {"k": HOST}))
    result = run(path, "-l", f"127.0.0.1:{program.port}")
    assert result.returncode == 1
    assert f"127.0.0.1:{program.port}" in result.stderr and "another program has this port" in result.stderr


def test_address_of_another_machine_is_an_error(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[clients]\n"a" = "b.example.org"\n')
    result = run(path, "-l", f"192.0.2.1:{free_port()}")
    assert result.returncode == 1
    assert "192.0.2.1" in result.stderr
