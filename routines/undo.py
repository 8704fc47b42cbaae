"""Put entities back as they were: the calls that bring about a former state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from routines.effects import CallService
from routines.facts import UNKNOWN_STATES, Json

_SWITCHED = frozenset(
    {"switch", "fan", "input_boolean", "siren", "humidifier", "automation", "group", "remote"}
)
_COLOURS = ("color_temp_kelvin", "hs_color", "rgb_color", "xy_color", "effect")


def putting_back(journal: Mapping[str, Json], wanted: Collection[str] | None = None) -> Sequence[CallService]:
    """Return the calls that undo what a run has changed, the last touched first.

    Parameters
    ----------
    journal : mapping
        What each entity was before: ``{"state": …, "attributes": {…}}``, or None if that was not known.
    wanted : collection of str or None
        Only these entities.
    """
    calls: list[CallService] = []
    for entity_id, before in reversed(list(journal.items())):
        if (wanted is None or entity_id in wanted) and isinstance(before, dict):
            attributes = before.get("attributes")
            calls += _calls(
                entity_id, str(before.get("state")), attributes if isinstance(attributes, dict) else {}
            )
    return calls


def _calls(entity_id: str, state: str, attributes: Mapping[str, Json]) -> Sequence[CallService]:
    """Return what brings an entity to a state; nothing where that would be a guess or unsafe.

    A lock that was open stays locked: undoing must not open the house.
    """
    domain = entity_id.partition(".")[0]
    if state in UNKNOWN_STATES:
        return []
    match domain, state:
        case "light", "on":
            return [_call(entity_id, "light.turn_on", _light(attributes))]
        case "light", "off":
            return [_call(entity_id, "light.turn_off")]
        case "cover", _:
            return _cover(entity_id, state, attributes)
        case "climate", _:
            return _climate(entity_id, state, attributes)
        case "media_player", _:
            return _media(entity_id, state, attributes)
        case "lock", "locked":
            return [_call(entity_id, "lock.lock")]
        case "fan", "on" if isinstance(attributes.get("percentage"), int | float):
            return [_call(entity_id, "fan.turn_on", {"percentage": attributes["percentage"]})]
        case (("input_number" | "number"), _):
            return [_call(entity_id, f"{domain}.set_value", {"value": state})]
        case (("input_select" | "select"), _):
            return [_call(entity_id, f"{domain}.select_option", {"option": state})]
        case _, ("on" | "off") if domain in _SWITCHED:
            return [_call(entity_id, f"{domain}.turn_{state}")]
        case _:
            return []


def _call(entity_id: str, action: str, data: Mapping[str, Json] | None = None) -> CallService:
    return CallService(action=action, target={"entity_id": entity_id}, data=data or {})


def _light(attributes: Mapping[str, Json]) -> dict[str, Json]:
    data = {"brightness": attributes["brightness"]} if attributes.get("brightness") is not None else {}
    colour = next((name for name in _COLOURS if attributes.get(name) is not None), None)
    return data if colour is None else {**data, colour: attributes[colour]}


def _cover(entity_id: str, state: str, attributes: Mapping[str, Json]) -> Sequence[CallService]:
    position = attributes.get("current_position")
    if isinstance(position, int | float):
        return [_call(entity_id, "cover.set_cover_position", {"position": position})]
    verbs = {"open": "cover.open_cover", "closed": "cover.close_cover"}
    return [_call(entity_id, verbs[state])] if state in verbs else []


def _climate(entity_id: str, state: str, attributes: Mapping[str, Json]) -> Sequence[CallService]:
    calls = [_call(entity_id, "climate.set_hvac_mode", {"hvac_mode": state})]
    if isinstance(temperature := attributes.get("temperature"), int | float):
        calls.append(_call(entity_id, "climate.set_temperature", {"temperature": temperature}))
    return calls


def _media(entity_id: str, state: str, attributes: Mapping[str, Json]) -> Sequence[CallService]:
    calls: list[CallService] = []
    if isinstance(volume := attributes.get("volume_level"), int | float):
        calls.append(_call(entity_id, "media_player.volume_set", {"volume_level": volume}))
    verbs = {"off": "turn_off", "paused": "media_pause", "playing": "media_play", "idle": "media_stop"}
    if state in verbs:
        calls.append(_call(entity_id, f"media_player.{verbs[state]}"))
    return calls
