# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the folders of src: the build checks it, and it is the one that docs/architecture.md has."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.name for path in (ROOT / "src").iterdir() if any(path.rglob("*.[ch]pp")))


def uses(folder):
    """As the folder's CMakeLists.txt says."""
    text = (ROOT / "src" / folder / "CMakeLists.txt").read_text()
    found = re.search(r"^  USES\n((?:    \w+\)?\n)+)", text, re.MULTILINE)
    return set(re.findall(r"\w+", found[1])) if found else set()


def documented():
    """As the table in the architecture says: folder, for, uses."""
    rows, before = {}, set()
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        if row := re.fullmatch(r"\| `(\w+)` \|.*\| ([^|]*) \|", line):
            rows[row[1]] = before.copy() if row[2] == "all of the above" else set(re.findall(r"\w+", row[2])) - {"nothing"}
            before.add(row[1])
    return rows


def test_the_documented_order_is_the_one_that_the_build_has():
    rows = documented()
    assert sorted(rows) == FOLDERS
    assert {folder: uses(folder) for folder in FOLDERS if folder != "main"} == {folder: row for folder, row in rows.items() if folder != "main"}


def check(folder, include, tmp_path):
    file = tmp_path / "source.cpp"
    file.write_text(f'#include "{include}"\n')
    command = ["cmake", f"-DNAME={folder}", f"-DUSES={','.join(uses(folder))}", f"-DFILES={file}", "-P", ROOT / "cmake/CheckIncludes.cmake"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder != "main"])
def test_the_build_stops_at_an_include_that_the_order_forbids(folder, tmp_path):
    for other in FOLDERS:
        result = check(folder, f"{other}/some.hpp", tmp_path)
        allowed = other == folder or other in uses(folder)
        assert (result.returncode == 0) == allowed, f"{folder} -> {other}: {result.stderr}"
        if not allowed:
            assert f"{folder} does not use {other}" in result.stderr


def test_every_file_is_built_and_checked():
    """A file that no CMakeLists.txt names would be neither."""
    for folder in FOLDERS:
        text = (ROOT / "src" / folder / "CMakeLists.txt").read_text()
        for path in (ROOT / "src" / folder).rglob("*.[ch]pp"):
            if "plugin" not in path.parts:
                assert re.search(rf"\b{re.escape(str(path.relative_to(ROOT / 'src' / folder)))}\b", text), path
