# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between sftdyn and a real DNS server, and spoils what passes, on demand."""

import asyncio
import os
import random
import socket
import struct
import threading

from .process import free_port

MODES = ("pass", "udp-lost", "deaf", "slow", "garbage", "wrong-id", "wrong-tsig", "cut", "reset", "flood")


class Proxy:
    """`mode` may be set at any time. It says what becomes of the server's answers:

    pass        they arrive;
    udp-lost    one of three datagrams, either way, doesn't;
    deaf        none arrives, and no connection is ended;
    slow        they arrive after `delay` seconds;
    garbage     random octets arrive instead;
    wrong-id    their message id is another;
    wrong-tsig  the last octet of their signature's MAC region is another;
    cut         half of them arrives, as a message of that length;
    reset       half of them arrives, then the connection is reset (datagrams are lost);
    flood       each arrives with ten answers that nobody asked for (datagrams only).
    """

    def __init__(self, server_port, port=0, hosts=("127.0.0.1",)):
        self.server_port = server_port
        self.port = port or free_port()
        self.hosts = hosts
        self.mode = "pass"
        self.delay = 0.5
        self.random = random.Random(1)
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        assert self.ready.wait(60)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.open())
        self.ready.set()
        self.loop.run_forever()

    async def open(self):
        self.tcp = await asyncio.start_server(self.serve_tcp, self.hosts, self.port)
        self.udp = [(await self.loop.create_datagram_endpoint(lambda: FromClient(self), local_addr=(host, self.port)))[0] for host in self.hosts]

    def stop(self):
        def end():
            self.tcp.close()
            for one in self.udp:
                one.close()
            self.loop.create_task(self.end_tasks())
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(end)
            self.thread.join(60)

    async def end_tasks(self):
        tasks = asyncio.all_tasks(self.loop) - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.loop.stop()

    def spoil(self, wire):
        """The answer's octets as the mode leaves them."""
        if self.mode == "garbage":
            return os.urandom(len(wire))
        if self.mode == "wrong-id":
            return bytes([wire[0] ^ 0x55]) + wire[1:]
        if self.mode == "wrong-tsig":
            # TSIG ends with original id, error, other length (RFC 8945 §4.2): before them is the MAC.
            place = len(wire) - 8
            return wire[:place] + bytes([wire[place] ^ 1]) + wire[place + 1:]
        if self.mode == "cut":
            return wire[:len(wire) // 2]
        return wire

    async def serve_tcp(self, reader, writer):
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(self.requests(reader, server_writer), self.answers(server_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            server_writer.transport.abort()

    async def requests(self, reader, server_writer):
        while data := await reader.read(65536):
            server_writer.write(data)
            await server_writer.drain()
        raise OSError("the client has ended")

    async def answers(self, server_reader, writer):
        while True:
            size, = struct.unpack("!H", await server_reader.readexactly(2))
            wire = await server_reader.readexactly(size)
            while self.mode == "deaf":
                await asyncio.sleep(0.05)
            if self.mode == "slow":
                await asyncio.sleep(self.delay)
            if self.mode == "reset":
                writer.write(struct.pack("!H", size) + wire[:size // 2])
                await writer.drain()
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise OSError("reset")
            wire = self.spoil(wire)
            writer.write(struct.pack("!H", len(wire)) + wire)
            await writer.drain()


class FromClient(asyncio.DatagramProtocol):
    def __init__(self, proxy):
        self.proxy = proxy
        self.servers = {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        proxy = self.proxy
        if proxy.mode == "udp-lost" and proxy.random.random() < 0.33:
            return
        proxy.loop.create_task(self.forward(data, peer))

    async def forward(self, data, peer):
        proxy = self.proxy
        try:
            transport, answer = await proxy.loop.create_datagram_endpoint(lambda: FromServer(proxy), remote_addr=("127.0.0.1", proxy.server_port))
        except OSError:
            return
        try:
            transport.sendto(data)
            wire = await asyncio.wait_for(answer.wire, 30)
            if proxy.mode in ("deaf", "reset") or proxy.mode == "udp-lost" and proxy.random.random() < 0.33:
                return
            if proxy.mode == "slow":
                await asyncio.sleep(proxy.delay)
            if proxy.mode == "flood":
                for _ in range(10):
                    self.transport.sendto(os.urandom(2) + wire[2:], peer)
            self.transport.sendto(proxy.spoil(wire), peer)
        except (OSError, asyncio.TimeoutError):
            return
        finally:
            transport.close()


class FromServer(asyncio.DatagramProtocol):
    def __init__(self, proxy):
        self.wire = proxy.loop.create_future()

    def datagram_received(self, data, peer):
        if not self.wire.done():
            self.wire.set_result(data)

    def error_received(self, error):
        if not self.wire.done():
            self.wire.set_exception(error)
