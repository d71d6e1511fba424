# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for journald in a mount namespace of its own: runs sftdyn with its standard error as the journal's stream,
makes GUESSES requests with wrong keys and one with the right one, and prints the messages that came
as JSON.

    unshare --mount journal.py PROGRAM CONF PORT [GUESSES]
"""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request


def fields(message):
    """The native protocol: NAME=value lines, or NAME, a length and octets."""
    out = {}
    while message:
        line, _, message = message.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", message[:8])[0]
            value, message = message[8:8 + size], message[9 + size:]
        out[name.decode()] = value.decode()
    return out


def main():
    program, conf, port = sys.argv[1:4]
    guesses = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    os.makedirs("/run/systemd", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/systemd"], check=True)
    os.makedirs("/run/systemd/journal")
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind("/run/systemd/journal/socket")
    journal.settimeout(60)
    with tempfile.NamedTemporaryFile("w+") as stderr:
        status = os.fstat(stderr.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        process = subprocess.Popen([program, conf, "-l", f"127.0.0.1:{port}", "-v"], stderr=stderr, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            while "listening" not in (line := process.stdout.readline()):
                assert line, "it ended"
            for number in range(guesses):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/guess{number}", timeout=60)
                except urllib.error.HTTPError as error:
                    assert error.code in (403, 429), error
            urllib.request.urlopen(f"http://127.0.0.1:{port}/secretkey-one", timeout=60).read()
            messages = []
            while not any("SFTDYN_HOST" in message for message in messages):
                messages.append(fields(journal.recv(65536)))
        finally:
            process.terminate()
            process.wait(60)
        stderr.seek(0)
        assert " info: " not in stderr.read(), "nothing is said twice"
    print(json.dumps(messages))


main()
