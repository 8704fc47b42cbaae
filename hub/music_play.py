"""Play a list of music to its end, without a hub around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.playback.player import Player
from routines.facts import Json
from sensing.audio_block import Block


class MusicPlay:
    """A player that is driven by whoever takes its blocks.

    Parameters
    ----------
    mixer : Mixer
        Plays nothing else.
    show : callable
        Told of each track that is heard and each that cannot be.

    Attributes
    ----------
    seconds : float
        Given out so far.
    played, failed : int
        Tracks that were heard, and that were not.
    """

    def __init__(
        self,
        mixer: Mixer,
        rate_hz: int,
        *,
        fade_seconds: float,
        is_lossless: bool,
        show: Callable[[dict[str, Json]], None],
    ) -> None:
        self.mixer = mixer
        self.rate_hz = rate_hz
        self._show = show
        self._library = Library(Path(), is_confined=False)
        self._posted: deque[Callable[[], None]] = deque()
        self._shown: tuple[Json, ...] = ()
        self.seconds = 0.0
        self.played = 0
        self.failed = 0
        self.player = Player(
            mixer=mixer,
            rate_hz=rate_hz,
            open_source=self._library.open,
            post=self._posted.append,
            on_change=self._tell,
            on_failure=self._tell_failure,
            fade_seconds=fade_seconds,
            is_lossless=is_lossless,
        )

    def start(self, source: str) -> None:
        """Begin with what a source stands for.

        Raises
        ------
        hub.errors.BadInput
            There is no such thing.
        """
        self.player.play(source, self._library.tracks(source))

    def blocks(self, frames: int, most_seconds: float | None = None) -> Iterator[Block]:
        """Yield what is heard, shape ``(speakers, <= frames)``, from its first frame to its last.

        Parameters
        ----------
        most_seconds : float or None
            Where it ends at the latest.
        """
        most = None if most_seconds is None else round(most_seconds * self.rate_hz)
        given, late = 0, self.mixer.latency_frames
        rest = late
        while rest > 0 and (most is None or given < most):
            block = self.mixer.next_block(frames)
            while self._posted:
                self._posted.popleft()()
            if self.player.state.state == "idle":  # what is still in the mixer's delays
                block, rest = block[:, :rest], rest - frames
            skipped = min(late, block.shape[1])
            late -= skipped
            block = block[:, skipped:] if most is None else block[:, skipped : skipped + most - given]
            given += block.shape[1]
            self.seconds = given / self.rate_hz
            if block.shape[1]:
                yield block

    def _tell(self) -> None:
        """Show a track when it is heard, and each title of a radio."""
        state = self.player.state
        heard = (state.number, state.title, state.artist)
        if state.state != "playing" or state.number is None or heard == self._shown:
            return
        self.played += self._shown[:1] != heard[:1]
        self._shown = heard
        self._show(
            {
                "event": "track",
                "number": state.number,
                "tracks": state.tracks,
                "title": state.title,
                "artist": state.artist,
                "seconds": state.seconds,
                "source": state.source,
            }
        )

    def _tell_failure(self, source: str, why: str) -> None:
        self.failed += 1
        self._show({"event": "failed", "source": source, "why": why})
