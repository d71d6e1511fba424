# SPDX-License-Identifier: GPL-3.0-or-later
"""dyndns2 and its relatives: what each client sends, what it reads, and what the zone says then."""

import base64
import subprocess
import threading

import pytest

from harness.process import await_true
from harness.sftdyn import BINARY, conf, run

HOME, NAS, OTHER = "home.dyn.example.org", "nas.dyn.example.org", "other.dyn.example.org"

CLIENTS = f"""
[clients.home]
key = "home-key"
user = "home"
password = "correct horse"
hosts = ["{HOME}", "{NAS}"]

[clients.other]
user = "other"
password = "battery"
hosts = ["{OTHER}"]

[clients.modest]
user = "modest"
password = "staple"
hosts = ["modest.dyn.example.org"]
may_set_address = false
"""


def start(stage, clients=CLIENTS, extra="", kind="named", **kwargs):
    server = stage.dns(kind)
    return server, stage.sftdyn(conf(server, {"short": "short.dyn.example.org"}, extra=extra, **kwargs) + clients)


def basic(user="home", password="correct horse"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def update(program, query, path="/nic/update", credential=("home", "correct horse"), **kwargs):
    headers = basic(*credential) if credential else {}
    return program.get(f"{path}?{query}", headers=headers, **kwargs)


@pytest.mark.parametrize("path", ["/nic/update", "/v3/update", "/update", "//nic/update", "///nic//update", "/nic/update/"])
def test_good_then_nochg(stage, path):
    server, program = start(stage)
    assert tuple(update(program, f"hostname={HOME}&myip=192.0.2.7", path)) == (200, "good 192.0.2.7")
    assert server.records(HOME, "A") == ["192.0.2.7"]
    assert tuple(update(program, f"hostname={HOME}&myip=192.0.2.7", path)) == (200, "nochg 192.0.2.7")
    assert server.records(HOME, "AAAA") == [] and server.records(NAS, "A") == []


def test_post_with_a_form_and_with_a_query(stage):
    server, program = start(stage)
    body = f"hostname={HOME}&myip=192.0.2.8".encode()
    head = b"POST /nic/update HTTP/1.0\r\nAuthorization: " + basic()["Authorization"].encode() + b"\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    assert program.raw(head + b"Content-Length: %d\r\n\r\n" % len(body) + body).endswith(b"\r\n\r\ngood 192.0.2.8")
    assert program.get(f"/nic/update?hostname={HOME}&myip=192.0.2.8", method="POST", headers=basic()).body == "nochg 192.0.2.8"
    answer = program.get("/nic/update", method="DELETE", headers=basic())
    assert answer.status == 405 and answer.headers["Allow"] == "GET, POST, PUT"


def test_both_families_in_one_message(stage):
    server, program = start(stage)
    before = server.serial()
    assert update(program, f"hostname={HOME}&myip=192.0.2.7&myipv6=2001:db8::7").body == "good 192.0.2.7,2001:db8::7"
    assert server.serial() == before + 1, "one message, one change of the zone"
    assert server.records(HOME, "A") == ["192.0.2.7"] and server.records(HOME, "AAAA") == ["2001:db8::7"]
    # Only one of them differs: still one answer, and both are right.
    assert update(program, f"hostname={HOME}&myip=192.0.2.7&myipv6=2001:db8::8").body == "good 192.0.2.7,2001:db8::8"
    assert update(program, f"hostname={HOME}&myip=192.0.2.7&myipv6=2001:db8::8").body == "nochg 192.0.2.7,2001:db8::8"


@pytest.mark.parametrize("query,text", [
    ("myip=192.0.2.9,2001:db8::9", "192.0.2.9,2001:db8::9"), ("myip=2001:db8::9,192.0.2.9", "192.0.2.9,2001:db8::9"), ("myip=2001:db8::9", "2001:db8::9"),
    ("myip=192.0.2.9/32", "192.0.2.9"), ("myipv6=2001:db8::9/64", "2001:db8::9"), ("myipv4=192.0.2.9", "192.0.2.9"), ("myip6=2001:db8::9", "2001:db8::9"),
    ("ip=192.0.2.9", "192.0.2.9"), ("ipv4=192.0.2.9", "192.0.2.9"), ("ipv6=2001:DB8:0::9", "2001:DB8:0::9"), ("address=192.0.2.9", "192.0.2.9"),
    ("myip=%3A%3Affff%3A192.0.2.9", "::ffff:192.0.2.9"), ("MYIP=192.0.2.9", "192.0.2.9"),
    ("myip=192.0.2.9&system=dyndns&wildcard=NOCHG&mx=mail.example.org&backmx=NO&url=x", "192.0.2.9"),
])
def test_every_way_to_name_an_address(stage, query, text):
    server, program = start(stage)
    assert update(program, f"hostname={HOME}&{query}").body == f"good {text}", "the address as it was sent"
    assert len(server.records(HOME, "A")) == ("192.0.2.9" in text)
    assert len(server.records(HOME, "AAAA")) == ("2001" in text)


@pytest.mark.parametrize("query", ["", "&myip=", "&myip=&myipv6=", "&myip=,"])
def test_no_address_is_where_it_came_from(stage, query):
    server, program = start(stage)
    assert update(program, f"hostname={HOME}&myipv6=2001:db8::7").body == "good 2001:db8::7"
    assert update(program, f"hostname={HOME}{query}", source="127.0.0.3").body == "good 127.0.0.3"
    assert server.records(HOME, "A") == ["127.0.0.3"] and server.records(HOME, "AAAA") == ["2001:db8::7"], "the other family is not touched"


def test_an_empty_family_beside_a_named_one(stage):
    server, program = start(stage)
    update(program, f"hostname={HOME}&myip=192.0.2.1&myipv6=2001:db8::1")
    assert update(program, f"hostname={HOME}&myip=192.0.2.2&myipv6=").body == "good 192.0.2.2"
    assert server.records(HOME, "AAAA") == ["2001:db8::1"]


@pytest.mark.parametrize("value", ["junk", "0.0.0.0", "::", "224.0.0.1", "fe80::1", "fe80::1%25eth0", "127.0.0.1", "1.2.3", "1.2.3.4.5", "2001:db8::g"])
def test_what_is_no_address_changes_nothing(stage, value):
    server, program = start(stage)
    serial = server.serial()
    assert tuple(update(program, f"hostname={HOME}&myip={value}")) == (500, "911")
    assert server.serial() == serial


def test_several_hosts_one_line_each_in_order(stage):
    server, program = start(stage)
    answer = update(program, f"hostname={NAS},{OTHER},nowhere.dyn.example.org,{HOME},nodot,{NAS}&myip=192.0.2.1&myipv6=2001:db8::1")
    both = "192.0.2.1,2001:db8::1"
    assert answer.status == 200
    assert answer.body.split("\n") == [f"good {both}", "!yours", "nohost", f"good {both}", "notfqdn", f"good {both}"]
    assert server.records(OTHER, "A") == [] and server.records(HOME, "A") == ["192.0.2.1"]
    assert update(program, f"hostname={HOME},{NAS}&myip=192.0.2.2&myipv6=2001:db8::1").body == "good 192.0.2.2,2001:db8::1\ngood 192.0.2.2,2001:db8::1"


def test_too_many_hosts(stage):
    _, program = start(stage)
    assert update(program, "hostname=" + ",".join([HOME] * 20) + "&myip=192.0.2.1").body == "\n".join(["good 192.0.2.1"] * 20)
    assert tuple(update(program, "hostname=" + ",".join([HOME] * 21))) == (400, "numhost")


def test_hosts_that_are_not_ours(stage):
    server, program = start(stage)
    serial = server.serial()
    cases = [("home", 400, "notfqdn"), ("a..b", 400, "notfqdn"), ("nowhere.example.org", 404, "nohost"), (OTHER, 403, "!yours")]
    for host, status, word in cases:
        assert tuple(update(program, f"hostname={host}&myip=192.0.2.1")) == (status, word)
    # As the letter of dyndns2 has it, and to ddclient, which reads a word in nothing but a 200.
    for host, status, word in cases:
        assert tuple(program.get(f"/nic/update?hostname={host}&myip=192.0.2.1", headers={**basic(), "User-Agent": "ddclient/3.10.0"})) == (200, word)
    program.reload("refusals_in_200 = true\n" + program.conf.read_text())
    await_true(lambda: update(program, "hostname=home").status == 200, "the setting counts")
    for host, status, word in cases:
        assert tuple(update(program, f"hostname={host}&myip=192.0.2.1")) == (200, word)
    assert server.serial() == serial


@pytest.mark.parametrize("credential", [None, ("home", "wrong"), ("home", ""), ("nobody", "correct horse"), ("other", "correct horse"), ("", "correct horse")])
def test_badauth(stage, credential):
    server, program = start(stage)
    answer = update(program, f"hostname={HOME}&myip=192.0.2.1", credential=credential)
    assert tuple(answer) == (401, "badauth")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="sftdyn", charset="UTF-8"'
    assert server.records(HOME, "A") == []
    assert "correct horse" not in program.log() and "wrong" not in program.log().replace("a wrong credential", "")


@pytest.mark.parametrize("value", ["Basic", "Basic ", "Basic !!!!", "Basic aG9tZQ==", "Digest username=home", "Basic aG9tZTpjb3JyZWN0IGhvcnNl=", "basic", "Token nope"])
def test_broken_authorization_is_badauth(stage, value):
    _, program = start(stage)
    assert program.get(f"/nic/update?hostname={HOME}", headers={"Authorization": value}).status == 401


@pytest.mark.parametrize("password", ["correct hors", "correct horsf", "correct horse ", "correct ", "Correct horse"])
def test_a_password_that_is_nearly_right_is_wrong(stage, password):
    _, program = start(stage)
    assert update(program, f"hostname={HOME}", credential=("home", password)).status == 401


def test_offline_removes_both(stage):
    server, program = start(stage)
    update(program, f"hostname={HOME}&myip=192.0.2.1&myipv6=2001:db8::1")
    assert update(program, f"hostname={HOME}&offline=YES").body == "good"
    assert server.records(HOME, "A") == [] and server.records(HOME, "AAAA") == []
    assert update(program, f"hostname={HOME}&offline=YES").body == "nochg"
    assert update(program, f"hostname={HOME}&offline=NO&myip=192.0.2.1").body == "good 192.0.2.1"


def test_abuse_and_dnserr(stage):
    server, program = start(stage, extra="[limits]\nchanges = 2\nchanges_refill = 600", dns="timeout = 4")
    words = [update(program, f"hostname={HOME}&myip=192.0.2.{number}").body.split()[0] for number in range(1, 4)]
    assert words == ["good", "good", "911"]
    answer = update(program, f"hostname={HOME}&myip=192.0.2.9")
    assert tuple(answer) == (503, "911") and 0 < int(answer.headers["Retry-After"]) <= 600, "later, and not: until a person acts"
    server.stop()
    assert tuple(update(program, f"hostname={NAS}&myip=192.0.2.9")) == (500, "dnserr")
    # One of them is fine: the client must read it.
    assert tuple(update(program, f"hostname={HOME},{NAS}&myip=192.0.2.2")) == (200, "nochg 192.0.2.2\ndnserr")


def test_both_or_neither_when_the_server_refuses_one(stage):
    server = stage.dns("named", policy="update-policy { grant sftdyn name home.dyn.example.org A; };")
    program = stage.sftdyn(conf(server, {}) + CLIENTS)
    assert tuple(update(program, f"hostname={HOME}&myip=192.0.2.1&myipv6=2001:db8::1")) == (500, "dnserr")
    assert server.records(HOME, "A") == []
    assert update(program, f"hostname={HOME}&myip=192.0.2.1").body == "good 192.0.2.1"


def test_may_set_address(stage):
    server, program = start(stage)
    modest = ("modest", "staple")
    host = "modest.dyn.example.org"
    assert update(program, f"hostname={host}&myip=192.0.2.1", credential=modest).body == "!yours"
    assert update(program, f"hostname={host}", credential=modest).body == "good 127.0.0.1"
    assert server.records(host, "A") == ["127.0.0.1"]


def test_the_key_of_a_client_moves_all_its_hosts(stage):
    server, program = start(stage)
    before = server.serial()
    assert program.get("/home-key", source="127.0.0.5").body == "OK"
    assert server.serial() == before + 1
    assert server.records(HOME, "A") == ["127.0.0.5"] and server.records(NAS, "A") == ["127.0.0.5"]
    assert program.get("/home-key", source="127.0.0.5").body == "UPTODATE"


def test_a_short_key_as_password(stage):
    server, program = start(stage)
    assert update(program, "hostname=short.dyn.example.org", credential=("whatever", "short"), source="127.0.0.4").body == "good 127.0.0.4"
    assert server.records("short.dyn.example.org", "A") == ["127.0.0.4"]
    assert update(program, f"hostname={HOME}", credential=("whatever", "short")).body == "!yours"


def test_the_word_for_uptodate_is_a_setting(stage):
    server = stage.dns("named")
    program = stage.sftdyn('uptodate = "OK nothing to do"\n' + conf(server, {"k": HOME}))
    assert [program.get("k").body for _ in range(2)] == ["OK", "OK nothing to do"]


def test_duckdns(stage):
    server, program = start(stage, CLIENTS + f"""
[clients.duck]
key = "a7c4d0ad-114e-40ef-ba1d-d217904a50f2"
hosts = ["duck.dyn.example.org", "pond.dyn.example.org"]
may_set_address = true
""")
    token = "a7c4d0ad-114e-40ef-ba1d-d217904a50f2"
    assert tuple(program.get(f"/update?domains=duck&token={token}&ip=")) == (200, "OK")
    assert server.records("duck.dyn.example.org", "A") == ["127.0.0.1"]
    assert program.get(f"/update?domains=duck,pond.dyn.example.org&token={token}&ip=192.0.2.1&ipv6=2001:db8::1&verbose=true").body == "OK\n192.0.2.1\n2001:db8::1\nUPDATED"
    assert server.records("pond.dyn.example.org", "AAAA") == ["2001:db8::1"]
    assert program.get(f"/update?domains=duck&token={token}&ip=192.0.2.1&verbose=true").body == "OK\n192.0.2.1\n\nNOCHANGE"
    assert program.get(f"/update/duck/{token}").body == "OK"
    assert program.get(f"/update/duck/{token}/192.0.2.5").body == "OK"
    assert server.records("duck.dyn.example.org", "A") == ["192.0.2.5"]
    assert program.get(f"/update?domains=duck&token={token}&clear=true").body == "OK"
    assert server.records("duck.dyn.example.org", "A") == []
    for wrong, status in ((f"/update?domains=home&token={token}", 400), (f"/update?domains={HOME}&token={token}", 403), ("/update?domains=duck&token=wrong", 403), ("/update/duck/wrong", 403)):
        assert tuple(program.get(wrong)) == (status, "KO"), wrong
    assert program.get(f"/update?token={token}&ip=192.0.2.6").body == "OK", "all hosts of the token"
    assert server.records("duck.dyn.example.org", "A") == server.records("pond.dyn.example.org", "A") == ["192.0.2.6"]
    # All or nothing.
    serial = server.serial()
    assert tuple(program.get(f"/update?domains=duck,nope&token={token}&ip=192.0.2.7")) == (400, "KO")
    # A challenge of ACME is none of our records, and touches none of them.
    for query in ("txt=proof", "txt=&clear=true", "txt=proof&clear=true", "txt=proof&ip=192.0.2.8"):
        assert tuple(program.get(f"/update?domains=duck&token={token}&{query}")) == (400, "KO"), query
    assert server.serial() == serial
    program.await_log("it sets a TXT record, which is not supported")


def test_desec(stage):
    server, program = start(stage)
    short = "short.dyn.example.org"
    assert program.get(f"/?hostname={short}&myipv4=192.0.2.1&myipv6=2001:db8::1", headers={"Authorization": "Token short"}).body == "!yours", "a key may not name addresses by default"
    assert program.get(f"/?hostname={short}", headers={"Authorization": "Token short"}).body == "good 127.0.0.1"
    assert program.get(f"/?hostname={HOME}&myipv4=192.0.2.1&myipv6=2001:db8::1", headers=basic()).body.startswith("good ")
    assert program.get(f"/?hostname={HOME}&myipv4=192.0.2.2&myipv6=preserve", headers=basic()).body == "good 192.0.2.2"
    assert server.records(HOME, "AAAA") == ["2001:db8::1"]
    assert program.get(f"/?hostname={HOME}", headers={"Authorization": "Token home-key"}).body == "good 127.0.0.1"


def test_desec_token_that_may_name_addresses(stage):
    server, program = start(stage, f'[clients.desec]\nkey = "i-T3b1h_OI-H9ab8tRS98stGtURe"\nhosts = ["{HOME}"]\nmay_set_address = true\n')
    headers = {"Authorization": "Token i-T3b1h_OI-H9ab8tRS98stGtURe"}
    assert program.get(f"/?hostname={HOME}&myipv4=192.0.2.1&myipv6=2001:db8::1", headers=headers).body == "good 192.0.2.1,2001:db8::1"
    assert server.records(HOME, "AAAA") == ["2001:db8::1"]


def test_freedns(stage):
    server, program = start(stage, f'[clients.free]\nkey = "RnJlZUROUw"\nhosts = ["{HOME}"]\nmay_set_address = true\n')
    assert tuple(program.get("/u/RnJlZUROUw/")) == (200, f"Updated {HOME} to 127.0.0.1")
    assert program.get("/u/RnJlZUROUw/?address=192.0.2.1").body == f"Updated {HOME} to 192.0.2.1"
    assert program.get("/u/RnJlZUROUw/?address=192.0.2.1").body == f"No IP change detected for {HOME} with IP 192.0.2.1, skipping update"
    assert server.records(HOME, "A") == ["192.0.2.1"]
    assert tuple(program.get("/u/wrong/")) == (403, "ERROR: Invalid update URL")


def test_credentials_in_the_query(stage):
    server, program = start(stage)
    assert program.get(f"/?hostname={HOME}&myip=192.0.2.1&username=home&password=correct+horse").body == "good 192.0.2.1"
    assert program.get(f"/nic/update?hostname={HOME}&myip=192.0.2.2&user=home&pass=correct%20horse").body == "good 192.0.2.2"
    assert program.get(f"/nic/update?hostname={HOME}&user=home&pass=wrong").status == 401
    assert "horse" not in program.log()


def test_a_key_that_looks_like_dyndns2_is_still_a_key(stage):
    server, program = start(stage, "")
    key = "nic/update?hostname=x&password=y"
    program.conf.write_text(program.conf.read_text() + f'"{key}" = "{HOME}"\n')
    program.reload()
    program.await_log("has 2 clients")
    assert program.get("/" + key).body == "OK"


@pytest.mark.parametrize("path", ["/nic/checkip", "/checkip", "//nic/checkip"])
def test_checkip(stage, path):
    _, program = start(stage)
    answer = program.get(path, source="127.0.0.9")
    assert answer.status == 200 and "Current IP Address: 127.0.0.9</body>" in answer.body and answer.headers["Content-Type"].startswith("text/html")


# --- hashed passwords -------------------------------------------------------------------------------------------------


def hashed(password="correct horse", end="\n"):
    out = run("password", input=password + end)
    assert out.returncode == 0, out.stderr
    return out.stdout.strip()


def test_hashed_passwords(stage):
    value = hashed()
    assert value.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and value != hashed()
    server, program = start(stage, f'[clients.home]\nuser = "home"\npassword_hash = "{value}"\nhosts = ["{HOME}"]\n')
    assert update(program, f"hostname={HOME}&myip=192.0.2.1").body == "good 192.0.2.1"
    for _ in range(3):
        assert update(program, f"hostname={HOME}&myip=192.0.2.1").body == "nochg 192.0.2.1"
        assert update(program, f"hostname={HOME}&myip=192.0.2.9", credential=("home", "wrong")).status == 401
    assert server.records(HOME, "A") == ["192.0.2.1"]


@pytest.mark.parametrize("end", ["\r\n", ""])
def test_a_password_ends_where_its_line_ends(stage, end):
    """A file from Windows has a return there, too."""
    _, program = start(stage, f'[clients.home]\nuser = "home"\npassword_hash = "{hashed(end=end)}"\nhosts = ["{HOME}"]\n')
    assert update(program, f"hostname={HOME}&myip=192.0.2.1", credential=("home", "correct horse")).body == "good 192.0.2.1"


def test_a_flood_of_wrong_passwords_does_not_stop_the_others(stage):
    server, program = start(stage, f'[clients.home]\nuser = "home"\npassword_hash = "{hashed()}"\nhosts = ["{HOME}"]\n', extra="[limits]\nconnections_per_client = 1000")
    assert update(program, f"hostname={HOME}&myip=192.0.2.1").body == "good 192.0.2.1"
    answers = []
    threads = [threading.Thread(target=lambda number=number: answers.append(update(program, f"hostname={HOME}", credential=("home", f"guess{number}"), timeout=300).status)) for number in range(60)]
    for thread in threads:
        thread.start()
    # Who was verified before is served at once; and secret URLs know of no passwords.
    assert update(program, f"hostname={HOME}&myip=192.0.2.1", timeout=60).body == "nochg 192.0.2.1"
    assert program.get("short", timeout=60).body == "OK"
    for thread in threads:
        thread.join()
    assert set(answers) <= {401, 500, 503} and 401 in answers


def test_verifications_are_bounded(stage):
    user = f'[clients.home]\nuser = "home"\npassword_hash = "{hashed()}"\nhosts = ["{HOME}"]\n'
    _, program = start(stage, user, extra="[limits]\nconnections_per_client = 1000\nbad_keys = 0")
    answers = []
    def guess(number):
        answers.append(update(program, f"hostname={HOME}", credential=("home", f"guess{number}"), timeout=120).status)
    threads = [threading.Thread(target=guess, args=(number,)) for number in range(400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {401, 500}


@pytest.mark.parametrize("value", ["x", "$argon2id$", "$2y$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"])
def test_bad_hashes_are_told(tmp_path, value):
    path = tmp_path / "c.toml"
    path.write_text(f'[clients.home]\nuser = "home"\npassword_hash = "{value}"\nhosts = ["{HOME}"]\n')
    result = run("check", path)
    assert result.returncode == 1 and "c.toml:1: password_hash" in result.stderr and "sftdyn password" in result.stderr, result.stderr


# --- prefixes ---------------------------------------------------------------------------------------------------------

PREFIX_CLIENTS = f"""
[clients.router]
user = "home"
password = "correct horse"
hosts = ["{HOME}", {{ host = "{NAS}", ipv6_suffix = "::1234:5678:9abc:def0" }}, {{ host = "web.dyn.example.org", ipv6_suffix = "::80", ipv6_subnet = 0x2a }}]
"""


def test_the_prefix_moves_every_host_in_one_message(stage):
    server, program = start(stage, PREFIX_CLIENTS)
    before = server.serial()
    query = f"hostname={HOME}&myip=192.0.2.1&myipv6=2001:db8:ffff::1&ip6lanprefix=2001:db8:1:ab00::/56"
    assert update(program, query).body == "good 192.0.2.1,2001:db8:ffff::1"
    assert server.serial() == before + 1
    assert server.records(HOME, "AAAA") == ["2001:db8:ffff::1"], "the router's own address, which is of another network"
    assert server.records(NAS, "AAAA") == ["2001:db8:1:ab00:1234:5678:9abc:def0"]
    assert server.records("web.dyn.example.org", "AAAA") == ["2001:db8:1:ab2a::80"]
    assert server.records(NAS, "A") == [], "what is not named is not touched"
    assert update(program, query).body == "nochg 192.0.2.1,2001:db8:ffff::1"
    # A new prefix alone is a change, though the router's addresses stay.
    assert update(program, query.replace("ab00", "cd00")).body.startswith("nochg") and server.records(NAS, "AAAA") == ["2001:db8:1:cd00:1234:5678:9abc:def0"]


@pytest.mark.parametrize("name", ["ip6lanprefix", "ipv6prefix"])
def test_named_hosts_with_a_suffix(stage, name):
    server, program = start(stage, PREFIX_CLIENTS)
    answer = update(program, f"hostname={HOME},{NAS}&myip=192.0.2.1&myipv6=2001:db8:ffff::1&{name}=2001:db8:1::/48")
    assert answer.body == "good 192.0.2.1,2001:db8:ffff::1\ngood 192.0.2.1,2001:db8:1:0:1234:5678:9abc:def0"
    assert server.records(NAS, "A") == ["192.0.2.1"]
    # Without a prefix a host with a suffix is like any other.
    assert update(program, f"hostname={NAS}&myipv6=2001:db8::5").body == "good 2001:db8::5"


def test_prefixes_that_are_none_or_too_small(stage):
    server, program = start(stage, PREFIX_CLIENTS)
    for value in ("junk", "2001:db8::/129", "2001:db8::/x", "192.0.2.0/24", "fe80::/64", "::/56"):
        assert tuple(update(program, f"hostname={HOME}&ip6lanprefix={value}")) == (500, "911"), value
    assert server.records(HOME, "A") == []
    # Subnet 0x2a needs six bits; a /60 has four. The others are served.
    assert update(program, f"hostname={HOME}&myip=192.0.2.1&ip6lanprefix=2001:db8:1:10::/60").body == "good 192.0.2.1"
    assert server.records(NAS, "AAAA") == ["2001:db8:1:10:1234:5678:9abc:def0"] and server.records("web.dyn.example.org", "AAAA") == []
    program.await_log("don't fit into the prefix")
    assert tuple(update(program, f"hostname={HOME}&myip=192.0.2.2&ip6lanprefix=<ip6lanprefix>")) == (200, "good 192.0.2.2"), "what is good beside it"
    assert update(program, f"hostname={HOME}&myip=192.0.2.2&ip6lanprefix=").body == "nochg 192.0.2.2"


def test_the_secret_url_leaves_places_alone(stage):
    server, program = start(stage, PREFIX_CLIENTS.replace('user = "home"', 'key = "k"\nuser = "home"'))
    assert program.get("k", source="127.0.0.2").body == "OK"
    assert server.records(NAS, "A") == ["127.0.0.2"]


# --- the conf ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text,complaint", [
    ("hosts = [\"a.example.org\"]", "a client has neither key nor user"),
    ("user = \"u\"\nhosts = [\"a.example.org\"]", "a client has a user, but no password"),
    ("user = \"u\"\npassword = \"p\"\npassword_hash = \"x\"\nhosts = [\"a.example.org\"]", "a client has both password and password_hash"),
    ("key = \"k\"\npassword = \"p\"\nhosts = [\"a.example.org\"]", "a client has a password, but no user"),
    ("key = \"k\"\n", "a client has no hosts"),
    ("key = \"k\"\nhosts = []", "a client has no hosts"),
    ("key = \"\"\nhosts = [\"a.example.org\"]", "a client's key is empty"),
    ("user = \"a:b\"\npassword = \"p\"\nhosts = [\"a.example.org\"]", "user is empty, or has a colon in it"),
    ("key = \"k\"\nhosts = [\"a..b\"]", "is not a valid domain name"),
    ("key = \"k\"\nhosts = [7]", "hosts is of the wrong type"),
    ("key = \"k\"\nttl = 5\nhosts = [\"a.example.org\"]", "ttl belongs to one host"),
    ("key = \"k\"\nhost = \"a.example.org\"\nhosts = [\"b.example.org\"]", "both host and hosts are given"),
    ("key = \"k\"\nhosts = [{ host = \"a.example.org\", ipv6_suffix = \"2001:db8::1\" }]", "ipv6_suffix is not a suffix of 64 bits"),
    ("key = \"k\"\nhosts = [{ host = \"a.example.org\", ipv6_subnet = 1 }]", "ipv6_subnet without ipv6_suffix"),
    ("key = \"k\"\nhosts = [\"a.example.org\"]\n[clients.two]\nkey = \"k\"\nhosts = [\"b.example.org\"]", "this client's key appears twice (first in line 3)"),
    ("key = \"k\"\nhosts = [\"a.example.org\", \"A.example.org\"]", "this client's host appears twice (first in line 3)"),
    ("key = \"short\"\nhosts = [\"a.example.org\"]", "this client's key appears twice (first in line 2)"),
    ("user = \"u\"\npassword = \"p\"\nhosts = [\"a.example.org\"]\n[clients.two]\nuser = \"u\"\npassword = \"p\"\nhosts = [\"b.example.org\"]", "this client's user appears twice (first in line 3)"),
])
def test_bad_clients_are_told(tmp_path, text, complaint):
    path = tmp_path / "c.toml"
    path.write_text(f'[clients]\n"short" = "short.example.org"\n[clients.one]\n{text}\n')
    result = run("check", path)
    assert result.returncode == 1 and complaint in result.stderr, result.stderr
    assert '"k"' not in result.stderr and '"p"' not in result.stderr
