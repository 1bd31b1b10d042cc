"""Whoever writes events may be killed at any moment."""

from __future__ import annotations

import pytest
from tests.shared import benchmark


@pytest.mark.slow
def test_a_site_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path):
    seen = benchmark("kill_the_site").kill(tmp_path / "site", 6)

    assert seen.stored >= 6
    assert not seen.bad, seen
