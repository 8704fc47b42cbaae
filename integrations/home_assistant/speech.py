"""Speech from Home Assistant's text to speech: ask for the address of a sentence, then fetch the sound."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel, ValidationError

_ASK = "/api/tts_get_url"
_SOUNDS = "/api/tts_proxy/"
_LIMIT_SECONDS = 20.0
"""A cloud voice takes a second or two, a local one on a slow machine longer."""
_MOST_BYTES = 16_000_000


class NotSpoken(Exception):
    """Home Assistant did not speak; the message says why, and what to do."""


class _Answer(BaseModel):
    """Where the sound is; ``url`` would lead through an address that this hub may not reach."""

    path: str


class HomeAssistantSpeech:
    """Fetches spoken sentences.

    Parameters
    ----------
    url, token : str
        As for the link to Home Assistant.
    entity_id : str
        The voice, as ``tts.piper``.
    """

    def __init__(
        self, *, url: str, token: str, entity_id: str, limit_seconds: float = _LIMIT_SECONDS
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._entity_id = entity_id
        self._limit = aiohttp.ClientTimeout(total=limit_seconds)

    async def fetch(self, text: str) -> bytes:
        """Return a sentence as a sound file; MP3, WAV, FLAC or Ogg, as the voice makes it.

        Raises
        ------
        NotSpoken
            Home Assistant is not reachable, refused, or answered what is no sound.
        """
        try:
            async with aiohttp.ClientSession(headers=self._headers, timeout=self._limit) as session:
                path = await self._ask(session, text)
                async with session.get(self._url + path, allow_redirects=False) as response:
                    if response.status != 200:
                        raise NotSpoken(f"{self._entity_id} answered with status {response.status}")
                    return await _limited(response)
        except TimeoutError as error:
            raise NotSpoken(f"{self._entity_id} did not speak in time") from error
        except aiohttp.ClientError as error:
            raise NotSpoken(f"Home Assistant at {self._url} cannot be asked to speak ({error})") from error

    async def _ask(self, session: aiohttp.ClientSession, text: str) -> str:
        """Return the path of the sound on Home Assistant."""
        wanted = {"engine_id": self._entity_id, "message": text}
        async with session.post(self._url + _ASK, json=wanted, allow_redirects=False) as response:
            if response.status == 401:
                raise NotSpoken("Home Assistant refused the access token")
            content = await _limited(response)
            if response.status != 200:
                raise NotSpoken(
                    f"Home Assistant refused to speak with {self._entity_id} (status {response.status}); "
                    "it has to be there as an entity"
                )
        try:
            path = _Answer.model_validate_json(content).path
        except ValidationError as error:
            raise NotSpoken(f"Home Assistant's answer has no path for {self._entity_id}") from error
        if not path.startswith(_SOUNDS):  # the token goes only where it belongs
            raise NotSpoken(f"Home Assistant named {path[:80]!r}, which is not below {_SOUNDS}")
        return path


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """Return a body that is not endless."""
    content = bytearray()
    async for piece in response.content.iter_chunked(65_536):
        content += piece
        if len(content) > _MOST_BYTES:
            raise NotSpoken(f"the answer is longer than {_MOST_BYTES} bytes")
    return bytes(content)
