"""The player: what is decoded, what is heard, and what comes next."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.playback.deck import Deck, DeckEvent, Ended, FlowChanged, Heard
from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.playback.play_queue import Entry, PlayQueue
from hub.playback.player import Player
from hub.playback.ramp import Ramp
from hub.playback.read_ahead import ReadAhead
from hub.playback.sound_source import Tags, Track
from hub.playback.stereo_rate import StereoRate
from sensing.audio_block import Block

RATE_HZ = 48_000
EDGE = RATE_HZ // 100
"""Frames of the shortest fade."""


def tone(seconds: float, rate_hz: int = RATE_HZ, hz: float = 440.0) -> NDArray[np.float32]:
    place = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.repeat(0.5 * np.sin(2 * np.pi * hz * place)[:, None], 2, axis=1).astype(np.float32)


class HeldSource:
    """A sound in pieces; before the last of several it waits until the test lets it go on."""

    rate_hz = RATE_HZ
    seconds = None
    tags = Tags(title="Held")
    can_seek = False

    def __init__(self, pieces: list[NDArray[np.float32]]) -> None:
        self._pieces = pieces
        self._is_held = len(pieces) > 1
        self.may_go_on = threading.Event()

    def read(self, frames: int) -> NDArray[np.float32]:
        if self._is_held and len(self._pieces) == 1:
            assert self.may_go_on.wait(20)
        return self._pieces.pop(0) if self._pieces else np.zeros((0, 2), np.float32)

    def seek(self, seconds: float) -> None:
        pytest.fail("nobody asked for a place")

    def cancel(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


def entries(count: int) -> Callable[[], Entry | None]:
    waiting = [Entry(number=number, track=Track(source=str(number))) for number in range(count)]
    return lambda: waiting.pop(0) if waiting else None


def reel_of(*sounds: NDArray[np.float32], ahead_seconds: float = 8.0) -> ReadAhead:
    """Return decoded sounds, one track each."""
    return reel_from([HeldSource([sound]) for sound in sounds], ahead_seconds)


def reel_from(sources: list[HeldSource], ahead_seconds: float = 8.0) -> ReadAhead:
    reel = ReadAhead(
        name="test",
        rate_hz=RATE_HZ,
        next_entry=entries(len(sources)),
        open_source=lambda _: sources.pop(0),
        on_failure=lambda entry, why: pytest.fail(why),
        ahead_seconds=ahead_seconds,
    )
    reel.start()
    return reel


def pulled(deck: Deck, frames: int, step: int = 480) -> Block:
    return np.concatenate([deck.next_block(step) for _ in range(frames // step)], axis=1)


def steepest(sound: Block) -> float:
    """Return the largest step between two samples: a click is a large one."""
    return float(np.abs(np.diff(sound, axis=1)).max())


STEEPEST = steepest(tone(1.0).T)


@pytest.fixture
def deck() -> Deck:
    return Deck(rate_hz=RATE_HZ, on_event=lambda _: None, fade_seconds=0.05, is_lossless=True)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 900), min_size=1, max_size=8), st.floats(0, 1))
def test_a_ramp_does_not_care_how_it_is_cut_and_stands_at_its_target(cuts: list[int], target: float) -> None:
    whole, cut = (Ramp(0.3, rise_frames=400, fall_frames=900) for _ in range(2))
    whole.target = cut.target = target
    pieces = np.concatenate([cut.process(frames) for frames in cuts])
    np.testing.assert_allclose(pieces, whole.process(sum(cuts)), atol=1e-12)
    assert whole.frames_left == 0 or whole.value != target
    assert cut.process(1000)[-1] == target


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=6), st.integers(1, 2000))
def test_tracks_of_one_rate_are_one_sound_bit_for_bit_however_long_and_however_pulled(
    lengths: list[int], step: int
) -> None:
    whole = np.random.default_rng(0).uniform(-1, 1, (sum(lengths) + 4 * EDGE, 2)).astype(np.float32)
    parts = np.split(whole, np.cumsum(lengths))
    deck = Deck(rate_hz=RATE_HZ, on_event=lambda _: None, is_lossless=True)
    deck.play(reel_of(*parts))
    heard = np.concatenate([deck.next_block(step) for _ in range(-(-len(whole) // step))], axis=1)
    np.testing.assert_array_equal(heard[:, EDGE : len(whole) - EDGE].T, whole[EDGE:-EDGE])
    assert not deck.next_block(100).any()


def test_a_tone_goes_on_through_files_of_other_formats_as_if_it_were_one_file(tmp_path: Path) -> None:
    """At 44.1 kHz into 48 kHz: the cut must not show, so the tone leaves no residue but the resampler's."""
    whole = tone(3.0, 44_100)
    soundfile.write(tmp_path / "1.wav", whole[:50_001], 44_100, subtype="FLOAT")
    soundfile.write(tmp_path / "2.flac", whole[50_001:90_000], 44_100, subtype="PCM_24")
    soundfile.write(tmp_path / "3.wav", whole[90_000:], 44_100, subtype="PCM_24")
    library = Library(tmp_path)
    queue = PlayQueue(random.Random(0))
    queue.replace(library.tracks("."))
    heard: list[DeckEvent] = []
    deck = Deck(rate_hz=RATE_HZ, on_event=heard.append, is_lossless=True)
    reel = ReadAhead(
        name="test",
        rate_hz=RATE_HZ,
        next_entry=queue.advance,
        open_source=library.open,
        on_failure=lambda entry, why: pytest.fail(why),
    )
    reel.start()
    deck.play(reel)
    played = pulled(deck, 3 * RATE_HZ + 4800)
    expected = tone(3.0).T
    inside = slice(RATE_HZ // 20, 3 * RATE_HZ - RATE_HZ // 20)
    # soxr HQ: its stop band and ripple are below -100 dB; 24 bits add nothing to that
    np.testing.assert_allclose(played[:, inside], expected[:, inside], atol=2e-5)
    starts = [event.mark.frame for event in heard if isinstance(event, Heard)]
    assert starts == [0, round(50_001 * 48 / 44.1), round(90_000 * 48 / 44.1)]
    assert [type(event) for event in heard].count(Ended) == 1


def test_tracks_of_different_rates_hand_over_on_the_frame() -> None:
    rate = StereoRate(RATE_HZ)
    total = 0
    for from_hz, frames in ((44_100, 44_100), (48_000, 1000), (22_050, 11_025), (96_000, 960)):
        total += len(rate.turn_to(from_hz))
        total += len(rate.process(np.zeros((frames, 1), np.float32)))
    total += len(rate.finish())
    assert total == rate.position == 48_000 + 1000 + 24_000 + 480


def test_pause_fades_keeps_the_place_and_goes_on_where_it_was(deck: Deck) -> None:
    deck.play(reel_of(tone(4.0)))
    first = pulled(deck, 9600)
    deck.pause()
    fading = pulled(deck, 4800)
    silence = pulled(deck, 4800)
    deck.resume()
    rest = pulled(deck, 96_000)
    assert not silence.any()
    assert steepest(np.concatenate([first, fading, silence, rest], axis=1)) < 1.1 * STEEPEST
    fade = round(0.05 * RATE_HZ)
    np.testing.assert_array_equal(rest[:, fade : 2 * fade].T, tone(4.0)[9600 + 2 * fade : 9600 + 3 * fade])


def test_what_has_run_dry_can_be_left_and_stopped() -> None:
    """A radio that is dead must not hold up what is asked for next."""
    deck = Deck(rate_hz=RATE_HZ, on_event=lambda _: None, fade_seconds=0.05)
    source = HeldSource([tone(0.5), tone(1.0)])
    reel = reel_from([source])
    reel.wait_for(24_000)
    deck.play(reel)
    pulled(deck, 33_600)
    other = reel_of(tone(1.0))
    other.wait_for(RATE_HZ)
    deck.play(other)
    assert pulled(deck, 4800)[:, 2 * EDGE :].any()
    deck.stop()
    assert not pulled(deck, 9600)[:, 4800:].any()
    source.may_go_on.set()
    assert reel.join(20)


def test_a_skip_fades_and_the_next_stretch_begins_at_its_first_frame(deck: Deck) -> None:
    deck.play(reel_of(tone(4.0)))
    pulled(deck, 9600)
    deck.play(reel_of(tone(2.0, hz=660.0)))
    changed = pulled(deck, 24_000)
    fade = round(0.05 * RATE_HZ)
    assert steepest(changed) < 1.1 * steepest(tone(1.0, hz=660.0).T)
    np.testing.assert_array_equal(
        changed[:, fade + EDGE : 20_000].T, tone(2.0, hz=660.0)[EDGE : 20_000 - fade]
    )


def test_stop_fades_and_stays_silent(deck: Deck) -> None:
    deck.play(reel_of(tone(4.0)))
    first = pulled(deck, 9600)
    deck.stop()
    rest = pulled(deck, 9600)
    assert steepest(np.concatenate([first, rest], axis=1)) < 1.1 * STEEPEST
    assert not rest[:, round(0.05 * RATE_HZ) :].any()


def test_a_deck_that_runs_dry_fades_says_so_and_goes_on_when_more_has_come() -> None:
    events: list[DeckEvent] = []
    deck = Deck(rate_hz=RATE_HZ, on_event=events.append)
    source = HeldSource([tone(0.5), tone(1.0)])
    reel = reel_from([source])
    reel.wait_for(24_000)
    deck.play(reel)
    heard = [pulled(deck, 33_600)]
    source.may_go_on.set()
    reel.wait_for(RATE_HZ)
    heard.append(pulled(deck, 24_000))
    assert [event.is_flowing for event in events if isinstance(event, FlowChanged)] == [True, False, True]
    everything = np.concatenate(heard, axis=1)
    assert not everything[:, 24_000:33_600].any()
    assert everything[:, 33_600 + EDGE :].any()
    assert steepest(everything) < 1.1 * STEEPEST


class Listener:
    """A player on one thread with its mixer, and all that it told."""

    def __init__(self, folder: Path) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.failures: list[str] = []
        self.mixer = Mixer(rate_hz=RATE_HZ, speakers=2)
        self.library = Library(folder)
        self.player = Player(
            mixer=self.mixer,
            rate_hz=RATE_HZ,
            open_source=self.library.open,
            post=self.waiting.append,
            on_change=lambda: None,
            on_failure=lambda source, why: self.failures.append(why),
            fade_seconds=0.05,
            is_lossless=True,
        )

    def play(self, source: str) -> None:
        self.player.play(source, self.library.tracks(source))

    def hear(self, seconds: float) -> Block:
        heard = []
        for _ in range(round(100 * seconds)):
            heard.append(self.mixer.next_block(RATE_HZ // 100))
            while self.waiting:
                self.waiting.pop(0)()
        return np.concatenate(heard, axis=1)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number, hz in enumerate((300.0, 400.0, 500.0), start=1):
        path = tmp_path / f"{number}.flac"
        with soundfile.SoundFile(path, "w", RATE_HZ, 2) as file:
            file.title, file.artist = f"Song {number}", "The Band"
            file.write(tone(2.0, hz=hz))
    return tmp_path


def test_the_state_tells_what_plays_and_how_far_it_is(music: Path) -> None:
    house = Listener(music)
    assert house.player.state.state == "idle"
    house.play(".")
    assert house.player.state.state == "buffering"
    house.hear(0.5)
    state = house.player.state
    assert (state.state, state.title, state.artist) == ("playing", "Song 1", "The Band")
    assert (state.number, state.tracks, state.seconds) == (1, 3, 2.0)
    assert state.position_seconds == pytest.approx(0.5, abs=0.02)
    house.hear(2.0)
    state = house.player.state
    assert (state.number, state.title) == (2, "Song 2")
    assert state.position_seconds == pytest.approx(0.5, abs=0.02)
    house.hear(4.0)
    assert house.player.state.state == "idle"


def test_next_previous_pause_and_stop_do_what_they_say(music: Path) -> None:
    house = Listener(music)
    house.play(".")
    house.hear(0.3)
    house.player.skip(1)
    house.player.skip(1)  # before the second is even heard
    house.hear(0.5)
    assert house.player.state.number == 3
    house.player.skip(-1)
    house.hear(0.5)
    assert house.player.state.number == 2
    house.player.pause()
    house.hear(0.1)
    before = house.player.state
    assert not house.hear(0.5).any()
    assert (before.state, house.player.state) == ("paused", before)
    house.player.toggle()
    assert house.hear(0.5)[:, RATE_HZ // 5 :].any()
    house.player.stop()
    house.hear(0.2)
    assert (house.player.state.state, house.player.state.tracks) == ("idle", 3)
    house.player.resume()
    house.hear(0.5)
    assert house.player.state.number == 1


def test_what_cannot_be_played_is_told_and_the_next_track_plays(music: Path) -> None:
    (music / "list.m3u").write_text("missing.mp3\n2.flac\nbroken.flac\n3.flac\n", encoding="utf-8")
    (music / "broken.flac").write_bytes((music / "1.flac").read_bytes()[:3000])
    house = Listener(music)
    house.play("list.m3u")
    house.hear(1.0)
    assert (house.player.state.state, house.player.state.number) == ("playing", 2)
    house.hear(2.0)
    assert house.player.state.number == 4
    assert ["missing.mp3: no such file" in why for why in house.failures] == [True, False]
    assert "broken.flac" in house.failures[1]
    assert house.player.state.error == house.failures[1]
    house.play("1.flac")
    assert house.player.state.error is None


def test_a_list_of_nothing_but_failures_ends(music: Path) -> None:
    (music / "list.m3u").write_text("missing.mp3\ngone.mp3\n", encoding="utf-8")
    house = Listener(music)
    house.player.set_repeat("all")
    house.play("list.m3u")
    house.hear(0.5)
    assert (house.player.state.state, len(house.failures)) == ("idle", 2)


def test_what_is_added_plays_after_the_rest(music: Path) -> None:
    house = Listener(music)
    house.play("1.flac")
    house.player.add("2.flac", house.library.tracks("2.flac"))
    house.hear(3.0)
    assert (house.player.state.title, house.player.state.number) == ("Song 2", 2)


def test_no_skip_or_pause_clicks(music: Path) -> None:
    house = Listener(music)
    house.play(".")
    heard = [house.hear(0.31)]
    for act in (lambda: house.player.skip(1), house.player.pause, house.player.resume, house.player.stop):
        act()
        heard.append(house.hear(0.31))
    assert steepest(np.concatenate(heard, axis=1)) < 1.1 * steepest(tone(1.0, hz=500.0).T)


def test_music_never_clips_and_leaves_no_room_for_damage(music: Path) -> None:
    soundfile.write(music / "loud.wav", 30 * tone(1.0), RATE_HZ, subtype="FLOAT")
    house = Listener(music)
    house.play("loud.wav")
    assert 0.9 < np.abs(house.hear(0.8)).max() <= 1.0
