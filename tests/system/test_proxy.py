# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind a proxy: the trusted one's word counts, nobody else's; with a real nginx in front."""

import socket
import subprocess

import pytest

from harness.nginx import Nginx
from harness.process import await_true, free_port
from harness.sftdyn import conf, run
from test_listeners import haproxy

HOST = "home.dyn.example.org"


def start(stage, settings='trusted_proxies = ["127.0.0.1"]'):
    server = stage.dns("named")
    return server, stage.sftdyn(settings + "\n" + conf(server, {"k": HOST}))


def test_a_trusted_proxy_names_the_client(stage):
    server, program = start(stage)
    assert program.get("k", headers={"X-Forwarded-For": "198.51.100.7"}).body == "OK"
    assert server.records(HOST, "A") == ["198.51.100.7"]
    assert program.get("k", headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.8:555, 127.0.0.1"}).body == "OK"
    assert server.records(HOST, "A") == ["198.51.100.8"]
    assert program.get("k", headers={"X-Forwarded-For": "2001:db8::7"}).body == "OK"
    assert server.records(HOST, "AAAA") == ["2001:db8::7"]
    assert program.get("/", headers={"X-Forwarded-For": "198.51.100.9"}).body == "198.51.100.9"
    assert program.get("/").body == "127.0.0.1"


def test_nobody_else_is_believed(stage):
    server, program = start(stage)
    headers = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7", "X-Real-IP": "198.51.100.7"}
    assert program.get("k", source="127.0.0.2", headers=headers).body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.2"]


def test_without_the_setting_no_proxy_is_believed(stage):
    server, program = start(stage, "")
    assert program.get("k", headers={"X-Forwarded-For": "198.51.100.7"}).body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.1"]


@pytest.mark.parametrize("value", ["junk", "", "fe80::1%eth0", "198.51.100.7,", "0.0.0.0", "unknown"])
def test_junk_is_refused_and_changes_nothing(stage, value):
    server, program = start(stage)
    serial = server.serial()
    assert program.get("k", headers={"X-Forwarded-For": value}).status == 400
    assert server.serial() == serial


@pytest.mark.parametrize("name,value", [("Forwarded", 'for="[2001:db8::9]:1234";proto=https'), ("X-Real-IP", "2001:db8::9")])
def test_the_header_is_a_choice(stage, name, value):
    server, program = start(stage, f'trusted_proxies = ["127.0.0.0/8"]\nproxy_header = "{name}"')
    assert program.get("k", headers={name: value, "X-Forwarded-For": "6.6.6.6"}).body == "OK"
    assert server.records(HOST, "AAAA") == ["2001:db8::9"]


def test_another_header_holds_one_address_of_a_trusted_proxys_client(stage):
    server, program = start(stage, 'trusted_proxies = ["127.0.0.1"]\nproxy_header = "CF-Connecting-IP"')
    get = lambda value, **kwargs: program.get("k", headers={"cf-connecting-ip": value, "X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"}, **kwargs)
    assert get("198.51.100.7").body == "OK"
    assert server.records(HOST, "A") == ["198.51.100.7"]
    assert get("2001:db8::9").body == "OK"
    assert server.records(HOST, "AAAA") == ["2001:db8::9"]
    # A list, two lines, and what is no address are refused.
    serial = server.serial()
    for value in ("198.51.100.8, 198.51.100.9", "junk", ""):
        assert get(value).status == 400
    line = b"CF-Connecting-IP: 198.51.100.8\r\n"
    assert program.raw(b"GET /k HTTP/1.0\r\n" + line + line + b"\r\n").startswith(b"HTTP/1.1 400 ")
    assert server.serial() == serial
    # Nobody else's word counts, and without the header the proxy speaks for itself.
    assert get("198.51.100.8", source="127.0.0.2").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.2"]
    assert program.get("k").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["x-forwarded-for", "X-REAL-IP", "Via", "CF Connecting-IP", "-IP", "CF-", "CF--IP", "4bea92410b3146d0-1", "X:Y-Z", "X-" + "a" * 64, ""])
def test_what_is_no_other_header_is_refused(tmp_path, name):
    """Ours in another case would be a list, which another header may not hold."""
    path = tmp_path / "c.toml"
    path.write_text(f'proxy_header = "{name}"\n')
    result = run("check", path)
    assert result.returncode == 1
    assert 'c.toml:1:16: proxy_header has no such value; expected one of "X-Forwarded-For", "Forwarded", "X-Real-IP", or another header of one address' in result.stderr


def test_a_reload_names_another_header(stage):
    _, program = start(stage, 'trusted_proxies = ["127.0.0.1"]\nproxy_header = "CF-Connecting-IP"')
    program.reload(program.conf.read_text().replace("CF-Connecting-IP", "True-Client-IP"))
    program.await_log("proxy_header has changed: that takes effect only with a restart")


def test_settings_are_checked(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('trusted_proxies = ["10.0.0.0/33", 7]\nproxy_header = "Via"\n')
    result = run("check", path)
    assert result.returncode == 1
    for words in ('c.toml:1:20: this is not a network', "c.toml:1:35: trusted_proxies is of the wrong type", "c.toml:2:16: proxy_header has no such value; expected one of"):
        assert words in result.stderr, result.stderr


def test_nginx_in_front(stage, tmp_path):
    server, program = start(stage)
    nginx = Nginx(tmp_path, f"proxy_pass http://127.0.0.1:{program.port}; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;").start()
    stage.running.append(nginx)

    def curl(*arguments):
        return subprocess.run(["curl", "-s", "--interface", "127.0.0.77", *arguments, f"http://127.0.0.1:{nginx.port}/k"], capture_output=True, text=True).stdout
    await_true(lambda: curl() in ("OK", "UPTODATE"), "nginx passes it on")
    assert server.records(HOST, "A") == ["127.0.0.77"]
    # What the client itself claims stands left of what nginx saw.
    assert curl("-H", "X-Forwarded-For: 198.51.100.66") == "UPTODATE"
    assert server.records(HOST, "A") == ["127.0.0.77"]


def through(port, octets, source="127.0.0.66"):
    """What comes back for `octets` that are sent to a proxy."""
    with socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0)) as connection:
        connection.sendall(octets)
        out = b""
        while part := connection.recv(65536):
            out += part
        return out


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


def chunked(fields, trailers):
    return b"GET /k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + trailers + b"\r\n"


@pytest.mark.parametrize("trailer", [b"X-Forwarded-For: 203.0.113.66\r\n", b"Authorization: Token k\r\n", b"Host: @@\r\n"])
@pytest.mark.parametrize("target", [b"/k", b"/nic/update?hostname=home.dyn.example.org"])
def test_a_trailer_through_haproxy_is_no_header(stage, trailer, target):
    server, program = start(stage)
    serial = server.serial()
    port = free_port()
    haproxy(stage, f"  option forwardfor\n  server one 127.0.0.1:{program.port}", port)
    await_true(lambda: is_open(port), "haproxy listens")
    out = through(port, chunked(b"", trailer).replace(b"/k", target))
    assert out.startswith(b"HTTP/1.1 411 "), out
    assert server.serial() == serial and "203.0.113.66" not in program.log()


def test_a_trailer_through_nginx_is_no_header(stage, tmp_path):
    server, program = start(stage)
    nginx = Nginx(tmp_path, f"proxy_http_version 1.1; proxy_pass http://127.0.0.1:{program.port}; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;").start()
    stage.running.append(nginx)
    await_true(lambda: is_open(nginx.port), nginx.errors)
    out = through(nginx.port, chunked(b"", b"X-Forwarded-For: 203.0.113.66\r\n"))
    assert b"\r\n\r\nOK" in out, "nginx reads the chunks itself, and says how long they are"
    assert server.records(HOST, "A") == ["127.0.0.66"]


SPOOFS = ['for=203.0.113.77;by="', 'for=203.0.113.77;by="\\', 'for="203.0.113.77', "for=203.0.113.77", 'for=203.0.113.77;by="a"b', '"', 'for=127.0.0.1;x="']


@pytest.mark.parametrize("spoof", SPOOFS)
@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
def test_forwarded_that_a_proxy_appends_to(stage, tmp_path, proxy, spoof):
    server, program = start(stage, 'trusted_proxies = ["127.0.0.1"]\nproxy_header = "Forwarded"')
    if proxy == "haproxy":
        port = free_port()
        haproxy(stage, f"  http-request add-header Forwarded for=%[src]\n  server one 127.0.0.1:{program.port}", port)
    else:
        front = Nginx(tmp_path, f'proxy_pass http://127.0.0.1:{program.port}; proxy_set_header Forwarded "$http_forwarded, for=$remote_addr";').start()
        stage.running.append(front)
        port = front.port
    await_true(lambda: is_open(port), "the proxy listens")
    assert through(port, b"GET /k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").endswith(b"\r\n\r\nOK")
    assert server.records(HOST, "A") == ["127.0.0.66"]
    out = through(port, f"GET /k HTTP/1.1\r\nHost: a\r\nConnection: close\r\nForwarded: {spoof}\r\n\r\n".encode())
    assert out.endswith(b"\r\n\r\nUPTODATE") or out.startswith(b"HTTP/1.1 400 ") and proxy == "nginx", out
    assert server.records(HOST, "A") == ["127.0.0.66"]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded"])
def test_lines_are_read_from_the_last(stage, name):
    server, program = start(stage, f'trusted_proxies = ["127.0.0.1"]\nproxy_header = "{name}"')
    before, after = ("for=", "for=192.0.2.1") if name == "Forwarded" else ("", "192.0.2.1")
    for first in (f"{before}203.0.113.77", '"', f'{before}203.0.113.77;by="', "junk junk", ""):
        lines = f"{name}: {first}\r\nX: y\r\n{name}: {after}\r\n"
        assert program.raw(f"GET / HTTP/1.0\r\n{lines}\r\n".encode()).endswith(b"\r\n\r\n192.0.2.1"), first


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP"])
def test_a_stranger_that_sends_the_header_of_the_settings_is_warned_of(stage, header):
    """Also one that only the settings know as such."""
    _, program = start(stage, f'trusted_proxies = ["127.0.0.9"]\nproxy_header = "{header}"')
    program.get("k", headers={header: "for=203.0.113.9" if header == "Forwarded" else "203.0.113.9"})
    program.await_log("127.0.0.1 sends a forwarding header, but is not one of trusted_proxies")
