# SPDX-License-Identifier: GPL-3.0-or-later
"""Who was told what, and whether the DNS agrees."""

import http.client
import random
import threading
import time
from dataclasses import dataclass, field

import dns.rdatatype

PAUSE = 8  # seconds that a busy machine may take of its own

@dataclass
class Account:
    """What one host's client was told. `sure`: the last answer was OK or UPTODATE."""
    host: str
    rdtype: str
    told: str = ""
    sure: bool = True
    possible: set = field(default_factory=lambda: {""})  # what may be served; "": nothing
    answers: int = 0

    def answered(self, body, address):
        self.answers += 1
        if body in ("OK", "UPTODATE"):
            self.told, self.sure, self.possible = address, True, {address}
        elif body == "ABUSE" or body == "BUSY":
            pass  # it was not tried
        else:
            self.sure = False
            self.possible.add(address)

    def violation(self, served):
        """Why what is served is not what it may be, or None. `served`: record data, sorted."""
        if len(served) > 1:
            return f"{self.host} {self.rdtype}: several records {served}"
        value = served[0] if served else ""
        if value in self.possible:
            return None
        return f"{self.host} {self.rdtype}: served {value or 'nothing'}, but {'told' if self.sure else 'possible are'} {sorted(self.possible)}"


class Load(threading.Thread):
    """One client after the other of its accounts, each from a random address, until `stop()`; `held()` pauses it."""

    def __init__(self, program, keys, addresses, seed, timeout, connect=("127.0.0.1", None)):
        super().__init__(daemon=True)
        self.program = program
        self.keys = keys              # [(key, Account)]
        self.addresses = addresses
        self.random = random.Random(seed)
        self.timeout = timeout
        self.connect_to = connect
        self.connections = {}
        self.requests = self.changes = self.failures = 0
        self.slowest = 0.0
        self.errors = []
        self.ending = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.resting = threading.Event()

    def run(self):
        while not self.ending.is_set():
            if not self.go.is_set():
                self.resting.set()
                self.go.wait(0.5)
                continue
            self.resting.clear()
            key, account = self.random.choice(self.keys)
            address = self.random.choice(self.addresses)
            self.one(key, account, address)

    def one(self, key, account, address):
        start = time.monotonic()
        try:
            body = self.ask(key, address)
        except (OSError, http.client.HTTPException):
            # sftdyn itself was restarted: nothing was told.
            self.connections.pop(address, None)
            account.sure = False
            account.possible.add(address)
            time.sleep(0.02)
            return
        took = time.monotonic() - start
        self.requests += 1
        self.slowest = max(self.slowest, took)
        if took > self.timeout + PAUSE:
            self.errors.append(f"{account.host}: answered after {took:.2f} s")
        if body not in ("OK", "UPTODATE", "FAIL", "ABUSE"):
            self.errors.append(f"{account.host}: unexpected answer {body!r}")
        self.changes += body == "OK"
        self.failures += body == "FAIL"
        account.answered(body, address)

    def ask(self, key, address):
        connection = self.connections.get(address)
        host, port = self.connect_to[0], self.connect_to[1] or self.program.port
        if connection is None or connection.port != port:
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout + 2 * PAUSE, source_address=(address, 0))
            self.connections[address] = connection
        connection.request("GET", f"/{key}")
        return connection.getresponse().read().decode()

    def hold(self):
        self.resting.clear()
        self.go.clear()

    def held(self, seconds=60):
        return self.resting.wait(seconds)

    def release(self):
        self.go.set()

    def stop(self):
        self.ending.set()
        self.go.set()
        self.join(60)


def violations(accounts, server, zone):
    """What is served that must not be, by one transfer of the zone."""
    contents = server.transfer(zone)
    served = {}
    for name, node in contents.nodes.items():
        for rdataset in node:
            served[name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(rdataset.rdtype)] = sorted(rdata.to_text() for rdata in rdataset)
    return [text for account in accounts if (text := account.violation(served.get((account.host, account.rdtype), [])))]
