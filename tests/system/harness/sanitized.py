# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells nothing under a sanitizer: tests that measure time or memory, of which it takes its own; tests of what is wiped when it
is freed, because it frees memory in its own way."""

from pathlib import Path

import pytest

from harness.sftdyn import BINARY

is_sanitized = Path(BINARY).parent.name in ("sanitize", "thread")  # the name of the preset that built it
not_sanitized = pytest.mark.skipif(is_sanitized, reason="it measures time or memory, of which a sanitizer takes its own")
heap_of_its_own = pytest.mark.skipif(is_sanitized, reason="a sanitizer keeps what is freed, and it is not wiped")
