"""Chunks of a Snapcast stream become samples."""

from __future__ import annotations

import io
import struct

import numpy as np
import soundfile

from hub.audio.sound_file import OneWayFile
from integrations.snapcast.wire import Misunderstood
from sensing.audio_block import Block

_RATES_HZ = (8_000, 192_000)
_WIDTHS_BYTES = (2, 4)
_MOST_CHANNELS = 8
_MOST_CHUNK_FRAMES = 65_536
"""The header does not know how many there are; snapserver sends 4 608 at most."""
_HINT = "Set codec = flac or pcm in the server's settings"


class StreamDecoder:
    """Decode PCM of 16 or 32 bits, or FLAC.

    Parameters
    ----------
    codec : str
        As the server names it.
    header : bytes
        What a file of this codec begins with.

    Attributes
    ----------
    rate_hz, channels : int

    Raises
    ------
    Misunderstood
        Another codec, or a header that says nothing possible.
    """

    def __init__(self, codec: str, header: bytes) -> None:
        self._codec = codec
        self._header = header
        match codec:
            case "pcm":
                self.channels, self.rate_hz, self._width_bytes = _wave_format(header)
            case "flac":
                self.channels, self.rate_hz = _flac_format(header)
            case _:
                raise Misunderstood(f"the stream is {codec[:20]}, which is not decoded here. {_HINT}")
        if not _RATES_HZ[0] <= self.rate_hz <= _RATES_HZ[1] or not 1 <= self.channels <= _MOST_CHANNELS:
            raise Misunderstood(f"a stream of {self.channels} channels at {self.rate_hz} Hz")

    def decode(self, sound: bytes) -> Block:
        """Return the samples of a chunk, shape ``(channels, frames)``.

        Raises
        ------
        Misunderstood
            It is damaged.
        """
        if self._codec == "pcm":
            frames = len(sound) // (self._width_bytes * self.channels)
            kind = np.dtype(f"<i{self._width_bytes}")
            whole = np.frombuffer(sound, kind, count=frames * self.channels).reshape(frames, self.channels)
            return np.ascontiguousarray(whole.T / -float(np.iinfo(kind).min), np.float32)
        try:
            # every chunk is whole FLAC frames: behind the header it is a file of its own
            with OneWayFile(io.BytesIO(self._header + sound)) as file:
                samples = file.read(_MOST_CHUNK_FRAMES, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise Misunderstood(f"a chunk of {len(sound)} bytes is not FLAC ({error})") from None
        return np.ascontiguousarray(samples.T)


def _wave_format(header: bytes) -> tuple[int, int, int]:
    """Return channels, rate and bytes of a sample (https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE)."""
    place = header.find(b"fmt ")
    try:
        kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", header, place + 8)
    except struct.error:
        raise Misunderstood("a PCM stream without a format") from None
    if place < 0 or kind != 1 or bits // 8 not in _WIDTHS_BYTES:
        raise Misunderstood(f"PCM of kind {kind} with {bits} bits; 16 or 32 are decoded here. {_HINT}")
    return channels, rate_hz, bits // 8


def _flac_format(header: bytes) -> tuple[int, int]:
    """Return channels and rate from the first metadata block (RFC 9639, section 8.2)."""
    if header[:4] != b"fLaC" or len(header) < 42:
        raise Misunderstood("a FLAC stream without its header")
    packed = int.from_bytes(header[18:26], "big")
    return (packed >> 41 & 7) + 1, packed >> 44
