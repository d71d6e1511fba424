# SPDX-License-Identifier: GPL-3.0-or-later
"""Unix sockets, sockets that systemd passes, and the PROXY protocol; with real haproxy, nginx and curl."""

import os
import socket
import stat
import struct
import subprocess

import pytest

from harness.nginx import Nginx
from harness.process import Process, await_true, free_port
from harness.sftdyn import BINARY, conf, run
from test_https import Authority

HOST = "home.dyn.example.org"


def curl(*arguments):
    return subprocess.run(["curl", "-s", "--max-time", "10", *map(str, arguments)], capture_output=True, text=True).stdout


def test_a_port_alone_is_for_both_families_and_an_address_for_its_own(stage):
    server = stage.dns("named")
    for listen, families in (("0", {"127.0.0.1", "::1"}), ("[::]:0", {"::1"}), ("0.0.0.0:0", {"127.0.0.1"})):
        program = stage.sftdyn(conf(server, {"k": HOST}), listen=(listen,))
        answered = set()
        for host in ("127.0.0.1", "::1"):
            try:
                with socket.create_connection((host, program.port), timeout=60):
                    answered.add(host)
            except ConnectionRefusedError:
                pass
        assert answered == families, listen
        program.stop()


def test_a_unix_socket(stage):
    path = stage.folder / "http.sock"
    server = stage.dns("named")
    program = stage.sftdyn(f'http = ["unix:{path}", "127.0.0.1:0"]\n' + conf(server, {"k": HOST}), listen=())
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    # Whoever may use the socket is a proxy: its word is the only address there is.
    assert curl("--unix-socket", path, "-H", "X-Forwarded-For: 198.51.100.7", "http://x/k") == "OK"
    assert server.records(HOST, "A") == ["198.51.100.7"]
    assert curl("--unix-socket", path, "http://x/k") == "BAD REQUEST"
    program.stop()
    assert not path.exists()


def test_a_unix_sockets_mode_and_group_and_what_lies_in_its_place(stage):
    path = stage.folder / "http.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))  # as after a crash: nobody listens
    server = stage.dns("named")
    text = f'http = {{ listen = "unix:{path}", mode = "0606", group = "daemon" }}\n' + conf(server, {"k": HOST})
    program = stage.sftdyn(text, listen=())
    assert stat.S_IMODE(path.stat().st_mode) == 0o606
    assert path.stat().st_gid == 1
    other = run(program.conf)
    assert other.returncode == 1 and "another program listens there" in other.stderr
    assert curl("--unix-socket", path, "-H", "X-Forwarded-For: 198.51.100.7", "http://x/") == "198.51.100.7"
    # A file that is no socket is nobody's to take away.
    (stage.folder / "file").write_text("precious")
    program.conf.write_text(f'http = "unix:{stage.folder}/file"\n')
    other = run(program.conf)
    assert other.returncode == 1 and "can't listen" in other.stderr
    assert (stage.folder / "file").read_text() == "precious"


def test_listener_settings_are_checked(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('http = [{ listen = "8080", mode = "0660" }, { proxy_protocol = true }, { listen = "unix:relative" }, { listen = "unix:/x", mode = "9" },'
                    ' { listen = "unix:/x", group = "nobody-has-this" }, { listen = "1", colour = 1 }]\n')
    result = run("check", path)
    assert result.returncode == 1
    for words in ("mode and group are for Unix sockets only", "http has no listen", "is not an address to listen on", "mode is not a file mode", "there is no group", "unknown setting in http"):
        assert words in result.stderr, result.stderr


@pytest.mark.parametrize("names", ["", "https"])
def test_sockets_passed_by_systemd(stage, names, tmp_path):
    server = stage.dns("named")
    authority = Authority(tmp_path / "ca") if names else None
    tls = ""
    if authority:
        key, cert = authority.server("socket")
        tls = f'https = "127.0.0.1:1"\nkey = "{key}"\ncert = "{cert}"\n'
    path = stage.folder / "sftdyn.toml"
    # The configuration's own address is not even tried: port 1 belongs to root, and to somebody else.
    path.write_text(("" if names else 'http = "127.0.0.1:1"\n') + tls + conf(server, {"k": HOST}))
    port = free_port()
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", *([f"--fdname={names}"] if names else []), BINARY, path]
    process = Process(command, stage.folder / "sftdyn.log")
    stage.running.append(process)
    url = f"https://127.0.0.1:{port}/k" if names else f"http://127.0.0.1:{port}/k"
    extra = ["--cacert", authority.root[1]] if authority else []
    await_true(lambda: curl(*extra, url) in ("OK", "UPTODATE"), lambda: process.log())
    assert server.records(HOST, "A") == ["127.0.0.1"]
    assert f"listening on {'https' if names else 'http'}://127.0.0.1:{port}" in process.log()


def activated(stage, text, names, file="sftdyn.toml"):
    """sftdyn with one socket of systemd's, under that name, and its port."""
    path = stage.folder / file
    path.write_text(text)
    port = free_port()
    process = Process(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", f"--fdname={names}", BINARY, path], stage.folder / "sftdyn.log")
    stage.running.append(process)
    return process, port


def connect(process, port):
    """It is started by the first connection."""
    await_true(lambda: "Listening on" in process.log(), process.log)
    socket.create_connection(("127.0.0.1", port), timeout=60).close()


def test_a_passed_socket_for_tls_needs_no_https_setting(stage, tmp_path):
    server = stage.dns("named")
    authority = Authority(tmp_path / "ca")
    key, cert = authority.server("socket")
    process, port = activated(stage, f'key = "{key}"\ncert = "{cert}"\n' + conf(server, {"k": HOST}), "https")
    await_true(lambda: curl("--cacert", authority.root[1], f"https://127.0.0.1:{port}/k") in ("OK", "UPTODATE"), process.log)
    assert process.log().count("listening on ") == 1, process.log()


@pytest.mark.parametrize("extra", ["", 'http = "127.0.0.1:0"\n'])
def test_a_passed_socket_for_tls_without_a_certificate_is_said(stage, extra):
    process, port = activated(stage, extra + '[clients]\n"k" = "a.example.org"\n', "https")
    connect(process, port)
    assert process.popen.wait(60) == 1
    assert "https (a socket that systemd passed) without cert and key" in process.log(), process.log()


@pytest.mark.parametrize("name", ["HTTPS", "tls", "htps-proxy"])
def test_a_passed_socket_of_an_unknown_name_is_said(stage, name):
    process, port = activated(stage, '[clients]\n"k" = "a.example.org"\n', name)
    connect(process, port)
    assert process.popen.wait(60) == 1
    assert f'systemd passed a socket that is called "{name}"; FileDescriptorName= of a socket unit is http, https, http-proxy or https-proxy' in process.log(), process.log()


def test_the_units_name_is_no_error(stage):
    """systemd's name of a socket without FileDescriptorName=."""
    process, port = activated(stage, '[clients]\n"k" = "a.example.org"\n', "sftdyn.socket")
    await_true(lambda: curl(f"http://127.0.0.1:{port}/") == "127.0.0.1", process.log)


V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(client, command=0x21):
    return V2 + struct.pack("!BBH", command, 0x11, 12) + socket.inet_aton(client) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 1234, 80)


REQUEST = b"GET /k HTTP/1.0\r\n\r\n"


def start(stage, listen='{ listen = "127.0.0.1:0", proxy_protocol = true }', trusted="127.0.0.1"):
    server = stage.dns("named")
    return server, stage.sftdyn(f'http = {listen}\ntrusted_proxies = ["{trusted}"]\n' + conf(server, {"k": HOST}), listen=())


def test_the_proxy_protocol_names_the_client(stage):
    server, program = start(stage)
    assert b"\r\n\r\nOK" in program.raw(b"PROXY TCP4 198.51.100.7 127.0.0.1 1234 80\r\n" + REQUEST)
    assert server.records(HOST, "A") == ["198.51.100.7"]
    assert b"\r\n\r\nOK" in program.raw(v2("198.51.100.8") + REQUEST)
    assert server.records(HOST, "A") == ["198.51.100.8"]
    assert b"\r\n\r\nOK" in program.raw(b"PROXY TCP6 2001:db8::7 ::1 1234 80\r\n" + REQUEST)
    assert server.records(HOST, "AAAA") == ["2001:db8::7"]
    # The proxy's own requests (health checks) come from itself.
    assert program.raw(b"PROXY UNKNOWN\r\n" + b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\n127.0.0.1")
    assert program.raw(v2("198.51.100.9", 0x20) + b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\n127.0.0.1")


def test_what_is_no_preamble_is_closed_without_a_word(stage):
    server, program = start(stage)
    serial = server.serial()
    for octets in (REQUEST, b"PROXY TCP4 junk junk 1 2\r\n" + REQUEST, v2("0.0.0.0") + REQUEST, V2 + b"\x21\x11\xff\xff" + REQUEST, b"\x16\x03\x01\x00\x05hello"):
        assert program.raw(octets) == b""
    assert server.serial() == serial
    assert program.raw(b"PROXY UNKNOWN\r\n" + b"GET / HTTP/1.0\r\n\r\n").endswith(b"127.0.0.1")


def test_only_a_trusted_proxy_may_speak_it(stage):
    server, program = start(stage, trusted="127.0.0.9")
    assert program.raw(b"PROXY TCP4 198.51.100.7 127.0.0.1 1234 80\r\n" + REQUEST) == b""
    assert server.records(HOST, "A") == []
    program.await_log("is not one of trusted_proxies")


def test_a_preamble_that_never_comes_ends(stage):
    server = stage.dns("named")
    text = 'http = { listen = "127.0.0.1:0", proxy_protocol = true }\ntrusted_proxies = ["127.0.0.1"]\n' + conf(server, {"k": HOST}, extra="[limits]\nhandshake_time = 0.3")
    program = stage.sftdyn(text, listen=())
    assert program.raw(b"PROXY TC") == b""


def v2_of(command, family, addresses=b""):
    return V2 + struct.pack("!BBH", command, family, len(addresses)) + addresses


NOBODY = {
    "UNKNOWN": b"PROXY UNKNOWN\r\n",
    "UNKNOWN with addresses": b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    "LOCAL": v2_of(0x20, 0x00),
    "LOCAL with addresses": v2("198.51.100.9", 0x20),
    "UNSPEC": v2_of(0x21, 0x00),
    "AF_UNIX": v2_of(0x21, 0x31, b"/run/client".ljust(108, b"\0") + b"/run/server".ljust(108, b"\0")),
}


@pytest.mark.parametrize("name", NOBODY)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_tcp_proxy_vouches_for_no_header(stage, name, header):
    server = stage.dns("named")
    text = f'http = {{ listen = "127.0.0.1:0", proxy_protocol = true }}\ntrusted_proxies = ["127.0.0.1"]\nproxy_header = "{header}"\n'
    program = stage.sftdyn(text + conf(server, {"k": HOST}), listen=())
    claim = f"{header}: {'for=' if header == 'Forwarded' else ''}203.0.113.88\r\n".encode()
    out = program.raw(NOBODY[name] + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + claim + b"\r\n")
    assert out.endswith(b"\r\n\r\n127.0.0.1"), out
    # Nor when the proxy names the client.
    out = program.raw(v2("198.51.100.8") + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + claim + b"\r\n")
    assert out.endswith(b"\r\n\r\n198.51.100.8"), out
    # But an HTTP proxy of ours behind the TCP proxy does.
    out = program.raw(v2("127.0.0.1") + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + claim + b"\r\n")
    assert out.endswith(b"\r\n\r\n203.0.113.88"), out
    assert program.raw(b"PROXY TCP4 9.9.9.9\0junk 127.0.0.1 1 2\r\n" + REQUEST) == b""


def test_haproxy_that_listens_on_a_unix_socket_vouches_for_no_header(stage):
    server, program = start(stage)
    front = stage.folder / "front.sock"
    haproxy(stage, f"  bind {front}\n  server one 127.0.0.1:{program.port} send-proxy-v2", free_port())
    arguments = ["--unix-socket", front, "-H", "X-Forwarded-For: 203.0.113.88", "http://x/"]
    await_true(lambda: curl(*arguments) != "", "haproxy passes it on")
    assert curl(*arguments) == "127.0.0.1"


def haproxy(stage, body, port):
    path = stage.folder / "haproxy.cfg"
    path.write_text(f"defaults\n  mode {'http' if 'forwardfor' in body or 'http-request' in body else 'tcp'}\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"
                    f"listen front\n  bind 127.0.0.1:{port}\n{body}\n")
    process = Process(["haproxy", "-db", "-f", path], stage.folder / "haproxy.log")
    stage.running.append(process)
    return process


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2", "forwardfor"])
def test_haproxy_in_front(stage, how):
    listen = '"127.0.0.1:0"' if how == "forwardfor" else '{ listen = "127.0.0.1:0", proxy_protocol = true }'
    server, program = start(stage, listen)
    port = free_port()
    option = "  option forwardfor\n" if how == "forwardfor" else ""
    haproxy(stage, f"{option}  server one 127.0.0.1:{program.port}{'' if option else ' ' + how}", port)
    await_true(lambda: curl("--interface", "127.0.0.66", f"http://127.0.0.1:{port}/k") in ("OK", "UPTODATE"), "haproxy passes it on")
    assert server.records(HOST, "A") == ["127.0.0.66"]


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2"])
def test_haproxy_passes_tls_through(stage, how, tmp_path):
    authority = Authority(tmp_path / "ca")
    key, cert = authority.server("through")
    server = stage.dns("named")
    text = (f'https = {{ listen = "127.0.0.1:0", proxy_protocol = true }}\nkey = "{key}"\ncert = "{cert}"\ntrusted_proxies = ["127.0.0.1"]\n' + conf(server, {"k": HOST}))
    program = stage.sftdyn(text, listen=())
    port = free_port()
    haproxy(stage, f"  server one 127.0.0.1:{program.port} {how}", port)
    arguments = ["--interface", "127.0.0.66", "--cacert", authority.root[1], f"https://127.0.0.1:{port}/k"]
    await_true(lambda: curl(*arguments) in ("OK", "UPTODATE"), "haproxy passes it on")
    assert server.records(HOST, "A") == ["127.0.0.66"]


def test_nginx_in_front_over_a_unix_socket(stage, tmp_path):
    path = tmp_path / "http.sock"
    server = stage.dns("named")
    stage.sftdyn(f'http = {{ listen = "unix:{path}", mode = "0666" }}\nproxy_header = "X-Real-IP"\n' + conf(server, {"k": HOST}), listen=())
    # Its workers are another user's: they must reach the socket.
    os.chmod(tmp_path, 0o755)
    for folder in tmp_path.parents:
        if str(folder) == "/tmp":
            break
        os.chmod(folder, 0o755)
    nginx = Nginx(tmp_path, f"proxy_pass http://unix:{path}; proxy_set_header X-Real-IP $remote_addr;").start()
    stage.running.append(nginx)
    await_true(lambda: curl("--interface", "127.0.0.78", f"http://127.0.0.1:{nginx.port}/k") in ("OK", "UPTODATE"), nginx.errors)
    assert server.records(HOST, "A") == ["127.0.0.78"]
