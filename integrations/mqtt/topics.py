"""The topics of our contract."""

from __future__ import annotations

BASE = "roomwise/v1"
"""Version 1 only ever gains topics; a break would be published beside it as v2."""

AVAILABILITY = f"{BASE}/availability"


def presence_topic(room: str) -> str:
    """Return where the presence of a room is kept (retained)."""
    return f"{BASE}/state/presence/{room}"


def run_topic(routine: str) -> str:
    """Return where a routine can be asked to run."""
    return f"{BASE}/set/routine/{routine}/run"
