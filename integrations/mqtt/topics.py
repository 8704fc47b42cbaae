"""The topics of our contract."""

from __future__ import annotations

from typing import Literal

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

CALIBRATE_ROOMS_TOPIC = f"{BASE}/set/together/calibrate"
"""Whoever serves music calibrates with each hub that follows, by chirps; never retained."""
TOGETHER_STATE_TOPICS = f"{BASE}/state/together/+"
TOGETHER_EVENT_TOPICS = f"{BASE}/event/together/+"

AVAILABILITY = f"{BASE}/availability"

PlayerRequest = Literal["command", "play", "add", "seek", "volume", "shuffle", "repeat"]
SpatialRequest = Literal["switch", "azimuth"]


def presence_topic(room: str) -> str:
    """Return where the presence of a room is kept (retained)."""
    return f"{BASE}/state/presence/{room}"


def run_topic(routine: str) -> str:
    """Return where a routine can be asked to run."""
    return f"{BASE}/set/routine/{routine}/run"


def player_state_topic(room: str) -> str:
    """Return where it is kept what plays in a room (retained)."""
    return f"{BASE}/state/player/{room}"


def player_event_topic(room: str) -> str:
    """Return where a room tells that something could not be played."""
    return f"{BASE}/event/player/{room}"


def player_request_topic(room: str, what: PlayerRequest) -> str:
    """Return where a room's player can be asked for something; never retained."""
    return f"{BASE}/set/player/{room}/{what}"


def spatial_state_topic(room: str) -> str:
    """Return where it is kept whether spatial sound is on, and where it is aimed (retained)."""
    return f"{BASE}/state/spatial/{room}"


def spatial_request_topic(room: str, what: SpatialRequest) -> str:
    """Return where spatial sound can be switched and aimed; never retained."""
    return f"{BASE}/set/spatial/{room}/{what}"


def announce_topic(room: str) -> str:
    """Return where a room can be asked to announce something; never retained."""
    return f"{BASE}/set/announce/{room}"


def announcement_topic(announcement: str) -> str:
    """Return where it is told how an announcement goes."""
    return f"{BASE}/event/announcement/{announcement}"


def together_state_topic(room: str) -> str:
    """Return where it is kept how a room's music is in step with others' (retained)."""
    return f"{BASE}/state/together/{room}"


def together_event_topic(room: str) -> str:
    """Return where a room tells how an acoustic calibration goes."""
    return f"{BASE}/event/together/{room}"


def pair_topic(hub: str) -> str:
    """Return where another hub talks to a hub about an acoustic calibration; never retained."""
    return f"{BASE}/set/hub/{hub}/pair"


HUB_AVAILABILITY_TOPICS = f"{BASE}/hub/+/availability"
"""Which hubs are there (retained, and a will)."""
WAKE_TOPICS = f"{BASE}/hub/+/wake"
"""A hub has heard its wake word, and says how well; never retained."""


def hub_availability_topic(hub: str) -> str:
    """Return where a hub says that it is there."""
    return f"{BASE}/hub/{hub}/availability"


def wake_topic(hub: str) -> str:
    """Return where a hub says how well it has heard the wake word."""
    return f"{BASE}/hub/{hub}/wake"


def hub_of_topic(topic: str) -> str | None:
    """Return the hub that speaks on one of its topics."""
    parts = topic.removeprefix(f"{BASE}/hub/").split("/")
    return parts[0] if topic.startswith(f"{BASE}/hub/") and len(parts) == 2 else None
