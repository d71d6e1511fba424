"""What a client may cost: times, sizes, connections."""

import http.client
import resource
import socket
import subprocess
import time

import pytest

from harness.process import await_true
from harness.sftdyn import BINARY, conf

HOST = "home.dyn.example.org"
REQUEST = b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n"


def start(stage, limits, **kwargs):
    server = stage.dns("named")
    return stage.sftdyn(conf(server, {"k": HOST}, extra="[limits]\n" + limits), **kwargs)


def connect(program, source="127.0.0.1", timeout=60):
    return socket.create_connection(("127.0.0.1", program.port), timeout=timeout, source_address=(source, 0))


def until_closed(connection):
    """What still comes, and how long it took until the end."""
    began, out = time.monotonic(), b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            part = b""
        if not part:
            return out, time.monotonic() - began
        out += part


def answer(connection):
    out = b""
    while not out.endswith((b"\r\n\r\nOK", b"\r\n\r\nUPTODATE")):
        part = connection.recv(65536)
        assert part, out
        out += part
    return out


def is_served(program, source="127.0.0.1"):
    try:
        return program.get("/", source=source, timeout=20).status == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize("octets", [b"GET", b"GET /k HTTP/1.1\r\nHost: x\r\n", b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"])
def test_a_slow_writer_is_cut(stage, octets):
    program = start(stage, "header_time = 1\nidle_time = 60")
    with connect(program) as connection:
        began = time.monotonic()
        # An octet now and then does not buy time.
        connection.settimeout(0.2)
        for number in range(250):
            try:
                connection.sendall(octets[number:number + 1])
                if connection.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        else:
            pytest.fail("it was not cut")
        assert 0.9 < time.monotonic() - began < 50  # idle_time


def test_an_idle_connection_is_closed(stage):
    program = start(stage, "idle_time = 0.5\nheader_time = 60")
    with connect(program) as connection:
        connection.sendall(REQUEST)
        answer(connection)
        out, seconds = until_closed(connection)
        assert out == b"" and seconds < 50


def test_a_slow_reader_is_cut(stage):
    program = start(stage, "write_time = 1\nheader_time = 60")
    with connect(program) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(1)
        began = time.monotonic()
        try:
            # Requests without end, and no answer is ever read.
            while time.monotonic() - began < 60:
                connection.sendall(REQUEST * 1000)
        except TimeoutError:
            pass  # it reads no more: its answers have nowhere to go
        except (ConnectionResetError, BrokenPipeError):
            return
        def is_cut():
            try:
                connection.send(b"G")
            except (ConnectionResetError, BrokenPipeError):
                return True
            except (TimeoutError, BlockingIOError):
                return False
            return False
        await_true(is_cut, "it is cut")


def test_sizes_are_settings(stage):
    program = start(stage, "header_size = 512\nbody_size = 10")
    def status(octets):
        return int(program.raw(octets).split()[1])
    assert status(b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n") == 414
    assert status(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 600 + b"\r\n\r\n") == 431
    assert status(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n" + b"a" * 11) == 413
    assert status(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n" + b"a" * 10) == 405
    assert status(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n" + b"a" * 11 + b"\r\n0\r\n\r\n") == 413


def test_the_defaults_are_16_and_64_kib(stage):
    program = start(stage, "")
    def status(octets):
        return int(program.raw(octets).split()[1])
    assert status(b"GET /" + b"a" * 16000 + b" HTTP/1.0\r\n\r\n") == 403
    assert status(b"GET /" + b"a" * 16400 + b" HTTP/1.0\r\n\r\n") == 414
    assert status(b"POST / HTTP/1.0\r\nContent-Length: 65536\r\n\r\n" + b"a" * 65536) == 405
    assert status(b"POST / HTTP/1.0\r\nContent-Length: 65537\r\n\r\n") == 413


def test_requests_per_connection(stage):
    program = start(stage, "requests_per_connection = 3")
    with connect(program) as connection:
        connection.sendall(REQUEST * 5)
        out, _ = until_closed(connection)
    assert out.count(b"HTTP/1.1 200") == 3
    assert out.count(b"Connection: close") == 1 and out.rindex(b"Connection: close") > out.rindex(b"HTTP/1.1")


def test_connections_of_one_client(stage):
    program = start(stage, "connections_per_client = 5")
    held = [connect(program) for _ in range(5)]
    for connection in held:
        connection.sendall(REQUEST)
        answer(connection)
    with connect(program) as one_too_many:
        assert until_closed(one_too_many)[0] == b""
    program.await_log("127.0.0.1 has 5 connections")
    assert is_served(program, source="127.0.0.2")
    held.pop().close()
    await_true(lambda: is_served(program), "its place is free again")
    for connection in held:
        connection.close()


def test_connections_of_one_ipv6_network(stage):
    server = stage.dns("named")
    text = conf(server, {"k": HOST}, extra="[limits]\nconnections_per_client = 2")
    program = stage.sftdyn(text, listen=("[::1]:0",))
    held = [socket.create_connection(("::1", program.port), timeout=60) for _ in range(2)]
    for connection in held:
        connection.sendall(REQUEST)
        answer(connection)
    with socket.create_connection(("::1", program.port), timeout=60) as one_too_many:
        assert until_closed(one_too_many)[0] == b""
    for connection in held:
        connection.close()


def test_a_trusted_proxy_may_have_more(stage):
    server = stage.dns("named")
    text = 'trusted_proxies = ["127.0.0.1"]\n' + conf(server, {"k": HOST}, extra="[limits]\nconnections_per_client = 2")
    program = stage.sftdyn(text)
    held = [connect(program) for _ in range(6)]
    for connection in held:
        connection.sendall(REQUEST)
        answer(connection)
        assert is_served(program)
    for connection in held:
        connection.close()


def test_connections_in_all_idle_ones_make_room(stage):
    program = start(stage, "connections = 8\nthreads = 1")
    held = [connect(program) for _ in range(8)]
    for connection in held:
        connection.sendall(REQUEST)
        answer(connection)
    assert is_served(program, source="127.0.0.2")
    # The one that was idle longest made room.
    held[0].settimeout(60)
    assert held[0].recv(1) == b""
    assert program.log().count("and no more are taken") == 1
    for connection in held:
        connection.close()


def test_connections_in_all_busy_ones_are_waited_for(stage):
    program = start(stage, "connections = 4\nthreads = 1\nheader_time = 2")
    held = [connect(program) for _ in range(4)]
    for connection in held:
        connection.sendall(b"GET /k")  # none is idle
    assert program.get("/", source="127.0.0.2").status == 200, "it waits, and is served when the slow ones are cut"
    for connection in held:
        connection.close()


@pytest.mark.skipif("sanitize" in BINARY, reason="its run-time needs descriptors of its own, and reports what is not there without them")
def test_out_of_descriptors(stage):
    program = start(stage, "connections_per_client = 1000\nthreads = 1\nheader_time = 3", arguments=())
    kept = connect(program)
    kept.sendall(REQUEST)
    answer(kept)
    used = len(subprocess.run(["ls", f"/proc/{program.process.pid}/fd"], capture_output=True, text=True).stdout.split())
    resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (used + 10, used + 10))
    held = []
    for _ in range(60):
        connection = connect(program)
        connection.sendall(b"GET /k")  # none of them is idle
        held.append(connection)
    program.await_log("no file descriptor is left")
    # Whoever is connected is served on.
    try:
        kept.sendall(REQUEST)
        answer(kept)
    except (AssertionError, ConnectionResetError, BrokenPipeError):
        # It was idle, and made room: so it may come again.
        pass
    for connection in held:
        connection.close()
    await_true(lambda: is_served(program), "it accepts again")
    assert program.log().count("no file descriptor is left") == 1, program.log()


def test_a_handshake_has_its_time(stage, tmp_path):
    from test_https import Authority
    key, cert = Authority(tmp_path / "ca").server("slow")
    server = stage.dns("named")
    text = f'https = "127.0.0.1:0"\nkey = "{key}"\ncert = "{cert}"\n' + conf(server, {"k": HOST}, extra="[limits]\nhandshake_time = 0.5")
    program = stage.sftdyn(text, listen=())
    for octets in (b"", b"\x16\x03\x01"):
        with connect(program) as connection:
            connection.sendall(octets)
            out, seconds = until_closed(connection)
            assert out == b"" and 0.3 < seconds < 6
