"""Wishes that change something: switches, lights, covers, heating, fans, cleaners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from routines.effects import CallService
from routines.facts import Json
from routines.intents.directory import Entity
from routines.intents.planned import Asked, NotPossible, Plan
from routines.intents.targets import described, find, target, the

_SWITCHED = (
    *("automation", "camera", "climate", "fan", "humidifier", "input_boolean", "light", "media_player"),
    *("remote", "siren", "switch", "water_heater"),
)
_ON: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_SWITCHED, ("turn_on", "Turned on")),
    "group": ("homeassistant.turn_on", "Turned on"),
    "button": ("press", "Pressed"),
    "cover": ("open_cover", "Opening"),
    "input_button": ("press", "Pressed"),
    "lawn_mower": ("start_mowing", "Started"),
    "lock": ("lock", "Locking"),
    "scene": ("turn_on", "Activated"),
    "script": ("turn_on", "Started"),
    "vacuum": ("start", "Started"),
    "valve": ("open_valve", "Opening"),
}
_OFF: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_SWITCHED, ("turn_off", "Turned off")),
    "group": ("homeassistant.turn_off", "Turned off"),
    "cover": ("close_cover", "Closing"),
    "lawn_mower": ("dock", "Sent home"),
    "lock": ("unlock", "Unlocking"),
    "script": ("turn_off", "Stopped"),
    "vacuum": ("return_to_base", "Sent home"),
    "valve": ("close_valve", "Closing"),
}


def turn_on(asked: Asked) -> Plan:
    """Plan to switch on, open, lock, start or activate."""
    return _switch(asked, _ON, "on")


def turn_off(asked: Asked) -> Plan:
    """Plan to switch off, close, unlock or stop."""
    return _switch(asked, _OFF, "off")


def _switch(asked: Asked, table: Mapping[str, tuple[str, str]], way: str) -> Plan:
    entities = find(asked)
    refused = next((entity for entity in entities if entity.domain not in table), None)
    if refused is not None:
        raise NotPossible(f"I cannot turn {the(refused)} {way} by voice")
    domains = list(dict.fromkeys(entity.domain for entity in entities))
    calls = []
    for domain in domains:
        service, _ = table[domain]
        action = service if "." in service else f"{domain}.{service}"
        calls.append(CallService(action=action, target=target([e for e in entities if e.domain == domain])))
    return Plan(calls=tuple(calls), reply=f"{table[domains[0]][1]} {described(entities, asked)}")


def set_light(asked: Asked) -> Plan:
    """Plan to set the brightness, the colour or the white of lights."""
    entities = find(asked, ("light",))
    data: dict[str, Json] = {}
    said = ""
    if (brightness := asked.number("brightness")) is not None:
        data["brightness_pct"] = whole(brightness)
        said = f"{whole(brightness)} percent"
    if (color := asked.text("color")) is not None:
        data["color_name"] = color
        said = color
    if (kelvin := asked.number("temperature")) is not None:
        data["color_temp_kelvin"] = whole(kelvin)
        said = f"{whole(kelvin)} kelvin"
    if not data:
        raise NotPossible("I did not hear how the light should be")
    return _one_call("light.turn_on", entities, data, f"Set {described(entities, asked)} to {said}")


def set_position(asked: Asked) -> Plan:
    """Plan to open covers or valves so far."""
    entities = find(asked, ("cover", "valve"))
    position = asked.number("position")
    if position is None:
        raise NotPossible("I did not hear how far to open it")
    calls = tuple(
        CallService(action=action, target=target(group), data={"position": whole(position)})
        for domain, action in (("cover", "cover.set_cover_position"), ("valve", "valve.set_valve_position"))
        if (group := [entity for entity in entities if entity.domain == domain])
    )
    return Plan(calls=calls, reply=f"Setting {described(entities, asked)} to {whole(position)} percent")


def set_temperature(asked: Asked) -> Plan:
    """Plan to heat or cool to a temperature: in the place named, else here, else by the only thermostat."""
    temperature = asked.number("temperature")
    if temperature is None:
        raise NotPossible("I did not hear the temperature")
    is_placed = any(asked.intent.slots.get(slot) for slot in ("name", "area", "floor"))
    entities = find(asked, ("climate",))
    if not is_placed and len(entities) > 1:
        entities = tuple(
            entity for entity in entities if entity.area == asked.area and asked.area is not None
        )
        if not entities:
            raise NotPossible("I know several thermostats; say in which room")
    data: dict[str, Json] = {"temperature": whole(temperature)}
    reply = f"Set {described(entities, asked)} to {whole(temperature)} degrees"
    return _one_call("climate.set_temperature", entities, data, reply)


def set_fan_speed(asked: Asked) -> Plan:
    """Plan to let fans run so fast."""
    entities = find(asked, ("fan",))
    speed = asked.number("percentage")
    if speed is None:
        raise NotPossible("I did not hear how fast")
    reply = f"Set {described(entities, asked)} to {whole(speed)} percent"
    return _one_call("fan.set_percentage", entities, {"percentage": whole(speed)}, reply)


def start_vacuum(asked: Asked) -> Plan:
    """Plan to clean."""
    entities = find(asked, ("vacuum",))
    return _one_call("vacuum.start", entities, {}, f"Started {described(entities, asked)}")


def return_vacuum(asked: Asked) -> Plan:
    """Plan to send the vacuum cleaner home."""
    entities = find(asked, ("vacuum",))
    return _one_call("vacuum.return_to_base", entities, {}, f"Sent {described(entities, asked)} home")


def start_mowing(asked: Asked) -> Plan:
    """Plan to mow the lawn."""
    entities = find(asked, ("lawn_mower",))
    return _one_call("lawn_mower.start_mowing", entities, {}, f"Started {described(entities, asked)}")


def dock_mower(asked: Asked) -> Plan:
    """Plan to send the lawn mower home."""
    entities = find(asked, ("lawn_mower",))
    return _one_call("lawn_mower.dock", entities, {}, f"Sent {described(entities, asked)} home")


def add_to_shopping_list(asked: Asked) -> Plan:
    """Plan to put something on the shopping list."""
    item = _item(asked)
    call = CallService(action="shopping_list.add_item", data={"name": item})
    return Plan(calls=(call,), reply=f"Added {item}")


def complete_on_shopping_list(asked: Asked) -> Plan:
    """Plan to tick something off the shopping list."""
    item = _item(asked)
    call = CallService(action="shopping_list.complete_item", data={"name": item})
    return Plan(calls=(call,), reply=f"Ticked off {item}")


def add_to_list(asked: Asked) -> Plan:
    """Plan to put something on a list."""
    item = _item(asked)
    entities = find(asked, ("todo",))
    return _one_call("todo.add_item", entities, {"item": item}, f"Added {item}")


def complete_on_list(asked: Asked) -> Plan:
    """Plan to tick something off a list."""
    item = _item(asked)
    data: dict[str, Json] = {"item": item, "status": "completed"}
    return _one_call("todo.update_item", find(asked, ("todo",)), data, f"Ticked off {item}")


def whole(number: float) -> int | float:
    """Return a number as int where it is whole."""
    return int(number) if float(number).is_integer() else number


def _item(asked: Asked) -> str:
    item = asked.text("item")
    if item is None:
        raise NotPossible("I did not hear what")
    return item


def _one_call(action: str, entities: Sequence[Entity], data: Mapping[str, Json], reply: str) -> Plan:
    return Plan(calls=(CallService(action=action, target=target(entities), data=data),), reply=reply)
