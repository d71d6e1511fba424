"""For one host the last accepted request decides, whatever listeners, batches and retries do."""

import re
import threading

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdatatype

from harness.dns_servers import Key
from harness.fake_dns import FakeDns
from harness.sftdyn import conf

HOST = "home.dyn.example.org"


def accepted(program, host=HOST):
    return re.findall(rf"{re.escape(host)} A (\S+): accepted", program.log())


def test_the_later_of_two_wins_though_the_server_hangs_meanwhile(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="timeout = 40"), listen=("127.0.0.1:0", "127.0.0.1:0"))
    ports = [port for _, port in program.addresses]
    for round_number in range(5):
        server.process.stand_still()
        answers, clients = {}, []
        for number, port in enumerate(ports):
            source = f"127.0.{round_number + 1}.{number + 1}"
            client = threading.Thread(target=lambda source=source, port=port: answers.update({source: ask(port, source)}))
            client.start()
            clients.append(client)
            program.await_log(f"{HOST} A {source}: accepted")
        server.process.go_on()
        for client in clients:
            client.join()
        assert set(answers.values()) == {"OK"}, answers
        assert server.records(HOST, "A") == [f"127.0.{round_number + 1}.2"]


def ask(port, source):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    connection.request("GET", "/k")
    return connection.getresponse().read().decode()


def test_many_clients_of_few_hosts_on_two_listeners(stage):
    server = stage.dns("named")
    hosts = [f"h{number}.dyn.example.org" for number in range(3)]
    program = stage.sftdyn(conf(server, {f"k{number}": host for number, host in enumerate(hosts)}, extra="[limits]\nchanges = 0"),
                           listen=("127.0.0.1:0", "127.0.0.1:0"))
    ports = [port for _, port in program.addresses]
    bodies = []

    def client(number):
        import http.client
        import random
        pick = random.Random(number)
        connections = {}
        for _ in range(60):
            source = f"127.0.4.{pick.randrange(1, 5)}"
            slot = (source, pick.choice(ports))
            if slot not in connections:
                connections[slot] = http.client.HTTPConnection("127.0.0.1", slot[1], timeout=60, source_address=(source, 0))
            connections[slot].request("GET", f"/k{pick.randrange(3)}")
            bodies.append(connections[slot].getresponse().read().decode())

    clients = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert len(bodies) == 12 * 60 and set(bodies) <= {"OK", "UPTODATE"}, set(bodies)
    for host in hosts:
        assert server.records(host, "A") == [accepted(program, host)[-1]]


class LateDns(FakeDns):
    """Answers its first UPDATE with a wrong id, and carries it out half a second after that."""

    def __init__(self, key):
        super().__init__(key, bend=lambda request, wire, over_tcp: bytes([wire[0] ^ 0x55]) + wire[1:] if request is self.late else wire)
        self.late = None
        self.carried_out = threading.Event()

    def carry_out(self, request):
        if request.opcode() != dns.opcode.UPDATE or self.late is not None:
            return super().carry_out(request)
        self.late = request
        threading.Timer(0.5, self.carry_out_late).start()
        response = dns.message.make_response(request)
        response.flags |= dns.flags.AA
        return response

    def carry_out_late(self):
        with self.lock:
            super().carry_out(self.late)
        self.carried_out.set()


def test_an_update_on_a_connection_that_we_had_to_end_may_be_carried_out_late(stage, tmp_path):
    key = Key()
    server = LateDns(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=key.write(tmp_path / "key")))
    assert program.get("k", source="127.0.0.2").body == "FAIL"
    assert program.get("k", source="127.0.0.3").body == "OK"
    assert server.carried_out.wait(60)
    assert server.records[dns.name.from_text(HOST), dns.rdatatype.A] == ["127.0.0.3"]
