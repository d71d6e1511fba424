# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed: units, completions, the layout; and the packages, in a Debian of their own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import debian
from harness.debian import PACKAGES
from harness.sftdyn import BINARY, conf, run

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(BINARY).parent
HOST = "home.dyn.example.org"

needs_packages = pytest.mark.skipif("release" not in str(BUILD) or not list(PACKAGES.glob("*.deb")) or os.geteuid() != 0,
                                    reason="it is for root, a Release, and packages that scripts/package has made")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """`cmake --install` into a folder."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["cmake", "--install", BUILD], env={**os.environ, "DESTDIR": str(folder)}, check=True, capture_output=True)
    return folder


def find(folder, name):
    return next(path for path in folder.rglob(name) if path.is_file())


def test_units_are_good(installed, tmp_path):
    units = find(installed, "sftdyn.service").parent
    names = {path.name for path in units.iterdir()}
    assert names == {"sftdyn.service", "sftdyn.socket", "sftdyn-update@.service", "sftdyn-update@.timer"}
    for name in names:
        text = re.sub(r"^ExecStart=\S*/sftdyn$", f"ExecStart={BINARY}", (units / name).read_text(), flags=re.MULTILINE)
        (tmp_path / name.replace("@", "@home")).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
    result = subprocess.run(["systemd-analyze", "verify", *sorted(tmp_path.iterdir())], capture_output=True, text=True)
    ours = [line for line in result.stderr.splitlines() if "sftdyn" in line]
    assert result.returncode == 0 and ours == [], result.stderr


@pytest.mark.parametrize("unit,most", [("sftdyn.service", 15), ("sftdyn-update@.service", 20)])
def test_units_are_confined(installed, unit, most):
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={most}", find(installed, unit)], capture_output=True, text=True)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)[1]
    assert float(exposure) <= most / 10, result.stdout


def test_the_sample_does_not_come_beside_a_python_conf(tmp_path):
    (tmp_path / "etc/sftdyn").mkdir(parents=True)
    (tmp_path / "etc/sftdyn/conf").write_text("CLIENTS = {}\n")
    subprocess.run(["cmake", "--install", BUILD], env={**os.environ, "DESTDIR": str(tmp_path)}, check=True, capture_output=True)
    assert [path.name for path in (tmp_path / "etc/sftdyn").iterdir()] == ["conf"]


def test_a_sample_that_is_there_stays(installed):
    sample = find(installed, "sftdyn.toml")
    assert sample.stat().st_mode & 0o777 == 0o640
    sample.write_text("# edited\n")
    subprocess.run(["cmake", "--install", BUILD], env={**os.environ, "DESTDIR": str(installed)}, check=True, capture_output=True)
    assert sample.read_text() == "# edited\n"


def test_the_sample_says_what_is_true(tmp_path):
    text = (ROOT / "packaging/sftdyn.toml").read_text()
    (tmp_path / "sample.toml").write_text(text)
    assert run("check", tmp_path / "sample.toml").returncode == 0
    # Every setting that it shows is one; the files that it names are of course not there.
    shown = re.sub(r"^#(?=[a-z\"]+.* = )", "", text, flags=re.MULTILINE)
    shown = re.sub(r"^(https|cert|key|nskeyfile) = .*\n", "", shown, flags=re.MULTILINE).replace("/usr/local/bin/notify", "/bin/true")
    (tmp_path / "shown.toml").write_text(shown)
    (tmp_path / "clients.d").mkdir()
    result = run("check", tmp_path / "shown.toml")
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    assert "1 client" in result.stdout


def test_files_that_systemd_hands_over(stage, tmp_path):
    named = stage.dns("named")
    folder = tmp_path / "credentials"
    folder.mkdir()
    named.key.write(folder / "nskeyfile")
    assert run("cert", "localhost", "--dir", folder).returncode == 0
    text = conf(named, {"k": HOST}, key_file="credential:nskeyfile").replace("[dns]", '[dns]', 1)
    text = 'https = "127.0.0.1:0"\ncert = "credential:server.crt"\nkey = "credential:server.key"\n' + text
    program = stage.sftdyn(text, environment={"CREDENTIALS_DIRECTORY": str(folder)})
    assert tuple(program.get("k")) == (200, "OK")


def test_the_clients_unit_asks_for_its_url(installed, stage):
    """What it runs, with a folder of credentials as systemd makes it."""
    named = stage.dns("named")
    program = stage.sftdyn(conf(named, {"a key": HOST}))
    unit = find(installed, "sftdyn-update@.service").read_text()
    assert "LoadCredential=curl.conf:/etc/sftdyn/update/%i.conf\n" in unit
    folder = stage.folder / "credentials"
    folder.mkdir()
    command = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1].replace("${CREDENTIALS_DIRECTORY}", str(folder)).split()
    for key, status, body in (("a%20key", 0, "OK"), ("a%20key", 0, "UPTODATE"), ("wrong", 22, "")):
        (folder / "curl.conf").write_text(f'url = "http://127.0.0.1:{program.port}/{key}"\n')
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (result.returncode, result.stdout) == (status, body)
    timer = find(installed, "sftdyn-update@.timer").read_text()
    for line in ("OnCalendar=*:0/15", "Persistent=true", "RandomizedDelaySec=60"):
        assert line in timer
    calendar = subprocess.run(["systemd-analyze", "calendar", "*:0/15"], capture_output=True, text=True)
    assert calendar.returncode == 0


def commands():
    """The commands and their long options, as --help says."""
    text = run("--help").stdout
    names = re.findall(r"^  ([a-z]+) ", text.partition("Subcommands:")[2], re.MULTILINE)
    return {name: set(re.findall(r"--[a-z-]+", run(name, "--help").stdout)) for name in names} | {"": set(re.findall(r"--[a-z-]+", text))}


def test_completions_know_every_command_and_option(installed):
    all_commands = commands()
    assert {"check", "convert", "doctor", "setup", "status", "forget", "demo", "cert", "client", "password", "help"} == set(all_commands) - {""}
    for name in ("completions/sftdyn", "_sftdyn", "sftdyn.fish"):
        path = next(path for path in installed.rglob("*") if str(path).endswith(name))
        text = path.read_text()
        for command, options in all_commands.items():
            assert command in text
            for option in options:
                assert option in text or f"-l {option[2:]}" in text, f"{path.name}: {command} {option}"


def test_bash_completes(installed):
    path = next(path for path in installed.rglob("completions/sftdyn"))

    def complete(line):
        words = line.split(" ")
        script = (f'. /usr/share/bash-completion/bash_completion; . {path}; COMP_WORDS=({" ".join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; '
                  f'COMP_LINE={line!r}; COMP_POINT={len(line)}; _sftdyn; printf "%s\\n" "${{COMPREPLY[@]}}"')
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert "doctor" in complete("sftdyn do")
    assert complete("sftdyn doctor --js") == ["--json"]
    assert set(complete("sftdyn setup ")) == {"bind", "knot", "powerdns"}
    assert "--watch" in complete("sftdyn status --")
    assert "doctor" in complete("sftdyn help do")


def test_bash_completes_the_names_of_clients(installed, tmp_path):
    """As they are, whatever a shell would make of them."""
    path = next(path for path in installed.rglob("completions/sftdyn"))
    fake = tmp_path / "sftdyn"
    fake.write_text('#!/bin/sh\n[ "$*" = "client --list" ] && printf "%s\\n" "home.dyn.example.org" "hotel.dyn.example.org" "ho\\$(touch {0}/ran)" "nas"\n'.format(tmp_path))
    fake.chmod(0o755)
    script = (f'. /usr/share/bash-completion/bash_completion; . {path}; COMP_WORDS=({fake} client ho); COMP_CWORD=2; COMP_LINE="{fake} client ho"; COMP_POINT=${{#COMP_LINE}}; '
              f'_sftdyn; printf "%s\n" "${{COMPREPLY[@]}}"')
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert found[:2] == ["home.dyn.example.org", "hotel.dyn.example.org"] and len(found) == 3 and "nas" not in found
    assert not (tmp_path / "ran").exists()


def test_zsh_and_fish_take_theirs(installed):
    zsh = next(path for path in installed.rglob("_sftdyn"))
    assert subprocess.run(["zsh", "-n", zsh], capture_output=True, text=True).stderr == ""
    fish = next(path for path in installed.rglob("sftdyn.fish"))
    result = subprocess.run(["fish", "--no-config", "-c", f"source {fish}; complete -C 'sftdyn st'; complete -C 'sftdyn setup '"], capture_output=True, text=True)
    assert result.returncode == 0 and {"status", "bind", "knot", "powerdns"} <= {line.split("\t")[0] for line in result.stdout.splitlines()}, result.stderr


def test_lintian_finds_no_error():
    if not list(PACKAGES.glob("*.changes")):
        pytest.skip("scripts/package has made no packages")
    result = subprocess.run(["lintian", "--fail-on", "error", "--suppress-tags", "bad-distribution-in-changes-file", *PACKAGES.glob("*.changes")], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


class Debian:
    """A Debian 12 in a folder, with BIND, and its own network."""

    def __init__(self, folder):
        self.folder = folder
        debian.make(folder, ["bind9", "bind9-dnsutils", "curl"])
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")

    def run(self, script, network=False):
        """A shell script as root inside; without `network` with loopback alone. All that it starts ends with it."""
        (self.folder / "root/script").write_text("set -eux\nexport DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" + script)
        enter = f"{'true' if network else 'ip link set lo up'} && mount -t proc proc {self.folder}/proc && mount --bind /dev {self.folder}/dev && exec chroot {self.folder} /bin/bash /root/script"
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"]), "sh", "-c", enter]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)

    def must(self, script, network=False):
        result = self.run(script, network)
        assert result.returncode == 0, result.stdout[-6000:]
        return result.stdout


INSTALL = """
apt-get update -q
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
apt-get install -y -q --no-install-recommends /root/sftdyn_*.deb /root/sftdyn-python_*.deb
"""

# As the README says.
USE = """
zone=dyn.example.org
sftdyn setup bind $zone --write /
mv /etc/sftdyn/$zone.toml /etc/sftdyn/sftdyn.toml
echo 'include "/etc/bind/named.conf.sftdyn";' >> /etc/bind/named.conf.local
named-checkconf -z
mkdir -p /run/named && chown bind:bind /run/named
named -u bind
sftdyn check
setpriv --reuid sftdyn --regid sftdyn --init-groups sftdyn -v > /tmp/sftdyn.log 2>&1 &
key=$(sed -n 's/^"\\([0-9a-f]*\\)" = .*/\\1/p' /etc/sftdyn/sftdyn.toml)
for i in $(seq 100); do curl -fsS http://127.0.0.1:8080/ && break; sleep 0.1; done
curl -fsS http://127.0.0.1:8080/$key | grep -x OK
curl -fsS http://127.0.0.1:8080/$key | grep -x UPTODATE
dig +short @127.0.0.1 home.$zone | grep -x 127.0.0.1
sftdyn doctor --resolver 127.0.0.1
"""


@needs_packages
def test_packages_install_work_upgrade_and_purge(tmp_path):
    system = Debian(tmp_path / "debian")
    system.must(INSTALL, network=True)
    layout = system.must("""
getent passwd sftdyn | grep '/usr/sbin/nologin$'
stat -c '%U:%G %a %n' /etc/sftdyn /etc/sftdyn/sftdyn.toml
ls /etc/systemd/system/multi-user.target.wants /etc/systemd/system/sockets.target.wants 2>/dev/null || true
dpkg -V sftdyn sftdyn-python
sftdyn --version
man_pages=$(dpkg -L sftdyn | grep -c '/usr/share/man/.*gz$'); test $man_pages = 3
echo 'CLIENTS = {}' > /tmp/conf; sftdyn check /tmp/conf
""")
    assert "root:sftdyn 750 /etc/sftdyn\n" in layout and "root:sftdyn 640 /etc/sftdyn/sftdyn.toml\n" in layout
    assert "sftdyn.service" not in layout and "sftdyn.socket" not in layout, "nothing is enabled with an unedited sample"
    used = system.must(USE)
    assert "no problem was found" in used

    # An upgrade leaves what was edited.
    system.must("""
cp /etc/sftdyn/sftdyn.toml /root/edited.toml
cd /root && dpkg-deb -R sftdyn_*.deb new && sed -i 's/^Version: .*/Version: 1.0.1/' new/DEBIAN/control && dpkg-deb -b new sftdyn-new.deb
dpkg-deb -R sftdyn-python_*.deb newer && sed -i 's/^Version: .*/Version: 1.0.1/; s/sftdyn (= [^)]*)/sftdyn (= 1.0.1)/' newer/DEBIAN/control && dpkg-deb -b newer sftdyn-python-new.deb
dpkg -i sftdyn-new.deb sftdyn-python-new.deb < /dev/null
cmp /etc/sftdyn/sftdyn.toml /root/edited.toml
stat -c '%U:%G %a' /etc/sftdyn/sftdyn.toml | grep -x 'root:sftdyn 640'
dpkg-query -W -f '${Version} ${db:Status-Status}\\n' sftdyn | grep -x '1.0.1 installed'
""")
    # Where documentation is left out, as in slim containers (dpkg.cfg(5)), the sample is still there.
    system.must("""
dpkg -P sftdyn-python sftdyn && rm -rf /etc/sftdyn
printf 'path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n' > /etc/dpkg/dpkg.cfg.d/slim
dpkg -i /root/sftdyn_*.deb /root/sftdyn-python_*.deb
rm /etc/dpkg/dpkg.cfg.d/slim
test ! -e /usr/share/doc/sftdyn/README.md && cmp /etc/sftdyn/sftdyn.toml /usr/share/sftdyn/sftdyn.toml
stat -c '%U:%G %a' /etc/sftdyn/sftdyn.toml | grep -x 'root:sftdyn 640'
""")
    # Who comes from the Python sftdyn keeps the conf, and it is the one that is read.
    system.must("""
dpkg -P sftdyn-python sftdyn
mkdir -p /etc/sftdyn
echo 'CLIENTS = {"k": "home.dyn.example.org"}' > /etc/sftdyn/conf
dpkg -i /root/sftdyn_*.deb /root/sftdyn-python_*.deb
test ! -e /etc/sftdyn/sftdyn.toml
sftdyn check | grep '^/etc/sftdyn/conf: good, 1 client$'
rm /etc/sftdyn/conf && cp /root/edited.toml /etc/sftdyn/sftdyn.toml
""")
    # Removed, the configuration is still there; purged, nothing is.
    left = system.must("""
dpkg -r sftdyn-python sftdyn
test -e /etc/sftdyn/sftdyn.toml && test ! -e /usr/bin/sftdyn
mkdir -p /var/lib/sftdyn && touch /var/lib/sftdyn/hosts.sqlite
dpkg -P sftdyn-python sftdyn
! getent passwd sftdyn
test -z "$(find /etc -xdev -nogroup)"
find / -xdev -not -path '/proc/*' -not -path '/root/*' -not -path '/tmp/*' -name '*sftdyn*' -print
""")
    found = [line for line in left.splitlines() if line.startswith("/")]
    # What the administrator has made with `setup` is not the package's.
    assert set(found) <= {"/etc/bind/keys/sftdyn.key", "/etc/bind/named.conf.sftdyn"}, found
