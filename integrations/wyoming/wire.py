"""Events of the Wyoming protocol as they arrive: read with limits, and checked.

The wyoming package reads any length that a peer names, and takes what it cannot read for the end of the
stream. We neither trust the length nor hide the fault.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from wyoming.event import Event

MOST_LINE_BYTES = 65_536
"""Limit of a stream's reader, and so of the line that begins an event."""
_MOST_DATA_BYTES = 262_144
_MOST_SOUND_BYTES = 1_048_576
_RATES_HZ, _WIDTHS_BYTES, _CHANNELS = (4_000, 192_000), (1, 4), (1, 8)


class Misunderstood(Exception):
    """The other side sent something that cannot be read, or said that it cannot; what, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFormat:
    """How sound is written: signed little-endian integers (of one byte: unsigned), channels interleaved."""

    rate_hz: int
    width_bytes: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one instant."""
        return self.width_bytes * self.channels


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """Return the next event, None where the stream ends between two.

    Raises
    ------
    Misunderstood
        It is no event, larger than we take, or ends in the middle.
    """
    try:
        line = await reader.readline()
    except ValueError:
        raise Misunderstood(f"a line of more than {MOST_LINE_BYTES} bytes") from None
    if not line:
        return None
    header = _mapping(line)
    kind = header.get("type")
    if not isinstance(kind, str):
        raise Misunderstood("an event without a type")
    data = header.get("data") or {}
    if not isinstance(data, dict):
        raise Misunderstood(f"{kind}: data that is not a mapping")
    more = await _bytes(reader, header, "data_length", _MOST_DATA_BYTES)
    if more:
        data = {**data, **_mapping(more)}
    payload = await _bytes(reader, header, "payload_length", _MOST_SOUND_BYTES)
    return Event(type=kind, data=data, payload=payload or None)


def sound_format(event: Event) -> SoundFormat:
    """Return the format that an event of sound names.

    Raises
    ------
    Misunderstood
        A number is missing or is not one that sound has.
    """
    return SoundFormat(
        rate_hz=_number(event, "rate", _RATES_HZ),
        width_bytes=_number(event, "width", _WIDTHS_BYTES),
        channels=_number(event, "channels", _CHANNELS),
    )


def text_of(event: Event, key: str) -> str:
    """Return a text of an event, empty where it is missing.

    Raises
    ------
    Misunderstood
        It is something else than text.
    """
    text = event.data.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise Misunderstood(f"{event.type}: {key} is not text")
    return text


def _number(event: Event, key: str, limits: tuple[int, int]) -> int:
    number = event.data.get(key)
    if not isinstance(number, int) or not limits[0] <= number <= limits[1]:
        raise Misunderstood(f"{event.type}: {key} is {number!r}, not {limits[0]} to {limits[1]}")
    return number


def _mapping(text: bytes) -> Mapping[str, object]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Misunderstood("a line that is not JSON") from None
    if not isinstance(content, dict):
        raise Misunderstood("a line that is not a mapping")
    return content


async def _bytes(
    reader: asyncio.StreamReader, header: Mapping[str, object], key: str, most_bytes: int
) -> bytes:
    """Return the bytes whose length the header names."""
    length = header.get(key) or 0
    if not isinstance(length, int) or not 0 <= length <= most_bytes:
        raise Misunderstood(f"{key} is {length!r}, not 0 to {most_bytes}")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise Misunderstood("an event that ends in the middle") from None
