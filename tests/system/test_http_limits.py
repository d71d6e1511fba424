# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client may cost: times, sizes, connections."""

import http.client
import os
import re
import resource
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness.process import Process, await_true
from harness.sanitized import is_sanitized, not_sanitized
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
    with connect(program) as connection:  # its first request has no more time
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
    assert program.log().count("and no more are accepted") == 1
    for connection in held:
        connection.close()


@pytest.mark.parametrize("octets", [b"", b"GET /k", b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"])
def test_connections_in_all_slow_ones_make_room(stage, octets):
    program = start(stage, "connections = 4\nthreads = 1\nheader_time = 600\nidle_time = 600")
    held = [connect(program) for _ in range(4)]
    for connection in held:
        connection.sendall(octets)  # none is between requests, but for those that never sent one
    assert program.get("/", source="127.0.0.2").status == 200, "it waits, and is served when a slow one was cut"
    gone, _ = until_closed(held[0])
    assert gone == b"", "the one that was slow longest"
    for connection in held:
        connection.close()


def test_connections_in_all_those_of_another_thread_make_room(stage):
    program = start(stage, "connections = 2\nthreads = 2\nidle_time = 600")
    def connections():
        """The server's ends of them: local address, state; 0A is LISTEN (proc_net_tcp)."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [row for row in rows if row[1].endswith(f":{program.port:04X}") and row[3] in ("01", "08")]
    for _ in range(24):  # the system gives each connection to one of the threads
        await_true(lambda: not connections(), "the connections of the last round are gone")
        held = [connect(program) for _ in range(2)]
        for connection in held:
            connection.sendall(REQUEST)
            answer(connection)
        assert is_served(program, source="127.0.0.2")
        for connection in held:
            connection.close()


@pytest.mark.skipif(is_sanitized, reason="its run-time needs descriptors of its own, and reports what is not there without them")
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


@pytest.mark.skipif(is_sanitized, reason="its run-time needs descriptors of its own")
def test_the_dns_has_descriptors_however_many_connect(stage):
    server = stage.dns("named")
    path = stage.folder / "conf.toml"
    path.write_text(conf(server, {"k": HOST}, extra="[limits]\nconnections_per_client = 1000\nthreads = 1"))
    process = Process(["prlimit", "--nofile=100:100", BINARY, path, "-l", "127.0.0.1:0"], stage.folder / "log")
    stage.running.append(process)
    process.await_log("listening on")
    assert "connections is 2500, but 100 file descriptors allow no more than 50; raise the limit of file descriptors (LimitNOFILE=" in process.log()
    port = int(process.log().rpartition("listening on http://127.0.0.1:")[2].split()[0])
    held = []
    for _ in range(120):
        held.append(socket.create_connection(("127.0.0.1", port), timeout=60))
        held[-1].sendall(b"GET /k HTTP/1.1\r\n")  # none of them is idle
    process.await_log("there are 50 connections, and no more are accepted (connections)")
    # One of the slow ones makes room for it.
    held.append(socket.create_connection(("127.0.0.1", port), timeout=60))
    held[-1].sendall(REQUEST)
    assert held[-1].recv(4000).endswith(b"\r\n\r\nOK")
    assert "Too many open files" not in process.log()
    for connection in held:
        connection.close()


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


ENDLESS = {
    "an extension": (b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"a"),
    "trailers": (b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: bbbb\r\n"),
    "a line": (b"GET /", b"a"),
    "a header": (b"GET /x HTTP/1.1\r\nHost: a\r\n", b"X-A: bbbb\r\n"),
    "empty lines": (b"", b"\r\n"),
    "a body": (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1099511627776\r\n\r\n", b"a"),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_takes_no_memory(stage, what):
    program = start(stage, "", arguments=())
    assert is_served(program)
    before = program.resident_kib()
    begin, more = ENDLESS[what]
    sent = 0
    with connect(program) as connection:
        connection.sendall(begin)
        try:
            for _ in range(1024):
                sent += connection.send(more * (65536 // len(more)))
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass  # it is refused, and after a while nobody listens
        assert program.resident_kib() - before < 2048, f"{sent} octets were sent"
    assert is_served(program)


@not_sanitized
def test_a_kept_connection_gives_back_what_a_large_request_took(stage):
    program = start(stage, "body_size = 1048576\nheader_size = 1048576\nconnections_per_client = 1000\nidle_time = 600", arguments=())
    assert is_served(program)
    before = program.resident_kib()
    held = []
    for number in range(40):
        connection = connect(program)
        connection.sendall(b"POST /k HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000000 + b"\r\nContent-Length: 1000000\r\n\r\n" + b"b" * 1000000)
        assert b" 405 " in connection.recv(4096), number
        held.append(connection)
    # Each is one of 2 MB; malloc keeps some of what is free.
    assert program.resident_kib() - before < 20 * 1024
    for connection in held:
        connection.close()


def test_a_body_takes_memory_as_it_comes(stage):
    """What Content-Length announces is not taken before it is there."""
    program = start(stage, "body_size = 1048576\nconnections_per_client = 1000", arguments=())
    assert is_served(program)
    before = program.resident_kib()
    held = []
    for number in range(100):
        connection = connect(program)
        connection.sendall(b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\nabc")
        held.append(connection)
    assert is_served(program, source="127.0.0.2")
    assert program.resident_kib() - before < 4 * 1024
    for connection in held:
        connection.close()


@pytest.mark.skipif(is_sanitized, reason="its run-time takes address space as it likes")
def test_without_memory_a_connection_ends_and_the_process_goes_on(stage):
    # One thread: each has an arena of its own, and what is left is left for all.
    program = start(stage, "threads = 1\nbody_size = 1048576\nconnections_per_client = 1000\nheader_time = 60", arguments=())
    assert is_served(program)
    kept = connect(program, source="127.0.0.3")
    kept.sendall(REQUEST)
    answer(kept)
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    size = int(re.search(r"VmSize:\s+(\d+)", status)[1]) * 1024 + (24 << 20)
    resource.prlimit(program.process.pid, resource.RLIMIT_AS, (size, size))
    held = []
    for _ in range(100):  # up to 100 MB, of which there are 24
        connection = connect(program)
        held.append(connection)
        try:
            connection.sendall(b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" + b"b" * 1048575)
        except (ConnectionResetError, BrokenPipeError):
            pass

    def is_ended(connection):
        connection.setblocking(False)
        try:
            return connection.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
    program.await_log("there is no memory for a connection")
    await_true(lambda: sum(map(is_ended, held)) > 10, "those that are too many are ended")
    assert program.process.alive()
    kept.sendall(REQUEST)
    answer(kept)
    for connection in held:
        connection.close()
    await_true(lambda: is_served(program, source="127.0.0.2"), "it serves on")
    assert program.log().count("there is no memory for a connection") == 1, program.log()


def found_in_memory(pid, words):
    """Which of `words` stand in the process's memory."""
    found = set()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            fields = line.split()
            begin, end = (int(text, 16) for text in fields[0].split("-"))
            if "r" not in fields[1] or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                continue
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except OSError:
                continue
            found |= {word for word in words if word in content}
    return found


@pytest.mark.skipif(is_sanitized, reason="its run-time keeps what is freed")
@pytest.mark.parametrize("tls", [False, True])
def test_an_idle_connection_holds_no_key(stage, tls, tmp_path):
    """After a request nothing of it is left, though the connection is kept: neither of the target, nor of a field, nor of the body."""
    listener, listen, trusted = "", ("127.0.0.1:0",), None
    if tls:
        from test_https import Authority, trusting
        authority = Authority(tmp_path / "ca")
        key, cert = authority.server("memory")
        listener, listen, trusted = f'https = "127.0.0.1:0"\nkey = "{key}"\ncert = "{cert}"\n', (), trusting(authority.root[1])
    server = stage.dns("named")
    program = stage.sftdyn(listener + conf(server, {"k": HOST}), listen=listen, arguments=())

    def connection_of(source):
        plain = connect(program, source)
        return trusted.wrap_socket(plain, server_hostname="localhost") if tls else plain
    words = [f"{place}-{source}-secret".encode() for source in range(2, 5) for place in ("target", "field", "body", "second")]
    held = []
    for source in range(2, 5):
        connection = connection_of(f"127.0.0.{source}")
        target, field, body, second = (word for word in words if f"-{source}-".encode() in word)
        body = b"hostname=x&password=" + body + b"&filler=" + b"f" * 3000 * source
        connection.sendall(b"POST /%s HTTP/1.1\r\nHost: x\r\nAuthorization: Token %s\r\nContent-Length: %d\r\n\r\n" % (target, field, len(body)) + body +
                           b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % second)
        out = b""
        while out.count(b"HTTP/1.1 ") < 2:
            out += connection.recv(65536)
        held.append(connection)
    assert found_in_memory(program.process.pid, [HOST.encode()[:4]]), "it can be looked at"
    left = found_in_memory(program.process.pid, words)
    assert left == set(), left
    for connection in held:
        connection.close()
