"""Read sound files block by block: the one door to soundfile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from hub.errors import BadInput
from sensing.audio_block import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFileInfo:
    """Shape of a sound file."""

    rate_hz: int
    channels: int
    frames: int


def sound_file_info(path: Path) -> SoundFileInfo:
    """Return rate, channels and length of a file.

    Raises
    ------
    BadInput
        The file is missing, empty, cut or not a sound file.
    """
    if not path.is_file():
        raise BadInput(f"{path}: no such file; name a WAV, FLAC, Ogg or Opus file")
    if path.stat().st_size == 0:
        raise BadInput(f"{path}: the file is empty (0 bytes); record it again")
    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip(".")
        raise BadInput(
            f"{path}: cannot be read as sound ({reason}); is it a whole WAV or FLAC file?"
        ) from error
    if info.frames == 0:
        raise BadInput(f"{path}: the file has a header but no sound; it was cut or never written")
    return SoundFileInfo(rate_hz=info.samplerate, channels=info.channels, frames=info.frames)


def read_blocks(path: Path, block_frames: int) -> Iterator[Block]:
    """Yield the file as blocks of shape ``(channels, <= block_frames)``; the last may be shorter.

    Raises
    ------
    BadInput
        The file cannot be opened, or breaks off in the middle.
    """
    sound_file_info(path)
    with soundfile.SoundFile(str(path)) as file:
        while True:
            try:
                samples = file.read(block_frames, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                reason = str(error.error_string).rstrip(".")
                raise BadInput(f"{path}: breaks off at frame {file.tell()} ({reason})") from error
            if len(samples) == 0:
                return
            yield np.ascontiguousarray(samples.T)


def read_all(path: Path) -> tuple[Block, int]:
    """Return the whole file, shape ``(channels, frames)``, and its rate in Hz."""
    info = sound_file_info(path)
    return np.concatenate(list(read_blocks(path, 1 << 16)), axis=1), info.rate_hz
