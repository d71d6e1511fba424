# SPDX-License-Identifier: GPL-3.0-or-later
"""For one host the last accepted request decides, whatever listeners, batches and retries do."""

import base64
import re
import struct
import threading

import dns.message
import dns.name
import dns.rdatatype
import pytest

from harness.dns_servers import Key
from harness.fake_dns import QueueingDns
from harness.process import await_true
from harness.sftdyn import conf

HOST = "home.dyn.example.org"


def sets(request, host):
    return any(rrset.name == dns.name.from_text(host) for rrset in request.update)


def served_at(server, host):
    return server.records.get((dns.name.from_text(host), dns.rdatatype.A), [])


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


def test_an_update_on_a_connection_that_we_had_to_end_may_be_carried_out_late(stage, tmp_path):
    key = Key()
    spoiled = []

    def answer_with_a_wrong_id(request, connection):
        if not spoiled and sets(request, HOST):
            spoiled.append(request)
            wire = dns.message.make_response(request).to_wire()
            connection.sendall(struct.pack("!H", len(wire)) + bytes([wire[0] ^ 0x55]) + wire[1:])
    server = QueueingDns(key, delay=lambda request: 0.5 if sets(request, HOST) else 0, after_reading=answer_with_a_wrong_id)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=key.write(tmp_path / "key")))
    assert program.get("k", source="127.0.0.2").body == "FAIL"
    assert program.get("k", source="127.0.0.3").body == "OK"
    assert len(server.updates()) == 2
    assert served_at(server, HOST) == ["127.0.0.3"]


OTHER = "other.dyn.example.org"
SCRIPTS = f"""
CLIENTS = {{"k": "{HOST}", "o": "{OTHER}"}}

def get_host(querystring, ip):
    return CLIENTS.get(querystring)

def nsupdatecommands(host, new_ip, headers):
    yield f"update delete {{host}} A"
    if new_ip.endswith("8"):
        yield "send"
    yield f"update add {{host}} 10 A {{new_ip}}"
    if new_ip.endswith(".9"):
        yield f"update add {{host}} 10 TXT moved"
    yield "send"
"""


@pytest.mark.parametrize("sources", [("127.0.0.3", "127.0.0.9"), ("127.0.0.9", "127.0.0.3"), ("127.0.0.8", "127.0.0.3"), ("127.0.0.3", "127.0.0.8"),
                                     ("127.0.0.8", "127.0.0.18")])
def test_a_script_has_its_place_among_the_changes_of_its_host(stage, tmp_path, sources):
    """Some addresses make a plain replacement, .9 a script with one more record, .8 and .18 one of two messages."""
    key = Key()
    under_way = threading.Event()
    server = QueueingDns(key, delay=lambda request: 2 if sets(request, OTHER) else 0,
                         after_reading=lambda request, connection: under_way.set() if sets(request, OTHER) else None)
    stage.running.append(server)
    arguments = ["-vv", "--server", server.address, "--nskeyfile", key.write(tmp_path / "key")]
    program = stage.sftdyn(SCRIPTS, arguments=arguments, file="conf")
    assert program.get("k", source="127.0.0.2").body == "OK"
    answers = {}

    def ask(key, source):
        answers[key, source] = program.get(key, source=source).body
    clients = [threading.Thread(target=ask, args=("o", "127.0.0.2"))]
    clients[0].start()
    assert under_way.wait(60)  # the others wait behind it
    for source in sources:
        clients.append(threading.Thread(target=ask, args=("k", source)))
        clients[-1].start()
        program.await_log(f"{HOST} A {source}: accepted")
    for client in clients:
        client.join()
    assert set(answers.values()) == {"OK"}, answers
    assert served_at(server, HOST) == [sources[-1]]
    for source in sources[:-1]:
        assert program.get("k", source=source).body == "OK", "not UPTODATE"
        assert served_at(server, HOST) == [source]


def test_no_host_of_a_request_is_told_what_a_later_request_has_changed(stage, tmp_path):
    first, second = "a.dyn.example.org", "b.other.example.org"
    key = Key()
    under_way = threading.Event()
    server = QueueingDns(key, zones=("dyn.example.org", "other.example.org"), delay=lambda request: 2 if sets(request, second) else 0,
                         after_reading=lambda request, connection: under_way.set() if sets(request, second) else None)
    stage.running.append(server)
    text = conf(server, {}, key_file=key.write(tmp_path / "key")) + f'[clients.c]\nuser = "x"\npassword = "secret"\nhosts = ["{first}", "{second}"]\n'
    program = stage.sftdyn(text)

    def update(hosts, address):
        login = base64.b64encode(b"x:secret").decode()
        return program.get(f"/nic/update?hostname={hosts}&myip={address}", headers={"Authorization": f"Basic {login}"}).body
    assert update(f"{first},{second}", "192.0.2.2").split("\n")[:2] == ["good 192.0.2.2"] * 2
    under_way.clear()
    answers = []
    client = threading.Thread(target=lambda: answers.extend(update(f"{first},{second}", "192.0.2.3").split("\n")))
    client.start()
    assert under_way.wait(60)
    await_true(lambda: served_at(server, first) == ["192.0.2.3"], "the first has it")
    assert update(first, "192.0.2.4").startswith("good 192.0.2.4")
    client.join()
    assert not answers[0].startswith(("good", "nochg")), answers
    assert answers[1] == "good 192.0.2.3"
    assert served_at(server, first) == ["192.0.2.4"]
