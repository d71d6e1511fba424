# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS: certificates of every usual form, their renewal, and what is refused."""

import http.client
import json
import re
import select
import shutil
import socket
import ssl
import subprocess
import urllib.request

import pytest

from harness.process import await_true
from harness.sanitized import is_sanitized
from harness.sftdyn import BINARY, conf, run

HOST = "home.dyn.example.org"


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


class Authority:
    """A certificate authority with an intermediate one, as the public ones have."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.serial = 100
        self.root = self.make("root", ca=True)
        self.intermediate = self.make("intermediate", ca=True, issuer=self.root)

    def make(self, name, ca=False, issuer=None, kind="ec", days=60, names="DNS:localhost,IP:127.0.0.1", extra=""):
        key, cert, request, extensions = (self.folder / f"{name}.{ending}" for ending in ("key", "crt", "csr", "ext"))
        algorithm = {"ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                     "ed25519": ["-algorithm", "ED25519"]}[kind]
        openssl("genpkey", *algorithm, "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        extensions.write_text("basicConstraints=critical,CA:TRUE\n" if ca else f"subjectAltName={names}\n{extra}")
        self.serial += 1
        signer = ["-CA", issuer[1], "-CAkey", issuer[0], "-set_serial", self.serial] if issuer else ["-signkey", key]
        openssl("x509", "-req", "-in", request, "-days", days, "-extfile", extensions, *signer, "-out", cert)
        return key, cert

    def server(self, name, **kwargs):
        """Private key and full chain, as Let's Encrypt lays them out."""
        key, cert = self.make(name, issuer=self.intermediate, **kwargs)
        chain = self.folder / f"{name}.fullchain.pem"
        chain.write_text(cert.read_text() + self.intermediate[1].read_text())
        return key, chain


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


def start(stage, key, cert, name="sftdyn", **kwargs):
    server = stage.dns("named", name=f"named-{name}")
    folder = stage.folder / name
    folder.mkdir(exist_ok=True)
    shutil.copy(key, folder / "privkey.pem")
    shutil.copy(cert, folder / "fullchain.pem")
    text = 'https = "127.0.0.1:0"\ncert = "fullchain.pem"\nkey = "privkey.pem"\n' + conf(server, {"k": HOST})
    return server, stage.sftdyn(text, name=name, listen=(), **kwargs)


def trusting(root, **settings):
    context = ssl.create_default_context(cafile=str(root))
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def get(program, context, target="/k", source="127.0.0.1"):
    connection = http.client.HTTPSConnection("127.0.0.1", program.port, context=context, timeout=60, source_address=(source, 0))
    connection.request("GET", target)
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_chain_as_lets_encrypt_lays_it_out(stage, authority, kind):
    server, program = start(stage, *authority.server(f"chain-{kind}", kind=kind))
    context = trusting(authority.root[1])
    assert get(program, context, source="127.0.0.7") == (200, "OK")
    assert get(program, context, source="127.0.0.7") == (200, "UPTODATE")
    assert get(program, context, "/nokey") == (403, "BADKEY")
    assert get(program, context, "/", source="127.0.0.8") == (200, "127.0.0.8")
    assert server.records(HOST, "A") == ["127.0.0.7"]


def test_the_cert_command_and_the_curl_line_that_it_prints(stage, tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    result = run("cert", "localhost", "127.0.0.1", "--dir", folder, "--days", 30)
    assert result.returncode == 0, result.stderr
    assert (folder / "server.key").stat().st_mode & 0o777 == 0o600
    assert "curl --cacert server.crt https://localhost:4443/yourkey" in result.stdout
    _, program = start(stage, folder / "server.key", folder / "server.crt")
    for name in ("localhost", "127.0.0.1"):
        out = subprocess.run(["curl", "-sS", "-4", "--cacert", folder / "server.crt", f"https://{name}:{program.port}/"], capture_output=True, text=True)
        assert (out.returncode, out.stdout) == (0, "127.0.0.1"), out.stderr
    again = run("cert", "localhost", "--dir", folder)
    assert again.returncode == 1 and "File exists" in again.stderr
    assert run("cert", "not a name", "--dir", tmp_path).returncode == 1


def test_clients_trust_the_certificate_and_nothing_that_it_signs(stage, tmp_path):
    assert run("cert", "localhost", "127.0.0.1", "--dir", tmp_path).returncode == 0
    key, cert = tmp_path / "server.key", tmp_path / "server.crt"
    text = openssl("x509", "-in", cert, "-noout", "-text")
    assert "CA:FALSE" in text and "CA:TRUE" not in text
    _, program = start(stage, key, cert)
    url = f"https://localhost:{program.port}/"
    script = "import ssl, sys, urllib.request as r; print(r.urlopen(sys.argv[2], context=ssl.create_default_context(cafile=sys.argv[1])).read().decode(), end='')"
    for client in (["curl", "-sS", "-4", "--cacert", cert, url], ["wget", "-4", "-qO-", f"--ca-certificate={cert}", url], ["/usr/bin/python3", "-c", script, cert, url]):
        out = subprocess.run(client, capture_output=True, text=True)
        assert (out.returncode, out.stdout) == (0, "127.0.0.1"), (client, out.stderr)
    assert openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", cert, cert).endswith("OK\n")
    # Its key signs a certificate for another name: nobody who trusts the first takes that.
    other, request, forged = (tmp_path / f"other.{ending}" for ending in ("key", "csr", "crt"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", other, "-out", request, "-subj", "/CN=bank.example.org")
    openssl("x509", "-req", "-in", request, "-days", "1", "-CA", cert, "-CAkey", key, "-CAcreateserial", "-out", forged)
    refused = subprocess.run(["openssl", "verify", "-CAfile", cert, forged], capture_output=True, text=True)
    assert refused.returncode != 0 and "CA" in refused.stderr + refused.stdout


def test_the_cert_command_leaves_nothing_to_stumble_over(tmp_path):
    key, cert = tmp_path / "server.key", tmp_path / "server.crt"
    cert.write_text("another's")
    refused = run("cert", "localhost", "--dir", tmp_path)
    assert refused.returncode == 1 and "server.crt" in refused.stderr
    assert list(tmp_path.iterdir()) == [cert], "no key that the next run meets"
    cert.unlink()
    assert run("cert", "localhost", "--dir", tmp_path).returncode == 0
    # A run that ended between the two files: its key is used.
    before = key.read_bytes()
    cert.unlink()
    again = run("cert", "localhost", "--dir", tmp_path)
    assert again.returncode == 0 and "already exists: the certificate is made for it" in again.stdout
    assert key.read_bytes() == before
    assert openssl("x509", "-in", cert, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")
    # What is no key is not used, and not touched.
    cert.unlink()
    key.write_text("half a k")
    refused = run("cert", "localhost", "--dir", tmp_path)
    assert refused.returncode == 1 and "no private key that can be used" in refused.stderr and key.read_text() == "half a k" and not cert.exists()


@pytest.mark.parametrize("host,shown", [("::1", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("dyn.example.org", "dyn.example.org")])
def test_the_url_that_the_cert_command_prints(host, shown, tmp_path):
    assert f"https://{shown}:4443/yourkey" in run("cert", host, "--dir", tmp_path).stdout


def test_the_cert_command_on_a_full_disk_leaves_nothing(tmp_path):
    # As when the disk is full: no file may grow.
    limited = subprocess.run(["prlimit", "--fsize=0", BINARY, "cert", "localhost", "--dir", tmp_path], capture_output=True, text=True)
    assert limited.returncode != 0 and list(tmp_path.iterdir()) == []


def test_versions_and_protocol(stage, authority):
    _, program = start(stage, *authority.server("versions"))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = trusting(authority.root[1], minimum_version=version, maximum_version=version)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with context.wrap_socket(socket.create_connection(("127.0.0.1", program.port), 10), server_hostname="localhost") as connection:
            assert connection.version() == version.name.replace("_", ".")
            assert connection.selected_alpn_protocol() == "http/1.1"
            assert connection.compression() is None
    out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{program.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], capture_output=True, text=True, input="")
    assert out.returncode != 0
    out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{program.port}", "-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], capture_output=True, text=True, input="")
    assert out.returncode != 0


def speaks(program, root, version):
    context = trusting(root, minimum_version=version, maximum_version=version)
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", program.port), 60), server_hostname="localhost"):
            return True
    except ssl.SSLError as error:
        assert "PROTOCOL_VERSION" in str(error), error
        return False


def test_the_oldest_version_of_tls_is_a_setting_that_a_reload_takes(stage, authority):
    _, program = start(stage, *authority.server("oldest"))
    text = program.conf.read_text()
    for number, (least, old) in enumerate((("1.3", False), ("1.2", True)), 1):
        program.reload(f'tls_min_version = "{least}"\n' + text)
        program.await_log("the configuration has 1 clients", count=number)
        assert speaks(program, authority.root[1], ssl.TLSVersion.TLSv1_2) == old
        assert speaks(program, authority.root[1], ssl.TLSVersion.TLSv1_3)


def test_sessions_are_resumed(stage, authority):
    _, program = start(stage, *authority.server("sessions"))
    context = trusting(authority.root[1], maximum_version=ssl.TLSVersion.TLSv1_2)
    session = None
    for expected in (False, True):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", program.port), 10), server_hostname="localhost", session=session) as connection:
            session = connection.session
            assert connection.session_reused == expected


def test_keep_alive_and_pipelining_over_tls(stage, authority):
    _, program = start(stage, *authority.server("keepalive"))
    with trusting(authority.root[1]).wrap_socket(socket.create_connection(("127.0.0.1", program.port), 10), server_hostname="localhost") as connection:
        request = b"GET /k HTTP/1.1\r\nHost: x\r\n"
        connection.sendall((request + b"\r\n") * 30 + request + b"Connection: close\r\n\r\n")
        out = b""
        while part := connection.recv(65536):
            out += part
        assert out.count(b"HTTP/1.1 200 OK") == 31


def test_plain_http_on_the_tls_port_and_the_other_way_round(stage, authority):
    _, program = start(stage, *authority.server("plain"))
    assert b"200" not in program.raw(b"GET /k HTTP/1.0\r\n\r\n")
    assert get(program, trusting(authority.root[1]))[1] == "OK"


def served_serial(program, root):
    context = trusting(root)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", program.port), 10), server_hostname="localhost") as connection:
        return connection.getpeercert()["serialNumber"]


@pytest.mark.parametrize("by_signal", [False, True])
def test_a_renewed_certificate_is_taken_and_no_connection_dropped(stage, authority, by_signal):
    import signal
    _, program = start(stage, *authority.server(f"old-{by_signal}"))
    root = authority.root[1]
    old = served_serial(program, root)
    kept = http.client.HTTPSConnection("127.0.0.1", program.port, context=trusting(root), timeout=60)
    kept.request("GET", "/k")
    assert kept.getresponse().read() == b"OK"
    key, cert = authority.server(f"new-{by_signal}")
    shutil.copy(key, program.folder / "privkey.pem")
    shutil.copy(cert, program.folder / "fullchain.pem")
    if by_signal:
        program.process.send_signal(signal.SIGHUP)
    await_true(lambda: served_serial(program, root) != old, "the new certificate is served")
    kept.request("GET", "/k")
    assert kept.getresponse().read() == b"UPTODATE"


def test_a_broken_renewal_is_reported_and_the_old_one_stays(stage, authority):
    _, program = start(stage, *authority.server("steady"))
    root = authority.root[1]
    old = served_serial(program, root)
    stranger, _ = authority.make("stranger", issuer=authority.intermediate)
    shutil.copy(stranger, program.folder / "privkey.pem")
    program.await_log("the private key does not fit the certificate")
    program.await_log("the certificate in use stays")
    (program.folder / "fullchain.pem").write_text("nonsense")
    program.await_log("the certificate is not usable")
    assert served_serial(program, root) == old


KINDS = ("rsa", "ec", "ed25519")


@pytest.fixture(scope="module")
def pairs(authority):
    """Two pairs of each kind."""
    return {(kind, number): authority.server(f"pair-{kind}-{number}", kind=kind) for kind in KINDS for number in (1, 2)}


@pytest.mark.parametrize("command", ["start", "check", "doctor"])
@pytest.mark.parametrize("place", ["cert", "certificate"])
def test_a_pair_of_two_kinds_is_a_clear_error(tmp_path, pairs, place, command):
    for cert in KINDS:
        for key in KINDS:
            path = tmp_path / "c.toml"
            files = f'cert = "{pairs[cert, 1][1]}"\nkey = "{pairs[key, 2][0]}"\n'
            if place == "certificate":
                files = f'cert = "{pairs[cert, 1][1]}"\nkey = "{pairs[cert, 1][0]}"\n[[certificate]]\n' + files
            path.write_text('https = "127.0.0.1:0"\n' + files + '[clients]\n"k" = "a.example.org"\n')
            result = run(*{"start": [path], "check": ["check", path], "doctor": ["doctor", path]}[command])
            assert result.returncode == 1, (cert, key, result)
            assert "the private key does not fit the certificate" in result.stdout + result.stderr, (cert, key, result)


@pytest.mark.long
@pytest.mark.parametrize("first", ["cert", "key"])
def test_a_certificate_of_another_kind_replaces_the_old_one(stage, authority, pairs, first):
    """The two files are never replaced in one step: whatever the server finds meanwhile, the old pair stays, and the new one is taken."""
    _, program = start(stage, *pairs["rsa", 1])
    files = {"cert": program.folder / "fullchain.pem", "key": program.folder / "privkey.pem"}
    order = ["cert", "key"] if first == "cert" else ["key", "cert"]
    served, errors = served_serial(program, authority.root[1]), 0
    for kind in ("ec", "ed25519", "rsa", "ed25519", "ec", "rsa"):
        key, cert = pairs[kind, 2]
        new = {"cert": cert, "key": key}
        shutil.copy(new[order[0]], files[order[0]])
        errors += 1
        program.await_log("the private key does not fit the certificate", count=errors)
        assert served_serial(program, authority.root[1]) == served, "the old pair stays"
        shutil.copy(new[order[1]], files[order[1]])
        await_true(lambda: served_serial(program, authority.root[1]) != served, "the new pair is served")
        served = served_serial(program, authority.root[1])
    assert get(program, trusting(authority.root[1]))[0] == 200


@pytest.mark.long
def test_what_lies_there_meanwhile(stage, authority, pairs):
    """Half-written and empty files, a chain without its leaf, a leaf behind its chain, an encrypted key: the old pair stays."""
    _, program = start(stage, *pairs["ec", 1])
    root = authority.root[1]
    key, chain = pairs["rsa", 1]
    encrypted = stage.folder / "encrypted.pem"
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:topsecret", "-out", encrypted)
    leaf, intermediate = chain.read_text().replace("-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----\n|").split("|")[:2]
    served = served_serial(program, root)
    for cert_text, key_text, words in [
            ("", key.read_text(), "the certificate is not usable: the file is empty"),
            (chain.read_text(), "", "the private key is not usable: the file is empty"),
            (leaf[:700], key.read_text(), "the certificate is not usable: bad"),
            (leaf + intermediate[:300], key.read_text(), "the certificate is not usable: bad"),
            (leaf + "-----BEGIN CERT", key.read_text(), "the certificate is not usable: it ends within a certificate"),
            (chain.read_text(), key.read_text()[:600], "the private key is not usable"),
            (intermediate, key.read_text(), "which is an authority's"),
            (intermediate + leaf, key.read_text(), "it is for number 2 of those in the file"),
            (chain.read_text(), encrypted.read_text(), "the private key is encrypted"),
    ]:
        said = program.log().count(words)
        (program.folder / "privkey.pem").write_text(key_text)
        (program.folder / "fullchain.pem").write_text(cert_text)
        program.await_log(words, count=said + 1)
        assert served_serial(program, root) == served, words
        assert "topsecret" not in program.log()
    shutil.copy(key, program.folder / "privkey.pem")
    shutil.copy(chain, program.folder / "fullchain.pem")
    await_true(lambda: served_serial(program, root) != served, "the new pair is served")


def test_expiry_is_warned_of(stage, authority):
    _, program = start(stage, *authority.server("short", days=10))
    assert re.search(r"the certificate expires in (9|10) days", program.log())
    _, program = start(stage, *authority.server("long", days=60), name="other")
    assert "expires" not in program.log()


def test_what_is_not_usable_is_a_clear_error(tmp_path, authority):
    key, chain = authority.server("good")
    encrypted = tmp_path / "encrypted.pem"
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:topsecret", "-out", encrypted)
    other, _ = authority.make("other", issuer=authority.intermediate)
    for words, settings in [
            ("https without cert and key", {"https": "4443"}),
            ("cert and key without https", {"cert": chain, "key": key}),
            ("the private key is encrypted", {"https": "4443", "cert": chain, "key": encrypted}),
            ("does not fit the certificate", {"https": "4443", "cert": chain, "key": other}),
            ("the certificate can't be read: No such file", {"https": "4443", "cert": "/nonexistent", "key": key}),
            ("the private key can't be read: No such file", {"https": "4443", "cert": chain, "key": "/nonexistent"}),
            ("the certificate is not usable", {"https": "4443", "cert": key, "key": key}),
    ]:
        path = tmp_path / "c.toml"
        path.write_text("".join(f'{name} = "{value}"\n' for name, value in settings.items()) + '[clients]\n"k" = "a.example.org"\n')
        for command in (["check", path], [path, "-l", "127.0.0.1:0"]):
            result = run(*command)
            assert result.returncode == 1, words
            assert words in result.stderr, result.stderr


def test_the_command_line_sets_it_too(stage, authority):
    key, chain = authority.server("line")
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}), listen=(), arguments=("-s", "127.0.0.1:0", "-c", str(chain), "-k", str(key)))
    assert get(program, trusting(authority.root[1])) == (200, "OK")


def served_names(program, server_name, root):
    """The names of the certificate that a client gets who asks for `server_name`."""
    context = trusting(root, check_hostname=False)
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as plain, context.wrap_socket(plain, server_hostname=server_name) as tls:
        return [name for _, name in tls.getpeercert()["subjectAltName"]]


def test_several_certificates_chosen_by_name(stage, authority):
    first = authority.server("first", names="DNS:first.example")
    second = authority.server("second", names="DNS:second.example,DNS:*.wild.example")
    third = authority.server("third", names="DNS:own.wild.example", kind="rsa")
    server = stage.dns("named")
    text = f'https = "127.0.0.1:0"\ncert = "{first[1]}"\nkey = "{first[0]}"\n'
    for key, cert in (second, third):
        text += f'[[certificate]]\ncert = "{cert}"\nkey = "{key}"\n'
    text = conf(server, {"k": HOST}, extra=text)
    program = stage.sftdyn(text, listen=())
    root = authority.root[1]
    assert served_names(program, "first.example", root) == ["first.example"]
    assert served_names(program, "SECOND.example", root) == ["second.example", "*.wild.example"]
    assert served_names(program, "a.wild.example", root) == ["second.example", "*.wild.example"]
    assert served_names(program, "own.wild.example", root) == ["own.wild.example"]
    assert served_names(program, "unknown.example", root) == ["first.example"]
    assert served_names(program, None, root) == ["first.example"]
    # One of them is renewed, another is broken: that one's old certificate stays.
    renewed = authority.server("renewed", names="DNS:second.example,DNS:new.example")
    shutil.copy(renewed[0], second[0])
    shutil.copy(renewed[1], second[1])
    third[1].write_text("junk")
    await_true(lambda: served_names(program, "new.example", root) == ["second.example", "new.example"], "the new one is served")
    program.await_log("the certificate in use stays")
    assert served_names(program, "own.wild.example", root) == ["own.wild.example"]


def test_a_reload_with_a_bad_certificate_is_refused_as_a_whole(stage, authority):
    folder, server = stage.folder, stage.dns("named")
    for name in ("first", "second"):
        key, cert = authority.server(name, names=f"DNS:{name}.example")
        shutil.copy(key, folder / f"{name}.key")
        shutil.copy(cert, folder / f"{name}.pem")

    def text(uptodate, first="first.pem", second_key="second.key"):
        return (f'http = "127.0.0.1:0"\nhttps = "127.0.0.1:0"\ncert = "{folder}/{first}"\nkey = "{folder}/first.key"\nuptodate = "{uptodate}"\n' +
                conf(server, {"k": "home.dyn.example.org"}, extra=f'[[certificate]]\ncert = "{folder}/second.pem"\nkey = "{folder}/{second_key}"\n'))

    program = stage.sftdyn(text("RIGHT"), listen=())
    await_true(lambda: len(program.addresses_of_log()) == 2, "it listens on both")
    root = authority.root[1]
    plain, tls = (int(re.search(rf"listening on {scheme}://127.0.0.1:(\d+)", program.log())[1]) for scheme in ("http", "https"))
    program.addresses = [("127.0.0.1", tls)]

    def state():
        body = [urllib.request.urlopen(f"http://127.0.0.1:{plain}/k", timeout=60).read().decode() for _ in range(2)][1]
        return body, served_names(program, None, root), served_names(program, "second.example", root)

    before = ("RIGHT", ["first.example"], ["second.example"])
    assert state() == before
    for count, broken in enumerate((text("WRONG", first="absent.pem"), text("WRONG", second_key="absent.key"), text("WRONG", second_key="first.key")), 1):
        program.reload(broken)
        program.await_log("the new configuration is not used; the old one stays in use", count=count)
        assert state() == before
    assert "absent.pem" in program.log() and "absent.key" in program.log() and "the private key does not fit the certificate" in program.log()
    program.reload(text("NEW").replace(f'nskeyfile = "{server.key_file()}"', 'nskeyfile = "/nonexistent/key"'))
    program.await_log("the configuration has 1 clients")
    assert "/nonexistent/key" in program.log(), "a TSIG key that can't be read is only warned of"
    program.reload(text("NEW"))
    program.await_log("the configuration has 1 clients", count=2)
    assert state() == ("NEW", ["first.example"], ["second.example"])


def test_further_certificates_are_checked(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('https = 4443\n[[certificate]]\ncert = "a.pem"\n[[certificate]]\ncert = "a.pem"\nkey = "a.key"\ncolour = 1\n')
    result = run("check", path)
    assert result.returncode == 1
    assert "c.toml:2:1: a [[certificate]] has no key" in result.stderr and "c.toml:7:1: unknown setting in [[certificate]]" in result.stderr, result.stderr
    assert "a.pem: the certificate can't be read" in result.stderr


def test_thousands_of_pipelined_requests_over_tls(stage, authority):
    """A long header makes the buffer large, and what is pipelined then is served out of it, one within the other or not."""
    key, cert = authority.server("pipeline")
    server = stage.dns("named")
    text = (f'https = "127.0.0.1:0"\ncert = "{cert}"\nkey = "{key}"\n' +
            conf(server, {"k": HOST}, extra="[limits]\nheader_size = 1048576\nrequests_per_connection = 1000000\nheader_time = 60\nwrite_time = 60"))
    program = stage.sftdyn(text, listen=(), arguments=())
    context = trusting(authority.root[1])
    count = 30000
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000000 + b"\r\n\r\n")
        tls.setblocking(False)
        rest, seen, tail, end = memoryview(b"GET / HTTP/1.1\r\nHost:\r\n\r\n" * count), 0, b"", b"\r\n\r\n127.0.0.1"
        while seen < count + 1:
            # By turns, in one thread: Python's TLS sockets are not for two.
            try:
                rest = rest[tls.send(rest[:65536]):] if rest else rest
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            try:
                part = tls.recv(65536)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                select.select([tls], [tls] if rest else [], [], 60)
                continue
            assert part, (seen, program.log())
            tail += part
            seen += tail.count(end)
            tail = tail[tail.rfind(end) + len(end):] if end in tail else tail


@pytest.mark.long
@pytest.mark.skipif(is_sanitized, reason="the same TLS, but slower")
def test_testssl_finds_nothing_above_low(stage, authority):
    """As with a certificate of Let's Encrypt: 90 days, a chain, and a place for revocations."""
    key, cert = authority.server("testssl", days=90, extra="crlDistributionPoints=URI:http://crl.example.org/1.crl\nextendedKeyUsage=serverAuth\n")
    _, program = start(stage, key, cert)

    def scan(number):
        findings = stage.folder / f"testssl-{number}.json"
        subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--nodns", "none", "--add-ca", authority.root[1], "--jsonfile", findings,
                        "-p", "-s", "-f", "-P", "-S", "-h", "-U", f"https://localhost:{program.port}"], capture_output=True, timeout=500)
        return json.loads(findings.read_text())

    # On a busy machine testssl's own time limits run out: what one scan could not try another does, and one that was broken
    # off counts for nothing. What concerns testssl's own OpenSSL is no finding of ours.
    found, undone = [], None
    for number in range(6):
        entries = [entry for entry in scan(number) if entry["id"] != "engine_problem"]
        if any(entry["severity"] == "FATAL" for entry in entries):
            continue
        found += entries
        failed = {entry["id"] for entry in entries if entry["severity"] == "WARN"}
        undone = failed if undone is None else undone & failed
        if not undone:
            break
    assert undone == set(), "each could be tried"
    bad = [entry for entry in found if entry["severity"] in ("MEDIUM", "HIGH", "CRITICAL")]
    assert len(found) > 80 and bad == [], bad
