# SPDX-License-Identifier: GPL-3.0-or-later
"""Guesses passwords from many networks, as a program of its own: what it takes of a core is not the measuring test's.

    guesser.py PORT CONNECTIONS NETWORK...

Each network is an address for X-Forwarded-For, with CONNECTIONS connections. Each line on stdin is the users to guess for, separated
by blanks; "-" is one who does not exist, each time another. A line "?" asks how many answers of each status came, and so does the end of
stdin, at which it ends.
"""

import asyncio
import base64
import collections
import json
import sys

PAUSE = 0.2  # seconds between an answer and the connection's next guess


async def guess(port, network, users, statuses):
    number = 0
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                number += 1
                user = users[number % len(users)]
                if user == "-":
                    user = f"nobody-{network}-{id(writer)}-{number}"
                credential = base64.b64encode(f"{user}:guess-{network}-{id(writer)}-{number}".encode()).decode()
                writer.write(f"GET /nic/update?hostname=u.dyn.example.org HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {network}\r\n"
                             f"Authorization: Basic {credential}\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                statuses[int(head.split()[1])] += 1
                await reader.readexactly(int(head.split("content-length: ")[1].split()[0]))
                await asyncio.sleep(PAUSE)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(PAUSE)
        finally:
            writer.close()


async def main(port, connections, networks):
    users, statuses = ["-"], collections.Counter()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    tasks = []
    async for line in lines:
        if line == b"?\n":
            print(json.dumps(statuses), flush=True)
            continue
        users[:] = line.decode().split()
        tasks = tasks or [asyncio.create_task(guess(port, network, users, statuses)) for network in networks for _ in range(connections)]
    for task in tasks:
        task.cancel()
    print(json.dumps(statuses))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
