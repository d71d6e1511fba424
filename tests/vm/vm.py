# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian 12 with systemd, AppArmor, BIND, Knot and PowerDNS (BIND runs), in a virtual machine of its own: what only a booted system can show.

It is emulated, which works wherever the tests run, and has no network but its own loopback.
"""

import base64
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from harness import debian

INCLUDE = ["systemd-sysv", "dbus", "apparmor", "bind9", "bind9-dnsutils", "curl", "knot", "pdns-server", "pdns-backend-sqlite3", "sqlite3", "linux-image-cloud-amd64", "initramfs-tools"]

# Reads scripts from the second serial port, one Base64 line each, and answers with exit status and output.
AGENT = """#!/bin/bash
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 SYSTEMD_PAGER= SYSTEMD_COLORS=0
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo ready >&3
while read -r line <&3; do
    base64 -d <<< "$line" > /run/script
    bash /run/script > /run/output 2>&1 < /dev/null
    echo "$? $(base64 -w 0 /run/output)" >&3
done
"""

AGENT_UNIT = """[Unit]
After=basic.target
[Service]
ExecStart=/root/agent
[Install]
WantedBy=multi-user.target
"""


class Machine:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.process = None
        self.connection = None
        self.heard = b""

    def build(self):
        """The disk: Debian with sftdyn's packages in /root, and all that they need installed."""
        system = self.folder / "system"
        install = ("export DEBIAN_FRONTEND=noninteractive; apt-get install -y -q --no-install-recommends /root/sftdyn*.deb && "
                   "dpkg --purge sftdyn-python sftdyn && apt-get clean && systemctl disable knot pdns")
        debian.make(system, INCLUDE, install)
        (system / "root/agent").write_text(AGENT)
        (system / "root/agent").chmod(0o755)
        (system / "etc/systemd/system/agent.service").write_text(AGENT_UNIT)
        wants = system / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (wants / "agent.service").symlink_to("/etc/systemd/system/agent.service")
        for what in ("vmlinuz", "initrd.img"):
            shutil.copy(next((system / "boot").glob(f"{what}-*")), self.folder / what)
        subprocess.run(["truncate", "--size=2G", self.folder / "disk"], check=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", system, self.folder / "disk"], check=True)
        shutil.rmtree(system)

    def boot(self, seconds=600):
        path = self.folder / "agent"
        kernel = "root=/dev/vda rw console=ttyS0 quiet apparmor=1 security=apparmor"
        command = ["setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1024",
                   "-kernel", self.folder / "vmlinuz", "-initrd", self.folder / "initrd.img", "-append", kernel,
                   "-drive", f"file={self.folder / 'disk'},if=virtio,format=raw,cache=unsafe", "-nic", "none", "-display", "none", "-no-reboot",
                   "-serial", f"file:{self.folder / 'console'}", "-serial", f"unix:{path},server=on,wait=off"]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + seconds
        while self.connection is None:
            assert self.process.poll() is None and time.monotonic() < end, (self.folder / "log").read_text()
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(path))
                self.connection = connection
            except OSError:
                connection.close()
                time.sleep(0.05)
        assert self.line(seconds) == b"ready"

    def line(self, seconds):
        self.connection.settimeout(seconds)
        while b"\n" not in self.heard:
            try:
                part = self.connection.recv(65536)
            except TimeoutError:
                part = b""
            assert part, f"the machine says nothing more:\n{self.console()}"
            self.heard += part
        line, _, self.heard = self.heard.partition(b"\n")
        return line.strip()

    def console(self):
        path = self.folder / "console"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def run(self, script, seconds=300):
        """A shell script as root in the machine: exit status and output."""
        self.connection.sendall(base64.b64encode(("set -eu\n" + script).encode()) + b"\n")
        status, _, output = self.line(seconds).partition(b" ")
        return int(status), base64.b64decode(output).decode(errors="replace")

    def must(self, script, seconds=300):
        status, output = self.run("set -x\n" + script, seconds)
        assert status == 0, f"{output[-6000:]}\nconsole:\n{self.console()}"
        return output

    def says(self, script, seconds=300):
        """What the script prints, without what the shell would trace."""
        status, output = self.run(script, seconds)
        assert status == 0, output[-6000:]
        return output

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        if self.connection:
            self.connection.close()


def may_run():
    return os.geteuid() == 0 and any(debian.PACKAGES.glob("*.deb"))
