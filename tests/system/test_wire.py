# SPDX-License-Identifier: GPL-3.0-or-later
"""sftdyn's messages as an independent implementation (dnspython) reads them."""

from pathlib import Path

import dns.message
import dns.opcode
import dns.rdataclass
import dns.rdatatype
import pytest

from harness.dns_servers import Key
from harness.fake_dns import FakeDns
from harness.sftdyn import conf

HOST = "home.dyn.example.org"
GOLDEN = Path(__file__).parents[1] / "unit/dns/golden"


def read_golden(name):
    return dns.message.from_wire(bytes.fromhex((GOLDEN / f"{name}.hex").read_text()))


def test_golden_query():
    message = read_golden("query")
    assert message.id == 0x1234 and message.opcode() == dns.opcode.QUERY and message.flags == 0
    assert [rrset.to_text() for rrset in message.question] == ["home.dyn.example.org. IN AAAA"]


def test_golden_update():
    message = read_golden("update")
    assert message.id == 0x1234 and message.opcode() == dns.opcode.UPDATE
    assert [rrset.to_text() for rrset in message.zone] == ["dyn.example.org. IN SOA"]
    absent = [(rrset.name.to_text(), rrset.rdtype, rrset.deleting) for rrset in message.prerequisite]
    assert absent == [("home.dyn.example.org.", dns.rdatatype.CNAME, dns.rdataclass.NONE), ("dyn.example.org.", dns.rdatatype.DNAME, dns.rdataclass.NONE)]
    seen = [(rrset.name.to_text(), rrset.rdtype, rrset.deleting, rrset.ttl, [rdata.to_text() for rdata in rrset]) for rrset in message.update]
    assert seen == [
        ("home.dyn.example.org.", dns.rdatatype.A, dns.rdataclass.ANY, 0, []),
        ("home.dyn.example.org.", dns.rdatatype.A, None, 30, ["192.0.2.1"]),
        ("home.dyn.example.org.", dns.rdatatype.AAAA, dns.rdataclass.ANY, 0, []),
        ("1.2.0.192.in-addr.arpa.", dns.rdatatype.PTR, dns.rdataclass.NONE, 0, ["home.dyn.example.org."]),
    ]


@pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"])
def test_signatures_are_verified_by_both_sides(stage, tmp_path, algorithm):
    key = Key(algorithm=algorithm)
    server = FakeDns(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=key.write(tmp_path / "key")))
    assert program.get("k", source="127.0.0.2").body == "OK", program.log()
    assert server.broken == []
    assert all(request.had_tsig for request, _ in server.requests)
    update, = server.updates()
    assert [(rrset.rdtype, rrset.deleting, rrset.ttl) for rrset in update.update] == [
        (dns.rdatatype.A, dns.rdataclass.ANY, 0), (dns.rdatatype.A, None, 30)]
    # Which zone; two fences, in case an earlier process has left something; the zone's serial; what is served; the change; what is
    # served now, and whether a wildcard makes it.
    assert [(over_tcp, request.opcode()) for request, over_tcp in server.requests] == [
        (False, dns.opcode.QUERY), (True, dns.opcode.UPDATE), (True, dns.opcode.UPDATE), (False, dns.opcode.QUERY), (False, dns.opcode.QUERY),
        (True, dns.opcode.UPDATE), (False, dns.opcode.QUERY), (False, dns.opcode.QUERY)]
    assert server.requests[3][0].question[0].rdtype == dns.rdatatype.SOA
    assert [request.question[0].name.to_text() for request, _ in server.requests[-2:]] == [f"{HOST}.", "*.dyn.example.org."]
    assert len(server.fences()) == 2
    for fence in server.fences():
        assert not fence.prerequisite and not fence.update and not fence.additional


def test_message_ids_are_not_guessable(stage, tmp_path):
    key = Key()
    server = FakeDns(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="freshness = 0", key_file=key.write(tmp_path / "key")))
    for _ in range(40):
        program.get("k")
    ids = [request.id for request, _ in server.requests]
    assert len(set(ids)) > 35
    assert len({b - a for a, b in zip(ids, ids[1:])}) > 30


def test_queries_over_tcp_when_the_setting_says_so(stage, tmp_path):
    key = Key()
    server = FakeDns(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, dns="tcp = true", key_file=key.write(tmp_path / "key")))
    assert program.get("k").body == "OK"
    assert all(over_tcp for _, over_tcp in server.requests)


def test_a_truncated_answer_is_asked_again_over_tcp(stage, tmp_path):
    key = Key()

    def truncate(request, wire, over_tcp):
        if over_tcp:
            return wire
        response = dns.message.make_response(request)
        response.flags |= dns.flags.TC | dns.flags.AA
        response.use_tsig(server.keyring)
        response.request_mac = request.mac
        return response.to_wire()

    server = FakeDns(key, bend=truncate)
    stage.running.append(server)
    server.records[(dns.name.from_text(HOST), dns.rdatatype.A)] = ["127.0.0.1"]
    program = stage.sftdyn(conf(server, {"k": HOST}, dns='zone = "dyn.example.org"', key_file=key.write(tmp_path / "key")))
    assert program.get("k").body == "UPTODATE", program.log()
    # Its zone, the zone's serial, its record, and whether a wildcard makes that.
    assert [over_tcp for request, over_tcp in server.requests if request.opcode() == dns.opcode.QUERY] == [False, True] * 4
