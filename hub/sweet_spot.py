"""Where spatial sound is aimed: at who talked to the house last, or where somebody has set it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import structlog
from pydantic import Field, TypeAdapter, ValidationError

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.config.hub_config import HomeConfig
from hub.events import Observed
from hub.requests import SWITCH, fresh, requests_to
from hub.spatial.renderer import SpatialRenderer
from hub.spatial.steered_filters import WIDEST_DEGREES, SteeredFilters
from hub.whole_file import write_whole
from integrations.mqtt.discovery import spatial_discovery, spatial_discovery_topic
from integrations.mqtt.topics import spatial_request_topic, spatial_state_topic
from routines.ports import MessageLink, MessageReceived
from sensing.observations import TalkerLocated
from sensing.speech.talker_direction import SURE

Source = Literal["ahead", "config", "hand", "talker"]

_BESIDE_DEGREES = 90.0
"""Who talks from behind the loudspeaker is not served by any filters."""
_AZIMUTH: TypeAdapter[float] = TypeAdapter(
    Annotated[float, Field(ge=-WIDEST_DEGREES, le=WIDEST_DEGREES, allow_inf_nan=False)]
)

log = structlog.get_logger("sweet spot")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialState:
    """What spatial sound does.

    Attributes
    ----------
    on : bool
        False while plain stereo plays.
    azimuth_degrees : float
        Where it is aimed, seen from the device: -30 to 30, positive to the listener's right.
    source : str
        Who said so; ``ahead`` where nobody has.
    """

    on: bool
    azimuth_degrees: float
    source: Source


_STATE = TypeAdapter(SpatialState)


def saved_spot(path: Path) -> SpatialState | None:
    """Return what was remembered last, None where nothing was, or where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        saved = _STATE.validate_python({key: content[key] for key in ("on", "azimuth_degrees", "source")})
        _AZIMUTH.validate_python(saved.azimuth_degrees)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = str(error).splitlines()[0]
        log.warning("the remembered sweet spot is damaged and is left out", path=str(path), why=why)
        return None
    return saved


class SweetSpot:
    """Aim the renderer, tell where it is aimed, and carry out requests.

    The switch and a direction that somebody has set or talked from are remembered over a restart.

    Parameters
    ----------
    design : callable
        Returns the filters for all directions; called once, on a thread.
    azimuth_degrees : float or None
        Where to aim at first, from the configuration; None for straight ahead.
    path : Path
        Where they are remembered.

    Attributes
    ----------
    state : SpatialState
        What is in force, or will be once the filters are designed.
    """

    name = "sweet spot"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        renderer: SpatialRenderer,
        design: Callable[[], SteeredFilters],
        azimuth_degrees: float | None,
        path: Path,
        messages: MessageLink,
        bus: Bus,
        clock: Clock,
        home: HomeConfig,
    ) -> None:
        self._renderer = renderer
        self._design = design
        self._path = path
        self._messages = messages
        self._bus = bus
        self._clock = clock
        self._home = home
        self._steered: SteeredFilters | None = None
        self._request_topics = {
            spatial_request_topic(home.room, "switch"): self._switch,
            spatial_request_topic(home.room, "azimuth"): self._set,
        }
        self.state = SpatialState(
            on=not renderer.is_bypassed,
            azimuth_degrees=azimuth_degrees or 0.0,
            source="ahead" if azimuth_degrees is None else "config",
        )
        self._kept = self.state

    async def run(self, ready: Callable[[], None]) -> None:
        """Be as remembered, design the filters, then aim as people talk and ask, until cancelled."""
        self._recall(await asyncio.to_thread(saved_spot, self._path))
        talkers: Subscription[Observed] = self._bus.subscribe(
            Observed, room=256, overflow=Overflow.DROP_OLDEST, name=self.name
        )
        with talkers, requests_to("requests to spatial sound", self._bus) as requests:
            await self._describe()
            await self._tell()
            ready()
            if self._steered is None:
                self._steered = await asyncio.to_thread(self._design)
            if self.state.source != "ahead":  # straight ahead the first filters know the place better
                self._aim(self._steered)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(talkers, self._steered))
                tasks.create_task(self._obey(requests, self._steered))

    def _recall(self, saved: SpatialState | None) -> None:
        """Put the switch in force, and a direction that is not just that of an older hub.yaml."""
        if saved is None:
            return
        self._renderer.bypass(on=not saved.on)
        self.state = replace(self.state, on=saved.on)
        if saved.source in ("hand", "talker"):
            self.state = saved
        self._kept = self.state

    async def _follow(self, talkers: Subscription[Observed], steered: SteeredFilters) -> None:
        async for event in talkers:
            match event.observation:
                case TalkerLocated(azimuth_degrees=azimuth, confidence=confidence) if (
                    confidence >= SURE and abs(azimuth) <= _BESIDE_DEGREES
                ):
                    aimed = max(-WIDEST_DEGREES, min(WIDEST_DEGREES, azimuth))
                    self.state = replace(self.state, azimuth_degrees=round(aimed, 1), source="talker")
                    self._aim(steered)
                    await self._keep()
                    await self._tell()

    async def _obey(self, requests: Subscription[MessageReceived], steered: SteeredFilters) -> None:
        async for request in fresh(requests):
            act = self._request_topics.get(request.topic)
            if act is None:
                continue
            try:
                act(request.payload.strip(), steered)
            except (ValidationError, KeyError):
                words = request.payload[:100]
                log.warning("a request is not understood", topic=request.topic, words=words)
            await self._keep()
            await self._tell()

    def _switch(self, words: str, _steered: SteeredFilters) -> None:
        is_on = SWITCH[words.lower()]
        self._renderer.bypass(on=not is_on)
        self.state = replace(self.state, on=is_on)

    def _set(self, words: str, steered: SteeredFilters) -> None:
        azimuth = _AZIMUTH.validate_python(words)
        self.state = replace(self.state, azimuth_degrees=azimuth, source="hand")
        self._aim(steered)

    def _aim(self, steered: SteeredFilters) -> None:
        self._renderer.set_filters(steered.towards(self.state.azimuth_degrees))

    async def _keep(self) -> None:
        """Write what has changed."""
        if self.state == self._kept:
            return
        self._kept = self.state
        try:
            content = json.dumps({"v": 1, **asdict(self.state)})
            await asyncio.to_thread(write_whole, self._path, content)
        except OSError as error:
            log.error("the sweet spot is not remembered", path=str(self._path), why=str(error))

    async def _describe(self) -> None:
        content = json.dumps(spatial_discovery(self._home.room, self._home.name))
        await self._messages.publish(spatial_discovery_topic(self._home.room), content, retain=True)

    async def _tell(self) -> None:
        content = {
            "v": 1,
            "ts": self._clock.now().isoformat(),
            "on": self.state.on,
            "azimuth_degrees": self.state.azimuth_degrees,
            "source": self.state.source,
        }
        await self._messages.publish(spatial_state_topic(self._home.room), json.dumps(content), retain=True)
