"""Chirp and listen once: the tone and its sensing rest, one microphone is recorded, and numbers come out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from hub.clock import Clock
from hub.pair_recorder import PairRecorder, Recording
from hub.playback.chirping_emitter import REST_AFTER_SECONDS, ChirpingEmitter
from hub.sync.acoustic_offset import Arrivals, Unsure, heard
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.chirp_search import plan_start
from hub.sync.pair_session import Arm
from hub.together import Part

_REST_SECONDS = 0.8
"""So long before the first chirp is heard sensing rests: the chirps are on their way to the card already."""
_RECORD_SECONDS = 0.3
_BEHIND_SECONDS = 0.8
"""So long behind the last chirp is recorded: a sound server hands over late what the microphone has heard."""
_PATIENCE_SECONDS = 2.0


class ChirpBooth:
    """What one hub does for an acoustic calibration.

    Parameters
    ----------
    rest : callable
        Lets sensing rest, or go on.
    why_silent : str or None
        Why this hub may never chirp, as it is set up.
    """

    def __init__(
        self,
        emitter: ChirpingEmitter | None,
        recorder: PairRecorder,
        *,
        part: Part,
        rest: Callable[[bool], None],
        rate_hz: int,
        clock: Clock,
        why_silent: str | None = None,
    ) -> None:
        self._emitter = emitter
        self._recorder = recorder
        self._part = part
        self._rest = rest
        self._rate_hz = rate_hz
        self._clock = clock
        self._why_silent = why_silent

    def why_not(self, plan: ChirpPlan) -> str | None:
        """Return why this hub cannot chirp by a plan now, None if it can."""
        if self._why_silent is not None:
            return self._why_silent
        if plan.high_hz > 0.48 * self._rate_hz:
            return f"chirps up to {plan.high_hz:g} Hz need a higher audio.rate_hz than {self._rate_hz}"
        if self._emitter is None or not self._emitter.is_allowed:
            return "the ultrasonic tone is switched off, and chirps with it"
        if not self._part.is_settled:
            return "its clocks are not known well enough yet; try again in a minute"
        return None

    async def perform(self, arm: Arm) -> Arrivals:
        """Chirp, and return what the microphone has heard of both hubs.

        Raises
        ------
        Unsure
            It has not heard what it should.
        """
        common = self._part.common_seconds()
        if self._emitter is None or common is None:
            raise Unsure("the clock of the other hub is lost. Try again when both play in step")
        begins = self._clock.monotonic() + arm.start_seconds - common
        ends = begins + arm.plan.seconds
        self._emitter.chirp(
            arm.plan,
            device=arm.device,
            start_seconds=arm.start_seconds,
            heard_seconds=self._part.heard_seconds,
        )
        try:
            await self._clock.sleep_until(begins - _REST_SECONDS)
            self._rest(True)
            await self._clock.sleep_until(begins - _RECORD_SECONDS)
            recording = self._record(ends + _BEHIND_SECONDS - begins + _RECORD_SECONDS)
            await self._clock.sleep_until(ends + REST_AFTER_SECONDS)
            self._rest(False)
            await self._wait(recording, ends + _BEHIND_SECONDS + _PATIENCE_SECONDS)
        finally:
            self._emitter.stop_chirps()
            self._recorder.stop()
            self._rest(False)
        if not recording.done():
            raise Unsure("the sound card has delivered too little. See the state of audio")
        samples = recording.result()
        if samples is None:
            raise Unsure("the sound card has lost sound meanwhile. Try again")
        return await asyncio.to_thread(self._heard, samples, arm)

    def _record(self, seconds: float) -> asyncio.Future[Recording | None]:
        loop = asyncio.get_running_loop()
        recording: asyncio.Future[Recording | None] = loop.create_future()

        def take(samples: Recording | None) -> None:
            if not recording.done():
                recording.set_result(samples)

        def post(samples: Recording | None) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(take, samples)

        self._recorder.record(seconds, post)
        return recording

    async def _wait(self, recording: asyncio.Future[Recording | None], until: float) -> None:
        async def give_up() -> Recording | None:
            await self._clock.sleep_until(until)
            return None

        limit = asyncio.ensure_future(give_up())
        try:
            await asyncio.wait([recording, limit], return_when=asyncio.FIRST_COMPLETED)
        finally:
            limit.cancel()

    def _heard(self, samples: Recording, arm: Arm) -> Arrivals:
        start_seconds = plan_start(samples, rate_hz=self._rate_hz, plan=arm.plan)
        return heard(samples, rate_hz=self._rate_hz, plan=arm.plan, start_seconds=start_seconds)
