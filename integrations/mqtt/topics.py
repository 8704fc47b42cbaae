"""The topics of our contract."""

from __future__ import annotations

BASE = "roomwise/v1"
"""Version 1 only ever gains topics; a break would be published beside it as v2."""

COMMAND_TOPIC = f"{BASE}/set/command"
"""A typed sentence, as if it had been said."""
UNDO_TOPIC = f"{BASE}/set/undo"
NOTICE_TOPIC = f"{BASE}/event/notice"
"""Notifications for apps, where Home Assistant does not carry them."""

ULTRASOUND_SWITCH_TOPIC = f"{BASE}/set/sensing/ultrasound"
"""``ON`` or ``OFF``: whether the inaudible tone may sound; never retained."""
ULTRASOUND_STATE_TOPIC = f"{BASE}/state/sensing/ultrasound"
"""Which of the two is in force (retained)."""

AVAILABILITY = f"{BASE}/availability"


def presence_topic(room: str) -> str:
    """Return where the presence of a room is kept (retained)."""
    return f"{BASE}/state/presence/{room}"


def run_topic(routine: str) -> str:
    """Return where a routine can be asked to run."""
    return f"{BASE}/set/routine/{routine}/run"
