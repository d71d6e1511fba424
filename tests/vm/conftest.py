# SPDX-License-Identifier: GPL-3.0-or-later
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "system")]

from vm import Machine, may_run  # noqa: E402


def pytest_configure():
    # The machine and its disk go, too, when the tests are told to end.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end"))


@pytest.fixture(scope="session")
def machine():
    """Booted, and set up as the README says; one for all tests. Each leaves it as it was."""
    assert may_run(), "it is for root, and for packages that scripts/package has made"
    with tempfile.TemporaryDirectory(prefix="sftdyn-vm-", dir="/var/tmp") as folder:
        machine = Machine(folder)
        try:
            machine.build()
            machine.boot()
            yield machine
        finally:
            machine.stop()
