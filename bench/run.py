#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures sftdyn and its peers in one run, and prints the figures with their ratios.

    bench/run.py [uptodate] [hooks] [dyndns2] [tls] [idle] [hostile] [changes] [loading] [scale] [restart] [--seconds N]

Peers: nginx that answers a fixed 200; one nsupdate process for each change, as the original sftdyn does it; dnsperf -u
with one change for each message; and named itself, as it is asked without sftdyn. All on loopback, servers and load on
the same machine.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/system"))

from harness.dns_servers import ZONE, Named  # noqa: E402
from harness.process import Process, await_true, free_port  # noqa: E402
from harness.sftdyn import BINARY, Sftdyn, conf  # noqa: E402

BUILD = Path(BINARY).parent
# All load comes from one address here, and nginx below does not count requests either.
UNLIMITED = "[limits]\nconnections_per_client = 1000000\nrequests_per_connection = 1000000000\n"
rows = []


def row(what, ours, peer=None, peer_name="", unit="/s", note=""):
    ratio = f"{ours / peer:6.2f}" if peer else "      "
    beside = (f"{peer:10,.2f}" if unit == " ms" else f"{peer:10,.0f}") + f"{unit} {peer_name}" if peer else ""
    rows.append(f"{what:<46} {ours:10,.2f}{unit}  {ratio}  {beside} {note}" if unit == " ms" else
                f"{what:<46} {ours:10,.0f}{unit}  {ratio}  {beside} {note}")
    print(rows[-1], flush=True)


def heading(text):
    print(f"\n{text}\n{'':<46} {'sftdyn':>12}   ratio  {'peer':>10}", flush=True)


def wrk(url, connections, seconds, close=False, headers=()):
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s"]
    for header in headers:
        command += ["-H", header]
    if close:
        command += ["-H", "Connection: close"]
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise AssertionError(f"{url} answered errors:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


class Nginx:
    """Answers a fixed 200; with `certificate`, a pair of key and certificate, by HTTPS."""

    def __init__(self, folder, certificate=None):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        listen = f"listen 127.0.0.1:{self.port}{' ssl' if certificate else ''} reuseport;"
        if certificate:
            listen += f" ssl_certificate_key {certificate[0]}; ssl_certificate {certificate[1]}; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off;"
        (self.folder / "nginx.conf").write_text(f"""
daemon off;
worker_processes 2;
pid {self.folder}/pid;
error_log {self.folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    server {{
        {listen}
        location / {{ default_type text/plain; return 200 "UPTODATE"; }}
    }}
}}
""")
        self.process = Process(["nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"], self.folder / "log")
        url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}/"
        await_true(lambda: subprocess.run(["curl", "-sk", url], capture_output=True).stdout == b"UPTODATE", "nginx answers")

    def stop(self):
        self.process.stop()


def uptodate(folder, seconds):
    heading("UPTODATE, requests per second (wrk, 64 connections)")
    server = Named(folder / "named").start()
    program = Sftdyn(folder / "sftdyn", conf(server, {"key": f"host.{ZONE}"}, extra=UNLIMITED), arguments=()).start()
    nginx = Nginx(folder / "nginx")
    program.get("key")
    for close in (False, True):
        # In turns, so that a change of the machine's mood meets both.
        ours, peer = [], []
        for _ in range(3):
            ours.append(wrk(f"http://127.0.0.1:{program.port}/key", 64, seconds, close))
            peer.append(wrk(f"http://127.0.0.1:{nginx.port}/key", 64, seconds, close))
        row("without keep-alive" if close else "with keep-alive", sorted(ours)[1], sorted(peer)[1], "nginx")
    row("resident memory after it", program.resident_kib() / 1024, unit=" MB")
    nginx.stop()
    program.stop()
    fresh = Sftdyn(folder / "fresh", conf(server, {"key": f"host.{ZONE}"}), arguments=()).start()
    fresh.get("key")
    row("resident memory idle", fresh.resident_kib() / 1024, unit=" MB", note="(to reach: at most 15)")
    fresh.stop()
    server.stop()


HOOKS = """
CLIENTS = {"key": "host.%s"}

def get_ip(source_ip, headers, key):
    return source_ip

def get_host(querystring, ip):
    return CLIENTS.get(querystring)

def nsupdatecommands(host, new_ip, headers):
    yield f"update delete {host} A"
    yield f"update add {host} 30 A {new_ip}"
""" % ZONE


def hooks(folder, seconds):
    heading("UPTODATE of a Python conf, beside the TOML table (wrk, 64 connections, keep-alive)")
    server = Named(folder / "named-hooks").start()
    native = Sftdyn(folder / "sftdyn-native", conf(server, {"key": f"host.{ZONE}"}, extra=UNLIMITED), arguments=()).start()
    arguments = ("--server", server.address, "--nskeyfile", server.key_file())
    table = HOOKS.partition("def get_ip")[0]
    programs = {"get_ip and get_host in Python": HOOKS, "CLIENTS, no hooks": table}
    programs = {name: Sftdyn(folder / f"sftdyn-{len(text)}", text, arguments=arguments, file="conf").start() for name, text in programs.items()}
    for program in (native, *programs.values()):
        program.get("key")
    rates = {name: [] for name in ("native", *programs)}
    for _ in range(3):
        for name, program in (("native", native), *programs.items()):
            rates[name].append(wrk(f"http://127.0.0.1:{program.port}/key", 64, seconds))
    for name, program in programs.items():
        row(name, sorted(rates[name])[1], sorted(rates["native"])[1], "TOML", note="(to reach: 25,000/s)" if "Python" in name else "")
        row("its resident memory", program.resident_kib() / 1024, native.resident_kib() / 1024, "TOML", unit=" MB")
        program.stop()
    native.stop()
    server.stop()


def dyndns2(folder, seconds):
    heading("dyndns2 nochg with Basic authorization, beside the secret URL's UPTODATE (wrk, 64 connections, keep-alive)")
    server = Named(folder / "named-dyndns2").start()
    hashed = subprocess.run([BINARY, "password"], input="correct horse\n", capture_output=True, text=True, check=True).stdout.strip()
    clients = (f'\n[clients.hashed]\nuser = "hashed"\npassword_hash = "{hashed}"\nhosts = ["hashed.{ZONE}"]\n'
               f'[clients.plain]\nuser = "plain"\npassword = "correct horse"\nhosts = ["plain.{ZONE}"]\n')
    program = Sftdyn(folder / "sftdyn-dyndns2", conf(server, {"key": f"host.{ZONE}"}, extra=UNLIMITED) + clients, arguments=()).start()
    urls = {"": (f"http://127.0.0.1:{program.port}/key", [])}
    for user in ("hashed", "plain"):
        credential = base64.b64encode(f"{user}:correct horse".encode()).decode()
        urls[user] = (f"http://127.0.0.1:{program.port}/nic/update?hostname={user}.{ZONE}&myip=192.0.2.1", [f"Authorization: Basic {credential}"])
    for url, headers in urls.values():
        subprocess.run(["curl", "-sf", *(word for header in headers for word in ("-H", header)), url], check=True, capture_output=True)
    rates = {name: [] for name in urls}
    for _ in range(3):
        for name, (url, headers) in urls.items():
            rates[name].append(wrk(url, 64, seconds, headers=headers))
    for name in ("hashed", "plain"):
        row(f"{name} password", sorted(rates[name])[1], sorted(rates[""])[1], "secret URL", note="(to reach: 0.60)")
    row("resident memory after it", program.resident_kib() / 1024, unit=" MB")
    program.stop()
    server.stop()


def tls_program(folder, server, extra=UNLIMITED):
    """sftdyn by HTTPS and HTTP, with a certificate of its own; and the certificate."""
    folder.mkdir()
    subprocess.run([BINARY, "cert", "localhost", "127.0.0.1", "--dir", folder], check=True, capture_output=True)
    certificate = folder / "server.key", folder / "server.crt"
    text = f'https = "127.0.0.1:0"\nhttp = "127.0.0.1:0"\nkey = "{certificate[0]}"\ncert = "{certificate[1]}"\n'
    program = Sftdyn(folder, text + conf(server, {"key": f"host.{ZONE}", "probe": f"probe.{ZONE}"}, extra=extra), arguments=(), listen=()).start()
    await_true(lambda: len(program.addresses_of_log()) == 2, "it listens on both")
    plain, secure = (int(address.rsplit(":", 1)[1]) for address in program.addresses_of_log())
    subprocess.run(["curl", "-s", f"http://127.0.0.1:{plain}/key"], check=True, capture_output=True)
    return program, certificate, plain, secure


def tls(folder, seconds):
    heading("HTTPS, UPTODATE per second (ECDSA P-256, TLS 1.3, wrk, 64 connections)")
    server = Named(folder / "named-tls").start()
    program, certificate, _, port = tls_program(folder / "sftdyn-tls", server)
    nginx = Nginx(folder / "nginx-tls", certificate)
    for close in (True, False):
        ours, peer = [], []
        for _ in range(3):
            ours.append(wrk(f"https://127.0.0.1:{port}/key", 64, seconds, close))
            peer.append(wrk(f"https://127.0.0.1:{nginx.port}/key", 64, seconds, close))
        row("new connections" if close else "keep-alive", sorted(ours)[1], sorted(peer)[1], "nginx", note="(to reach: 0.95)" if close else "(to reach: 0.70)")
    nginx.stop()
    program.stop()
    server.stop()


def idle(folder, seconds):
    """Connections that have made one request and wait for the next."""
    count = 10_000
    heading(f"{count} idle connections: memory for each")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    server = Named(folder / "named-idle").start()
    for secure in (False, True):
        program, _, plain_port, secure_port = tls_program(folder / f"sftdyn-idle-{secure}", server, extra="[limits]\nidle_time = 3600\nconnections = 20000\n")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        before, held = program.resident_kib(), []
        for number in range(count):
            # A hundred for each client: as many as one may have.
            connection = socket.create_connection(("127.0.0.1", secure_port if secure else plain_port), source_address=(f"127.0.1.{number // 100 + 1}", 0))
            if secure:
                connection = context.wrap_socket(connection)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            if b" 200 " not in connection.recv(1000):
                raise AssertionError("no answer")
            held.append(connection)
        row("HTTPS" if secure else "HTTP", (program.resident_kib() - before) / count, unit=" KiB")
        begin = time.monotonic()
        subprocess.run(["curl", "-s", "-f", f"http://127.0.0.1:{plain_port}/key"], check=True, capture_output=True)
        row("a client's request meanwhile", (time.monotonic() - begin) * 1000, unit=" ms")
        for connection in held:
            connection.close()
        program.stop()
    server.stop()


class Probe(threading.Thread):
    """A real client, again and again: how long it waited at the worst."""

    def __init__(self, url):
        super().__init__()
        self.url, self.worst, self.count, self.over = url, 0.0, 0, threading.Event()

    def run(self):
        while not self.over.is_set():
            begin = time.monotonic()
            subprocess.run(["curl", "-skf", "--interface", "127.0.0.9", "--max-time", "10", self.url], check=True, capture_output=True)
            self.worst, self.count = max(self.worst, time.monotonic() - begin), self.count + 1
            self.over.wait(0.05)


def request(target="/", body=b"", **fields):
    """Octets of a request on a kept connection."""
    head = f"{'POST' if body else 'GET'} {target} HTTP/1.1\r\nHost: x\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + (b"Content-Length: %d\r\n" % len(body) if body else b"") + b"\r\n" + body


def filled(start, part, size):
    """As many parts as fit."""
    return start + part * ((size - len(start)) // len(part))


# What makes the parts of each dialect work longest, without a valid credential. The defaults take 16 KiB of header, 64 KiB of body.
LINE, BODY = 15_000, 65_000
DEAREST = {
    "secret URL, a long key": request(filled("/", "k", LINE)),
    "secret URL, a long key with %": request(filled("/", "%41", LINE)),
    "secret URL, many slashes": request(filled("/", "a/", LINE)),
    "check-ip, a form of many parameters": request("/nic/checkip", filled(b"", b"a=1&", BODY)),
    "dyndns2, many parameters": request(filled("/nic/update?", "a&", LINE)),
    "dyndns2, a form of many parameters": request("/nic/update", filled(b"", b"a=1&", BODY)),
    "dyndns2, a form of addresses with zones": request("/nic/update", filled(b"user=u&pass=p&myip=fe80::1%25a", b",fe80::1%25a", BODY)),
    "dyndns2, a form of addresses": request("/nic/update", filled(b"user=u&pass=p&myip=", b"2001:db8::1,", BODY)),
    "dyndns2, a form of hosts": request("/nic/update", filled(b"user=u&pass=p&hostname=", b"a.b,", BODY)),
    "dyndns2, a form of what is decoded": request("/nic/update", filled(b"user=u&pass=", b"%41", BODY)),
    "dyndns2, a long user": request("/nic/update", Authorization="Basic " + base64.b64encode(b"u" * 11_000 + b":p").decode()),
    "dyndns2, a long password": request("/nic/update", Authorization="Basic " + base64.b64encode(b"u:" + b"p" * 11_000).decode()),
    "Token, a long one": request("/nic/update", filled(b"myip=", b"2001:db8::1,", BODY), Authorization=filled("Token ", "t", LINE)),
    "dyndns2, unknown names like the password": request("/nic/update", b"u=u&p=" + b"a" * 40_000 + b"".join(b"&" + b"a" * 390 + b"b=1" for _ in range(60))),
    "dyndns2, unknown names like the token": request("/nic/update", b"".join(b"&" + b"a" * 1000 + b"b=1" for _ in range(60)), Authorization=filled("Bearer ", "a", LINE)),
    "deSEC, addresses for many hosts": request("/nic/update", b"u=u&p=p&hostname=" + b",".join(b"b" * 250 + b"%d" % n for n in range(20)) + b"".join(b"&a:" + b"b" * 250 + b"%d=" % n for n in range(20, 60))),
    "DuckDNS, a form of hosts and addresses": request("/update", filled(b"token=t&domains=a,b,c&ip=", b"192.0.2.1,", BODY)),
    "DuckDNS, a path": request(filled("/update/a,b/t/", "1", LINE)),
    "FreeDNS, a form of addresses": request(filled("/u/", "%41", LINE - 10), filled(b"address=", b"192.0.2.1,", BODY)),
    "a Python conf, an address with a zone": request("/key", **{"X-Real-IP": "fe80::1%a"}),
}


def cpu_seconds(program):
    user, system = Path(f"/proc/{program.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]
    return (int(user) + int(system)) / 100


def answered(connection, octets):
    """Sends a request, and reads its answer. False: the connection has ended."""
    connection.sendall(octets)
    reader = connection.makefile("rb")
    status = reader.readline()
    if not status:
        return False
    assert status.startswith(b"HTTP/1.1 "), status
    length, keep = 0, True
    while (line := reader.readline().lower()) != b"\r\n":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        keep = keep and line != b"connection: close\r\n"
    reader.read(length)
    return keep


def cpu_of(program, octets, seconds):
    """CPU milliseconds of one request, sent again and again on a kept connection."""
    began, before, count = time.monotonic(), cpu_seconds(program), 0
    while time.monotonic() - began < seconds:
        with socket.create_connection(("127.0.0.1", program.port)) as connection:
            while time.monotonic() - began < seconds and answered(connection, octets):
                count += 1
    return (cpu_seconds(program) - before) * 1000 / max(count, 1)


def dearest(folder, seconds):
    heading("CPU that one request without a valid credential costs, beside a plain UPTODATE")
    server = Named(folder / "named-dearest").start()
    user = f'\n[clients.u]\nuser = "v"\npassword = "p"\nhosts = ["u.{ZONE}"]\n'
    program = Sftdyn(folder / "sftdyn-dearest", conf(server, {"key": f"host.{ZONE}"}, extra=UNLIMITED + "bad_keys = 0\n") + user, arguments=()).start()
    script = f'CLIENTS = {{"key": "host.{ZONE}"}}\ndef get_ip(source, headers, key):\n    return headers.get("X-Real-IP", source)\n'
    python = Sftdyn(folder / "sftdyn-dearest-python", script, arguments=["--server", server.address, "--nskeyfile", server.key_file()], file="conf").start()
    for one in (program, python):
        one.get("key")
    plain = {one: cpu_of(one, request("/key"), seconds) for one in (program, python)}
    for what, octets in DEAREST.items():
        one = python if "Python" in what else program
        row(what, cpu_of(one, octets, 1), plain[one], "plain", unit=" ms")
    program.stop()
    python.stop()
    dearest_look_up(folder, server, seconds)
    server.stop()


def dearest_look_up(folder, server, seconds):
    """A long wrong key, of which an exception is the answer, beside one without."""
    costs = {}
    for number, look_up in enumerate(("K[q]", "K.get(q)")):
        script = f'limits = {{"bad_keys": 0}}\nCLIENTS = {{}}\nK = {{"key": "host.{ZONE}"}}\ndef get_host(q, ip):\n    return {look_up}\n'
        program = Sftdyn(folder / f"sftdyn-look-up-{number}", script, arguments=["--server", server.address, "--nskeyfile", server.key_file()], file="conf").start()
        program.get("wrong")  # its exception is logged; the others are counted
        costs[look_up] = cpu_of(program, request(filled("/", "%41", LINE)), seconds)
        program.stop()
    row("a wrong key where the conf says K[q]", costs["K[q]"], costs["K.get(q)"], "K.get(q)", unit=" ms", note="(to reach: the same)")


def hostile(folder, seconds):
    dearest(folder, min(seconds, 3))
    held_memory(folder)
    heading("Under attack from one address: the longest wait of a real client (to reach: under 1000 ms)")
    server = Named(folder / "named-hostile").start()
    for limited in (False, True):
        # With the default a client has 100 connections; without, all 1000 of the attacker's are served.
        program, _, plain, secure = tls_program(folder / f"sftdyn-hostile-{limited}", server, extra="" if limited else UNLIMITED)
        attacks = {"slow headers (-H)": ["-H"], "slow body (-B)": ["-B"], "slow read (-X)": ["-X", "-w", "1", "-y", "10", "-k", "5"]}
        for name, options in attacks.items():
            probe = Probe(f"http://127.0.0.1:{plain}/probe")
            probe.start()
            subprocess.run(["slowhttptest", *options, "-c", "1000", "-r", "500", "-i", "2", "-l", str(max(seconds, 15)), "-u", f"http://127.0.0.1:{plain}/key"],
                           capture_output=True)
            probe.over.set()
            probe.join()
            row(f"slowhttptest, {name}, 1000 connections{', default limits' if limited else ''}", probe.worst * 1000, unit=" ms", note=f"{probe.count} requests")
        if not limited:
            probe = Probe(f"https://127.0.0.1:{secure}/probe")
            probe.start()
            rate = wrk(f"https://127.0.0.1:{secure}/key", 512, max(seconds, 10), close=True)
            probe.over.set()
            probe.join()
            row("a flood of TLS handshakes, 512 at once", probe.worst * 1000, unit=" ms", note=f"{probe.count} requests beside {rate:,.0f} handshakes/s")
        row("resident memory after it", program.resident_kib() / 1024, unit=" MB")
        program.stop()
    server.stop()


HEADER = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\nX: " + b"a" * 16200
HELD = {"after a header and a body of the largest size": HEADER + b"\r\n\r\n" + b"b" * 65536, "in the middle of a header": HEADER,
        "in the middle of a body": b"POST /" + b"a" * 16200 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + b"b" * 65535,
        "in the middle of a body, after the most fields": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n"
        + (b"X-Forwarded-For: " + b"a" * 145 + b"\r\n") * 98 + b"\r\n" + b"b" * 65535}
HALF_A_RECORD = b"\x17\x03\x03\x40\x00" + b"c" * 16000


def hold(port, count, octets, context=None, number_of_sources=10):
    """Connections that stop after these octets, from several addresses."""
    held = []
    for number in range(count):
        source = f"127.0.1.{number * number_of_sources // count + 1}"
        connection = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        if context:
            connection = context.wrap_socket(connection)
        connection.sendall(octets)
        held.append(connection)
    return held


def await_all_read(port):
    """It has read all that was sent before when requests that came later are answered."""
    for _ in range(20):
        subprocess.run(["curl", "-s", "-f", f"http://127.0.0.1:{port}/key"], check=True, capture_output=True)


def held_memory(folder):
    """What connections hold that stop at the worst moment, with the default sizes."""
    count = 1000
    heading(f"Memory for each of {count} connections that stop")
    server = Named(folder / "named-held").start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for secure in (False, True):
        for name, octets in HELD.items():
            times = "[limits]\nidle_time = 3600\nheader_time = 3600\nhandshake_time = 3600\n"
            program, _, plain_port, secure_port = tls_program(folder / f"sftdyn-held-{secure}-{name.replace(' ', '-')}", server, extra=times)
            before = program.resident_kib()
            held = hold(secure_port if secure else plain_port, count, octets, context if secure else None)
            for connection in held:
                if name.startswith("after") and b" 405 " not in connection.recv(1000):
                    raise AssertionError("no answer")
                if secure:
                    os.write(connection.fileno(), HALF_A_RECORD)
            await_all_read(plain_port)
            row(f"{'HTTPS, half a record behind it' if secure else 'HTTP'}, {name}", (program.resident_kib() - before) / count, unit=" KiB")
            for connection in held:
                connection.close()
            program.stop()
    arguments = ("--server", server.address, "--nskeyfile", server.key_file())
    program = Sftdyn(folder / "sftdyn-held-python", HOOKS, arguments=arguments, file="conf").start()
    program.get("key")
    before = program.resident_kib()
    held = hold(program.port, count, list(HELD.values())[-1])
    await_all_read(program.port)
    row("HTTP, a Python conf with get_ip, after the most fields", (program.resident_kib() - before) / count, unit=" KiB")
    for connection in held:
        connection.close()
    program.stop()
    server.stop()


def load(port, clients, seconds, prefix="k", first=0, suffix=""):
    out = subprocess.run([BUILD / "bench/bench_load", str(port), str(clients), str(seconds), prefix, str(first), suffix], capture_output=True, text=True, check=True).stdout
    result = json.loads(out)
    # Only a client's first request may find its address there already, from the run before.
    if result["requests"] - result["oks"] > clients:
        raise AssertionError(f"not all were OK: {result}")
    return result


def nsupdate_processes(server, clients, seconds):
    """Changes per second with one nsupdate process for each."""
    key = server.key_file()
    end = time.monotonic() + seconds

    def client(number):
        count = 0
        while time.monotonic() < end:
            script = (f"server 127.0.0.1 {server.port}\nupdate delete n{number}.{ZONE} A\n"
                      f"update add n{number}.{ZONE} 30 A 127.0.0.{count % 2 + 2}\nsend\n")
            subprocess.run(["nsupdate", "-k", key], input=script, text=True, check=True, capture_output=True)
            count += 1
        return count

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        total = sum(pool.map(client, range(clients)))
    return total / (time.monotonic() - start)


def dnsperf_updates(server, folder, clients, seconds):
    """Changes per second with one change for each message."""
    data = folder / f"updates-{clients}"
    with open(data, "w") as file:
        for number in range(20000):
            name = f"d{number % max(clients, 1)}"
            file.write(f"{ZONE}\ndelete {name} A\nadd {name} 30 A 127.0.0.{number // max(clients, 1) % 2 + 2}\nsend\n")
    out = subprocess.run(["dnsperf", "-u", "-m", "udp", "-s", "127.0.0.1", "-p", str(server.port), "-d", data, "-c", str(min(clients, 50)), "-q", str(clients),
                          "-l", str(seconds), "-y", f"{server.key.algorithm}:{server.key.name}:{server.key.secret}"], capture_output=True, text=True)
    match = re.search(r"(?:Updates|Queries) per second:\s+([\d.]+)", out.stdout)
    if not match:
        raise AssertionError(f"dnsperf: {out.stdout}{out.stderr}")
    return float(match[1])


def changes(folder, seconds):
    heading("Changes, per second, every request another address (named, 2 cores for all)")
    server = Named(folder / "named-changes", threads=2).start()
    keys = {f"k{number}": f"h{number}.{ZONE}" for number in range(256)}
    program = Sftdyn(folder / "sftdyn-changes", conf(server, keys, extra=UNLIMITED + "changes = 0"), arguments=()).start()
    load(program.port, 256, 1)
    single = Sftdyn(folder / "sftdyn-single", conf(server, keys, dns="batch = 1", extra=UNLIMITED + "changes = 0"), arguments=()).start()
    load(single.port, 1, 1)
    without, with_batches = load(single.port, 1, seconds), load(program.port, 1, seconds)
    single.stop()
    row("1 client, latency median, beside batch = 1", with_batches["p50_ms"], without["p50_ms"], "batch=1", unit=" ms")
    for clients in (1, 32, 256):
        ours = load(program.port, clients, seconds)
        rate = ours["oks"] / ours["seconds"]
        row(f"{clients} clients, beside nsupdate processes", rate, nsupdate_processes(server, min(clients, 32), seconds), "nsupdate")
        row(f"{clients} clients, beside single-change messages", rate, dnsperf_updates(server, folder, clients, seconds), "dnsperf -u")
        row(f"{clients} clients, latency median", ours["p50_ms"], unit=" ms", note="(to reach: at most 2.5)" if clients == 1 else "")
        row(f"{clients} clients, latency 99 %", ours["p99_ms"], unit=" ms")
    program.stop()
    server.stop()


def big_conf(folder, server, count, extra=""):
    """A configuration with `count` clients: key k<n>, host h<n>."""
    path = folder / f"{count}.toml"
    head = conf(server, {}, dns=f'zone = "{ZONE}"', extra=UNLIMITED + "changes = 0\n" + extra)
    with open(path, "w") as file:
        file.write(head)
        for number in range(count):
            file.write(f'"k{number}-0123456789abcdef0123456789abcdef" = "h{number}.{ZONE}"\n')
    return path


def loading(folder, seconds):
    heading("Loading a configuration (time until it listens; memory with it loaded)")
    server = Named(folder / "named-loading").start()
    base = None
    for count in (1000, 10_000, 100_000, 1_000_000):
        text = big_conf(folder, server, count).read_text()
        program = Sftdyn(folder / f"sftdyn-{count}", text, arguments=())
        start = time.monotonic()
        program.start()
        took = time.monotonic() - start
        memory = program.resident_kib() / 1024
        base = base or memory
        peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{program.process.pid}/status").read_text())[1]) / 1024
        row(f"{count} clients: time", took * 1000, unit=" ms", note="(to reach: under 3000)" if count == 1_000_000 else "")
        row(f"{count} clients: memory", memory, unit=" MB", note=f"at the peak {peak:.0f} MB" + (" (to reach: under 250)" if count == 1_000_000 else ""))
        program.stop()
    server.stop()


def fill(server, count, address):
    """Names h0… in the zone, each with an A record."""
    server.stop()
    with open(server.zone_file(), "a") as file:
        for number in range(count):
            file.write(f"h{number} 30 A {address}\n")
    server.start()


def scale(folder, seconds):
    heading("Changes per second by the names in the zone (256 clients), beside dnsperf -u with one change for each message")
    for count in (10_000, 100_000, 1_000_000):
        server = Named(folder / f"named-{count}", threads=2).start()
        fill(server, count, "127.0.0.3")
        program = Sftdyn(folder / f"sftdyn-scale-{count}", big_conf(folder, server, count).read_text(), arguments=()).start()
        load(program.port, 256, 1, "k", 0, "-0123456789abcdef0123456789abcdef")
        result = load(program.port, 256, seconds, "k", 0, "-0123456789abcdef0123456789abcdef")
        row(f"{count} names", result["oks"] / result["seconds"], dnsperf_updates(server, folder, 256, seconds), "dnsperf -u")
        named = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1]) / 1024
        row(f"{count} names: memory", program.resident_kib() / 1024, named, "named", unit=" MB")
        program.stop()
        server.stop()


def restart(folder, seconds):
    """All hosts check in after a restart: each is asked for once, with a bounded number of queries under way."""
    count = 100_000
    heading(f"{count} hosts check in after a restart of sftdyn: nothing is known, so the server is asked (64 connections)")
    server = Named(folder / "named-restart", threads=2, options="querylog no;").start()
    fill(server, count, "127.0.0.1")
    program = Sftdyn(folder / "sftdyn-restart", big_conf(folder, server, count).read_text(), arguments=()).start()
    script = folder / "each.lua"
    script.write_text("""
local thread_number = 0
function setup(thread) thread:set("id", thread_number); thread_number = thread_number + 1 end
function init() n = id - 2 end
function request() n = n + 2; return wrk.format("GET", "/k" .. (n % 100000) .. "-0123456789abcdef0123456789abcdef") end
""")
    for what in ("asked", "known"):
        out = subprocess.run(["wrk", "-t2", "-c64", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{program.port}/"], capture_output=True, text=True, check=True).stdout
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
        row(f"check-ins, most of them {what}", rate, note="")
    row("memory", program.resident_kib() / 1024, unit=" MB")
    program.stop()
    server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[])
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    parts = {"uptodate": uptodate, "hooks": hooks, "dyndns2": dyndns2, "tls": tls, "idle": idle, "hostile": hostile, "changes": changes, "loading": loading, "scale": scale, "restart": restart}
    with tempfile.TemporaryDirectory(prefix="sftdyn-bench-") as folder:
        for name, part in parts.items():
            if not arguments.what or name in arguments.what:
                part(Path(folder), arguments.seconds)


if __name__ == "__main__":
    main()
