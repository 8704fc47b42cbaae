"""Play music: lists of files and addresses, one track behind the other."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from hub.errors import BadInput
from hub.playback.deck import FADE_SECONDS, Deck, DeckEvent, Ended, FlowChanged, Heard
from hub.playback.mixer import Mixer
from hub.playback.play_queue import Entry, PlayQueue, Repeat
from hub.playback.player_memory import PlayerMemory
from hub.playback.player_state import PlayerState
from hub.playback.playlist import shown_address
from hub.playback.read_ahead import Mark, ReadAhead
from hub.playback.sound_source import SoundSource, Track

_RESTART_SECONDS = 3.0
"""Later than this in a track, "previous" is its beginning."""


class Player:
    """The music of a mixer, and what people can ask of it; its methods are for one thread.

    Parameters
    ----------
    open_source : callable
        Opens a track; see `ReadAhead`.
    post : callable
        Lets a function run on that thread; it is called from others.
    on_change : callable
        Called when `state` has changed, but not for mere progress.
    on_failure : callable
        Called with the source that cannot be played, and why.
    is_lossless : bool
        Whether decoding is waited for: for who renders faster than it sounds.
    """

    def __init__(
        self,
        *,
        mixer: Mixer,
        rate_hz: int,
        open_source: Callable[[Track], SoundSource],
        post: Callable[[Callable[[], None]], None],
        on_change: Callable[[], None],
        on_failure: Callable[[str, str], None],
        fade_seconds: float = FADE_SECONDS,
        is_lossless: bool = False,
        lot: random.Random | None = None,
    ) -> None:
        self._mixer = mixer
        self._rate_hz = rate_hz
        self._open_source = open_source
        self._post = post
        self._on_change = on_change
        self._on_failure = on_failure
        self._queue = PlayQueue(lot or random.Random())
        self._deck = Deck(
            rate_hz=rate_hz,
            on_event=lambda event: post(partial(self._learn, event)),
            fade_seconds=fade_seconds,
            is_lossless=is_lossless,
        )
        self._lock = threading.Lock()
        self._generation = 0
        self._reel: ReadAhead | None = None
        self._mark: Mark | None = None
        self._number: int | None = None
        self._start_frame = 0
        self._start_seconds = 0.0
        self._is_paused = False
        self._is_flowing = False
        self._settings = PlayerState()
        mixer.music = self._deck

    @property
    def state(self) -> PlayerState:
        """What plays now, and how far it is."""
        known = replace(
            self._settings,
            tracks=len(self._queue),
            shuffle=self._queue.shuffle,
            repeat=self._queue.repeat,
        )
        if self._reel is None and self._mark is None:
            return known
        is_flowing = self._is_flowing and self._mark is not None
        known = replace(
            known, state="paused" if self._is_paused else "playing" if is_flowing else "buffering"
        )
        if self._mark is None:
            return known
        track, tags = self._mark.entry.track, self._mark.tags
        return replace(
            known,
            source=shown_address(track.source),
            title=tags.title or track.title,
            artist=tags.artist,
            album=tags.album,
            seconds=self._mark.seconds,
            position_seconds=self._position_seconds,
            can_seek=self._mark.can_seek,
            number=self._mark.entry.number + 1,
        )

    def play(self, source: str, tracks: Sequence[Track]) -> None:
        """Play these instead of what plays; ``source`` is what was asked for."""
        self._retire()
        self._queue.replace(tracks)
        self._number = None
        self._settings = replace(self._settings, playlist=shown_address(source), error=None)
        self._begin()
        self._on_change()

    def add(self, source: str, tracks: Sequence[Track]) -> None:
        """Play these when everything else has ended."""
        if self._reel is None and self._mark is None:
            self.play(source, tracks)
        else:
            self._queue.add(tracks)
            self._on_change()

    def pause(self) -> None:
        """Fade out, and keep the place."""
        if self._reel is not None and not self._is_paused:
            self._is_paused = True
            self._deck.pause()
            self._on_change()

    def resume(self) -> None:
        """Go on where it was paused, or begin the list again where it has ended."""
        if self._reel is None and self._mark is not None:  # as it was before a restart
            self._go_to(self._mark, self._start_seconds if self._mark.can_seek else 0.0)
        elif self._reel is None:
            if self._queue.restart():
                self._begin()
                self._on_change()
        elif self._is_paused:
            self._is_paused = False
            self._deck.resume()
            self._on_change()

    def toggle(self) -> None:
        """Pause what plays, and go on with what is paused."""
        if self._reel is None or self._is_paused:
            self.resume()
        else:
            self.pause()

    def stop(self) -> None:
        """Fade out; the list is kept."""
        self._retire()
        self._deck.stop()
        self._reel = self._mark = self._number = None
        self._on_change()

    def skip(self, by: int) -> None:
        """Go on by so many tracks; back from a place within one is to its beginning first."""
        if self._number is None:
            return
        if by < 0 and self.state.position_seconds > _RESTART_SECONDS:
            by += 1
        self._retire()
        self._number = self._queue.step(self._number, by)
        if self._number is None:
            self.stop()
        else:
            self._begin()
            self._on_change()

    def seek(self, seconds: float) -> None:
        """Go on from a place in the track that plays.

        Raises
        ------
        BadInput
            There is no such place; what plays goes on.
        """
        mark = self._mark
        if mark is None:
            raise BadInput("nothing plays that has another place to go to; play a file first")
        mark.check_place(seconds)
        if self._reel is None:
            self._start_seconds = seconds
            self._on_change()
        else:
            self._go_to(mark, seconds, is_paused=self._is_paused)

    def set_volume(self, percent: float) -> None:
        """Turn the music to 0 to 100."""
        self._settings = replace(self._settings, volume=percent)
        self._mixer.set_volume(percent)
        self._on_change()

    def set_shuffle(self, is_on: bool) -> None:
        """Draw an order for what comes, or keep that of the list."""
        self._queue.shuffle = is_on
        self._on_change()

    def set_repeat(self, repeat: Repeat) -> None:
        """Begin again after the last track, play one again and again, or neither."""
        self._queue.repeat = repeat
        self._on_change()

    def tell_failure(self, source: str, why: str) -> None:
        """Note what could not even be looked for."""
        self._settings = replace(self._settings, error=why)
        self._on_failure(shown_address(source), why)
        self._on_change()

    def memory(self) -> PlayerMemory:
        """Return what is to be known again after a restart."""
        mark = self._mark
        known = PlayerMemory(
            playlist=self._settings.playlist,
            tracks=self._queue.tracks,
            order=self._queue.order,
            number=self._number,
            shuffle=self._queue.shuffle,
            repeat=self._queue.repeat,
        )
        if mark is None:
            return known
        return known.model_copy(
            update={
                "place_seconds": self._position_seconds,
                "tags": mark.tags,
                "seconds": mark.seconds,
                "can_seek": mark.can_seek,
            }
        )

    def recall(self, memory: PlayerMemory) -> None:
        """Be where a player was before the restart, but paused; nothing may have been played yet."""
        self._queue.recall(memory.tracks, memory.order, shuffle=memory.shuffle)
        self._queue.repeat = memory.repeat
        self._settings = replace(self._settings, playlist=memory.playlist)
        if memory.number is not None:
            self._mark = Mark(
                frame=0,
                entry=Entry(number=memory.number, track=memory.tracks[memory.number]),
                tags=memory.tags,
                seconds=memory.seconds,
                is_start=True,
                can_seek=memory.can_seek,
            )
            self._number, self._is_paused = memory.number, True
            self._start_seconds = memory.place_seconds
        self._on_change()

    def close(self) -> None:
        """End decoding, and wait for that; safe from any thread, as nothing else here."""
        self._retire()
        self._deck.close()

    @property
    def _position_seconds(self) -> float:
        heard = 0 if self._reel is None else max(0, self._reel.consumed - self._start_frame)
        return self._start_seconds + heard / self._rate_hz

    def _go_to(self, mark: Mark, seconds: float, *, is_paused: bool = False) -> None:
        """Play the track of a mark from a place on."""
        self._retire()
        self._queue.again(mark.entry.number)
        self._begin(seconds, is_paused=is_paused)
        self._mark = mark  # the same track, so its title stands while the place is looked for
        self._start_frame, self._start_seconds = 0, seconds
        self._on_change()

    def _retire(self) -> None:
        """Let the decoding that goes on take up no further track."""
        with self._lock:
            self._generation += 1

    def _begin(self, place_seconds: float = 0.0, *, is_paused: bool = False) -> None:
        """Decode from a place in the next track on, and play that as soon as what plays has faded."""
        number = self._generation
        self._reel = ReadAhead(
            name=f"music {number}",
            rate_hz=self._rate_hz,
            next_entry=lambda: self._next_entry(number),
            open_source=self._open_source,
            on_failure=lambda entry, why: self._fail(number, entry, why),
            first_place_seconds=place_seconds,
        )
        self._mark = None
        self._is_paused, self._is_flowing = is_paused, False
        self._reel.start()
        self._deck.play(self._reel, is_paused=is_paused)

    def _next_entry(self, generation: int) -> Entry | None:
        """Return the next track, from the thread that decodes."""
        with self._lock:
            return self._queue.advance() if generation == self._generation else None

    def _fail(self, generation: int, entry: Entry, why: str) -> None:
        """Leave a track out, from the thread that decodes."""
        with self._lock:
            if generation != self._generation:
                return
            self._queue.fail(entry.number)
        self._post(partial(self.tell_failure, entry.track.source, why))

    def _learn(self, event: DeckEvent) -> None:
        """Take in what was heard; what fades away is of no interest."""
        if event.reel is not self._reel:
            return
        match event:
            case Heard(mark=mark):
                self._mark = mark
                self._number = mark.entry.number
                if mark.is_start:
                    self._start_frame, self._start_seconds = mark.frame, mark.place_seconds
            case FlowChanged(is_flowing=is_flowing):
                self._is_flowing = is_flowing
            case Ended():
                self._reel = self._mark = self._number = None
                if self._queue.has_more:
                    self._begin()
        self._on_change()
