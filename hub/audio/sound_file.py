"""Read sound files, and say what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from hub.errors import BadInput
from sensing.audio_block import AudioBlock, Block


class OneWayFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is not typed
    """A sound that is read on without going back.

    soundfile seeks to where it is after each read of a file that can. In a stream, and in a piece from the
    middle of one, that place is not found.
    """

    def seekable(self) -> bool:
        """Return that it is not."""
        return False


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
    _refuse_cut_file(path)
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


def _refuse_cut_file(path: Path) -> None:
    """Refuse a file whose header promises more bytes than there are; libsndfile would read on silently."""
    with path.open("rb") as file:
        promised = _promised_bytes(file.read(28))
    missing = promised - path.stat().st_size
    if missing > 0:
        raise BadInput(f"{path}: the file is cut, {missing} bytes are missing at its end; copy it again")


def _promised_bytes(header: bytes) -> int:
    """Return how long a WAV, RF64, W64, AIFF or AU file says it is, 0 where it does not say.

    Sizes of 0 and 2^32 - 1 are what programs write that stream without knowing the length.
    """
    match header[:4], header[8:12]:
        case b"RIFF", b"WAVE":
            size, extra = int.from_bytes(header[4:8], "little"), 8
        case b"FORM", b"AIFF" | b"AIFC":
            size, extra = int.from_bytes(header[4:8], "big"), 8
        case b"RF64", b"WAVE":
            size, extra = int.from_bytes(header[20:28], "little"), 8
        case b"riff", _:
            size, extra = int.from_bytes(header[16:24], "little"), 0
        case b".snd", _:
            size, extra = int.from_bytes(header[8:12], "big"), int.from_bytes(header[4:8], "big")
        case _:
            return 0
    return 0 if size in (0, 0xFFFF_FFFF) else size + extra


def read_blocks(path: Path, block_frames: int) -> Iterator[Block]:
    """Yield the file as blocks of shape ``(channels, <= block_frames)``; the last may be shorter.

    Raises
    ------
    BadInput
        The file cannot be opened, breaks off in the middle, or holds something that is no number.
    """
    sound_file_info(path)
    with soundfile.SoundFile(str(path)) as file:
        while True:
            try:
                samples = file.read(block_frames, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise BadInput(
                    f"{path}: breaks off at frame {file.tell()}; the file is cut or damaged, copy it again"
                ) from error
            if len(samples) == 0:
                return
            if not np.isfinite(samples).all():
                frame = file.tell() - len(samples) + int(np.argmin(np.isfinite(samples).all(axis=1)))
                raise BadInput(
                    f"{path}: frame {frame} is not a number; the recording is damaged, make it again"
                )
            yield np.ascontiguousarray(samples.T)


def blocks_of(capture: Block, rate_hz: int) -> Iterator[AudioBlock]:
    """Yield a recording in blocks of 10 ms, as a sound card would; of what was played nothing is known."""
    step = rate_hz // 100
    for first in range(0, capture.shape[1], step):
        piece = capture[:, first : first + step]
        yield AudioBlock(first_frame=first, rate_hz=rate_hz, capture=piece, reference=piece[:0])


def read_all(path: Path) -> tuple[Block, int]:
    """Return the whole file, shape ``(channels, frames)``, and its rate in Hz."""
    info = sound_file_info(path)
    return np.concatenate(list(read_blocks(path, 1 << 16)), axis=1), info.rate_hz
