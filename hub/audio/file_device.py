"""A recording as a sound device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hub.audio.device import AudioFormat, Captured
from hub.audio.sound_file import read_blocks, sound_file_info
from hub.errors import BadInput
from sensing.audio_block import Block


class _FileStream:
    """The recording being read; what is written to it is heard by nobody."""

    def __init__(
        self, audio_format: AudioFormat, capture: Iterator[Block], reference: Iterator[Block]
    ) -> None:
        self.format = audio_format
        self._capture = capture
        self._reference = reference
        self._first_frame = 0

    def read(self) -> Captured | None:
        """Return the next block; the last may be shorter."""
        capture = next(self._capture, None)
        if capture is None:
            return None
        frames = capture.shape[1]
        reference = np.zeros((self.format.speakers, frames), np.float32)
        played = next(self._reference, None)
        if played is not None:
            length = min(frames, played.shape[1])
            reference[:, :length] = played[:, :length]
        first_frame, self._first_frame = self._first_frame, self._first_frame + frames
        return Captured(first_frame=first_frame, capture=capture, reference=reference)

    def write(self, block: Block) -> None:
        """Discard the block: a recording cannot hear it."""

    def close(self) -> None:
        """Stop reading."""
        self._capture = self._reference = iter(())


class FileDevice:
    """Plays a sound file into the microphones, at the file's own rate and channels."""

    def __init__(self, path: Path, reference_path: Path | None = None, block_seconds: float = 0.01) -> None:
        self.name = path.name
        self._path = path
        self._reference_path = reference_path
        self._block_seconds = block_seconds

    def open(self) -> _FileStream:
        """Open the recording.

        Raises
        ------
        hub.errors.BadInput
            A file cannot be read, or the reference has another rate.
        """
        info = sound_file_info(self._path)
        block_frames = max(1, round(info.rate_hz * self._block_seconds))
        speakers = 1
        reference: Iterator[Block] = iter(())
        if self._reference_path is not None:
            played = sound_file_info(self._reference_path)
            if played.rate_hz != info.rate_hz:
                raise BadInput(
                    f"{self._reference_path}: has {played.rate_hz} Hz but {self._path.name} has "
                    f"{info.rate_hz} Hz; give a reference at the recording's rate"
                )
            speakers = played.channels
            reference = read_blocks(self._reference_path, block_frames)
        audio_format = AudioFormat(
            rate_hz=info.rate_hz, microphones=info.channels, speakers=speakers, block_frames=block_frames
        )
        return _FileStream(audio_format, read_blocks(self._path, block_frames), reference)
