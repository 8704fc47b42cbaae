"""Sound cards through PortAudio: the one door to sounddevice."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.audio.device import AudioFormat, Captured, CardReport
from hub.audio.jump_watch import JumpWatch
from hub.audio.ring import FrameRing
from hub.errors import Degraded
from sensing.audio_block import Block

_CANDIDATE_RATES_HZ = (48_000, 96_000, 192_000)
_SILENT_CARD_SECONDS = 2.0
_PLAYBACK_AHEAD_SECONDS = 0.1  # a late tick of a loaded machine must be survivable
_CAPTURE_RING_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCard:
    """One sound card and what it can do."""

    name: str
    microphones: int
    speakers: int
    default_rate_hz: int
    rates_hz: tuple[int, ...]


def _load_sounddevice() -> Any:  # sounddevice has no types
    try:
        import sounddevice
    except (OSError, ImportError) as error:
        raise Degraded(
            "PortAudio is not installed", hint="Install it with: sudo apt install libportaudio2"
        ) from error
    return sounddevice


def _look_again(library: Any) -> None:
    """Let PortAudio see cards that came since it was loaded: it looks only once by itself."""
    library._terminate()
    library._initialize()


def sound_cards() -> tuple[SoundCard, ...]:
    """Return every sound card that PortAudio sees.

    Raises
    ------
    Degraded
        PortAudio is missing.
    """
    library = _load_sounddevice()
    return tuple(_describe(library, index, info) for index, info in enumerate(library.query_devices()))


def _describe(library: Any, index: int, info: dict[str, Any]) -> SoundCard:
    speakers, microphones = int(info["max_output_channels"]), int(info["max_input_channels"])
    return SoundCard(
        name=str(info["name"]),
        microphones=microphones,
        speakers=speakers,
        default_rate_hz=round(info["default_samplerate"]),
        rates_hz=tuple(r for r in _CANDIDATE_RATES_HZ if _accepts(library, index, r, speakers, microphones)),
    )


def _accepts(library: Any, index: int, rate_hz: int, speakers: int, microphones: int) -> bool:
    try:
        if speakers:
            library.check_output_settings(device=index, channels=min(2, speakers), samplerate=rate_hz)
        if microphones:
            library.check_input_settings(device=index, channels=1, samplerate=rate_hz)
    except (library.PortAudioError, ValueError):
        return False
    return bool(speakers or microphones)


class _PortAudioStream:
    """The open card; its callback only copies between the driver's buffers and the rings.

    The reference is what the callback handed to the card in the same call in which it got the
    microphone frames. The room's echo is later by the card's constant output and input latency.

    Each frame that is heard asks for one to play, so what is late after an underrun is late for good unless
    it is left out. It is, and what nobody is asked for, because what was heard with it is lost, is silence.
    So each frame is heard when it would have been, or not at all.
    """

    def __init__(
        self, library: Any, name: str | None, audio_format: AudioFormat, latency_seconds: float
    ) -> None:
        self.format = audio_format
        self.is_closed = False
        self.overflows = 0
        self.underruns = 0
        channels = audio_format.microphones + audio_format.speakers
        rate_hz = audio_format.rate_hz
        self._heard = FrameRing(int(_CAPTURE_RING_SECONDS * rate_hz), channels)
        self._to_play = FrameRing(int((latency_seconds + 1.0) * rate_hz), audio_format.speakers)
        # the driver may call for a whole latency at once
        ahead = int((latency_seconds + _PLAYBACK_AHEAD_SECONDS) * rate_hz)
        self._to_play.push(np.zeros((ahead, audio_format.speakers), np.float32))
        self._ahead = ahead
        self._silent = 0
        self._left_out = 0
        self._missed: deque[tuple[int, int]] = deque()
        self._never_asked = 0
        self._reports: deque[CardReport] = deque(maxlen=1)
        self._losses: deque[tuple[int, int]] = deque()
        self._lost_before = 0
        self._unplayed: deque[tuple[int, int]] = deque()
        self._jumps = JumpWatch(rate_hz)
        self._stream = library.Stream(
            device=(name, name),
            samplerate=rate_hz,
            blocksize=audio_format.block_frames,
            channels=(audio_format.microphones, audio_format.speakers),
            dtype="float32",
            latency=latency_seconds,
            callback=self._exchange,
        )
        self._stream.start()

    def _exchange(
        self, indata: NDArray[np.float32], outdata: NDArray[np.float32], frames: int, times: Any, status: Any
    ) -> None:
        first = self._to_play.consumed + self._silent - self._never_asked - self._ahead
        filled = self._to_play.pop_into(outdata)
        if filled < frames:
            outdata[filled:] = 0.0
            self._silent += frames - filled
            self._unplayed.append((self._heard.written, frames - filled))
        if filled < frames or status.output_underflow:
            self.underruns += 1
        jumped = self._jumps.see(frames, times.outputBufferDacTime)
        self._report(first, times.outputBufferDacTime)
        if status.input_overflow or jumped:
            # PortAudio does not say how much was lost; one callback is its smallest loss
            self.overflows += 1
            self._losses.append((self._heard.written, jumped or frames))
        kept = self._heard.push(indata, outdata)
        if kept < frames:
            self._missed.append((self._heard.written, frames - kept))
            self.overflows += 1
            self._losses.append((self._heard.written, frames - kept))

    def _report(self, first: int, plays_at_seconds: float) -> None:
        """Keep when a frame is heard, counted as they are written; a driver that does not know it says 0."""
        if plays_at_seconds > 0:
            # both clocks are read now: how late the callback is does not matter
            ahead_seconds = plays_at_seconds - self._stream.time
            self._reports.append(CardReport(frame=first, heard_at_seconds=time.monotonic() + ahead_seconds))

    def read(self) -> Captured | None:
        """Wait for the next block of the card.

        Raises
        ------
        Degraded
            The card gave nothing for two seconds.
        """
        ring, frames = self._heard, self.format.block_frames
        deadline = time.monotonic() + _SILENT_CARD_SECONDS
        while ring.available < frames:
            if time.monotonic() > deadline or not self._stream.active:
                raise Degraded("The sound card stopped", hint="Check that it is still plugged in")
            time.sleep(0.002)
        lost = _up_to(ring.consumed, self._losses)
        unplayed = _up_to(ring.consumed, self._unplayed)
        self._lost_before += lost
        self._never_asked += _up_to(ring.consumed, self._missed)
        first_frame = ring.consumed + self._lost_before
        both = np.empty((frames, self.format.microphones + self.format.speakers), np.float32)
        ring.pop_into(both)
        channels_first = np.ascontiguousarray(both.T)
        microphones = self.format.microphones
        return Captured(
            first_frame=first_frame,
            capture=channels_first[:microphones],
            reference=channels_first[microphones:],
            lost_frames=lost,
            unplayed_frames=unplayed,
            report=self._reports.pop() if self._reports else None,
        )

    def write(self, block: Block) -> None:
        """Queue the block behind what is already to be played, less what should have been heard before."""
        late = self._silent - self._never_asked - self._left_out
        if late < 0:
            self._left_out -= self._to_play.push(np.zeros((-late, block.shape[0]), np.float32))
        kept = block.T[max(0, late) :]
        self._left_out += block.shape[1] - self._to_play.push(kept)

    def close(self) -> None:
        """Stop the card at once."""
        self._stream.abort()
        self._stream.close()
        self.is_closed = True


def _up_to(position: int, counts: deque[tuple[int, int]]) -> int:
    """Return the sum of all counts up to a position of the ring, and forget them."""
    total = 0
    while counts and counts[0][0] <= position:
        total += counts.popleft()[1]
    return total


class PortAudioDevice:
    """A duplex sound card, 48 to 192 kHz, any number of channels; ``name`` None is the default card."""

    def __init__(
        self,
        *,
        name: str | None,
        rate_hz: int,
        microphones: int,
        speakers: int,
        latency_seconds: float = 0.2,
    ) -> None:
        self.name = name or "default sound card"
        self._card = name
        self._latency_seconds = latency_seconds
        self._stream: _PortAudioStream | None = None
        self._format = AudioFormat(
            rate_hz=rate_hz, microphones=microphones, speakers=speakers, block_frames=rate_hz // 100
        )

    def open(self) -> _PortAudioStream:
        """Open the card.

        Raises
        ------
        Degraded
            PortAudio is missing, there is no such card, or it refuses the format.
        """
        library = _load_sounddevice()
        try:
            self._stream = _PortAudioStream(library, self._card, self._format, self._latency_seconds)
        except (library.PortAudioError, ValueError) as error:
            if self._stream is None or self._stream.is_closed:  # else it hangs in the driver that went away
                _look_again(library)
            raise Degraded(
                f"The sound card '{self.name}' does not open at {self._format.rate_hz} Hz with "
                f"{self._format.microphones} microphones and {self._format.speakers} speakers ({error})",
                hint="See what your cards can do with: roomwise devices",
            ) from error
        return self._stream
