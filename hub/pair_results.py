"""What became of acoustic calibrations: kept, and told over MQTT and in ``roomwise status``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import structlog

from hub.clock import Clock
from hub.pair_memory import PairMemory, PairResult, remember, remembered
from hub.sync.pair_session import Calibrated, Failed, Outcome, Suspected
from hub.together import Part, Serving
from integrations.mqtt.topics import together_event_topic, together_state_topic
from routines.facts import Json
from routines.ports import MessageLink
from sensing.calibration.calibration import Hardware

_MOST_FAILURES = 16

log = structlog.get_logger("calibration of rooms")


class PairResults:
    """The last result with each hub, why the last try failed, and the trim.

    Parameters
    ----------
    part : Part
        What this room does; only one that follows has a trim.
    path : Path
        Where results are kept.
    hardware : Hardware
        The card: a trim is that of a card.
    """

    def __init__(
        self, part: Part, *, path: Path, hardware: Hardware, room: str, messages: MessageLink, clock: Clock
    ) -> None:
        self._part = part
        self._path = path
        self._room = room
        self._messages = messages
        self._clock = clock
        follows = None if isinstance(part, Serving) else part.address
        self._memory = PairMemory(follows=follows, hardware=hardware)
        self._failures: dict[str, dict[str, Json]] = {}

    @property
    def trim_seconds(self) -> float:
        """How much earlier this room plays than its clocks say."""
        return self._memory.trim_seconds

    def state(self) -> dict[str, Json]:
        """Return the trim, and for each hub what was found last and why the last try failed."""
        now = self._clock.now()
        hubs: dict[str, Json] = {}
        for hub in {**self._memory.results, **self._failures}:
            result = self._memory.results.get(hub)
            found: Json = None
            if result is not None:
                age_seconds = round((now - result.at).total_seconds())
                found = {"at": result.at.isoformat(), "age_seconds": age_seconds, **_told(result)}
            hubs[hub] = {"found": found, "failed": self._failures.get(hub)}
        return {"trim_us": _microseconds(self.trim_seconds), "hubs": hubs}

    async def recall(self) -> None:
        """Put in force what is remembered, and tell it."""
        self._memory = await asyncio.to_thread(
            remembered, self._path, follows=self._memory.follows, hardware=self._memory.hardware
        )
        self._put_in_force()
        await self._tell_state()

    def learn(self, hub: str, outcome: Outcome) -> None:
        """Put an outcome in force."""
        match outcome:
            case Calibrated(offset=offset, trim_seconds=trim):
                log.info("calibrated", hub=hub, offset_us=round(offset.offset_seconds * 1e6))
                self._failures.pop(hub, None)
                result = PairResult(
                    at=self._clock.now(),
                    offset_seconds=offset.offset_seconds,
                    sigma_seconds=offset.sigma_seconds,
                    distance_metres=offset.distance_metres,
                    trim_seconds=trim,
                )
                is_own = not isinstance(self._part, Serving)
                self._memory = self._memory.with_result(hub, result, is_own_trim=is_own)
                self._put_in_force()
            case Failed(why=why):
                log.warning("not calibrated", hub=hub, why=why)
                if hub not in self._failures and len(self._failures) >= _MOST_FAILURES:
                    self._failures.pop(next(iter(self._failures)))
                self._failures[hub] = {"at": self._clock.now().isoformat(), "why": why}
            case Suspected():
                pass  # it is measured again

    async def tell(self, hub: str, outcome: Outcome) -> None:
        """Keep an outcome that is in force, and tell it."""
        match outcome:
            case Calibrated():
                await self._keep()
                numbers = _told(self._memory.results[hub])
                await self._tell({"type": "calibrated", "hub": hub, **numbers})
            case Failed(why=why):
                await self._tell({"type": "failed", "hub": hub, "why": why})
            case Suspected():
                pass
        await self._tell_state()

    async def tell_begin(self, hubs: tuple[str, ...]) -> None:
        """Tell which hubs will have their turn."""
        await self._tell({"type": "begun", "hubs": list[Json](hubs)})

    async def tell_end(self, hubs: tuple[str, ...]) -> None:
        """Tell that all hubs have had their turn."""
        await self._tell({"type": "done", "hubs": list[Json](hubs)})

    async def _keep(self) -> None:
        try:
            await asyncio.to_thread(remember, self._path, self._memory)
        except OSError as error:
            log.error("the calibration is not kept", path=str(self._path), why=str(error))

    def _put_in_force(self) -> None:
        if not isinstance(self._part, Serving):
            self._part.trim_seconds = self.trim_seconds

    async def _tell(self, content: dict[str, Json]) -> None:
        """Tell an event, once for both hubs: the one that leads does."""
        if not isinstance(self._part, Serving):
            return
        payload = json.dumps({"v": 1, "ts": self._clock.now().isoformat(), **content})
        await self._messages.publish(together_event_topic(self._room), payload)

    async def _tell_state(self) -> None:
        content = {
            "v": 1,
            "ts": self._clock.now().isoformat(),
            **self._part.state(),
            "calibration": self.state(),
        }
        await self._messages.publish(together_state_topic(self._room), json.dumps(content), retain=True)


def _told(result: PairResult) -> dict[str, Json]:
    return {
        "offset_us": _microseconds(result.offset_seconds),
        "sigma_us": _microseconds(result.sigma_seconds),
        "trim_us": _microseconds(result.trim_seconds),
        "distance_metres": round(result.distance_metres, 2),
    }


def _microseconds(seconds: float) -> float:
    return round(seconds * 1e6, 1)
