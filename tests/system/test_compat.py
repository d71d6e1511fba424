# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded confs, requests and what the Python sftdyn did with them (compat/README.md): what differs is a row of docs/compatibility.md."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.sanitized import is_sanitized
from harness.sftdyn import BINARY

HERE = Path(__file__).parent / "compat"
SCENARIOS = sorted((HERE / "scenarios").glob("*.json"))
DOCUMENT = Path(__file__).parents[2] / "docs/compatibility.md"
GROUPS = 6  # each with a DNS server


def rows_of_document():
    """The names of the rows of the table of differences that scenarios show."""
    table = re.search(r"^## Differences that scenarios show\n(.*?)^## ", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE)


def differences(theirs, ours):
    """Lines that say where the two differ."""
    for what in ("started", "exit_status_at_start"):
        if theirs[what] != ours[what]:
            yield f"{what}: {theirs[what]} / {ours[what]}"
    zones = [set(), set()]
    for number, (their, our) in enumerate(zip(theirs["answers"], ours["answers"])):
        for field in their:
            if field == "zone":  # what this request changed
                changes = []
                for side, answer in enumerate((their, our)):
                    now = set(answer.get("zone", []))
                    changes.append((sorted(now - zones[side]), sorted(zones[side] - now)))
                    zones[side] = now
                if changes[0] != changes[1]:
                    yield f"answer {number}, zone: {changes[0]} / {changes[1]}"
            elif their[field] != our.get(field):
                yield f"answer {number}, {field}: {their[field]!r} / {our.get(field)!r}"
    for zone in sorted({*theirs["zones"], *ours["zones"]}):
        only = [sorted(set(a["zones"].get(zone, [])) - set(b["zones"].get(zone, []))) for a, b in ((theirs, ours), (ours, theirs))]
        if only != [[], []]:
            yield f"zone {zone}: {only[0]} / {only[1]}"


def play_all(folder):
    """What sftdyn did, by scenario."""
    running = []
    # Those with many requests are spread over the groups.
    ordered = sorted(SCENARIOS, key=lambda path: -path.stat().st_size)
    for group in range(GROUPS):
        result = folder / f"{group}.json"
        command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, HERE / "play.py", result, *ordered[group::GROUPS]]
        running.append((result, subprocess.Popen(command, env=dict(os.environ, SFTDYN=str(BINARY)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
    results = {}
    for result, process in running:
        said, _ = process.communicate()
        assert process.returncode == 0, said
        results |= json.loads(result.read_text())
    return results


@pytest.mark.long
@pytest.mark.skipif(is_sanitized, reason="it starts some hundred programs: the release's are compared")
@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of its own take root")
def test_what_differs_from_the_python_sftdyn_is_a_row_of_the_document(tmp_path):
    rows = json.loads((HERE / "rows.json").read_text())
    assert sorted(rows) == sorted(rows_of_document()), "compat/rows.json and docs/compatibility.md name the same rows"
    results = play_all(tmp_path)
    shown, unexplained = set(), []
    for path in SCENARIOS:
        for difference in differences(json.loads(path.read_text())["original"], results[path.stem]):
            of = [row for row, scenarios in rows.items() if any(re.match(pattern, difference, re.DOTALL) for pattern in scenarios.get(path.stem, []))]
            shown.update((row, path.stem) for row in of)
            if not of:
                unexplained.append(f"{path.stem}: {difference[:400]}")
    assert not unexplained, "\n".join(unexplained)
    expected = {(row, scenario) for row, scenarios in rows.items() for scenario in scenarios}
    assert not expected - shown, "rows without a difference"
