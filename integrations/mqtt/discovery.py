"""What Home Assistant needs to find us by itself: device-based MQTT discovery.

The keys are those of Home Assistant's ``DEVICE_DISCOVERY_SCHEMA``; the payload is retained on
``homeassistant/device/<id>/config``.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.mqtt.topics import AVAILABILITY, presence_topic, run_topic
from routines.facts import Json

ORIGIN: dict[str, Json] = {"name": "roomwise"}


def discovery_topic(room: str) -> str:
    """Return where the description of a room's hub is kept."""
    return f"homeassistant/device/roomwise_{room}/config"


def room_discovery(room: str, home_name: str, routines: Mapping[str, str]) -> dict[str, Json]:
    """Return the description of a hub: presence of its room, and a button for each routine.

    Parameters
    ----------
    routines : mapping
        Name to show of each routine by its id.
    """
    prefix = f"roomwise_{room}"
    components: dict[str, Json] = {
        "presence": {
            "platform": "binary_sensor",
            "unique_id": f"{prefix}_presence",
            "name": "Presence",
            "device_class": "occupancy",
            "state_topic": presence_topic(room),
            "value_template": "{{ 'ON' if value_json.occupied else 'OFF' }}",
            "json_attributes_topic": presence_topic(room),
        }
    }
    for routine, name in routines.items():
        components[f"run_{routine}"] = {
            "platform": "button",
            "unique_id": f"{prefix}_run_{routine}",
            "name": name,
            "command_topic": run_topic(routine),
        }
    return {
        "device": {
            "identifiers": [prefix],
            "name": f"{home_name} {room.replace('_', ' ')}",
            "manufacturer": "Roomwise",
            "suggested_area": room.replace("_", " ").capitalize(),
        },
        "origin": ORIGIN,
        "availability": [{"topic": AVAILABILITY}],
        "components": components,
    }
