# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients in files of their own (`include`): hosts come and go with a file and a reload, and a file that is bad changes nothing."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from harness.sftdyn import conf, run

ROOT = os.geteuid() == 0
ZONE = "dyn.example.org"
HOST = f"home.{ZONE}"
KEY = "6fd2c1a7e05b4d83"


class Included:
    """sftdyn whose configuration includes a folder, which is empty."""

    def __init__(self, stage, folder=None, extra=""):
        self.server = stage.dns("named")
        own = stage.folder / "sftdyn"
        own.mkdir()
        self.folder = Path(folder or own / "clients.d")
        self.folder.mkdir(mode=0o750, exist_ok=True)
        self.control = own / "control"
        self.text = f'include = "{folder or "clients.d"}"\n' + conf(self.server, {KEY: HOST}, extra=f'[admin]\ncontrol = "{self.control}"\n{extra}')
        self.program = stage.sftdyn(self.text)
        self.taken = 0

    def write(self, name, text):
        """As the documents say: a reload never reads half of it."""
        part = self.folder / f".{name}.part"
        part.write_text(text)
        part.chmod(0o640)
        part.rename(self.folder / name)

    def reload(self):
        self.program.reload()
        self.taken += 1
        self.program.await_log("the configuration has", count=self.taken)

    def refuse(self, *words):
        refused = self.program.log().count("the new configuration is not used")
        self.program.reload()
        self.program.await_log("the new configuration is not used; the old one stays in use", count=refused + 1)
        for word in words:
            assert word in self.program.log(), f"{word}\n---\n{self.program.log()[-2000:]}"

    def known(self):
        document = json.loads(run("status", "--json", "--socket", self.control).stdout)
        return {host["host"] for host in document["hosts"]} | set(document["never"])


def test_hosts_come_and_go_with_files(stage):
    included = Included(stage)
    program, get = included.program, included.program.get
    new = f"new.{ZONE}"
    assert (get(KEY).body, get("new").body) == ("OK", "BADKEY")
    included.write("new.toml", f'[clients]\n"new" = "{new}"\n')
    included.reload()
    assert (get("new").body, get(KEY).body) == ("OK", "UPTODATE")

    # What is wrong changes nothing, and no key is told.
    secret = "S3CR3T-90bbd8698198ea76"
    included.write("bad.toml", f'[clients]\n"fine" = "fine.{ZONE}"\n"{secret}" = "-bad"\n')
    included.refuse("clients.d/bad.toml:3:29: this host has no dot in it")
    assert (get("new").body, get("fine").body) == ("UPTODATE", "BADKEY")
    included.write("bad.toml", f'"{secret}" = "fine.{ZONE}"\n')
    included.refuse("clients.d/bad.toml:1:1: an included file may have clients only")
    included.write("bad.toml", f'[clients]\n"new" = "fine.{ZONE}"\n')
    included.refuse(f"clients.d/new.toml:2:1: this key appears twice (first in {included.folder}/bad.toml:2)")
    included.write("bad.toml", "")
    included.refuse("clients.d/bad.toml: this included file is empty")
    (included.folder / "bad.toml").unlink()
    (included.folder / "folder.toml").mkdir()
    included.refuse("clients.d/folder.toml: this included file can't be read: it is a folder")
    (included.folder / "folder.toml").rmdir()
    assert secret not in program.log()

    # The commands know what the files have.
    listed = run("client", "--list", program.conf)
    assert listed.stdout.split() == [HOST, new], listed.stderr
    assert "/new" in run("client", new, program.conf, "--show").stdout
    assert included.known() == {HOST, new}
    assert run("forget", new, program.conf).stdout == f"{new}: forgotten\n"
    assert "with 1 file of" in run("check", program.conf).stdout

    (included.folder / "new.toml").rename(included.folder / "new.toml.off")
    included.reload()
    assert get("new").body == "BADKEY" and included.known() == {HOST}
    included.folder.rename(included.folder.with_name("elsewhere"))
    included.refuse("the folder of include can't be read: No such file or directory; make it (mkdir ")
    assert get(KEY).body == "UPTODATE"


def test_the_doctor_notices_that_a_file_was_changed_and_not_read(stage):
    included = Included(stage)

    def older():
        findings = json.loads(run("doctor", included.program.conf, "--json", "--resolver", included.server.address).stdout)
        return any(finding["check"] == "running" and "has an older configuration" in finding["what"] for finding in findings)

    assert not older()
    included.write("new.toml", f'[clients]\n"0f1e2d3c4b5a6978" = "new.{ZONE}"\n')
    assert older()
    included.reload()
    assert not older()


@pytest.mark.skipif(not ROOT, reason="only root has folders that the sandbox keeps it from")
def test_the_sandbox_lets_new_files_be_read(stage):
    elsewhere = [Path(tempfile.mkdtemp(dir=folder)) for folder in ("/root", "/mnt")]
    try:
        named, other = elsewhere
        included = Included(stage, folder=named)
        included.write("new.toml", f'[clients]\n"new" = "new.{ZONE}"\n')
        included.reload()
        assert included.program.get("new").body == "OK"
        # A link to where nothing was named at the start, and another folder there.
        (other / "linked.toml").write_text(f'[clients]\n"linked" = "linked.{ZONE}"\n')
        (named / "linked.toml").symlink_to(other / "linked.toml")
        included.refuse(f"{named}/linked.toml: this included file can't be read: Permission denied; the sandbox ([process] landlock)")
        (named / "linked.toml").unlink()
        included.program.conf.write_text(included.text.replace(str(named), str(other)))
        included.refuse(f"{other}: the folder of include can't be read: Permission denied; the sandbox ([process] landlock)", "restart sftdyn")
        included.program.stop()
        included.program.start()
        assert included.program.get("linked").body == "OK"
    finally:
        for folder in elsewhere:
            shutil.rmtree(folder)


@pytest.mark.skipif(not ROOT, reason="it takes root to try what another user may do")
def test_the_doctor_tells_what_the_services_user_may_not_read():
    own = Path(tempfile.mkdtemp(dir="/var/tmp"))  # where every user may enter
    try:
        examine_as_nobody(own)
    finally:
        shutil.rmtree(own)


def examine_as_nobody(own):
    own.chmod(0o755)
    folder = own / "clients.d"
    folder.mkdir()
    path = own / "c.toml"
    path.write_text(f'include = "clients.d"\nnskeyfile = false\n[process]\nuser = "nobody"\n[clients]\n"{KEY}" = "{HOST}"\n')
    for name in "ab":
        (folder / f"{name}.toml").write_text("[clients]\n")
        (folder / f"{name}.toml").chmod(0o600)
    path.chmod(0o644)
    folder.chmod(0o755)

    def bad():
        findings = json.loads(run("doctor", path, "--json", "--server", "127.0.0.1:1").stdout)
        return [finding["what"] + " -> " + finding["mend"] for finding in findings if finding["check"] == "conf" and finding["result"] == "bad"]

    assert bad() == [f"{folder}/a.toml: the user nobody may not read it -> chgrp nobody {folder}/*.toml && chmod 640 {folder}/*.toml"]
    folder.chmod(0o700)
    assert bad() == [f"{folder}: the user nobody may not read it -> chgrp nobody {folder} && chmod 750 {folder}"]


def test_check_tells_what_is_wrong_as_json_too(tmp_path):
    (tmp_path / "clients.d").mkdir()
    (tmp_path / "c.toml").write_text(f'include = "clients.d"\n[clients]\n"{KEY}" = "{HOST}"\n')
    assert "good, 1 client, with 0 files of " in run("check", tmp_path / "c.toml").stdout
    (tmp_path / "clients.d/a.toml").write_text(f'[clients]\n"{KEY}" = "a.{ZONE}"\n')
    result = run("check", tmp_path / "c.toml", "--json")
    [finding] = json.loads(result.stdout)
    assert result.returncode == 1 and finding["result"] == "bad" and finding["where"] == f"{tmp_path}/clients.d/a.toml:2:1"
    assert f"(first in {tmp_path}/c.toml:3)" in finding["what"] and finding["mend"] and KEY not in result.stdout
    convert = run("convert", tmp_path / "c.toml")
    assert convert.returncode == 1 and "a.toml:2:1" in convert.stderr
    (tmp_path / "clients.d/a.toml").unlink()
    assert "this is TOML already" in run("convert", tmp_path / "c.toml").stderr
