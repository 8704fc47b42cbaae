"""Music out of the sensing band: what is taken out, what is kept, and what never does harm."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from hub.audio.sound_file import blocks_of
from hub.cli.main import run_command
from sensing.observations import PresenceChanged, UltrasoundChanged
from sensing.ultrasound.carrier_null import CarrierNull
from sensing.ultrasound.distortion_canceller import CleanBaseband, DistortionCanceller
from sensing.ultrasound.doppler_features import DopplerFeatures
from sensing.ultrasound.playback_reference import PlaybackReference
from sensing.ultrasound.sensor import UltrasoundSensor
from tests.sensing.distortion_model import Distorted, Signal, as_recording, band_db, distorted

RATE = 48_000
CARRIER = 20_000.0
ROOMS = (0, 4, 7)
"""An easy room, a hard one, and one that reverberates least."""


def bench() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "script" / "bench_distortion.py"
    spec = importlib.util.spec_from_file_location("bench_distortion", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clean(baseband: Signal, playback: NDArray[np.float64], cuts: list[int] | None = None) -> CleanBaseband:
    """Return what a new canceller makes of a whole stretch."""
    canceller = DistortionCanceller(microphones=len(baseband), baseband_hz=1_000)
    edges = [0, *sorted(set(cuts or [])), baseband.shape[1]]
    heard, played = baseband.astype(np.complex64), playback.astype(np.float32)
    parts = [canceller.process(heard[:, a:b], played[a:b]) for a, b in pairwise(edges)]
    return CleanBaseband(
        baseband=np.concatenate([part.baseband for part in parts], axis=1),
        suspect=np.concatenate([part.suspect for part in parts], axis=1),
    )


@pytest.fixture(scope="module")
def room() -> Distorted:
    return distorted(0)


@pytest.fixture(scope="module")
def heard(room: Distorted) -> Signal:
    whole: Signal = 0.1 * (room.tone + room.person + room.noise)
    return whole


@pytest.mark.parametrize("seed", ROOMS)
def test_two_microphones_gain_20_db_while_a_person_walks_and_one_gains_10(seed: int) -> None:
    rooms = distorted(seed)
    gain = bench().net_gain_db
    # means over twelve rooms are 28 and 19 dB; the margins are for the single room
    assert gain(rooms, microphones=2, playback=rooms.playback, is_walking=True) > 20
    assert gain(rooms, microphones=1, playback=rooms.playback, is_walking=True) > 10


@pytest.mark.parametrize("microphones", [1, 2])
def test_a_person_who_walks_all_the_time_is_not_learnt_away(room: Distorted, microphones: int) -> None:
    assert bench().person_removed_db(room, microphones=microphones) < 1.0


def test_a_silent_reference_changes_nothing_bit_for_bit(heard: Signal) -> None:
    result = clean(heard, np.zeros(heard.shape[1]))
    np.testing.assert_array_equal(result.baseband, heard.astype(np.complex64))
    assert not result.suspect.any()


def test_the_emitted_tone_in_a_live_reference_is_no_music() -> None:
    tone = 0.25 * np.sin(2 * np.pi * CARRIER / RATE * np.arange(RATE)).astype(np.float32)[None]
    reference = PlaybackReference(rate_hz=RATE, factor=48, latency_frames=602)
    # the tone's first frame is a step; after the filter's length only the stop band is left
    assert np.abs(reference.process(tone)[50:]).max() < 1e-4


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 3_999), max_size=12))
def test_the_canceller_does_not_care_how_the_stream_is_cut(
    room: Distorted, heard: Signal, cuts: list[int]
) -> None:
    whole = clean(heard[:, :4_000], room.playback[:4_000])
    pieces = clean(heard[:, :4_000], room.playback[:4_000], cuts)
    np.testing.assert_allclose(pieces.baseband, whole.baseband, atol=1e-5)  # the carrier is 0.1
    np.testing.assert_allclose(pieces.suspect, whole.suspect, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 9_599), max_size=6, unique=True))
def test_the_reference_does_not_care_how_it_is_cut(cuts: list[int]) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (2, 9_600)).astype(np.float32)
    whole = PlaybackReference(rate_hz=RATE, factor=48, latency_frames=602).process(sound)
    pieces = PlaybackReference(rate_hz=RATE, factor=48, latency_frames=602)
    parts = [pieces.process(sound[:, a:b]) for a, b in pairwise([0, *sorted(cuts), 9_600])]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


@pytest.mark.parametrize("late", [0, 60, 210, 400])
@pytest.mark.parametrize("seed", [0, 5])
def test_a_reference_that_comes_early_is_aligned(seed: int, late: int) -> None:
    rooms = distorted(seed, microphones=2)
    baseband = np.roll(0.1 * (rooms.tone + rooms.person + rooms.noise), late, axis=1)
    canceller = DistortionCanceller(microphones=2, baseband_hz=1_000)
    cleaned = canceller.process(baseband.astype(np.complex64), rooms.playback.astype(np.float32))
    # 24 taps reach over the path of the sound and over what the search is off
    assert late - 12 <= canceller.delay_frames <= late + 4
    assert band_db(cleaned.baseband[:1, 4_000:]) < band_db(baseband[:1, 4_000:]) - 6


@pytest.mark.parametrize("microphones", [1, 2])
@pytest.mark.parametrize("seed", ROOMS)
def test_a_reference_of_other_music_does_less_than_1_db_of_harm(seed: int, microphones: int) -> None:
    rooms = distorted(seed)
    baseband = 0.1 * (rooms.tone + rooms.person + rooms.noise)[:microphones]
    other = distorted(seed + 100).playback
    frozen = DistortionCanceller(microphones=microphones, baseband_hz=1_000)
    frozen.freeze()
    unhelped = frozen.process(baseband.astype(np.complex64), other.astype(np.float32)).baseband
    harmed = clean(baseband, other).baseband
    assert band_db(harmed[:, 1_000:]) < band_db(unhelped[:, 1_000:]) + 1.0


def test_beside_a_dead_microphone_the_other_one_goes_on_alone(room: Distorted, heard: Signal) -> None:
    dead = heard.copy()
    dead[1] = 1e-6 * room.noise[1]
    alone = clean(heard[:1], room.playback).baseband
    both = clean(dead, room.playback).baseband
    assert np.isfinite(both).all()
    assert band_db(both[:1, 3_000:]) == pytest.approx(band_db(alone[:, 3_000:]), abs=1.0)


@pytest.mark.parametrize("microphones", [1, 2, 4])
def test_digital_silence_stays_silence(microphones: int, room: Distorted) -> None:
    result = clean(np.zeros((microphones, 8_000), np.complex128), room.playback)
    assert np.isfinite(result.baseband).all()
    assert np.abs(result.baseband).max() < 1e-6
    assert np.isfinite(result.suspect).all()


def test_music_that_stops_and_begins_again_is_taken_out_within_two_seconds() -> None:
    calm = distorted(0, seconds=14, walks=(1e9, 1e9), score=(4, 14))
    gap = slice(5_000, 8_000)
    tone, played = calm.tone.copy(), calm.playback.copy()
    tone[:, gap] = tone.mean(axis=1, keepdims=True)
    played[gap] = 0
    heard = 0.1 * (tone + calm.noise)
    result = clean(heard, played).baseband
    for start in (2_000, 6_500, 10_000):  # after the first bar, in the pause, after it began again
        left = band_db(result[:, start : start + 1_000])
        assert left < max(band_db(heard[:, start : start + 1_000]) - 20, -90), start
    # the pause itself is the raw band again
    np.testing.assert_array_equal(result[:, 6_500:7_900], heard[:, 6_500:7_900].astype(np.complex64))


def test_drift_and_jitter_that_all_microphones_share_are_cancelled() -> None:
    chance = np.random.default_rng(2)
    seconds = np.arange(8_000) / 1_000
    jitter = 0.01 * chance.normal(size=8_000) + 2 * np.pi * 0.5 * seconds
    carriers = np.array([[0.1], [0.06j]])
    null = CarrierNull(microphones=2, baseband_hz=1_000)
    heard = (carriers * (1 + 0.05 * np.sin(0.7 * seconds)) * np.exp(1j * jitter)).astype(np.complex64)
    differences = [null.process(heard[:, first : first + 50])[0] for first in range(0, 8_000, 50)]
    # the jitter is -40 dBc on each; clocks that differ by half a hertz and an unsteady gain go with it
    assert band_db(np.concatenate(differences, axis=1)[:, 2_000:]) < -70


def test_before_anything_is_learnt_all_that_moves_is_masked(room: Distorted, heard: Signal) -> None:
    result = clean(heard, room.playback)
    features = DopplerFeatures(baseband_hz=1_000, microphones=2)
    frames = features.process(result.baseband, result.suspect)
    early = [frame for frame in frames if 10 <= frame.hop < 18]
    late = [frame for frame in frames if frame.hop > 40]
    assert max(float(frame.bands_db.max()) for frame in early) < 14
    # somebody walks all the time: seen through the music, with some bins given up
    assert np.median([frame.bands_db.max() for frame in late]) > 14
    assert np.mean([frame.masked.mean() for frame in late]) < 0.5


@pytest.mark.parametrize("seed", [2, 4, 7, 8])
def test_somebody_far_louder_than_the_music_is_no_reason_to_learn_it_anew(seed: int) -> None:
    rooms = distorted(seed, seconds=12, walks=(7, 12), score=(8, 12), echo_to_distortion_db=20)
    result = clean(0.1 * (rooms.tone + rooms.person + rooms.noise), rooms.playback)
    frames = DopplerFeatures(baseband_hz=1_000, microphones=2).process(result.baseband, result.suspect)
    masked = [float(frame.masked.mean()) for frame in frames if frame.hop > 140]
    # while it is learnt anew all that moves is masked, for more than a second
    assert np.convolve(masked, np.ones(20) / 20, "valid").max() < 0.3


def test_without_a_suspect_nothing_is_masked(heard: Signal) -> None:
    frames = DopplerFeatures(baseband_hz=1_000, microphones=2).process(heard.astype(np.complex64))
    assert not any(frame.masked.any() for frame in frames)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Music for 10 s; in one of the recordings somebody walks from the 6th second on."""
    folder = tmp_path_factory.mktemp("music")
    rooms = distorted(3, seconds=10, walks=(6, 10), score=(6.5, 10))
    for name, sound in {"walk": rooms.person, "empty": 0 * rooms.person}.items():
        capture = as_recording(rooms.tone + rooms.noise + sound, RATE, CARRIER, 0.1)
        soundfile.write(folder / f"{name}.wav", capture.T, RATE)
    played = resample_poly(rooms.playback_4khz, RATE // 4_000, 1)
    soundfile.write(folder / "played.wav", np.stack([played, played], axis=1), RATE)
    soundfile.write(folder / "short.wav", played[: 5 * RATE], RATE)
    soundfile.write(folder / "slow.wav", played, 44_100)
    return folder


def events(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run_command(["presence", *arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def entries(seen: list[dict[str, object]]) -> list[float]:
    """Return when presence changed."""
    return [float(str(event["at"])) for event in seen if event["event"] == "presence"]


def test_a_tone_that_stops_under_music_makes_the_room_unknown(room: Distorted) -> None:
    heard = room.tone + room.noise
    heard[:, 5_000:] = room.noise[:, 5_000:]
    capture = as_recording(heard, RATE, CARRIER, 0.1)
    played = resample_poly(room.playback_4khz, RATE // 4_000, 1).astype(np.float32)[None]
    sensor = UltrasoundSensor(rate_hz=RATE, microphones=2, carrier_hz=CARRIER)
    found = []
    for block in blocks_of(capture, RATE):
        found += sensor.process(replace(block, reference=played[:, block.first_frame : block.end_frame]))
    modes = [seen.mode for seen in found if isinstance(seen, UltrasoundChanged)]
    assert modes == ["watching", "no_carrier"]
    assert not [seen for seen in found if isinstance(seen, PresenceChanged)]


def test_with_the_reference_the_person_is_found_and_not_the_music(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = ("--reference", str(recordings / "played.wav"))
    present = entries(events(capsys, str(recordings / "walk.wav"), *reference))
    assert len(present) == 1
    assert 6.0 < present[0] < 7.0
    nobody = events(capsys, str(recordings / "empty.wav"), *reference)
    assert entries(nobody) == []
    assert nobody[-1]["degraded"] == []


def test_music_that_hides_much_of_the_band_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = distorted(6, seconds=12, microphones=1, walks=(7, 12), score=(7.5, 12))
    capture = as_recording(rooms.tone + rooms.person + rooms.noise, RATE, CARRIER, 0.1)
    soundfile.write(tmp_path / "one.wav", capture.T, RATE)
    soundfile.write(tmp_path / "played.wav", resample_poly(rooms.playback_4khz, RATE // 4_000, 1), RATE)
    reference = ("--reference", str(tmp_path / "played.wav"))
    assert events(capsys, str(tmp_path / "one.wav"), *reference)[-1]["degraded"] == ["music_masked"]


@pytest.mark.parametrize(("name", "told"), [("short.wav", "lasts 5.00 s"), ("slow.wav", "44100 Hz")])
def test_a_reference_of_another_length_or_rate_is_one_line_and_status_2(
    recordings: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    arguments = ["presence", str(recordings / "walk.wav"), "--reference", str(recordings / name), "--json"]
    assert run_command(arguments) == 2
    seen = capsys.readouterr()
    assert seen.out == ""
    assert len(seen.err.splitlines()) == 1
    assert told in seen.err
