"""Presence on its way through the hub: doors in, explanations and the unknown out."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.bus import Bus
from hub.clock import VirtualClock
from hub.config.hub_config import HomeConfig
from hub.door_watch import DoorWatch
from hub.events import Observed
from hub.home_publisher import HomePublisher
from hub.interpreter import facts_from_observation
from routines.engine import Engine
from routines.facts import PresenceFact
from routines.load import load_routines
from routines.outputs import Verdict
from routines.ports import DeviceChanged
from sensing.observations import Observation, PresenceChanged, PresenceHeld, PresenceReason, SensingDegraded
from tests.hub.retained_messages import Broker

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
DOOR = "binary_sensor.door"


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def changed(present: bool | None) -> PresenceChanged:
    reason: PresenceReason = "no_carrier" if present is None else "major_motion" if present else "timeout"
    return PresenceChanged(
        at=1.0, frame=1, present=present, reason=reason, explanation="because", confidence=0.97
    )


@pytest.mark.parametrize(
    ("states", "openings"),
    [(["off", "on"], 1), (["on"], 0), (["unavailable", "on"], 0), (["off", "on", "on", "off", "on"], 2)],
)
async def test_a_door_opens_only_from_closed_to_open(states: list[str], openings: int) -> None:
    bus = Bus(VirtualClock(NOON))
    opened: list[None] = []
    watch = DoorWatch(doors=[DOOR], bus=bus, on_open=lambda: opened.append(None))
    task = asyncio.create_task(watch.run(lambda: None))
    await settled()
    for state in states:
        bus.publish(DeviceChanged(entity_id=DOOR, state=state, attributes={}))
        bus.publish(DeviceChanged(entity_id="light.hall", state=state, attributes={}))
    await settled()
    task.cancel()
    assert len(opened) == openings


async def test_mqtt_is_told_the_unknown_first_and_then_why_and_how_badly_it_is_known() -> None:
    bus, broker = Bus(VirtualClock(NOON)), Broker()
    home = HomePublisher(
        messages=broker, bus=bus, clock=VirtualClock(NOON), home=HomeConfig(room="den"), routines=[]
    )
    task = asyncio.create_task(home.run(lambda: None))
    await settled()

    async def told(seen: Observation) -> dict[str, object]:
        bus.publish(Observed(room="den", observation=seen, at=NOON))
        await settled()
        return dict(json.loads(broker.retained["roomwise/v1/state/presence/den"]))

    assert json.loads(broker.retained["roomwise/v1/state/presence/den"])["occupied"] is None
    assert (await told(changed(True)))["occupied"] is True
    held = await told(PresenceHeld(at=2, frame=2, explanation="held: 2 minor in 90 s", confidence=0.99))
    assert (held["occupied"], held["explanation"]) == (True, "held: 2 minor in 90 s")
    degraded = await told(SensingDegraded(at=3, frame=3, states=("music_masked",)))
    assert (degraded["occupied"], degraded["degraded"]) == (True, ["music_masked"])
    assert (await told(changed(None)))["occupied"] is None
    assert home.presence.state()["reason"] == "no_carrier"
    task.cancel()


ROUTINES = """
version: 1
routines:
  - id: came
    triggers: [{trigger: presence, room: den, to: detected}]
    actions: [{say: hello}]
  - id: asked
    mode: restart
    triggers: [{trigger: mqtt, topic: ask}]
    conditions: [{condition: presence, room: den, state: detected}]
    actions: [{say: somebody is there}]
  - id: left
    triggers: [{trigger: presence, room: den, to: not_detected}]
    actions: [{say: goodbye}]
"""


def test_while_nobody_can_tell_conditions_are_not_decided_and_no_edge_is_lost_or_doubled() -> None:
    from routines.facts import MessageFact

    found, problems = load_routines(ROUTINES, "test.yaml")
    assert problems == []
    engine = Engine(found, timezone=ZoneInfo("UTC"))

    def verdicts(present: bool | None) -> list[tuple[str, str]]:
        [fact] = facts_from_observation(Observed(room="den", observation=changed(present), at=NOON))
        assert isinstance(fact, PresenceFact)
        return [(o.routine, o.verdict) for o in engine.handle(fact, now=NOON) if isinstance(o, Verdict)]

    def asked() -> list[str]:
        outputs = engine.handle(MessageFact(topic="ask", payload=""), now=NOON)
        return [one.verdict for one in outputs if isinstance(one, Verdict) and one.routine == "asked"]

    assert verdicts(True) == [("came", "fired")]
    assert asked() == ["fired"]
    assert verdicts(None) == []
    assert asked() == ["cannot_decide"]
    assert verdicts(True) == []
    assert asked() == ["fired"]
    assert verdicts(None) == []
    assert verdicts(False) == [("left", "fired")]
