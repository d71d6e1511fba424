# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that two readers could understand in two ways: 400, and the connection ends, so that nothing hides behind."""

import pytest

from harness.sftdyn import conf

HOST = "home.dyn.example.org"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

CASES = {
    "two lengths": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 33\r\n\r\n",
    "two equal lengths": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 33\r\n\r\n",
    "a list of equal lengths": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n",
    "a signed length": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n",
    "a negative length": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a hexadecimal length": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0\r\n\r\n",
    "a length that wraps": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n",
    "length and chunks": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two encodings": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a list of encodings": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown encoding": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in 1.0": b"POST /k HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an empty encoding": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n",
    "chunks twice": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks with a parameter": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    "a hidden encoding": b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"GET /k HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c: d\r\n\r\n",
    "a folded line with a tab": b"GET /k HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\tc\r\n\r\n",
    "a folded first field": b"GET /k HTTP/1.1\r\n Host: x\r\n\r\n",
    "a bare LF": b"GET /k HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
    "only LFs": b"GET /k HTTP/1.1\nHost: x\n\n",
    "a bare LF at the end": b"GET /k HTTP/1.1\r\nHost: x\r\n\n",
    "a bare CR": b"GET /k HTTP/1.1\r\nHost: x\rX-A: b\r\n\r\n",
    "a NUL in the target": b"GET /k\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in a field": b"GET /k HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n",
    "a NUL in a name": b"GET /k HTTP/1.1\r\nHost: x\r\nX\0A: b\r\n\r\n",
    "a space before the colon": b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length : 33\r\n\r\n",
    "a space in a name": b"GET /k HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n",
    "a field without a colon": b"GET /k HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "a field without a name": b"GET /k HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    "absolute form of another scheme": b"GET ftp://x/k HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute form without a host": b"GET http:///k HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute form with a user": b"GET http://u@x/k HTTP/1.1\r\nHost: x\r\n\r\n",
    "five empty lines": b"\r\n" * 5 + b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bare LF before it": b"\nGET /k HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk form": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority form": b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no slash": b"GET k HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in the target": b"GET /k k HTTP/1.1\r\nHost: x\r\n\r\n",
    "no Host": b"GET /k HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /k HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "a Host with a slash": b"GET /k HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "a Host with a user": b"GET /k HTTP/1.1\r\nHost: u@x\r\n\r\n",
    "a Host with a space": b"GET /k HTTP/1.1\r\nHost: x y\r\n\r\n",
    "two Hosts in one": b"GET /k HTTP/1.1\r\nHost: x,y\r\n\r\n",
    "a Host with no number for a port": b"GET /k HTTP/1.1\r\nHost: x:y\r\n\r\n",
    "a Host with half a bracket": b"GET /k HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "HTTP/2": b"GET /k HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET /k\r\n\r\n",
    "another protocol": b"GET /k XTTP/1.1\r\nHost: x\r\n\r\n",
    "lower case": b"GET /k http/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from conftest import Stage
    stage = Stage(tmp_path_factory.mktemp("smuggling"))
    server = stage.dns("named")
    yield server, stage.sftdyn(conf(server, {"k": HOST, "hidden": "hidden.dyn.example.org"}))
    stage.end()


@pytest.mark.parametrize("name", CASES)
def test_it_is_400_and_the_end(shared, name):
    server, program = shared
    serial = server.serial()
    out = program.raw(CASES[name] + HIDDEN)
    assert out.startswith((b"HTTP/1.1 400 ",)), out
    assert out.count(b"HTTP/1.1") == 1 and b"Connection: close\r\n" in out, "nothing behind it is served"
    assert server.serial() == serial


@pytest.mark.parametrize("value", ["x", "x:80", "x:", "", "192.0.2.1:8080", "[::1]", "[2001:db8::1]:8080", "host_name.example", "xn--bcher-kva.example"])
def test_these_hosts_are_good(shared, value):
    assert shared[1].raw(f"GET / HTTP/1.1\r\nHost: {value}\r\nConnection: close\r\n\r\n".encode()).startswith(b"HTTP/1.1 200 ")


def test_a_body_hides_nothing(shared):
    """What stands in a body is no request."""
    body = HIDDEN
    out = shared[1].raw(b"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert out.count(b"HTTP/1.1") == 2 and b" 405 " in out and out.endswith(b"127.0.0.1")


def post(body, fields=b""):
    return b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + fields + b"\r\n" + body


CHUNKED = {
    "chunks": post(b"5\r\nhello\r\n0\r\n\r\n"),
    "in capitals": post(b"0\r\n\r\n").replace(b"chunked", b"CHUNKED"),
    "a bad chunk": post(b"zz\r\n"),
    "an LF in a quoted extension": post(b'5;a="\n"\r\nhello\r\n0\r\n\r\n'),
    "an extension without end": post(b"5;" + b"a" * 100000),
    "trailers without end": post(b"0\r\n" + b"X-A: b\r\n" * 10000),
    "a folded trailer": post(b"0\r\nX-A: b\r\n c\r\n\r\n"),
    "a trailer Host": post(b"0\r\nHost: @@\r\n\r\n"),
    "a trailer Authorization": post(b"0\r\nAuthorization: Token k\r\n\r\n"),
    "a request in a chunk": post(b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"),
    "a GET": post(b"0\r\n\r\n").replace(b"POST", b"GET"),
    "with a right key": post(b"0\r\n\r\n", b"Authorization: Token k\r\n"),
}


@pytest.mark.parametrize("name", CHUNKED)
def test_chunks_are_411_and_the_end(shared, name):
    server, program = shared
    serial = server.serial()
    out = program.raw(CHUNKED[name] + HIDDEN)
    assert out.startswith(b"HTTP/1.1 411 Length Required\r\n") and out.endswith(b"\r\n\r\nLENGTH REQUIRED"), out
    assert out.count(b"HTTP/1.1") == 1 and b"Connection: close\r\n" in out, "nothing behind it is served"
    assert server.serial() == serial
