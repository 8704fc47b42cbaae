"""What Home Assistant shows of rooms that play in step: a button that calibrates them."""

from __future__ import annotations

from integrations.mqtt.discovery import ORIGIN
from integrations.mqtt.topics import AVAILABILITY, CALIBRATE_ROOMS_TOPIC
from routines.facts import Json


def together_discovery_topic(room: str) -> str:
    """Return where the description of a hub's button is kept."""
    return f"homeassistant/button/roomwise_{room}/calibrate_rooms/config"


def together_discovery(room: str) -> dict[str, Json]:
    """Return the description of the button; it joins the device of `room_discovery`."""
    return {
        "device": {"identifiers": [f"roomwise_{room}"]},
        "origin": ORIGIN,
        "availability": [{"topic": AVAILABILITY}],
        "unique_id": f"roomwise_{room}_calibrate_rooms",
        "name": "Calibrate rooms in step",
        "icon": "mdi:speaker-multiple",
        "entity_category": "config",
        "command_topic": CALIBRATE_ROOMS_TOPIC,
    }
