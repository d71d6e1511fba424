# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents say of each other."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page,section,document", [("sftdyn.toml", 5, "configuration.md"), ("sftdyn-client", 7, "clients.md")])
def test_the_manual_pages_are_in_step_with_the_documents(page, section, document):
    with open(ROOT / "docs" / document) as source:
        made = subprocess.run(["/usr/bin/python3", ROOT / "man/from_markdown.py", page], stdin=source, capture_output=True, text=True, check=True).stdout
    assert (ROOT / f"man/{page}.{section}").read_text() == made, f"run: man/from_markdown.py {page} < docs/{document} > man/{page}.{section}"


@pytest.mark.parametrize("page", ["sftdyn.1", "sftdyn.toml.5", "sftdyn-client.7"])
def test_the_manual_pages_are_well_formed(page):
    result = subprocess.run(["groff", "-mandoc", "-ww", "-Wbreak", "-z", "-K", "utf8", ROOT / "man" / page], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_manual_page_names_the_environment_that_is_read():
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.cpp"))
    read = set(re.findall(r'\b(?:getenv|variable|folder)\("([A-Z_]+)"', source))
    section = (ROOT / "man/sftdyn.1").read_text().split(".Sh ENVIRONMENT")[1].split(".El")[0]
    named = set(re.findall("[A-Z_]{4,}", "".join(line for line in section.splitlines() if line.startswith(".It Ev"))))
    # systemd's library reads the other two with LISTEN_FDS, and the demo looks for knotd in PATH. WATCHDOG_PID goes with WATCHDOG_USEC.
    assert named - {"LISTEN_PID", "LISTEN_FDNAMES"} == read - {"PATH", "WATCHDOG_PID"}
