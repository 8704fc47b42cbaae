"""The player for Home Assistant, which finds no media players over MQTT: a slider, switches and buttons."""

from __future__ import annotations

import json
from collections.abc import Sequence

from integrations.mqtt.topics import announce_topic, player_request_topic, player_state_topic
from routines.facts import Json

_BUTTONS = {
    "next": ("Next track", "mdi:skip-next"),
    "previous": ("Previous track", "mdi:skip-previous"),
    "stop": ("Stop music", "mdi:stop"),
}
_LONGEST_TEXT = 255
"""Home Assistant's limit for a text; longer addresses go to the topic itself."""


def player_components(room: str, playlists: Sequence[str]) -> dict[str, Json]:
    """Return what belongs to the player, to stand among the components of the room's hub."""
    components = _told(room) | _set(room) | _playlist(room, playlists)
    for command, (name, icon) in _BUTTONS.items():
        components[f"player_{command}"] = {
            "platform": "button",
            "name": name,
            "icon": icon,
            "command_topic": player_request_topic(room, "command"),
            "payload_press": command,
        }
    return {key: {**content, "unique_id": f"roomwise_{room}_{key}"} for key, content in components.items()}


def _told(room: str) -> dict[str, dict[str, Json]]:
    """Return what plays, with all that is known as attributes."""
    state = player_state_topic(room)
    return {
        "player": {
            "platform": "sensor",
            "name": "Player",
            "icon": "mdi:music",
            "device_class": "enum",
            "options": ["idle", "playing", "paused", "buffering"],
            "state_topic": state,
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": state,
        },
        "player_title": {
            "platform": "sensor",
            "name": "Plays",
            "icon": "mdi:music-note",
            "state_topic": state,
            "value_template": (
                "{{ ((value_json.artist ~ ' - ' if value_json.artist else '')"
                " ~ (value_json.title or value_json.source or ''))[:255] }}"
            ),
        },
    }


def _set(room: str) -> dict[str, dict[str, Json]]:
    """Return what can be set."""
    state = player_state_topic(room)
    return {
        "player_volume": {
            "platform": "number",
            "name": "Volume",
            "icon": "mdi:volume-high",
            "min": 0,
            "max": 100,
            "step": 1,
            "mode": "slider",
            "unit_of_measurement": "%",
            "command_topic": player_request_topic(room, "volume"),
            "state_topic": state,
            "value_template": "{{ value_json.volume }}",
        },
        "player_play": {
            "platform": "switch",
            "name": "Music",
            "icon": "mdi:play-pause",
            "command_topic": player_request_topic(room, "command"),
            "payload_on": "play",
            "payload_off": "pause",
            "state_topic": state,
            "value_template": "{{ 'ON' if value_json.state in ['playing', 'buffering'] else 'OFF' }}",
            "state_on": "ON",
            "state_off": "OFF",
        },
        "player_shuffle": {
            "platform": "switch",
            "name": "Shuffle",
            "icon": "mdi:shuffle",
            "command_topic": player_request_topic(room, "shuffle"),
            "state_topic": state,
            "value_template": "{{ 'ON' if value_json.shuffle else 'OFF' }}",
        },
        "player_repeat": {
            "platform": "select",
            "name": "Repeat",
            "icon": "mdi:repeat",
            "options": ["off", "all", "one"],
            "command_topic": player_request_topic(room, "repeat"),
            "state_topic": state,
            "value_template": "{{ value_json.repeat }}",
        },
        "player_source": {
            "platform": "text",
            "name": "Play address or file",
            "icon": "mdi:link-variant",
            "max": _LONGEST_TEXT,
            "command_topic": player_request_topic(room, "play"),
        },
        "announce": {
            "platform": "notify",
            "name": "Announce",
            "icon": "mdi:bullhorn",
            "command_topic": announce_topic(room),
        },
    }


def _playlist(room: str, playlists: Sequence[str]) -> dict[str, dict[str, Json]]:
    """Return the choice of playlists, where there are any."""
    if not playlists:
        return {}
    return {
        "player_playlist": {
            "platform": "select",
            "name": "Playlist",
            "icon": "mdi:playlist-music",
            "options": list(playlists),
            "command_topic": player_request_topic(room, "play"),
            "state_topic": player_state_topic(room),
            # Home Assistant takes the payload None as unknown
            "value_template": (
                "{{ value_json.playlist if value_json.playlist in "
                + json.dumps(list(playlists), ensure_ascii=False)
                + " else 'None' }}"
            ),
        }
    }
