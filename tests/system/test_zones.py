# SPDX-License-Identifier: GPL-3.0-or-later
"""Several servers for one zone, several zones with servers and keys of their own, and reverse records."""

import base64
import time

import pytest

from harness.dns_servers import Key
from harness.process import await_true, free_port
from harness.sftdyn import conf

HOST = "home.dyn.example.org"


def with_servers(server, servers):
    return conf(server, {"k": HOST}).replace(f'server = "{server.address}"', f"servers = [{', '.join(repr(one) for one in servers)}]")


def test_servers_are_tried_in_order(stage):
    server = stage.dns("named")
    program = stage.sftdyn(with_servers(server, [f"127.0.0.1:{free_port()}", server.address]))
    assert program.get("k").body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.1"]


def test_the_first_that_answers_serves_alone(stage):
    first, second = stage.dns("named", name="first", key=(key := Key())), stage.dns("named", name="second", key=key)
    program = stage.sftdyn(with_servers(first, [first.address, second.address]))
    assert program.get("k").body == "OK"
    assert first.records(HOST, "A") == ["127.0.0.1"]
    assert second.records(HOST, "A") == []
    first.stop()
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert second.records(HOST, "A") == ["127.0.0.2"]


def test_a_server_that_hangs_is_passed_over(stage):
    first, second = stage.dns("named", name="first", key=(key := Key())), stage.dns("named", name="second", key=key)
    program = stage.sftdyn(with_servers(first, [first.address, second.address]))
    first.process.stand_still()
    start = time.monotonic()
    assert program.get("k").body == "OK"
    waited = time.monotonic() - start
    assert second.records(HOST, "A") == ["127.0.0.1"]
    start = time.monotonic()
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert time.monotonic() - start < waited / 2, "the one that hangs is asked last for a while"


def test_zones_with_servers_keys_and_ttls_of_their_own(stage):
    default = stage.dns("named", name="default")
    other = stage.dns("knot", name="other", zones=("other.example.org",), key=Key(name="other", algorithm="hmac-sha512"))
    text = conf(default, {"a": HOST, "b": "b.other.example.org"}).replace("[clients]", f"""
[[zone]]
name = "other.example.org"
server = "{other.address}"
nskeyfile = "{other.key_file()}"
ttl = 99
[clients]""")
    program = stage.sftdyn(text)
    assert program.get("a").body == "OK"
    assert program.get("b").body == "OK"
    assert default.ttl(HOST, "A") == 30
    assert other.ttl("b.other.example.org", "A") == 99


def test_a_dead_server_delays_no_other_zone(stage):
    import threading
    dead = stage.dns("named", name="dead")
    alive = stage.dns("named", name="alive", zones=("other.example.org",))
    hosts = {f"k{number}": f"h{number}.dyn.example.org" for number in range(20)}
    text = conf(dead, {**hosts, "b": "b.other.example.org"}, dns="timeout = 4", extra="[limits]\nchanges = 0").replace("[clients]", f"""
[[zone]]
name = "other.example.org"
server = "{alive.address}"
nskeyfile = "{alive.key_file()}"
[clients]""")
    program = stage.sftdyn(text)
    assert program.get("k0", source="127.0.0.9").body == "OK"
    dead.process.stand_still()
    answers = []
    clients = [threading.Thread(target=lambda key=key: answers.append(program.get(key).body)) for key in hosts]
    for client in clients:
        client.start()
    program.await_log(": accepted", count=21)
    for number in range(30):
        assert program.get("b", source=f"127.0.0.{number % 2 + 2}").body == "OK"
    assert answers == [], "the dead one's requests are still waiting"
    for client in clients:
        client.join()
    assert answers == ["FAIL"] * 20


@pytest.mark.parametrize("kind", ["named", "knot", "powerdns"])
def test_the_pointer_follows_the_address(stage, kind):
    server = stage.dns(kind, zones=("dyn.example.org", "0.127.in-addr.arpa"))
    program = stage.sftdyn(conf(server, {"k": f'{{ host = "{HOST}", ptr = true }}', "plain": "plain.dyn.example.org"}))
    assert program.get("k", source="127.0.5.6").body == "OK"
    await_true(lambda: server.records("6.5.0.127.in-addr.arpa", "PTR") == [f"{HOST}."], "the pointer is there")
    assert program.get("k", source="127.0.5.7").body == "OK"
    await_true(lambda: server.records("7.5.0.127.in-addr.arpa", "PTR") == [f"{HOST}."], "the new pointer is there")
    await_true(lambda: server.records("6.5.0.127.in-addr.arpa", "PTR") == [], "the old one is not")
    assert program.get("plain", source="127.0.5.8").body == "OK"
    assert server.records("8.5.0.127.in-addr.arpa", "PTR") == []


@pytest.mark.parametrize("kind", ["named", "knot", "powerdns"])
def test_a_foreign_pointer_stays(stage, kind):
    """Neither whoever may name any address nor a neighbour behind the same one takes another's PTR record."""
    server = stage.dns(kind, zones=("dyn.example.org", "2.0.192.in-addr.arpa", "0.127.in-addr.arpa"))
    for owner in ("90.2.0.192.in-addr.arpa", "9.5.0.127.in-addr.arpa"):
        server.nsupdate(f"update add {owner} 60 PTR mail.example.org.")
    eve = '\n[clients.eve]\nkey = "e"\nuser = "eve"\npassword = "pw"\nhosts = [{ host = "eve.dyn.example.org", ptr = true }]\n'
    program = stage.sftdyn(conf(server, {"k": f'{{ host = "{HOST}", ptr = true }}'}) + eve)
    credential = {"Authorization": "Basic " + base64.b64encode(b"eve:pw").decode()}
    for address in ("192.0.2.90", "192.0.2.91", "192.0.2.92"):
        answer = program.get(f"/nic/update?hostname=eve.dyn.example.org&myip={address}", headers=credential)
        assert answer.body == f"good {address}", program.log()
    assert program.get("k", source="127.0.5.9").body == "OK"
    program.await_log("9.5.0.127.in-addr.arpa PTR not updated: the address has the PTR record of another name, mail.example.org, which stays")
    assert program.get("k", source="127.0.5.10").body == "OK"
    await_true(lambda: server.records("10.5.0.127.in-addr.arpa", "PTR") == [f"{HOST}."], "a free one is taken")
    assert program.get("e", source="127.0.5.10").body == "OK"
    assert server.records("90.2.0.192.in-addr.arpa", "PTR") == server.records("9.5.0.127.in-addr.arpa", "PTR") == ["mail.example.org."]
    assert server.records("91.2.0.192.in-addr.arpa", "PTR") == server.records("92.2.0.192.in-addr.arpa", "PTR") == [], "it came from elsewhere"
    assert program.get("k", source="127.0.5.11").body == "OK"
    # Its queue is served in order: had the neighbour taken it before, this would not delete it.
    await_true(lambda: server.records("10.5.0.127.in-addr.arpa", "PTR") == [], "its own is taken away")
    assert server.records("9.5.0.127.in-addr.arpa", "PTR") == ["mail.example.org."]


def test_without_a_reverse_zone_of_ours_there_is_no_error(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": f'{{ host = "{HOST}", ptr = true }}'}))
    assert program.get("k").body == "OK"
    program.await_log("no reverse zone of ours holds 1.0.0.127.in-addr.arpa")
    assert "error" not in program.log()


def test_a_refusal_is_seen_with_several_queries_under_way(stage):
    """The kernel tells of it once, to whoever uses the socket next."""
    text = conf(stage.dns("named"), {}).replace("[clients]", '[clients.c]\nkey = "k"\nhosts = ["a.dyn.example.org", "b.dyn.example.org"]')
    stage.running[0].stop()
    program = stage.sftdyn(text)
    for _ in range(5):
        began = time.monotonic()
        assert program.get("k").body == "FAIL"
        assert time.monotonic() - began < 10  # of 20
    assert "connection refused" in program.log()


def test_a_reverse_name_that_no_zone_holds_costs_one_query(stage, tmp_path):
    from harness.fake_dns import FakeDns
    from harness.process import await_true
    key = Key()
    server = FakeDns(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": f'{{ host = "{HOST}", ptr = true }}'}, key_file=key.write(tmp_path / "key")))
    for number in range(2, 6):
        assert program.get("k", source=f"127.0.0.{number}").body == "OK"
        await_true(lambda: f"no reverse zone of ours holds {number}.0.0.127.in-addr.arpa" in program.log(), "it was looked for")
    reverse = [request for request, _ in server.requests if "arpa" in request.question[0].name.to_text()]
    assert len({request.question[0].name for request in reverse}) == len(reverse) == 4, [str(request.question[0]) for request in reverse]
