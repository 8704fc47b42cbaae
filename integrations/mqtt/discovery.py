"""What Home Assistant needs to find us by itself: device-based MQTT discovery.

The keys are those of Home Assistant's ``DEVICE_DISCOVERY_SCHEMA``; the payload is retained on
``homeassistant/device/<id>/config``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.mqtt.player_discovery import player_components
from integrations.mqtt.topics import (
    AVAILABILITY,
    ULTRASOUND_STATE_TOPIC,
    ULTRASOUND_SWITCH_TOPIC,
    presence_topic,
    run_topic,
    spatial_request_topic,
    spatial_state_topic,
)
from routines.facts import Json

ORIGIN: dict[str, Json] = {"name": "roomwise"}


def discovery_topic(room: str) -> str:
    """Return where the description of a room's hub is kept."""
    return f"homeassistant/device/roomwise_{room}/config"


def room_discovery(
    room: str, home_name: str, routines: Mapping[str, str], playlists: Sequence[str] = ()
) -> dict[str, Json]:
    """Return the description of a hub: presence and player of its room, and a button for each routine.

    Parameters
    ----------
    routines : mapping
        Name to show of each routine by its id.
    playlists : sequence of str
        What the player can be asked for by name.
    """
    prefix = f"roomwise_{room}"
    components: dict[str, Json] = {
        "presence": {
            "platform": "binary_sensor",
            "unique_id": f"{prefix}_presence",
            "name": "Presence",
            "device_class": "occupancy",
            "state_topic": presence_topic(room),
            # Home Assistant takes the payload None as unknown
            "value_template": (
                "{{ 'None' if value_json.occupied is none else 'ON' if value_json.occupied else 'OFF' }}"
            ),
            "json_attributes_topic": presence_topic(room),
        },
        **player_components(room, playlists),
    }
    for routine, name in routines.items():
        components[f"run_{routine}"] = {
            "platform": "button",
            "unique_id": f"{prefix}_run_{routine}",
            "name": name,
            "command_topic": run_topic(routine),
        }
    return {
        "device": _device(room, home_name),
        "origin": ORIGIN,
        "availability": [{"topic": AVAILABILITY}],
        "components": components,
    }


def sensing_switch_discovery_topic(room: str) -> str:
    """Return where the description of a hub's switch for the tone is kept."""
    return f"homeassistant/switch/roomwise_{room}/ultrasound/config"


def sensing_switch_discovery(room: str, home_name: str) -> dict[str, Json]:
    """Return the description of the switch for the tone; it joins the device of `room_discovery`."""
    return {
        "device": _device(room, home_name),
        "origin": ORIGIN,
        "availability": [{"topic": AVAILABILITY}],
        "unique_id": f"roomwise_{room}_ultrasound",
        "name": "Ultrasonic sensing",
        "icon": "mdi:access-point",
        "entity_category": "config",
        "command_topic": ULTRASOUND_SWITCH_TOPIC,
        "state_topic": ULTRASOUND_STATE_TOPIC,
    }


def spatial_discovery_topic(room: str) -> str:
    """Return where the description of a hub's spatial sound is kept."""
    return f"homeassistant/device/roomwise_{room}_spatial/config"


def spatial_discovery(room: str, home_name: str) -> dict[str, Json]:
    """Return the description of the switch and the slider; they join the device of `room_discovery`."""
    state = spatial_state_topic(room)
    return {
        "device": _device(room, home_name),
        "origin": ORIGIN,
        "availability": [{"topic": AVAILABILITY}],
        "components": {
            "spatial": {
                "platform": "switch",
                "unique_id": f"roomwise_{room}_spatial",
                "name": "Spatial sound",
                "icon": "mdi:surround-sound",
                "command_topic": spatial_request_topic(room, "switch"),
                "state_topic": state,
                "value_template": "{{ 'ON' if value_json.on else 'OFF' }}",
                "json_attributes_topic": state,
            },
            "listener": {
                "platform": "number",
                "unique_id": f"roomwise_{room}_listener",
                "name": "Listener's direction",
                "icon": "mdi:account-voice",
                "min": -30,
                "max": 30,
                "step": 1,
                "mode": "slider",
                "unit_of_measurement": "°",
                "command_topic": spatial_request_topic(room, "azimuth"),
                "state_topic": state,
                "value_template": "{{ value_json.azimuth_degrees }}",
            },
        },
    }


def _device(room: str, home_name: str) -> dict[str, Json]:
    return {
        "identifiers": [f"roomwise_{room}"],
        "name": f"{home_name} {room.replace('_', ' ')}",
        "manufacturer": "Roomwise",
        "suggested_area": room.replace("_", " ").capitalize(),
    }
