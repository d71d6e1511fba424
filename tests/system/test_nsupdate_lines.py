# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of nsupdatecommands: each leaves a zone as BIND's own nsupdate leaves it, and the same are refused."""

import json
import subprocess

import dns.rdatatype
import pytest

from harness.dns_servers import Named

H = "host.{z}"

# Each is sent to a zone of its own, called {z}, that holds old.{z} with an A, an AAAA and two TXT records.
ACCEPTED = [
    # update add, in all its forms
    f"update add {H} 60 A 192.0.2.1\nsend",
    f"update add {H} 60 IN A 192.0.2.1\nsend",
    f"add {H}. 60 A 192.0.2.1\nsend",
    f"UPDATE ADD {H} 60 a 192.0.2.1\nSEND",
    f"  update\tadd   {H}\t60\tA\t192.0.2.1  \n\n",
    f"ttl 77\nupdate add {H} A 192.0.2.1\nsend",
    f"ttl 77\nupdate add {H} 5 A 192.0.2.1\nttl none\nsend",
    f"class IN\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"zone {{z}}\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"zone {{z}}.\nupdate add {H} 60 A 192.0.2.1\nupdate add two.{{z}} 60 A 192.0.2.2\nsend",
    f"update add HOST.{{z}} 60 A 192.0.2.1\nupdate add *.{{z}} 60 A 192.0.2.2\nsend",
    f"update add {H} 0 A 192.0.2.1\nsend",
    f"update add {H} 2147483647 A 192.0.2.1\nsend",
    f"; a comment\nupdate add {H} 60 A 192.0.2.1\n;another\nshow\nanswer\ndebug\nsend",
    f"check-names no\nupdate add under_score.{{z}} 60 A 192.0.2.1\nsend",
    f"update add {H} 60 A 192.0.2.1\nupdate add {H} 60 A 192.0.2.2\nupdate add {H} 70 A 192.0.2.3\nsend",
    f"update add {H} 60 A 192.0.2.1\nsend\nupdate add two.{{z}} 60 A 192.0.2.2\nsend\n\nupdate delete {H} A\nsend",
    f"update add {H} 60 A 192.0.2.1\n\nupdate add two.{{z}} 60 A 192.0.2.2\n\n",
    f"update add {H} 60 A 192.0.2.1\nsend\nquit\nupdate add two.{{z}} 60 A 192.0.2.1\nsend",
    # update delete, in all its forms
    "update delete old.{z}\nsend",
    "update del old.{z} A\nsend",
    "delete old.{z} IN A\nsend",
    "del old.{z} 60 A 192.0.2.99\nsend",
    "update delete old.{z} A 192.0.2.99\nsend",
    "update delete old.{z} 60 IN TXT \"first text\"\nsend",
    "update delete old.{z} TXT other\nsend",
    "update delete old.{z} ANY\nsend",
    "update delete nothing.{z}\nsend",
    f"update delete old.{{z}} A\nupdate add old.{{z}} 30 A 192.0.2.1\nsend",
    f"update delete old.{{z}} AAAA\nupdate add old.{{z}} 30 AAAA 2001:db8::1\nsend",
    # prerequisites, in all their forms; met
    f"prereq nxdomain {H}\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq yxdomain old.{{z}}\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq nxrrset {H} A\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq yxrrset old.{{z}} A\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq yxrrset old.{{z}} IN A 192.0.2.99\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq yxrrset old.{{z}} TXT \"first text\"\nprereq yxrrset old.{{z}} TXT other\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"nxdomain {H}\nyxdomain old.{{z}}\nnxrrset old.{{z}} MX\nyxrrset old.{{z}} AAAA\nupdate add {H} 60 A 192.0.2.1\nsend",
    "prereq yxdomain old.{z}\nsend",
    # quoting; a semicolon is no comment there
    f'update add {H} 60 TXT plain\nsend',
    f'update add {H} 60 TXT "with blanks" and more "of them"\nsend',
    f'update add {H} 60 TXT "a;b" c;d\nsend',
    f'update add {H} 60 TXT "a \\"quote\\" and a \\\\ backslash"\nsend',
    f'update add {H} 60 TXT "\\195\\188 and \\000"\nsend',
    f'update add {H} 60 TXT ""\nsend',
    f'update add {H} 60 TXT "' + "x" * 255 + '" "' + "y" * 255 + '"\nsend',
    'update add dot\\.in\\.label.{z} 60 TXT x\nsend',
    'update add a\\032b.{z} 60 TXT x\nsend',
    f"update add {H} 60 TXT x ; no comment\nsend",
    f"update add {H} 60 TXT \\; a\\;b \\\"\nsend",
    f'update add {H} 60 TXT ünïcödé\nsend',
] + [f"update add {H} 60 {record}\nsend" for record in (
    "AAAA 2001:db8::1", "AAAA ::ffff:192.0.2.1", "CNAME old.{z}.", "CNAME old.{z}", "MX 10 old.{z}.", "NS old.{z}.", "PTR old.{z}.", "SRV 1 2 3 old.{z}.", "CAA 0 issue \"ca.example\"",
    "TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "SSHFP 1 1 0123456789abcdef0123456789abcdef01234567",
    "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "HINFO \"a\" \"b\"", "RP a.example. b.example.", "NAPTR 1 2 \"u\" \"E2U+sip\" \"!a!b!\" .",
    "DNAME old.{z}.", "SPF \"v=spf1 -all\"", "TYPE65280 \\# 2 0102", "A \\# 4 c0000201", "URI 1 2 \"http://a.example/\"", "SVCB 1 old.{z}. alpn=h2",
    "HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1", "AFSDB 1 old.{z}.", "KX 1 old.{z}.", "RT 1 old.{z}.", "MINFO a.example. b.example.", "EUI48 00-00-5e-00-53-2a",
    "EUI64 00-00-5e-ef-10-00-00-2a", "L32 10 10.1.2.0", "L64 10 2001:0db8:1140:1000", "LP 10 old.{z}.", "NID 10 0014:4fff:ff20:ee64",
    "APL 1:192.168.32.0/21 !1:192.168.38.0/28", "CERT PKIX 1 RSASHA256 0123456789ab", "OPENPGPKEY 0123456789ab",
    "SMIMEA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==", "KEY 512 3 8 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
    "CDS 12345 8 2 0000000000000000000000000000000000000000000000000000000000000000", "CSYNC 66 3 A NS AAAA",
)]

# By nsupdate itself, or by the server: the zone stays as it was.
REFUSED = [
    f"update add {H} A 192.0.2.1\nsend", f"update add {H} 60\nsend", f"update add {H} 60 A\nsend", f"update add {H}\nsend", "update\nsend", "update frob x.{z}\nsend", "frobnicate\nsend",
    f"update add {H} 60 A 192.0.2.256\nsend", f"update add {H} 60 A 192.0.2.1 5\nsend", f"update add {H} 2147483648 A 192.0.2.1\nsend", f"update add {H} -1 A 192.0.2.1\nsend",
    f"update add {H} 60 NOTYPE x\nsend", f"update add {H} 60 TXT \"open\nsend", f"update add {H} 60 ANY x\nsend", "update add a..{z} 60 A 192.0.2.1\nsend",
    "update add under_score.{z} 60 A 192.0.2.1\nsend", f"update add {H} 60 MX 10 under_score.{{z}}.\nsend", f"update add {H} 60 SRV 1 2 old.{{z}}.\nsend", "update add " + "a" * 64 + ".{z} 60 A 192.0.2.1\nsend",
    f"update add {H} 60 CH TXT x\nsend", f"class CH\nupdate add {H} 60 TXT x\nsend", "class ANY\nsend", f"update add {H} 60 A 192.0.2.1 ; no comment\nsend", "ttl x\nsend", "ttl\nsend", "zone\nsend", "zone a..b\nsend", "update delete\nsend", "update delete old.{z} A x\nsend",
    "prereq\nsend", "prereq nxdomain\nsend", "prereq nxrrset old.{z}\nsend", "prereq frob old.{z}\nsend", "server 127.0.0.1\nsend",
    # prerequisites that are not met
    f"prereq nxdomain old.{{z}}\nupdate add {H} 60 A 192.0.2.1\nsend", f"prereq yxdomain {H}\nupdate add {H} 60 A 192.0.2.1\nsend", f"prereq nxrrset old.{{z}} A\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq yxrrset old.{{z}} MX\nupdate add {H} 60 A 192.0.2.1\nsend", f"prereq yxrrset old.{{z}} A 192.0.2.98\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"prereq yxrrset old.{{z}} TXT other\nupdate add {H} 60 A 192.0.2.1\nsend",
    # what is not in the zone
    "update add host.example.net 60 A 192.0.2.1\nsend", f"zone example.net\nupdate add host.example.net 60 A 192.0.2.1\nsend",
    f"update add {H} 60 A 192.0.2.1\nupdate add host.example.net 60 A 192.0.2.1\nsend",
]

# Of several messages one is refused: the others stand.
PARTLY = [
    f"prereq nxdomain old.{{z}}\nupdate add one.{{z}} 60 A 192.0.2.1\nsend\nupdate add {H} 60 A 192.0.2.1\nsend",
    f"update add {H} 60 A 192.0.2.1\nsend\nprereq nxdomain {H}\nupdate add one.{{z}} 60 A 192.0.2.1\nsend\nupdate add two.{{z}} 60 A 192.0.2.1\nsend",
]

SCRIPTS = ACCEPTED + REFUSED + PARTLY
ZONES = [f"z{number}.test" for number in range(len(SCRIPTS))]


class OldNamed(Named):
    """Every zone holds what there is to delete."""

    def configure(self):
        super().configure()
        for zone in self.zones:
            text = f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 900 604800 60\n@ NS ns\nns A 127.0.0.1\n"
            self.zone_file(zone).write_text(text + 'old A 192.0.2.99\nold AAAA 2001:db8::99\nold TXT "first text"\nold TXT other\n')


def contents(server, zone):
    """All records of a zone, but its serial."""
    records = []
    for name, node in server.transfer(zone).nodes.items():
        for rdataset in node.rdatasets:
            kind = dns.rdatatype.to_text(rdataset.rdtype)
            if kind != "SOA":
                # Case does not matter in a name (RFC 4343); here owners are lower case.
                records += [f"{str(name).lower()} {rdataset.ttl} {kind} {rdata}" for rdata in rdataset]
    return sorted(records)


@pytest.fixture
def both(stage):
    """One server for each, with a zone for each script."""
    servers = []
    for name in ("theirs", "ours"):
        server = OldNamed(stage.folder / name, zones=ZONES, options="check-names primary ignore;")
        stage.running.append(server)
        servers.append(server.start())
    return servers


@pytest.mark.long
def test_each_script_does_what_it_does_with_nsupdate(stage, both):
    theirs, ours = both
    scripts = [script.replace("{z}", zone) for script, zone in zip(SCRIPTS, ZONES, strict=True)]
    (stage.folder / "scripts.json").write_text(json.dumps(scripts))
    program = stage.sftdyn(f"""
import json

with open({str(stage.folder / "scripts.json")!r}) as file:
    SCRIPTS = json.load(file)

def get_host(querystring, ip):
    return f"host.z{{querystring}}.test"

def nsupdatecommands(host, new_ip, headers):
    return SCRIPTS[int(host.split(".")[1][1:])].split("\\n")
""", arguments=["-v", "--server", ours.address, "--nskeyfile", ours.key_file()], file="conf")
    problems = []
    for number, (script, zone) in enumerate(zip(scripts, ZONES, strict=True)):
        # With -l the server can't be set; but it then means ::1 as well, where nobody listens.
        local = script.startswith("server")
        first = "" if local else f"server 127.0.0.1 {theirs.port}\n"
        command = ["nsupdate", *(["-l", "-p", str(theirs.port)] if local else []), "-k", theirs.key_file()]
        result = subprocess.run(command, input=first + script + "\n", capture_output=True, text=True, timeout=120)
        status, body = program.get(str(number))
        accepted = (status, body) == (200, "OK")
        if accepted != (result.returncode == 0) or accepted != (SCRIPTS[number] in ACCEPTED):
            problems.append(f"{script!r}: nsupdate {result.returncode} {result.stderr.strip()!r}, sftdyn {body}")
        elif contents(theirs, zone) != contents(ours, zone):
            problems.append(f"{script!r}:\n  theirs {contents(theirs, zone)}\n  ours   {contents(ours, zone)}")
    assert not problems, "\n".join(problems) + program.log()[-6000:]


@pytest.mark.parametrize("record", ["X25 \"311061700956\"", "ISDN \"150862028003217\"", "AVC \"some text\""])
def test_types_that_the_scanner_does_not_know_are_refused(stage, record):
    """They can be written as RFC 3597 does: TYPE19 \\# …"""
    named = stage.dns("named")
    program = stage.sftdyn(f"""
CLIENTS = {{"k": "home.dyn.example.org"}}

def nsupdatecommands(host, new_ip, headers):
    return ['update add ' + host + ' 60 {record}']
""", arguments=["--server", named.address, "--nskeyfile", named.key_file()], file="conf")
    assert tuple(program.get("k")) == (500, "FAIL")
    program.await_log("is neither a known class nor a known type")
