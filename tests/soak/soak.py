#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a random load of hosts and families going while servers, networks, keys, disks, clocks and sftdyn itself fail,
and checks all the while that whoever was told OK or UPTODATE last is what the DNS serves.

    tests/soak/soak.py MINUTES [--seed N] [--faults NAME,...]

Runs in network and mount namespaces of its own (as root), so that it has IPv6 addresses and a small disk to fill.
Prints a summary, and exits with 1 if anything was violated.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from harness.dns_servers import Key, Knot, Named  # noqa: E402
from harness.process import await_true  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.sftdyn import Sftdyn  # noqa: E402
from harness.truth import Account, Load, violations  # noqa: E402
from test_errors import build_clock_shift, preload  # noqa: E402

BIND_ZONE, KNOT_ZONE = "bind.example.org", "knot.example.org"
HOSTS = 60          # in each zone
TIMEOUT = 3
IPV4 = [f"127.0.3.{number}" for number in range(1, 7)]
IPV6 = [f"fd00:db8::{number}" for number in range(1, 7)]


def isolate():
    """Starts this script anew in namespaces of its own, with loopback up."""
    if os.environ.get("SFTDYN_SOAK_INSIDE"):
        os.system("ip link set lo up")
        for address in IPV6:
            os.system(f"ip -6 addr add {address}/128 dev lo nodad")
        return
    if os.geteuid() != 0:
        sys.exit("soak.py: run it as root: it makes namespaces of its own")
    os.environ["SFTDYN_SOAK_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--", sys.executable, *sys.argv])


class NamedOnADisk(Named):
    """Its zones and journals lie on the small disk; its log does not."""

    def __init__(self, folder, disk, **kwargs):
        super().__init__(folder, options="max-journal-size 1m;", **kwargs)
        self.disk = disk

    def zone_file(self, zone=BIND_ZONE):
        return self.disk / f"{zone}.zone"


class Soak:
    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.folder = folder
        disk = folder / "disk"
        disk.mkdir()
        assert os.system(f"mount -t tmpfs -o size=24m none {disk}") == 0
        self.disk = disk
        self.named = NamedOnADisk(folder / "named", disk, zones=(BIND_ZONE,)).start()
        self.knot = Knot(folder / "knot", zones=(KNOT_ZONE,)).start()
        # Where sftdyn looks by itself; the other has two addresses too.
        self.named_proxy = Proxy(self.named.port, 53, ("127.0.0.1", "::1"))
        self.knot_proxy = Proxy(self.knot.port, hosts=("127.0.0.1", "::1"))
        self.named_key = self.named.key.write(folder / "named.key")
        self.knot_key = self.knot.key.write(folder / "knot.key")
        self.key_files = [self.named_key, folder / "also-named.key"]
        self.key_files[1].symlink_to(self.named_key)
        self.shift = folder / "shift"
        self.shift.write_text("0")
        clock = build_clock_shift(folder)
        self.accounts, self.keys = {BIND_ZONE: [], KNOT_ZONE: []}, []
        clients = []
        for zone in self.accounts:
            for number in range(HOSTS):
                host = f"h{number}.{zone}"
                key = f"{zone}-{number}"
                clients.append(f'"{key}" = "{host}"')
                for rdtype in ("A", "AAAA"):
                    account = Account(host, rdtype)
                    self.accounts[zone].append(account)
                    self.keys.append((key, account))
        self.conf = f"""
nskeyfile = "{self.named_key}"
[dns]
timeout = {TIMEOUT}
freshness = 4
batch = 50
[limits]
changes = 0
[[zone]]
name = "{KNOT_ZONE}"
servers = ["127.0.0.1:{self.knot_proxy.port}", "[::1]:{self.knot_proxy.port}"]
nskeyfile = "{self.knot_key}"
[clients]
""" + "\n".join(clients) + "\n"
        self.program = Sftdyn(folder / "sftdyn", self.conf, arguments=("-q",), listen=("127.0.0.1:0", "[::1]:0"),
                              environment={"LD_PRELOAD": preload(clock), "CLOCK_SHIFT_FILE": str(self.shift)}).start()
        self.loads = []
        for index in range(12):
            v6 = index % 2 == 1
            keys = [(key, account) for key, account in self.keys if (account.rdtype == "AAAA") == v6][index // 2::6]
            port = dict(self.program.addresses)["::1" if v6 else "127.0.0.1"]
            self.loads.append(Load(self.program, keys, IPV6 if v6 else IPV4, seed + index, TIMEOUT, connect=("::1" if v6 else "127.0.0.1", port)))
        # A restart takes the same ports.
        self.program.listen = tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.program.addresses)
        for load in self.loads:
            load.start()
        self.counts = Counter()
        self.violations = []
        self.most_memory = 0

    def server(self):
        return self.random.choice([(self.named, self.named_proxy), (self.knot, self.knot_proxy)])

    # --- faults: each ends what it began ---

    def kill(self):
        server, _ = self.server()
        server.stop(signal.SIGKILL)
        self.linger(0.2, 2)
        server.start()

    def terminate(self):
        server, _ = self.server()
        server.stop()
        self.linger(0, 1)
        server.start()

    def freeze(self):
        server, _ = self.server()
        server.process.stand_still()
        self.linger(0.5, 8)
        server.process.go_on()

    def freeze_and_kill(self):
        server, _ = self.server()
        server.process.stand_still()
        self.linger(1, 6)
        server.stop(signal.SIGKILL)
        server.start()

    def spoil(self, mode, least, most):
        _, proxy = self.server()
        proxy.delay = self.random.uniform(0.1, TIMEOUT + 2)
        proxy.mode = mode
        self.linger(least, most)
        proxy.mode = "pass"

    def roll_key(self):
        self.named.key = Key(name=self.named.key.name)
        self.named.restart()
        self.linger(0, 1)
        fresh = self.named_key.with_suffix(".fresh")
        fresh.write_text(self.named.key.bind_text())
        fresh.rename(self.named_key)

    def fill_disk(self):
        filler = self.disk / "filler"
        file = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(file, b"x" * 4096)
        except OSError:
            pass
        os.close(file)
        self.linger(1, 4)
        filler.unlink()

    def move_clock(self):
        self.shift.write_text(str(self.random.choice([-100000, -1000, 1000, 100000])))
        self.linger(0.5, 3)
        self.shift.write_text("0")

    def reload(self):
        """Sometimes with the key in another place, so that everything about the server is begun anew."""
        if self.random.random() < 0.5:
            self.conf = self.conf.replace(f'"{self.key_files[0]}"', f'"{self.key_files[1]}"')
            self.key_files.reverse()
            self.program.conf.write_text(self.conf)
        self.program.process.send_signal(signal.SIGHUP)

    def restart_sftdyn(self):
        self.program.process.stop(self.random.choice([signal.SIGTERM, signal.SIGKILL]))
        self.program.start()

    def edit_zone(self):
        """Somebody changes the zone behind sftdyn's back: within freshness nothing may be claimed of those hosts."""
        accounts = self.random.sample([account for account in self.accounts[BIND_ZONE] if account.rdtype == "A"], 5)
        script = []
        for account in accounts:
            script += [f"update delete {account.host} A", f"update add {account.host} 60 A 192.0.2.1"]
        self.hold()
        for account in accounts:
            account.sure = False
            account.possible.add("192.0.2.1")
            account.possible.add(account.told)
        end = time.monotonic() + 20
        while not self.edited("\n".join(script)):
            if time.monotonic() > end:
                print(f"named does not take an update of somebody else's: {self.edit_error}", flush=True)
                self.release()
                self.counts["edits that named did not take"] += 1
                return self.named.restart()
        # What is believed now was confirmed before the edit; after the interval it is asked for again.
        time.sleep(4.5)
        self.release()

    def edited(self, script):
        try:
            self.named.nsupdate(script)
            return True
        except AssertionError as error:
            self.edit_error = str(error)
            time.sleep(0.1)
            return False

    def linger(self, least, most):
        time.sleep(self.random.uniform(least, most))

    # --- the run ---

    def hold(self):
        for load in self.loads:
            load.hold()
        for load in self.loads:
            if not load.held(TIMEOUT * 3 + 20):
                self.violations.append("a request hangs")

    def release(self):
        for load in self.loads:
            load.release()

    def check(self):
        self.hold()
        for server, zone in ((self.named, BIND_ZONE), (self.knot, KNOT_ZONE)):
            self.violations += violations(self.accounts[zone], server, zone)
        for load in self.loads:
            self.violations += load.errors
            load.errors.clear()
        self.most_memory = max(self.most_memory, self.program.resident_kib())
        self.release()

    def run(self, minutes, only):
        faults = [self.kill, self.terminate, self.freeze, self.freeze_and_kill, self.roll_key, self.fill_disk, self.move_clock, self.reload, self.restart_sftdyn,
                  self.edit_zone]
        faults = [(fault.__name__, fault) for fault in faults]
        for mode, least, most in (("udp-lost", 1, 4), ("deaf", 0.5, 6), ("slow", 1, 6), ("garbage", 0.5, 3), ("wrong-id", 0.5, 3), ("wrong-tsig", 0.5, 3),
                                  ("cut", 0.5, 3), ("reset", 0.5, 3), ("flood", 1, 3)):
            faults.append((mode, lambda mode=mode, least=least, most=most: self.spoil(mode, least, most)))
        faults = [(name, fault) for name, fault in faults if not only or name in only]
        end = time.monotonic() + minutes * 60
        next_word = 0
        while time.monotonic() < end and not self.violations:
            name, fault = self.random.choice(faults)
            fault()
            self.counts[name] += 1
            # Half of the faults come upon one that is hardly over.
            self.linger(0, 2)
            if self.random.random() < 0.5:
                await_true(lambda before=self.total("changes"): self.total("changes") > before + 20, "it works again", 60)
                self.check()
                self.counts["checks"] += 1
            if time.monotonic() > next_word:
                next_word = time.monotonic() + 60
                print(f"{int(end - time.monotonic()):5} s left: {self.total('requests')} requests, {self.total('changes')} changes, "
                      f"{sum(self.counts.values()) - self.counts['checks']} faults, {self.counts['checks']} checks, {len(self.violations)} violations", flush=True)
        self.check()

    def total(self, what):
        return sum(getattr(load, what) for load in self.loads)

    def summary(self, minutes):
        checks = self.counts.pop("checks", 0) + 1
        lines = [f"minutes: {minutes:.1f}", f"requests: {self.total('requests')}", f"changes (OK): {self.total('changes')}", f"failures (FAIL): {self.total('failures')}",
                 f"faults: {sum(self.counts.values())} ({', '.join(f'{name} {count}' for name, count in sorted(self.counts.items()))})",
                 f"checks of all {sum(len(accounts) for accounts in self.accounts.values())} hosts and families: {checks}",
                 f"slowest answer: {max(load.slowest for load in self.loads):.2f} s (deadline {TIMEOUT} s)", f"most memory: {self.most_memory / 1024:.1f} MB",
                 f"violations: {len(self.violations)}"]
        return "\n".join(lines + self.violations[:50])

    def stop(self):
        for one in (*self.loads, self.program, self.named_proxy, self.knot_proxy, self.named, self.knot):
            one.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--faults", default="", help="only these, comma-separated")
    arguments = parser.parse_args()
    isolate()
    print(f"seed: {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sftdyn-soak-") as folder:
        soak = Soak(Path(folder), arguments.seed)
        start = time.monotonic()
        try:
            soak.run(arguments.minutes, [name for name in arguments.faults.split(",") if name])
        finally:
            failed = bool(soak.violations) or sys.exc_info()[0] is not None
            print(soak.summary((time.monotonic() - start) / 60), flush=True)
            if failed:
                print(soak.program.log()[-5000:])
            soak.stop()
            os.system(f"umount {soak.disk}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
