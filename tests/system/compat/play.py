# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays scenarios against sftdyn, in namespaces of its own: see README.md.

    unshare --net --mount --propagation private python3 play.py FILE SCENARIO.json…

One named, on 127.0.0.1:53, serves all of them; zones and files are as in the beginning for each. FILE gets what was
answered and what the zones held, by scenario, in the form of `original`.
"""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

RUN, ETC, WORK = Path("/run"), Path("/etc/sftdyn"), Path("/run/compat")
SECRET = "c2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHluc2Z0ZHlu"
KEYS = {"sftdyn": SECRET, "other": SECRET[4:40]}
ZONES = {
    "dyn.sft.mx": "update-policy local;", "dyn.sft.rofl": "update-policy local;", "dyn.example.org": "update-policy local;",
    "keyed.example.org": 'allow-update { key "sftdyn"; };', "other.example.org": 'allow-update { key "other"; };', "static.example.org": "",
    "0.0.127.in-addr.arpa": "update-policy local;", "open.example.org": "allow-update { any; };",
}
MOST_SECONDS_OF_A_START = 30
NO_HEADERS = rb"(?i)\r\n(date|server|content-type|cache-control|content-length|allow|vary|keep-alive): [^\r]*"


def octets(value):
    if isinstance(value, dict):
        return value["latin1"].encode("latin1")
    return value.encode() if isinstance(value, str) else value


class Named:
    """BIND with the zones, `update-policy local` and the session key."""

    def __init__(self):
        for folder in (RUN, ETC):
            folder.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
        for folder in (RUN / "named", WORK / "zones"):
            folder.mkdir(parents=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for number in range(1, 4):
            subprocess.run(["ip", "-6", "addr", "add", f"2001:db8::{number}/64", "dev", "lo", "nodad"], check=True)
        conf = (f'options {{ directory "{WORK}"; listen-on port 53 {{ 127.0.0.1; }}; listen-on-v6 port 53 {{ ::1; }}; recursion no; '
                'pid-file "/run/named/named.pid"; dnssec-validation no; empty-zones-enable no; };\n')
        write_keys()
        for name in KEYS:
            conf += f'include "{WORK}/{name}.key";\n'
        for zone, policy in ZONES.items():
            conf += f'zone "{zone}" IN {{ type master; file "zones/{zone}"; {policy} }};\n'
        (WORK / "named.conf").write_text(conf)
        self.start()

    def start(self):
        shutil.rmtree(WORK / "zones")
        (WORK / "zones").mkdir()
        for zone in ZONES:
            (WORK / "zones" / zone).write_text("$TTL 300\n@ IN SOA localhost. root.localhost. 1 3600 900 604800 300\n@ IN NS localhost.\n")
        with open(WORK / "named.log", "w") as log:
            self.process = subprocess.Popen(["named", "-g", "-n", "1", "-c", WORK / "named.conf"], stdout=log, stderr=subprocess.STDOUT)
        while not (RUN / "named/session.key").exists() or not dig("+short", "dyn.sft.mx", "SOA").strip():
            if self.process.poll() is not None:
                sys.exit((WORK / "named.log").read_text())
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def reset(self):
        """Zones and files as in the beginning."""
        is_changed = any(transfer(zone) for zone in ZONES)
        if is_changed:
            self.stop()
        for folder in (ETC, RUN):
            for path in folder.iterdir():
                if path in (RUN / "named", WORK):
                    continue
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        write_keys()
        if is_changed:
            self.start()


def write_keys():
    for name, secret in KEYS.items():
        (WORK / f"{name}.key").write_text(f'key "{name}" {{\n    algorithm hmac-sha512;\n    secret "{secret}";\n}};\n')


def dig(*arguments):
    return subprocess.run(["dig", "+time=2", "+tries=1", "@127.0.0.1", *arguments], capture_output=True, text=True).stdout


def transfer(zone):
    """The records but the zone's own, sorted."""
    lines = (" ".join(line.split()) for line in dig("+noall", "+answer", "+onesoa", zone, "AXFR").splitlines() if line and not line.startswith(";"))
    return sorted(line for line in lines if line.split()[3:4] != ["SOA"] and " NS " not in line)


def exchange(data, request):
    """What comes back, until the answer is whole or the connection ends."""
    answer, keep = b"", request.get("keep", False)
    source = request["src"] or None
    try:
        connection = socket.create_connection(tuple(request.get("dst", ("127.0.0.1", 8080))), timeout=request.get("tmo", 15), source_address=(source, 0) if source else None)
        if request.get("tls"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = context.wrap_socket(connection)
        connection.sendall(data)
        if request.get("shut"):
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            answer += part
            head, separator, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if separator and length and len(body) >= int(length[1]) and not keep:
                break
        connection.close()
    except TimeoutError:
        answer += b"<TIMEOUT>"
    except OSError as error:
        answer += b"<" + type(error).__name__.encode() + b">"
    return answer


def parsed(answer, keep):
    if keep:
        return {"raw": re.sub(NO_HEADERS, b"", answer).decode("latin1")[:1500]}
    head, _, body = answer.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/\d\.\d (\d+)", head)
    if not status:
        return {"raw": answer.decode("latin1")[:300]}
    return {"status": int(status[1]), "body": body.decode("utf-8", "replace")[:500]}


class Player:
    """One scenario."""

    def __init__(self, scenario):
        self.scenario, self.number = scenario, 0
        self.log = WORK / "server.log"

    def play(self):
        self.put_files()
        conf = self.scenario.get("conf_path", str(ETC / "conf"))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([os.environ["SFTDYN"], *self.scenario.get("args", [conf, "-v"])], stdout=log, stderr=subprocess.STDOUT,
                                            cwd=self.scenario.get("cwd", "/"))
        started = self.await_start()
        result = {"started": started, "exit_status_at_start": self.process.poll(), "answers": []}
        if started or self.scenario.get("wait") == []:
            result["answers"] = [answer for request in self.scenario["requests"] if (answer := self.perform(request)) is not None]
        result["zones"] = {zone: records for zone in ZONES if (records := transfer(zone))}
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return result

    def put_files(self):
        files = dict(self.scenario.get("files", {}))
        if "conf" in self.scenario:
            files[self.scenario.get("conf_path", str(ETC / "conf"))] = self.scenario["conf"]
        for name, text in files.items():
            path = ETC / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets(text))
        for command in self.scenario.get("before", []):
            subprocess.run(["sh", "-c", command], check=True, cwd=ETC)

    def await_start(self):
        """Whether it runs, and listens where the scenario expects that (nowhere: wherever it does)."""
        listeners = self.scenario.get("wait", [["4", ["127.0.0.1", 8080]]])
        until = time.monotonic() + MOST_SECONDS_OF_A_START
        while self.process.poll() is None and time.monotonic() < until:
            if not listeners and re.search("listening on|it has no listener", self.log.read_text(errors="replace")):
                return True
            try:
                for _, address in listeners:
                    socket.create_connection(tuple(address), timeout=1).close()
                if listeners:
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def perform(self, request):
        """The answer; None: the request is only a wait."""
        if isinstance(request, str):
            request = {"target": request}
        if "sleep" in request:
            return time.sleep(request["sleep"])
        if "sh" in request:
            environment = dict(os.environ, PID=str(self.process.pid), W=str(WORK))
            done = subprocess.run(request["sh"], shell=True, capture_output=True, text=True, cwd=ETC, env=environment)
            return {"out": (done.stdout + done.stderr).strip()[-6000:]}
        if "sig" in request:
            self.process.send_signal(getattr(signal, request["sig"]))
            time.sleep(request.get("wait", 1))
            return {"rc": self.process.poll()}
        self.number += 1
        request = {"src": f"127.{1 + self.number // 250}.0.{1 + self.number % 250}", **request}
        answer = parsed(exchange(self.data(request), request), request.get("keep", False))
        if request.get("zone"):
            answer["zone"] = transfer(request["zone"])
        return answer

    @staticmethod
    def data(request):
        if "data" in request:
            return octets(request["data"])
        lines = [request.get("method", "GET").encode() + b" " + octets(request["target"]) + b" HTTP/1.1", b"Host: dyn.sft.mx"]
        lines += [name.encode() + b": " + octets(value) for name, value in request.get("h", [])]
        return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def main():
    results, named = {}, Named()
    for path in map(Path, sys.argv[2:]):
        scenario = json.loads(path.read_text())
        results[path.stem] = Player(scenario).play()
        named.reset()
    named.stop()
    Path(sys.argv[1]).write_text(json.dumps(results))


main()
