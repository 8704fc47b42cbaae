"""Small matrices are not worth a thread: the hub keeps numpy to one, unless its owner says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_MULTIPLY = """
import hub.cli.main, numpy, pathlib
tasks = pathlib.Path("/proc/self/task")
numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(len(list(tasks.iterdir())))
"""


def threads(**environment: str) -> int:
    """Return how many threads a process has that imported the hub and multiplied matrices."""
    known = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run(
        [sys.executable, "-c", _MULTIPLY],
        env=known | environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    return int(ran.stdout)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in Linux's /proc")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has no use for threads")
def test_the_hub_multiplies_with_one_thread_and_with_more_where_its_owner_wants_that() -> None:
    assert threads() == 1
    assert threads(OPENBLAS_NUM_THREADS="2") == 2
