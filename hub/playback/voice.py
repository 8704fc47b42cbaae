"""The seam for voices, and the voice of the house: the wanted one, with espeak-ng to fall back on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog

from hub.errors import Degraded
from hub.playback.spoken_cache import SpokenCache
from hub.playback.text_to_speech import speak
from sensing.audio_block import Block

log = structlog.get_logger("voice")


class Voice(Protocol):
    """Makes speech of a text."""

    name: str
    """As in ``speech.voice`` of hub.yaml."""

    async def speak(self, text: str) -> Block:
        """Return speech at the mixer's rate, shape ``(1 or 2, frames)``, full scale +-1.

        Raises
        ------
        Degraded
            It cannot speak now; the hint says what to do.
        """


class EspeakVoice:
    """espeak-ng in this process: always there, and quick."""

    name = "espeak"

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz

    async def speak(self, text: str) -> Block:
        """Return speech from a worker thread."""
        return await asyncio.to_thread(speak, text, self._rate_hz)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceState:
    """Which voice speaks; ``why`` and ``hint`` where it is not the wanted one."""

    wanted: str
    speaks: str
    why: str = ""
    hint: str = ""


class HouseVoice:
    """Speak with the wanted voice, and with the spare one while that cannot: each sentence is said.

    Parameters
    ----------
    wanted, spare : Voice
        The spare one needs nothing but this process.
    cache : SpokenCache
        Keeps what the wanted voice said; what the spare voice said is not kept.
    """

    def __init__(self, wanted: Voice, *, spare: Voice, cache: SpokenCache) -> None:
        self._wanted = wanted
        self._spare = spare
        self._cache = cache
        self.name = wanted.name
        self.state = VoiceState(wanted=wanted.name, speaks=wanted.name)

    async def speak(self, text: str) -> Block:
        """Return speech by whichever voice can.

        Raises
        ------
        Degraded
            Not even the spare voice can say this.
        """
        said = self._cache.get(text)
        if said is not None:
            return said
        try:
            said = await self._wanted.speak(text)
        except Degraded as error:
            self._note(VoiceState(wanted=self.name, speaks=self._spare.name, why=error.what, hint=error.hint))
            return await self._spare.speak(text)
        self._note(VoiceState(wanted=self.name, speaks=self.name))
        self._cache.put(text, said)
        return said

    def _note(self, state: VoiceState) -> None:
        """Log once that another voice speaks, and once that it is the wanted one again."""
        before, self.state = self.state, state
        if state == before:
            return
        if state.why:
            log.warning(
                f"{state.wanted} cannot speak, so {state.speaks} does", why=state.why, hint=state.hint
            )
        else:
            log.info(f"{state.wanted} speaks again")
