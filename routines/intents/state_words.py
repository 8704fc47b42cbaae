"""How the states of things are said."""

from __future__ import annotations

from collections.abc import Mapping

from routines.facts import Json
from routines.home import EntityState
from routines.intents.directory import Entity

_ON_OFF: Mapping[str, tuple[str, str]] = {
    "carbon_monoxide": ("detecting carbon monoxide", "clear"),
    "gas": ("detecting gas", "clear"),
    "motion": ("detecting motion", "clear"),
    "occupancy": ("occupied", "clear"),
    "smoke": ("detecting smoke", "clear"),
    "sound": ("detecting noise", "clear"),
    "battery": ("low", "charged"),
    "battery_charging": ("charging", "not charging"),
    "cold": ("cold", "normal"),
    "connectivity": ("connected", "disconnected"),
    "door": ("open", "closed"),
    "garage_door": ("open", "closed"),
    "heat": ("hot", "normal"),
    "lock": ("unlocked", "locked"),
    "moisture": ("wet", "dry"),
    "opening": ("open", "closed"),
    "plug": ("plugged in", "unplugged"),
    "presence": ("home", "away"),
    "problem": ("reporting a problem", "all right"),
    "running": ("running", "not running"),
    "safety": ("unsafe", "safe"),
    "update": ("waiting for an update", "up to date"),
    "vibration": ("vibrating", "still"),
    "window": ("open", "closed"),
}
_DETECTED = ("detecting something", "clear")
IS_COUNTED = frozenset({"battery", "door", "garage_door", "lock", "opening", "window"})
"""Device classes of sensors that stand for a thing that can be counted: a window, not motion."""
_PEOPLE = frozenset({"person", "device_tracker"})
_WEATHER: Mapping[str, str] = {
    "clear": "clear",
    "clear-night": "clear",
    "exceptional": "exceptional",
    "fog": "foggy",
    "hail": "hailing",
    "lightning": "stormy",
    "lightning-rainy": "stormy with rain",
    "partlycloudy": "partly cloudy",
    "pouring": "pouring",
    "rainy": "raining",
    "snowy": "snowing",
    "snowy-rainy": "snowing and raining",
    "windy": "windy",
    "windy-variant": "windy and cloudy",
}


def state_words(entity: Entity, state: EntityState) -> str:
    """Return a state as it stands behind "is"."""
    if entity.domain == "binary_sensor":
        return value_words(entity, state.state)
    unit = state.attributes.get("unit_of_measurement")
    value = value_words(entity, state.state)
    return f"{value} {unit}" if isinstance(unit, str) and unit else value


def value_words(entity: Entity, state: str) -> str:
    """Return the words for one of the states that a thing can have."""
    if entity.domain == "binary_sensor" and state in ("on", "off"):
        pair = _ON_OFF.get(entity.device_class or "", _DETECTED if entity.device_class else ("on", "off"))
        return pair[0] if state == "on" else pair[1]
    if entity.domain in _PEOPLE:
        return {"home": "at home", "not_home": "away"}.get(state.casefold(), f"at {state}")
    if entity.domain == "sensor":
        return plain_number(state)
    words = state.replace("_", " ")
    return f"set to {words}" if entity.domain == "climate" and state != "off" else words


def weather_words(state: EntityState) -> str:
    """Return the weather as a sentence: "It is 12 °C and cloudy"."""
    sky = _WEATHER.get(state.state, state.state.replace("-", " "))
    temperature = degrees(state.attributes, "temperature")
    return f"It is {temperature} and {sky}" if temperature else f"It is {sky}"


def degrees(attributes: Mapping[str, Json], key: str) -> str | None:
    """Return a temperature among attributes with its unit, or None."""
    value = attributes.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    unit = attributes.get("temperature_unit") or attributes.get("unit_of_measurement")
    return f"{plain_number(str(value))} {unit if isinstance(unit, str) and unit else 'degrees'}"


def plain_number(text: str) -> str:
    """Return a number without needless zeros; other text as it is.

    >>> plain_number("21.50")
    '21.5'
    """
    try:
        float(text)
    except ValueError:
        return text
    return text.rstrip("0").rstrip(".") if "." in text else text
