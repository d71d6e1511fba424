# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the HTTP contract, against a real named."""

import re
import socket

import pytest

from harness.sftdyn import conf

HOST = "home.dyn.example.org"


@pytest.fixture
def pair(stage):
    server = stage.dns("named")
    return server, stage.sftdyn(conf(server, {"secret": HOST, "other": "other.dyn.example.org"}))


def test_change_then_no_change_then_change(pair):
    server, program = pair
    assert tuple(program.get("secret", source="127.0.0.2")) == (200, "OK")
    assert server.records(HOST, "A") == ["127.0.0.2"]
    assert server.ttl(HOST, "A") == 30
    assert tuple(program.get("secret", source="127.0.0.2")) == (200, "UPTODATE")
    assert tuple(program.get("secret", source="127.0.0.3")) == (200, "OK")
    assert server.records(HOST, "A") == ["127.0.0.3"]
    assert server.records("other.dyn.example.org", "A") == []


def test_unknown_key(pair):
    server, program = pair
    before = server.serial()
    assert tuple(program.get("wrong")) == (403, "BADKEY")
    assert tuple(program.get("secret2")) == (403, "BADKEY")
    assert tuple(program.get("secre")) == (403, "BADKEY")
    assert server.serial() == before


def test_own_address_without_key(pair):
    _, program = pair
    assert tuple(program.get("/", source="127.0.0.9")) == (200, "127.0.0.9")
    assert tuple(program.get("///")) == (200, "127.0.0.1")


def test_headers_and_exact_body(pair):
    _, program = pair
    answer = program.get("secret")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == "2"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.headers["Date"])
    assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY", "get"])
@pytest.mark.parametrize("target", ["/secret", "/"])
def test_other_methods(pair, method, target):
    server, program = pair
    answer = program.get(target, method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET"
    assert server.records(HOST, "A") == []


def test_head_is_405_without_body(pair):
    _, program = pair
    raw = program.raw(b"HEAD /secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 405 ")
    assert raw.endswith(b"\r\n\r\n")


def test_post_body_is_passed_over(pair):
    _, program = pair
    raw = program.raw(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                      b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert raw.count(b"HTTP/1.1 405 ") == 1
    assert raw.endswith(b"\r\n\r\n127.0.0.1")


def test_http_1_0_is_answered_plainly_and_closed(pair):
    _, program = pair
    raw = program.raw(b"GET /secret HTTP/1.0\r\n\r\n")
    head, body = raw.split(b"\r\n\r\n", 1)
    assert body == b"OK"
    assert b"Connection: close" in head
    assert b"chunked" not in head


def test_http_1_0_keep_alive_on_request(pair):
    _, program = pair
    request = b"GET /secret HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    raw = program.raw(request + request + b"GET /secret HTTP/1.0\r\n\r\n")
    assert raw.count(b"HTTP/1.1 200 OK") == 3
    assert raw.count(b"Connection: keep-alive") == 2


def test_http_1_1_keeps_the_connection(pair):
    _, program = pair
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    raw = program.raw(request * 20 + b"GET /secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert raw.count(b"HTTP/1.1 200 OK") == 21
    assert raw.count(b"Connection: close") == 1
    assert raw.endswith(b"OK")


def test_pipelined_changes_are_answered_in_order(pair):
    _, program = pair
    raw = program.raw(b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\nGET /wrong HTTP/1.1\r\nHost: x\r\n\r\n"
                      b"GET /secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert re.findall(rb"\r\n\r\n(OK|BADKEY|UPTODATE)", raw) == [b"OK", b"BADKEY", b"UPTODATE"]


def test_request_in_single_octets(pair):
    _, program = pair
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as connection:
        for octet in b"GET /secret HTTP/1.0\r\n\r\n":
            connection.sendall(bytes([octet]))
        assert connection.makefile("rb").read().endswith(b"\r\n\r\nOK")


def test_forms_of_a_request_that_rfc_9110_and_9112_know(pair):
    server, program = pair
    assert program.raw(b"GET http://127.0.0.1/secret HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n").rpartition(b"\r\n\r\n")[2] in (b"OK", b"UPTODATE")
    assert program.raw(b"\r\n\r\nGET /secret HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nUPTODATE")
    serial = server.serial()
    assert tuple(program.get("/", method="HEAD", source="127.0.0.9")) == (200, "") and program.get("/", method="HEAD").headers["Content-Length"] == "9"
    assert {program.get(path, method="HEAD", source="127.0.0.9").status for path in ("/secret", "/wrong")} == {405}, "it tells of no key, and moves nothing"
    assert server.serial() == serial
    assert tuple(program.get("/favicon.ico")) == (404, "NOT FOUND")
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as connection:
        connection.sendall(b"POST /nic/update HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        answer = connection.makefile("rb")
        assert [answer.readline(), answer.readline()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
        connection.sendall(b"a=b")
        assert answer.readline().startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("request_octets,status", [
    (b"GET /secret\r\n\r\n", b"400"),
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET /secret HTTP/1.1\r\n\r\n", b"400"),
    (b"GET /secret HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
    (b"GET ftp://x/secret HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * 100 + b"\r\n", b"431"),
    (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", b"413"),
])
def test_bad_requests_are_refused(pair, request_octets, status):
    _, program = pair
    raw = program.raw(request_octets)
    assert raw.startswith(b"HTTP/1.1 " + status + b" ")
    assert b"Connection: close" in raw
    assert tuple(program.get("secret")) == (200, "OK")


KEYS = ["host=x,key=y", "a/b?c", "?hostname=a&password=b", "with space", "plus+plus", "per%cent", "semi;colon", "ümläut-€", 'quo"te',
        "a%2Fb", "&&==", "tab\there", "back\\slash", "~!@$^*()_-", "#hash", "<>{}|`'[]"]


def quote(key, safe):
    return "".join(chr(b) if chr(b) in safe or chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in key.encode())


def test_keys_with_every_character(stage):
    server = stage.dns("named")
    hosts = {key: f"host{number}.dyn.example.org" for number, key in enumerate(KEYS)}
    program = stage.sftdyn(conf(server, hosts))
    for number, key in enumerate(KEYS):
        source = f"127.0.1.{number + 1}"
        encoded = quote(key, "=,/?&+;~!@$^*()_-")
        if "%" in key:  # as sent
            encoded = key
        raw = program_raw(program, encoded.encode(), source)
        assert raw.endswith(b"\r\n\r\nOK"), (key, raw)
        assert server.records(hosts[key], "A") == [source]
        entirely = "".join(f"%{b:02x}" for b in key.encode())
        assert program_raw(program, entirely.encode(), source).endswith(b"\r\n\r\nUPTODATE"), key
        unescaped = key.encode()
        if not any(b <= 0x20 or b == 0x7F for b in unescaped):
            assert program_raw(program, unescaped, source).endswith(b"\r\n\r\nUPTODATE"), key


def program_raw(program, target, source):
    with socket.create_connection(("127.0.0.1", program.port), timeout=60, source_address=(source, 0)) as connection:
        connection.sendall(b"GET //" + target + b" HTTP/1.0\r\n\r\n")
        return connection.makefile("rb").read()


def test_ipv6_and_ipv4_do_not_touch_each_other(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), listen=("127.0.0.1:0", "[::1]:0"))
    (v4, v4_port), (v6, v6_port) = program.addresses
    assert (v4, v6) == ("127.0.0.1", "::1")

    def over(host, port):
        with socket.create_connection((host, port), timeout=60) as connection:
            connection.sendall(b"GET /k HTTP/1.0\r\n\r\n")
            return connection.makefile("rb").read().split(b"\r\n\r\n")[1]

    assert over("127.0.0.1", v4_port) == b"OK"
    assert over("::1", v6_port) == b"OK"
    for _ in range(3):
        assert over("127.0.0.1", v4_port) == b"UPTODATE"
        assert over("::1", v6_port) == b"UPTODATE"
    assert server.records(HOST, "A") == ["127.0.0.1"]
    assert server.records(HOST, "AAAA") == ["::1"]


def test_mapped_ipv4_is_ipv4(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), listen=("0",))
    assert program.addresses[0][0] == "::"
    assert tuple(program.get("/")) == (200, "127.0.0.1")
    assert tuple(program.get("k")) == (200, "OK")
    assert server.records(HOST, "A") == ["127.0.0.1"]
    assert server.records(HOST, "AAAA") == []


def test_ttl_of_the_conf(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"a": "a.dyn.example.org", "b": '{ host = "b.dyn.example.org", ttl = 77 }'}, dns="ttl = 120"))
    assert program.get("a").body == "OK"
    assert program.get("b").body == "OK"
    assert server.ttl("a.dyn.example.org", "A") == 120
    assert server.ttl("b.dyn.example.org", "A") == 77


def test_several_addresses_of_a_name_become_the_one(pair):
    server, program = pair
    server.nsupdate(f"update add {HOST} 60 A 192.0.2.1\nupdate add {HOST} 60 A 127.0.0.1\nupdate add {HOST} 60 TXT keep")
    assert program.get("secret").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.1"]
    assert server.records(HOST, "TXT") == ['"keep"']


def test_no_secret_in_the_log(pair):
    _, program = pair
    program.get("secret")
    program.get("wrong-secret-guess")
    assert "secret" not in program.log()
    assert "home.dyn.example.org" in program.log()
