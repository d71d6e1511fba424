# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian 12 of its own, in a folder."""

import subprocess
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[3] / "build/packages"  # what scripts/package has made


def make(folder, include, hook=None):
    """With the packages `include`, and ours as files in /root. `hook` is a command that is run inside at last."""
    sources = next(path for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")) if path.exists())
    # What it mounts is in a namespace of its own: nothing is left in the folder when it is ended half way.
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
    command = [*own, "mmdebstrap", "--variant=apt", f"--include={','.join(include)}", f"--customize-hook=copy-in {' '.join(map(str, PACKAGES.glob('*.deb')))} /root"]
    if hook:
        command.append(f"--customize-hook=chroot \"$1\" sh -c '{hook}'")
    # In the form that is asked for where packages come from here.
    command += ["bookworm", str(folder), *([str(sources)] if sources.suffix == ".sources" else sources.read_text().splitlines())]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
