# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS server made of dnspython: an independent reader of sftdyn's messages, and a server that misbehaves on demand."""

import queue
import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update

from .process import free_port


class FakeDns:
    """Serves one zone from memory. `bend(request, wire, over_tcp)` may change the answer's octets; None: no answer."""

    def __init__(self, key, zone="dyn.example.org", bend=None):
        self.key = key
        self.zone = dns.name.from_text(zone)
        self.keyring = {dns.name.from_text(key.name): dns.tsig.Key(key.name, key.secret, algorithm(key.algorithm))}
        self.bend = bend or (lambda request, wire, over_tcp: wire)
        self.records = {}
        self.requests = []   # (message, over_tcp), signature verified
        self.broken = []     # what could not be read, or verified
        self.port = free_port()
        self.closing = False
        self.lock = threading.Lock()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen(50)
        self.connections = []
        for work in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self.closing = True
        for one in (self.udp, self.tcp, *self.connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def serve_udp(self):
        while not self.closing:
            try:
                wire, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            answer = self.answer(wire, over_tcp=False)
            if answer is not None:
                self.udp.sendto(answer, peer)

    def serve_tcp(self):
        while not self.closing:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        stream = connection.makefile("rb")
        try:
            while True:
                head = stream.read(2)
                if len(head) < 2:
                    return
                wire = stream.read(struct.unpack("!H", head)[0])
                answer = self.answer(wire, over_tcp=True)
                if answer == "close":
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if isinstance(answer, tuple):  # raw octets, then the end
                    connection.sendall(answer[0])
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
        except (OSError, ValueError):
            return

    def answer(self, wire, over_tcp):
        try:
            request = dns.message.from_wire(wire, keyring=self.keyring)
        except Exception as error:  # whatever dnspython does not like is the test's finding
            self.broken.append(error)
            return None
        with self.lock:
            self.requests.append((request, over_tcp))
            response = self.carry_out(request)
        response.use_tsig(self.keyring, keyname=dns.name.from_text(self.key.name), algorithm=algorithm(self.key.algorithm)) if request.had_tsig else None
        response.request_mac = request.mac if request.had_tsig else b""
        return self.bend(request, response.to_wire(), over_tcp)

    def carry_out(self, request):
        response = dns.message.make_response(request)
        response.flags |= dns.flags.AA
        if request.opcode() == dns.opcode.UPDATE:
            for rrset in request.update:
                slot = (rrset.name, rrset.rdtype)
                if rrset.deleting == dns.rdataclass.ANY:
                    self.records.pop(slot, None)
                elif rrset.deleting is None:
                    self.records.setdefault(slot, []).extend(rdata.to_text() for rdata in rrset)
            return response
        question = request.question[0]
        zone = self.zone_of(question.name)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        found = self.records.get((question.name, question.rdtype))
        if found:
            response.answer.append(dns.rrset.from_text(question.name, 30, "IN", dns.rdatatype.to_text(question.rdtype), *found))
        else:
            response.authority.append(dns.rrset.from_text(zone, 60, "IN", "SOA", "ns. hostmaster. 1 3600 900 604800 60"))
        return response

    def zone_of(self, name):
        return self.zone if name.is_subdomain(self.zone) else None

    def updates(self):
        """All but fences."""
        return [request for request, _ in self.requests if request.opcode() == dns.opcode.UPDATE and not is_fence(request)]

    def fences(self):
        return [request for request, _ in self.requests if is_fence(request)]


class QueueingDns(FakeDns):
    """Carries out the UPDATEs of a zone one after the other, each after `delay(request)` seconds, and answers everything else
    meanwhile, as knotd does. `after_reading(request, connection)` may do something to the connection of an UPDATE just read."""

    def __init__(self, key, zones=("dyn.example.org",), delay=lambda request: 0, after_reading=lambda request, connection: None, **kwargs):
        self.zones = [dns.name.from_text(zone) for zone in zones]
        self.delay = delay
        self.after_reading = after_reading
        self.queues = {zone: queue.Queue() for zone in self.zones}
        self.done = []  # UPDATEs, in the order in which they were carried out
        for one in self.queues.values():
            threading.Thread(target=self.work, args=(one,), daemon=True).start()
        super().__init__(key, zones[0], **kwargs)

    def zone_of(self, name):
        return next((zone for zone in self.zones if name.is_subdomain(zone)), None)

    def stop(self):
        super().stop()
        for one in self.queues.values():
            one.put(None)

    def serve_update(self, request, connection):
        """True: it has been dealt with as it was read."""
        return False

    def done_with(self, address):
        """An UPDATE that sets that address has been carried out."""
        return any(rdata.to_text() == address for request in self.done for rrset in request.update if rrset.deleting is None for rdata in rrset)

    def work(self, jobs):
        while (job := jobs.get()) is not None:
            wire, request, connection = job
            time.sleep(self.delay(request))
            self.done.append(request)
            try:
                answer = self.answer(wire, over_tcp=True)
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
            except OSError:
                pass  # it is carried out all the same

    def serve_connection(self, connection):
        stream = connection.makefile("rb")
        try:
            while True:
                head = stream.read(2)
                if len(head) < 2:
                    return
                wire = stream.read(struct.unpack("!H", head)[0])
                request = dns.message.from_wire(wire, keyring=self.keyring)
                if request.opcode() == dns.opcode.UPDATE and self.serve_update(request, connection):
                    continue
                if request.opcode() == dns.opcode.UPDATE:
                    self.queues[request.zone[0].name].put((wire, request, connection))
                    self.after_reading(request, connection)
                    continue
                answer = self.answer(wire, over_tcp=True)
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
        except (OSError, ValueError):
            return


def is_fence(request):
    """An UPDATE that changes nothing."""
    return request.opcode() == dns.opcode.UPDATE and not request.prerequisite and not request.update


def algorithm(name):
    return dns.name.from_text("hmac-md5.sig-alg.reg.int" if name == "hmac-md5" else name)
