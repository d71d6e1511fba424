# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import dns_servers  # noqa: E402
from harness.sftdyn import Sftdyn  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: it takes 20 seconds or more, and is begun first")


def pytest_collection_modifyitems(items):
    """The end of a run is not spent on one long test: xdist first hands a batch of tests to each worker,
    and a long test leads each batch."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    batch = max(len(items) // (4 * workers), 2)
    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if not item.get_closest_marker("long")]
    for number, item in enumerate(long):
        items.insert(number * batch, item)


class Stage:
    """Starts servers and programs for one test, and ends them with it."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def dns(self, kind="named", name=None, **kwargs):
        server = dns_servers.SERVERS[kind](self.folder / (name or kind), **kwargs)
        self.running.append(server)
        return server.start()

    def sftdyn(self, conf, name="sftdyn", **kwargs):
        program = Sftdyn(self.folder / name, conf, **kwargs)
        self.running.append(program)
        return program.start()

    def end(self):
        errors = []
        for one in reversed(self.running):
            try:
                one.stop()
            except AssertionError as error:
                errors.append(error)
        if errors:
            raise errors[0]


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.end()
