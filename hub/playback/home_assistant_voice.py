"""Speak with a voice of Home Assistant, on this hub's own loudspeakers."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hub.errors import BadInput, Degraded
from hub.playback.decoder import load_sound
from integrations.home_assistant.speech import HomeAssistantSpeech, NotSpoken
from sensing.audio_block import Block

_HINT = "Check speech.voice_entity and home_assistant in hub.yaml; it is tried again with the next sentence."


class HomeAssistantVoice:
    """Fetches sentences from Home Assistant and makes them fit the mixer."""

    name = "home_assistant"

    def __init__(self, speech: HomeAssistantSpeech, rate_hz: int) -> None:
        self._speech = speech
        self._rate_hz = rate_hz

    async def speak(self, text: str) -> Block:
        """Return speech, shape ``(2, frames)``.

        Raises
        ------
        Degraded
            Home Assistant does not speak, or not in a format that can be read.
        """
        try:
            content = await self._speech.fetch(text)
            return await asyncio.to_thread(_read, content, self._rate_hz)
        except NotSpoken as error:
            raise Degraded(str(error), hint=_HINT) from error
        except BadInput as error:
            raise Degraded(f"what Home Assistant spoke cannot be read ({error})", hint=_HINT) from error


def _read(content: bytes, rate_hz: int) -> Block:
    with tempfile.NamedTemporaryFile(prefix="roomwise-speech-") as file:
        file.write(content)
        file.flush()
        return load_sound(Path(file.name), rate_hz)
