"""A house of many routines and a year of its life, always the same: what the benches play."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

from routines.facts import Fact, HeardFact, MessageFact, PresenceFact, StateFact

ROOMS = [f"room_{number}" for number in range(40)]
START = datetime(2026, 1, 1, tzinfo=UTC)
_ADJECTIVES = ("bright", "quiet", "warm", "early", "late", "blue", "green", "red", "soft", "little")
_NOUNS = ("morning", "evening", "lamp", "music", "window", "garden", "kitchen", "reading", "cinema", "dinner")


def routine(number: int) -> dict[str, object]:
    """Return a routine; of 100, 40 wait for a state, 25 for presence, 15 for a time, the rest for others."""
    lamp, room = f"light.lamp_{number}", ROOMS[number % len(ROOMS)]
    kind = number % 100
    turn_on: dict[str, object] = {"action": "light.turn_on", "target": {"entity_id": lamp}}
    if kind < 40:
        trigger = {"trigger": "state", "entity_id": f"binary_sensor.s{number}", "to": "on"}
        return _routine(number, trigger, [turn_on, {"delay": 60}, _off(lamp)])
    if kind < 65:
        trigger = {"trigger": "presence", "room": room, "to": "not_detected", "for": "00:05:00"}
        return _routine(number, trigger, [_off(lamp)])
    if kind < 80:
        at = f"{number % 24:02}:{number % 60:02}"
        trigger = {"trigger": "time", "at": at, "weekday": ["sat", "sun"]}
        return _routine(number, trigger, [turn_on])
    if kind < 85:
        trigger = {"trigger": "sun", "event": "sunset", "offset": f"-00:{number % 60:02}:00"}
        return _routine(number, trigger, [turn_on])
    if kind < 90:
        return _routine(number, {"trigger": "mqtt", "topic": f"button/{number}/+"}, [turn_on])
    if kind < 95:
        trigger = {"trigger": "numeric_state", "entity_id": f"sensor.t{number}", "above": 25}
        condition = {
            "condition": "template",
            "value_template": f"{{{{ states('sensor.t{number}') | float > 20 }}}}",
        }
        return _routine(number, trigger, [turn_on]) | {"conditions": [condition]}
    return _routine(number, {"trigger": "voice", "phrases": phrases(number)}, [turn_on])


def phrases(number: int) -> list[str]:
    """Return three templates that no other number has."""
    words = f"{_ADJECTIVES[number % 10]} {_NOUNS[number // 10 % 10]} {_NOUNS[number // 100 % 10]}"
    return [
        f"(start|begin) [the] {words}",
        f"[please] (turn on|switch on) {words} [now]",
        f"{words} (time|mode) [please]",
    ]


def _routine(number: int, trigger: object, actions: list[object]) -> dict[str, object]:
    return {"id": f"r{number}", "mode": "restart", "triggers": [trigger], "actions": actions}


def _off(lamp: str) -> dict[str, object]:
    return {"action": "light.turn_off", "target": {"entity_id": lamp}}


def files(count: int, each: int = 100) -> list[str]:
    """Return the routines as YAML files; JSON is YAML."""
    return [
        json.dumps(
            {"version": 1, "routines": [routine(n) for n in range(first, min(first + each, count))]}, indent=1
        )
        for first in range(0, count, each)
    ]


def year(events: int, routines: int) -> list[tuple[datetime, Fact]]:
    """Return a year of facts in order of time."""
    chance = random.Random(1)
    moments = sorted(chance.uniform(0, 365 * 86_400) for _ in range(events))
    return [(START + timedelta(seconds=moment), _fact(chance, routines)) for moment in moments]


def _fact(chance: random.Random, routines: int) -> Fact:
    number, kind = chance.randrange(routines), chance.random()
    if kind < 0.5:
        entity_id = f"binary_sensor.s{number // 100 * 100 + number % 40}"
        return StateFact(entity_id=entity_id, state=chance.choice(["on", "off"]))
    if kind < 0.75:
        return PresenceFact(room=chance.choice(ROOMS), present=chance.random() < 0.5)
    if kind < 0.85:
        entity_id = f"sensor.t{number // 100 * 100 + 90 + number % 5}"
        return StateFact(entity_id=entity_id, state=str(round(chance.uniform(15, 30), 1)))
    if kind < 0.95:
        return MessageFact(topic=f"button/{number // 100 * 100 + 85 + number % 5}/press", payload="1")
    spoken = phrases(number // 100 * 100 + 95 + number % 5)[0].replace("(start|begin) [the]", "start the")
    return HeardFact(room="", text=spoken)
