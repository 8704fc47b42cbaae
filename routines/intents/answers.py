"""Questions about the home, answered from what it has told; what it has not told is said to be unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from routines.intents.directory import Entity
from routines.intents.planned import Asked, NotPossible, Plan
from routines.intents.state_words import (
    IS_COUNTED,
    degrees,
    plain_number,
    state_words,
    value_words,
    weather_words,
)
from routines.intents.targets import (
    find,
    is_or_are,
    kind_word,
    known_state,
    listed,
    place,
    plural,
    the,
    why_unknown,
)

_SENSED_COVERS: Mapping[str, tuple[str, ...]] = {
    "door": ("door", "opening"),
    "garage": ("garage_door",),
    "window": ("window", "opening"),
}
_SENSED_STATES = {"open": "on", "closed": "off"}
_RESPONSES = {
    "hello": "Hello",
    "listening": "I listen for my name; what I hear is worked out in this house",
    "data": "What I hear is worked out in this house",
    "commands": "You can ask me for lights, covers, heating, music, timers, reminders and how things are",
    "creator": "I am free software, made by many people",
}


def get_state(asked: Asked) -> Plan:
    """Answer how one thing is, or which of several are so."""
    if asked.intent.kind in ("any", "all", "which", "how_many"):
        return Plan(reply=_about_several(asked, asked.intent.kind))
    return Plan(reply=_about_one(asked))


def _about_one(asked: Asked) -> str:
    entity = find(asked)[0]
    state = known_state(asked, entity)
    if state is None:
        return why_unknown(asked, entity)
    words = f"{the(entity)} {is_or_are([entity])} {state_words(entity, state)}"
    wanted = asked.text("state")
    if asked.intent.kind != "one_yesno" or wanted is None:
        return _upper(words)
    is_so = state.state.casefold() == wanted.casefold()
    return f"Yes, {words}" if is_so else f"No, {words}"


def _about_several(asked: Asked, kind: str) -> str:
    entities, wanted = _asked_about(asked), asked.text("state") or "on"
    so, other, unknown = [], [], []
    for entity in entities:
        state = known_state(asked, entity)
        if state is None:
            unknown.append(entity)
        elif state.state.casefold() == _wanted_state(entity, wanted).casefold():
            so.append(entity)
        else:
            other.append(entity)
    if not so and not other:
        return f"I do not know: {_unheard(unknown)}"
    words = value_words(entities[0], _wanted_state(entities[0], wanted))
    doubt = f"; I do not know about {listed([the(e) for e in unknown])}" if unknown else ""
    answer = _sentence(asked, kind, so, other, words, _noun(entities[0]), is_sure=not unknown)
    return answer + doubt


def _sentence(
    asked: Asked,
    kind: str,
    so: Sequence[Entity],
    other: Sequence[Entity],
    words: str,
    noun: str | None,
    *,
    is_sure: bool,
) -> str:
    """Return the answer over the things that are known."""
    those = listed([the(entity) for entity in so])
    verb = is_or_are(so)
    if kind == "any":
        none = "No, " if is_sure else ""
        return (
            f"Yes, {those} {verb} {words}"
            if so
            else _upper(none + _none(asked, noun, words, is_sure=is_sure))
        )
    if kind == "which":
        return _upper(f"{those} {verb} {words}" if so else _none(asked, noun, words, is_sure=is_sure))
    if kind == "how_many":
        counted = noun or "sensor"
        number = f"1 {counted}" if len(so) == 1 else f"{len(so)} {plural(counted)}"
        return f"{number}{place(asked)} {'is' if len(so) == 1 else 'are'} {words}"
    if other:
        others = listed([the(entity) for entity in other])
        return f"No, {others} {is_or_are(other)} not {words}"
    return "Yes" if is_sure else f"{_upper(those)} {verb} {words}"


def _none(asked: Asked, noun: str | None, words: str, *, is_sure: bool) -> str:
    """Return that nothing is so: "no window in the kitchen is open"."""
    if not is_sure:
        return f"none that I know of is {words}"
    return f"no {noun}{place(asked)} is {words}" if noun else f"nothing{place(asked)} is {words}"


def _noun(entity: Entity) -> str | None:
    """Return what a thing is counted as, or None for a sensor of what cannot be counted, like motion."""
    if entity.domain == "binary_sensor":
        return kind_word([entity.device_class]) if entity.device_class in IS_COUNTED else None
    return kind_word(
        [entity.device_class] if entity.domain == "cover" and entity.device_class else [entity.domain]
    )


def _asked_about(asked: Asked) -> tuple[Entity, ...]:
    """Return what a question is about; windows are known from their sensors as well as from their motors."""
    slots = asked.intent.slots
    device_class = slots.get("device_class")
    if slots.get("domain") == "cover" and isinstance(device_class, str) and device_class in _SENSED_COVERS:
        sensed: list[str] = list(_SENSED_COVERS[device_class][:1])
        other = replace(
            asked.intent,
            slots={**slots, "domain": ["cover", "binary_sensor"], "device_class": [device_class, *sensed]},
        )
        return find(replace(asked, intent=other))
    return find(asked)


def _wanted_state(entity: Entity, wanted: str) -> str:
    return _SENSED_STATES.get(wanted, wanted) if entity.domain == "binary_sensor" else wanted


def get_temperature(asked: Asked) -> Plan:
    """Answer how warm it is: from the thermostat of a place, else from its thermometers."""
    if asked.intent.slots.get("name"):
        entity = find(asked)[0]
        warm = _temperature(asked, entity)
        if warm is None:
            return Plan(reply=_why_not_warm(asked, entity))
        return Plan(reply=f"{_upper(the(entity))} is at {warm}")
    area, floor = asked.text("area"), asked.text("floor")
    thermostats = asked.directory.select(domains=("climate",), area=area, floor=floor)
    meters = asked.directory.select(
        domains=("sensor",), device_classes=("temperature",), area=area, floor=floor
    )
    if not thermostats and not meters:
        raise NotPossible(f"I know no thermometer{place(asked)}")
    for entity in (*thermostats, *meters):
        if (warm := _temperature(asked, entity)) is not None:
            return Plan(reply=f"It is {warm}{place(asked)}")
    return Plan(reply=_why_not_warm(asked, (*thermostats, *meters)[0]))


def _temperature(asked: Asked, entity: Entity) -> str | None:
    state = known_state(asked, entity)
    if state is None:
        return None
    if entity.domain in ("climate", "weather", "water_heater"):
        key = "temperature" if entity.domain == "weather" else "current_temperature"
        return degrees(state.attributes, key)
    unit = state.attributes.get("unit_of_measurement")
    return f"{plain_number(state.state)} {unit if isinstance(unit, str) else 'degrees'}"


def _why_not_warm(asked: Asked, entity: Entity) -> str:
    if known_state(asked, entity) is None:
        return why_unknown(asked, entity)
    return f"I do not know: {the(entity)} does not tell how warm it is"


def get_weather(asked: Asked) -> Plan:
    """Answer how the weather is now."""
    entity = find(asked, ("weather",))[0]
    state = known_state(asked, entity)
    return Plan(reply=weather_words(state) if state is not None else why_unknown(asked, entity))


def get_time(asked: Asked) -> Plan:
    """Answer what time it is in the house."""
    clock = asked.now.astimezone(asked.timezone).strftime("%I:%M %p").lstrip("0")
    return Plan(reply=f"It is {clock}")


def get_date(asked: Asked) -> Plan:
    """Answer what day it is in the house."""
    day = asked.now.astimezone(asked.timezone)
    return Plan(reply=f"It is {day:%A}, {day:%B} {day.day}, {day.year}")


def respond(asked: Asked) -> Plan:
    """Answer small talk."""
    return Plan(reply=_RESPONSES.get(asked.intent.kind or "", "Hello"))


def _unheard(entities: Sequence[Entity]) -> str:
    verb = "has" if len(entities) == 1 else "have"
    return f"{listed([the(entity) for entity in entities])} {verb} not told me a state"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
