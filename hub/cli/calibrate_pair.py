"""``roomwise calibrate --pair``: ask the running hubs to listen for each other."""

from __future__ import annotations

import asyncio
import json as jsonlib
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from hub.cli.json_lines import print_json
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from hub.config.hub_config import HubConfig

_BEGIN_SECONDS = 5.0
_TURN_SECONDS = 40.0
"""For one pair, measured twice."""


def calibrate_pair(settings: HubConfig, *, json: bool) -> None:
    """Ask whoever serves music to calibrate with each hub that follows it, and tell what it found.

    Raises
    ------
    BadInput
        No hub serves music, none follows it, or none could be calibrated.
    """
    asyncio.run(_told(settings, json=json))


async def _told(settings: HubConfig, *, json: bool) -> None:
    is_calibrated, failures = False, []
    async for event in _events(settings):
        if json:
            print_json(event)
        match event["type"]:
            case "begun" if not json:
                hubs = event["hubs"]
                names = ", ".join(map(str, hubs)) if isinstance(hubs, list) else ""
                print(f"listening: {names or 'no hub follows'}", file=sys.stderr)
            case "calibrated":
                is_calibrated = True
                if not json:
                    print(_words(event))
            case "failed":
                failures.append(f"{event['hub']}: {event['why']}")
    why = "; ".join(failures) or "no hub follows; set playback.together.follow in its hub.yaml"
    if not is_calibrated:
        raise BadInput(f"not calibrated: {why}")
    if failures and not json:
        print(f"not calibrated: {why}")


async def _events(settings: HubConfig) -> AsyncIterator[dict[str, Json]]:
    """Yield what the hub that serves tells, until all have had their turn."""
    from hub.cli.broker_link import broker_link
    from integrations.mqtt.topics import CALIBRATE_ROOMS_TOPIC, TOGETHER_EVENT_TOPICS

    async with broker_link(settings.mqtt, "calibrate-pair", (TOGETHER_EVENT_TOPICS,)) as (link, told):
        outcome = await link.publish(CALIBRATE_ROOMS_TOPIC, "PRESS")
        if not outcome.ok:
            raise BadInput(f"the hubs could not be asked: {outcome.error}")
        patience_seconds = _BEGIN_SECONDS
        while True:
            try:
                async with asyncio.timeout(patience_seconds):
                    message = await told.messages.get()
            except TimeoutError:
                raise BadInput(
                    "no hub at this broker gives its music to others; set playback.together in hub.yaml"
                    if patience_seconds == _BEGIN_SECONDS
                    else "the hub that serves has begun and tells nothing more; see roomwise status there"
                ) from None
            patience_seconds = _TURN_SECONDS
            event = _event(message.payload)
            if event is not None:
                yield event
                if event["type"] == "done":
                    return


def _event(payload: str) -> dict[str, Json] | None:
    """Return an event of a hub; None for what is none, as anybody at the broker may say."""
    try:
        event = jsonlib.loads(payload)
    except ValueError:
        return None
    return event if isinstance(event, dict) and {"type", "ts"} <= event.keys() else None


def _words(event: dict[str, Json]) -> str:
    offset, sigma, metres = (
        float(value) if isinstance(value := event[name], int | float) else 0.0
        for name in ("offset_us", "sigma_us", "distance_metres")
    )
    when = "late" if offset > 0 else "early"
    return (
        f"{event['hub']}: was {abs(offset):.0f} us {when} (give or take {sigma:.0f}), "
        f"{metres:.2f} m away; it plays by that from now on"
    )
