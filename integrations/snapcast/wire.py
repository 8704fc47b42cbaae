"""Messages of Snapcast's binary protocol, version 2: read with limits, and checked.

Little endian; a head of 26 bytes with type, numbers, two time stamps and the length, then the content.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

_HEAD = struct.Struct("<HHHiiiiI")
_TIME = struct.Struct("<ii")
_LENGTH = struct.Struct("<I")
_MILLION = 1_000_000
_MOST_BYTES = 1_048_576
_WAVE = struct.Struct("<4sI4s4sIHHIIHH4sI")


class Misunderstood(Exception):
    """The other side sent something that cannot be read, or that we cannot play; what, in a few words."""


class Kind(IntEnum):
    """What a message is."""

    CODEC_HEADER = 1
    WIRE_CHUNK = 2
    SERVER_SETTINGS = 3
    TIME = 4
    HELLO = 5
    CLIENT_INFO = 7
    ERROR = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; ``kind`` is not among `Kind` for messages that are newer than this.

    Attributes
    ----------
    sent_us : int
        When it left, by the sender's clock, in microseconds.
    """

    kind: int
    number: int = 0
    refers_to: int = 0
    sent_us: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerSettings:
    """What a server wants of a player.

    Attributes
    ----------
    buffer_seconds : float
        From a chunk's time stamp until it is heard.
    latency_seconds : float
        What the user has told the server of this player's own delay: it plays that much earlier.
    volume : float
        0 to 1.
    """

    buffer_seconds: float
    latency_seconds: float
    volume: float
    is_muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PcmFormat:
    """Signed 16-bit little-endian integers, channels interleaved."""

    rate_hz: int
    channels: int


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """Return the next message, None where the stream ends between two.

    Raises
    ------
    Misunderstood
        It is longer than we take, or ends in the middle.
    """
    try:
        head = await reader.readexactly(_HEAD.size)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Misunderstood("a message that ends in the middle") from None
    kind, number, refers_to, seconds, microseconds, _, _, length = _HEAD.unpack(head)
    if length > _MOST_BYTES:
        raise Misunderstood(f"a message of {length} bytes, {_MOST_BYTES} are taken")
    try:
        content = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise Misunderstood("a message that ends in the middle") from None
    sent_us = seconds * _MILLION + microseconds
    return Message(kind=kind, number=number, refers_to=refers_to, sent_us=sent_us, content=content)


def written(message: Message) -> bytes:
    """Return the bytes of a message."""
    seconds, microseconds = divmod(message.sent_us, _MILLION)
    head = _HEAD.pack(
        message.kind, message.number, message.refers_to, seconds, microseconds, 0, 0, len(message.content)
    )
    return head + message.content


def time_content(microseconds: int) -> bytes:
    """Return a span of time, as a Time message carries it and a chunk its time stamp."""
    return _TIME.pack(*divmod(microseconds, _MILLION))


def time_of(message: Message) -> int:
    """Return the span of a Time message in microseconds."""
    seconds, microseconds = _unpacked(_TIME, message, 0)
    return seconds * _MILLION + microseconds


def chunk_content(at_us: int, sound: bytes) -> bytes:
    """Return a chunk of sound with its time stamp."""
    return time_content(at_us) + _LENGTH.pack(len(sound)) + sound


def chunk_of(message: Message) -> tuple[int, bytes]:
    """Return time stamp in microseconds and encoded sound of a chunk."""
    sound, _ = _counted(message, _TIME.size)
    return time_of(message), sound


def codec_content(codec: str, header: bytes) -> bytes:
    """Return the beginning of a stream: the codec's name and header."""
    name = codec.encode()
    return _LENGTH.pack(len(name)) + name + _LENGTH.pack(len(header)) + header


def codec_of(message: Message) -> tuple[str, bytes]:
    """Return name and header of the codec."""
    name, end = _counted(message, 0)
    header, _ = _counted(message, end)
    return name.decode(errors="replace"), header


def json_content(content: Mapping[str, str | int | bool]) -> bytes:
    """Return a mapping, as Hello and Server Settings carry it."""
    text = json.dumps(content).encode()
    return _LENGTH.pack(len(text)) + text


def settings_of(message: Message) -> PlayerSettings:
    """Return what the server wants.

    Raises
    ------
    Misunderstood
        A number is missing or impossible.
    """
    content = _mapping(message, "settings")
    return PlayerSettings(
        buffer_seconds=_number(content, "bufferMs", 0, 60_000) / 1000,
        latency_seconds=_number(content, "latency", -10_000, 10_000) / 1000,
        volume=_number(content, "volume", 0, 100) / 100,
        is_muted=content.get("muted") is True,
    )


def player_of(message: Message) -> tuple[str, str]:
    """Return name of the program and id that a player says hello with, empty where it says none.

    Raises
    ------
    Misunderstood
        The hello is no mapping.
    """
    content = _mapping(message, "a hello")
    name, player = (content.get(key) for key in ("ClientName", "ID"))
    return name if isinstance(name, str) else "", player if isinstance(player, str) else ""


def error_of(message: Message) -> str:
    """Return what an Error message says."""
    text, _ = _counted(message, _LENGTH.size)
    return text.decode(errors="replace")


def wave_header(form: PcmFormat) -> bytes:
    """Return the RIFF header that begins a stream of PCM, as of a file without end."""
    frame_bytes = 2 * form.channels
    rate = form.rate_hz
    return _WAVE.pack(
        *(b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, form.channels),
        *(rate, rate * frame_bytes, frame_bytes, 16, b"data", 0),
    )


def _mapping(message: Message, what: str) -> Mapping[str, object]:
    text, _ = _counted(message, 0)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Misunderstood(f"{what}: not JSON") from None
    if not isinstance(content, dict):
        raise Misunderstood(f"{what}: not a mapping")
    return content


def _number(content: Mapping[str, object], key: str, least: int, most: int) -> float:
    number = content.get(key)
    if not isinstance(number, int | float) or not least <= number <= most:
        raise Misunderstood(f"settings: {key} is {number!r}, not {least} to {most}")
    return float(number)


def _counted(message: Message, start: int) -> tuple[bytes, int]:
    """Return bytes that follow their number, and where they end."""
    (length,) = _unpacked(_LENGTH, message, start)
    end = start + _LENGTH.size + length
    if end > len(message.content):
        raise Misunderstood(f"message {message.kind} ends before its content does")
    return message.content[start + _LENGTH.size : end], end


def _unpacked(form: struct.Struct, message: Message, start: int) -> tuple[int, ...]:
    try:
        return form.unpack_from(message.content, start)
    except struct.error:
        raise Misunderstood(f"message {message.kind} ends before its content does") from None
