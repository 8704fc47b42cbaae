"""Settle with the other hubs at the broker which of them answers a wake word."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from pydantic import ValidationError

from hub.clock import Clock
from hub.events import Observed
from hub.wake_claim import TOKENS, WakeClaim, best_claim
from integrations.mqtt.topics import hub_of_topic, wake_topic
from routines.facts import Json
from routines.ports import LinkChanged, LinkEvent, MessageLink, MessageReceived, Outbox
from sensing.observations import TranscriptDone, WakeWordHeard

WAIT_SECONDS = 0.2
"""For the claims of others, counted from the wake word; the recogniser hears on meanwhile."""
_SAME_WAKE_SECONDS = 0.5
"""Claims that are no further apart are about the same wake word: hubs notice one within 0.2 s."""
_UNSENT_CLAIMS = 8
_MOST_HUBS = 64

log = structlog.get_logger("settlement")


class Connection(MessageLink, Protocol):
    """A connection to the broker of this service's own: its will tells the others that the hub is gone."""

    async def run(self, ready: Callable[[], None]) -> None:
        """Stay connected until cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    claim: WakeClaim
    at: float
    """On the monotonic clock."""


class Settlement:
    """The service that claims wake words, and knows whether what was said is this hub's to answer.

    Without a broker, or with no other hub at it, everything is answered at once.

    Parameters
    ----------
    connect : callable
        Given where messages go, returns the connection.
    publish_change : callable
        Told whether the connection is up.
    is_asking : callable
        Whether this hub waits for a yes or a no.
    """

    name = "settlement"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        hub: str,
        connect: Callable[[Outbox], Connection],
        publish_change: Callable[[LinkChanged], None],
        is_asking: Callable[[], bool],
        clock: Clock,
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._hub = hub
        self._connection = connect(self)
        self._publish_change = publish_change
        self._is_asking = is_asking
        self._clock = clock
        self._draw = draw
        self._is_up = False
        self._unsent: asyncio.Queue[WakeClaim] = asyncio.Queue(_UNSENT_CLAIMS)
        self._peers: set[str] = set()
        self._received: dict[str, _Received] = {}
        self._own: _Received | None = None
        self._winner: WakeClaim | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Follow the other hubs until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._connection.run(ready), name="connection of the settlement")
                tasks.create_task(self._send_claims(), name="claims")
        finally:
            self._forget_peers()

    async def heeds(self, observed: Observed) -> bool:
        """Return whether this hub acts on an observation: on no command that another hub answers.

        A transcript may have to wait for the claims of the others.
        """
        match observed.observation:
            case WakeWordHeard() as wake:
                self._claim(wake, observed)
            case TranscriptDone(is_answer=False) if self._own is not None:
                return await self._has_won(self._own)
        return True

    async def send(self, event: LinkEvent) -> None:
        """Take in what the broker tells."""
        match event:
            case LinkChanged(up=up, why=why, hint=hint):
                self._is_up = up
                if not up:
                    self._forget_peers()
                self._publish_change(LinkChanged(link=self.name, up=up, why=why, hint=hint))
            case MessageReceived(topic=topic, payload=payload, retained=retained):
                hub = hub_of_topic(topic)
                if hub is None or hub == self._hub:
                    return
                if not topic.endswith("/wake"):
                    self._note_peer(hub, is_there=payload == "online")
                elif not retained:
                    self._take(hub, payload)

    def state(self) -> dict[str, Json]:
        """Return for ``roomwise status`` who else is there, and who answered last."""
        winner = self._winner
        answered: Json = None if winner is None else {"hub": winner.hub, "room": winner.room}
        return {"hub": self._hub, "others": list[Json](sorted(self._peers)), "answered_last": answered}

    def _claim(self, wake: WakeWordHeard, observed: Observed) -> None:
        """Tell the others how well the wake word was heard, whether or not anybody is known to be there."""
        level_db = wake.speech_to_noise_db
        claim = WakeClaim(
            hub=self._hub,
            room=observed.room,
            phrase=wake.phrase,
            is_asking=self._is_asking(),
            speech_to_noise_db=None if level_db is None else round(min(max(level_db, 0.0), 200.0), 1),
            score=min(max(wake.score, 0.0), 1.0),
            token=self._draw(TOKENS),
            at=observed.at.isoformat(timespec="milliseconds"),
        )
        late_seconds = (self._clock.now() - observed.at).total_seconds()
        at = self._clock.monotonic() - min(max(late_seconds, 0.0), WAIT_SECONDS)
        self._own = _Received(claim=claim, at=at)
        if self._is_up and not self._unsent.full():
            self._unsent.put_nowait(claim)

    async def _send_claims(self) -> None:
        while True:
            claim = await self._unsent.get()
            # at most once: a claim that comes late is worth nothing
            outcome = await self._connection.publish(wake_topic(self._hub), claim.model_dump_json(), qos=0)
            if not outcome.ok:
                log.warning("the other hubs were not told of a wake word", why=outcome.error)

    async def _has_won(self, own: _Received) -> bool:
        if self._is_up and self._peers:
            await self._clock.sleep_until(own.at + WAIT_SECONDS)
        others = [
            one.claim
            for one in self._received.values()
            if one.claim.phrase == own.claim.phrase and abs(one.at - own.at) <= _SAME_WAKE_SECONDS
        ]
        winner = best_claim([own.claim, *others])
        self._winner = winner
        if winner is own.claim:
            return True
        log.info("another hub answers", hub=winner.hub, room=winner.room, claims=1 + len(others))
        return False

    def _take(self, hub: str, payload: str) -> None:
        try:
            claim = WakeClaim.model_validate_json(payload)
        except ValidationError as error:
            log.warning("a claim cannot be read", hub=hub[:100], problems=error.error_count())
            return
        now = self._clock.monotonic()
        self._received = {
            one: kept for one, kept in self._received.items() if now - kept.at <= 2 * _SAME_WAKE_SECONDS
        }
        if claim.hub == hub and (hub in self._received or len(self._received) < _MOST_HUBS):
            self._received[hub] = _Received(claim=claim, at=now)

    def _note_peer(self, hub: str, *, is_there: bool) -> None:
        if not is_there:
            self._peers.discard(hub)
        elif len(self._peers) < _MOST_HUBS:
            self._peers.add(hub)

    def _forget_peers(self) -> None:
        self._is_up = False
        self._peers.clear()
        self._received.clear()
