"""What the documents say of each other."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_manual_page_is_in_step_with_the_document():
    made = subprocess.run(["/usr/bin/python3", ROOT / "man/from_markdown.py"], stdin=open(ROOT / "docs/configuration.md"), capture_output=True, text=True, check=True).stdout
    assert (ROOT / "man/sftdyn.toml.5").read_text() == made, "run: man/from_markdown.py < docs/configuration.md > man/sftdyn.toml.5"
