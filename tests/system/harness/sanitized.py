"""Tests that measure time or memory: a sanitizer takes both for itself."""

import pytest

from harness.sftdyn import BINARY

not_sanitized = pytest.mark.skipif("sanitize" in BINARY or "thread" in BINARY, reason="it measures time or memory, of which a sanitizer takes its own")
