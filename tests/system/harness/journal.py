# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for journald in a mount namespace of its own: runs sftdyn with its standard error as the journal's stream,
makes requests, ends it, and prints the messages that came as JSON.

    unshare --mount journal.py PROGRAM CONF PORT REQUESTS [ARGUMENT]…

REQUESTS is a list in JSON, of target and source address each; the ARGUMENTs are sftdyn's.
"""

import http.client
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile


def fields(message):
    """The native protocol: NAME=value lines, or NAME, a length and octets. Of a field with several values a list."""
    out = {}
    while message:
        line, _, message = message.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", message[:8])[0]
            value, message = message[8:8 + size], message[9 + size:]
        name, value = name.decode(), value.decode()
        out[name] = value if name not in out else [out[name], value] if isinstance(out[name], str) else [*out[name], value]
    return out


def ask(port, target, source):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    connection.request("GET", target)
    connection.getresponse().read()
    connection.close()


def main():
    program, conf, port, requests = sys.argv[1:5]
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    os.makedirs("/run/systemd", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/systemd"], check=True)
    os.makedirs("/run/systemd/journal")
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind("/run/systemd/journal/socket")
    messages = []

    def read():
        while select.select([journal], [], [], 0)[0]:
            messages.append(fields(journal.recv(65536)))

    with tempfile.NamedTemporaryFile("w+") as stderr:
        status = os.fstat(stderr.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        process = subprocess.Popen([program, conf, "-l", f"127.0.0.1:{port}", *sys.argv[5:]], stderr=stderr, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            while "listening" not in (line := process.stdout.readline()):
                assert line, "it ended"
            for target, source in json.loads(requests):
                ask(int(port), target, source)
                read()
        finally:
            process.terminate()
            process.wait(60)
        read()
        stderr.seek(0)
        assert " info: " not in stderr.read(), "nothing is said twice"
    print(json.dumps(messages))


def messages_of(program, conf, port, requests, arguments=()):
    """Of a test that is root: what sftdyn tells the journal."""
    result = subprocess.run(["unshare", "--mount", "/usr/bin/python3", __file__, program, conf, str(port), json.dumps(requests), *arguments],
                            capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


if __name__ == "__main__":
    main()
