"""Rooms that play in step listen for each other: one hub leads, the others take part one by one."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import ValidationError

from hub.bus import Bus, Subscription
from hub.chirp_booth import ChirpBooth
from hub.clock import Clock
from hub.config.playback_config import TogetherConfig
from hub.pair_results import PairResults
from hub.requests import fresh, requests_to
from hub.sync.acoustic_offset import AcousticOffset, Arrivals, Unsure
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.pair_messages import Abort, PairMessage, Placement, Propose, read_message
from hub.sync.pair_partner import PartnerSession
from hub.sync.pair_session import Action, Arm, Done, Failed, LeadSession, Outcome, Send, Suspected
from hub.together import Part, Serving
from integrations.mqtt.together_discovery import together_discovery, together_discovery_topic
from integrations.mqtt.topics import CALIBRATE_ROOMS_TOPIC, pair_topic
from routines.ports import MessageLink, MessageReceived

_LOOK_SECONDS = 1.0
_TICK_SECONDS = 0.25
_FIRST_SECONDS = 60.0
"""From the start until the first calibration by itself: clocks have settled then."""
_WAITING_EVENTS = 16

log = structlog.get_logger("calibration of rooms")


class _Tick:
    """Time has passed."""


_Event = PairMessage | Arrivals | Unsure | _Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    """A session that goes on; ``ahead_seconds`` is what the common clock shows more than ours."""

    session: LeadSession | PartnerSession
    name: str
    other: str
    ahead_seconds: float = 0.0
    inbox: asyncio.Queue[_Event] = field(default_factory=lambda: asyncio.Queue(_WAITING_EVENTS))


class PairCalibration:
    """The service that leads calibrations, or takes part.

    A hub that serves leads, and its trim stays as it is; a hub that follows takes part, and its trim changes.
    What is asked for while one goes on is done after it.

    Parameters
    ----------
    hub : str
        This hub's own name at the broker.
    draw : callable
        Returns the name of a new session.
    """

    name = "calibration of rooms"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        settings: TogetherConfig,
        booth: ChirpBooth,
        part: Part,
        results: PairResults,
        *,
        hub: str,
        room: str,
        messages: MessageLink,
        bus: Bus,
        clock: Clock,
        draw: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._every_minutes = settings.calibrate_every_minutes
        self._place = Placement(
            towards_metres=settings.towards_metres, own_path_metres=settings.own_path_metres
        )
        self._booth = booth
        self._part = part
        self._results = results
        self._hub, self._room = hub, room
        self._messages, self._bus, self._clock = messages, bus, clock
        self._draw = draw
        self._plan = ChirpPlan()
        self._talk: _Talk | None = None
        self._next_proposal: Propose | None = None
        self._is_asked = False

    async def run(self, ready: Callable[[], None]) -> None:
        """Put the remembered trim in force, then lead or take part until cancelled."""
        with requests_to(self.name, self._bus) as requests:
            await self._results.recall()
            await self._describe()
            ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._obey(requests, tasks))
                if isinstance(self._part, Serving):
                    tasks.create_task(self._lead_when_due(self._part))

    async def _obey(self, requests: Subscription[MessageReceived], tasks: asyncio.TaskGroup) -> None:
        mine = pair_topic(self._hub)
        async for request in fresh(requests):
            if request.topic == CALIBRATE_ROOMS_TOPIC:
                self._is_asked = True
            elif request.topic == mine:
                try:
                    message = read_message(request.payload)
                except ValidationError as error:
                    log.warning("a message cannot be read", problems=error.error_count())
                    continue
                await self._take(message, tasks)

    async def _take(self, message: PairMessage, tasks: asyncio.TaskGroup) -> None:
        """Hand a message to the session that it is for, or begin one."""
        talk = self._talk
        if talk is not None and message.sender == talk.other:
            if isinstance(message, Propose) and message.session != talk.name:
                # whoever leads begins anew, so what goes on is over for it
                self._next_proposal = message
                message = Abort(session=talk.name, sender=talk.other, why="it has begun anew")
            if not talk.inbox.full():
                talk.inbox.put_nowait(message)
        elif isinstance(message, Propose):
            common, own = self._part.common_seconds(), self._clock.monotonic()
            now = own if common is None else common
            session = PartnerSession(
                message, me=self._hub, place=self._place, trim_seconds=self._results.trim_seconds
            )
            actions = session.begin(now, why_not=self._why_not(message.plan.plan()))
            if _outcome(actions) is not None:
                await self._send_all(actions, message.sender)
                return
            self._talk = _Talk(
                session=session, name=message.session, other=message.sender, ahead_seconds=now - own
            )
            tasks.create_task(self._take_part(self._talk, actions, tasks))

    def _why_not(self, plan: ChirpPlan) -> str | None:
        if self._talk is not None:
            return "it is calibrating already"
        if isinstance(self._part, Serving):
            return "it gives its own music, and follows nobody"
        return self._booth.why_not(plan)

    async def _take_part(self, talk: _Talk, actions: list[Action], tasks: asyncio.TaskGroup) -> None:
        outcome = await self._hold(talk, actions)
        self._results.learn(talk.other, outcome)
        proposal, self._next_proposal = self._next_proposal, None
        if proposal is not None:
            await self._take(proposal, tasks)
        await self._results.tell(talk.other, outcome)

    async def _lead_when_due(self, serving: Serving) -> None:
        due = self._clock.monotonic() + _FIRST_SECONDS
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _LOOK_SECONDS)
            is_due = self._every_minutes is not None and self._clock.monotonic() >= due
            if self._is_asked or (is_due and serving.is_sounding):
                self._is_asked = False
                hubs = serving.hubs
                await self._results.tell_begin(hubs)
                for hub in hubs:
                    outcome = await self._lead(hub)
                    self._results.learn(hub, outcome)
                    await self._results.tell(hub, outcome)
                await self._results.tell_end(hubs)
                due = self._clock.monotonic() + 60 * (self._every_minutes or 0.0)

    async def _lead(self, hub: str) -> Outcome:
        """Return what was found with a hub, measured again where that is hard to believe."""
        why_not = self._booth.why_not(self._plan)
        if why_not is not None:
            return Failed(why=why_not)
        outcome = await self._measure(hub, None)
        if isinstance(outcome, Suspected):
            outcome = await self._measure(hub, outcome.offset)
        return outcome

    async def _measure(self, hub: str, suspected: AcousticOffset | None) -> Outcome:
        name = self._draw()
        session = LeadSession(
            me=self._hub,
            partner=hub,
            session=name,
            plan=self._plan,
            place=self._place,
            suspected=suspected,
        )
        self._talk = _Talk(session=session, name=name, other=hub)
        return await self._hold(self._talk, session.begin(self._clock.monotonic()))

    async def _hold(self, talk: _Talk, actions: list[Action]) -> Outcome:
        """Go through a session to its end; what it has begun ends with it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                helpers = [tasks.create_task(self._tick(talk))]
                while (outcome := _outcome(actions)) is None:
                    await self._send_all(actions, talk.other)
                    arms = [action for action in actions if isinstance(action, Arm)]
                    helpers += [tasks.create_task(self._perform(arm, talk)) for arm in arms]
                    actions = self._after(await talk.inbox.get(), talk)
                for helper in helpers:
                    helper.cancel()
        finally:
            self._talk = None
        await self._send_all(actions, talk.other)
        return outcome

    def _after(self, event: _Event, talk: _Talk) -> list[Action]:
        now = self._clock.monotonic() + talk.ahead_seconds
        match event:
            case _Tick():
                return talk.session.tick(now)
            case Arrivals() | Unsure():
                return talk.session.hear(event, now)
            case _:
                return talk.session.take(event, now)

    async def _tick(self, talk: _Talk) -> None:
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _TICK_SECONDS)
            await talk.inbox.put(_Tick())

    async def _perform(self, arm: Arm, talk: _Talk) -> None:
        try:
            await talk.inbox.put(await self._booth.perform(arm))
        except Unsure as unsure:
            await talk.inbox.put(unsure)

    async def _send_all(self, actions: list[Action], hub: str) -> None:
        for action in actions:
            if isinstance(action, Send):
                payload = action.message.model_dump_json()
                outcome = await self._messages.publish(pair_topic(hub), payload)
                if not outcome.ok:
                    log.warning("another hub was not reached", hub=hub, why=outcome.error)

    async def _describe(self) -> None:
        if isinstance(self._part, Serving):
            content = json.dumps(together_discovery(self._room))
            await self._messages.publish(together_discovery_topic(self._room), content, retain=True)


def _outcome(actions: list[Action]) -> Outcome | None:
    return next((one.outcome for one in actions if isinstance(one, Done)), None)
