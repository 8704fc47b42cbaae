"""What a loudspeaker plays while two hubs calibrate: chirps in the tone's place, and the music as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.chirp_level import chirp_peak
from hub.config.hub_config import HubConfig
from hub.playback.chirping_emitter import ChirpingEmitter
from hub.playback.mixer import Mixer
from hub.playback.tone_gate import ToneGate
from hub.sync.acoustic_offset import Unsure
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.chirp_search import plan_start
from hub.sync.chirp_voice import ChirpVoice
from sensing.audio_block import Block
from sensing.calibration.caps import EmissionCaps
from sensing.ultrasound.emitter import CarrierEmitter
from tests.sensing.calibration.made_up_card import MadeUpCard

RATE_HZ = 48_000
BLOCK = 480
PLAN = ChirpPlan()
START_SECONDS = 100.5
PEAK = 0.1
Frames = NDArray[np.float64]


class Speaker:
    """A mixer with a tone, and a clock by which its frames are heard."""

    def __init__(
        self,
        *,
        music: Block | None = None,
        pace: float = 1.0,
        wobble_seconds: float = 0.0,
        carrier_hz: float = 20_500.0,
    ) -> None:
        self.tone = CarrierEmitter(carrier_hz=carrier_hz, rate_hz=RATE_HZ, level=PEAK)
        self.gate = ToneGate(self.tone)
        self.gate.allow(True)
        self.emitter = ChirpingEmitter(self.tone, self.gate, rate_hz=RATE_HZ, chirp_peak=PEAK)
        self.mixer = Mixer(rate_hz=RATE_HZ, speakers=2, emitter=self.emitter)
        self._pace = pace
        self._wobble_seconds = wobble_seconds
        self._reports = 0
        self.is_timed = True
        if music is not None:
            self.mixer.play(music)

    def heard_seconds(self, frame: float) -> float | None:
        """The card began at 100 s; what is known of that is a little different after each report."""
        wobble = self._wobble_seconds * np.sin(self._reports)
        return 100.0 + frame / RATE_HZ * self._pace + wobble if self.is_timed else None

    def chirp(self, device: int = 0) -> None:
        self.emitter.chirp(PLAN, device=device, start_seconds=START_SECONDS, heard_seconds=self.heard_seconds)

    def play(
        self, seconds: float, at: Sequence[tuple[float, Callable[[], None]]] = (), block: int = BLOCK
    ) -> Block:
        """What the loudspeakers get; some things are done when they are due."""
        frames, waiting, sound = round(seconds * RATE_HZ), list(at), []
        for first in range(0, frames, block):
            while waiting and waiting[0][0] * RATE_HZ <= first:
                waiting.pop(0)[1]()
            self._reports += 1
            sound.append(self.mixer.next_block(min(block, frames - first)))
        return np.concatenate(sound, axis=1)


def level_db(sound: Frames, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(sound.size, 1 / RATE_HZ)
    return float(10 * np.log10(power[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-30))


@pytest.mark.parametrize("device", [0, 1])
@pytest.mark.parametrize("pace", [1.0, 1 + 1e-4, 1 - 1e-4])
def test_each_chirp_sounds_at_its_instant_and_nothing_else(device: int, pace: float) -> None:
    speaker = Speaker(pace=pace)
    speaker.gate.want(False)
    speaker.chirp(device)
    instants = 100.0 + np.arange(3 * RATE_HZ) / RATE_HZ * pace
    wanted = PEAK * PLAN.emission(device, instants - START_SECONDS)
    # the phase of 22 kHz is right to a thousandth of a turn
    np.testing.assert_allclose(speaker.play(3.0)[0], wanted, atol=1e-3 * PEAK)


@settings(max_examples=8, deadline=None)
@given(st.integers(200, 3000))
def test_chirps_do_not_depend_on_how_audio_is_cut(block: int) -> None:
    whole, cut = Speaker(), Speaker()
    for speaker in (whole, cut):
        speaker.gate.want(False)
        speaker.chirp()
    np.testing.assert_allclose(whole.play(2.5)[0], cut.play(2.5, block=block)[0], atol=1e-5)


def test_the_tone_rests_while_the_chirps_sound_and_comes_back() -> None:
    speaker = Speaker()
    speaker.chirp()
    sound = speaker.play(3.2)[0]
    instants = 100.0 + np.arange(sound.size) / RATE_HZ - START_SECONDS
    chirps = PEAK * PLAN.emission(0, instants)
    rest = (instants > -0.25) & (instants < PLAN.seconds + 0.1)
    np.testing.assert_allclose(sound[rest], chirps[rest], atol=1e-3 * PEAK)
    for part in (sound[instants < -0.35], sound[instants > PLAN.seconds + 0.2]):
        assert np.abs(part[2000:]).max() == pytest.approx(PEAK, rel=0.01)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.0, 2.6), st.floats(0.0, 2.6), st.booleans(), st.floats(18_000, 23_000))
def test_the_cap_holds_whenever_chirps_are_asked_for_or_ended(
    begin: float, end: float, is_muted: bool, carrier_hz: float
) -> None:
    speaker = Speaker(carrier_hz=carrier_hz)
    ending = (lambda: speaker.gate.allow(False)) if is_muted else speaker.emitter.stop_chirps
    acts = sorted([(begin, speaker.chirp), (end, ending)], key=lambda one: one[0])
    assert np.abs(speaker.play(2.8, acts)).max() <= np.float32(PEAK) * 1.0001


@pytest.mark.parametrize("end", ["muted", "stopped", "clock lost", None])
def test_nothing_sounds_below_18_khz_however_the_chirps_end(end: str | None) -> None:
    speaker = Speaker(wobble_seconds=5e-6)
    speaker.gate.want(False)
    speaker.chirp()
    acts: dict[str, Callable[[], None]] = {
        "muted": lambda: speaker.gate.allow(False),
        "stopped": speaker.emitter.stop_chirps,
        "clock lost": lambda: setattr(speaker, "is_timed", False),
    }
    sound = speaker.play(3.0, [(1.115, acts[end])] if end else [])[0].astype(np.float64)
    assert level_db(sound, 0, 18_000) < level_db(sound, 18_000, 24_000) - 60


def test_chirps_end_within_the_tones_ramp_when_the_tone_is_forbidden() -> None:
    speaker = Speaker()
    speaker.chirp()
    sound = speaker.play(3.0, [(1.11, lambda: speaker.gate.allow(False))])[0]  # within the third chirp
    assert np.abs(sound[round(1.09 * RATE_HZ) : round(1.11 * RATE_HZ)]).max() > 0.9 * PEAK
    assert not sound[round(1.16 * RATE_HZ) :].any()


def test_where_the_tone_is_forbidden_no_chirp_sounds_even_if_it_is_allowed_later() -> None:
    speaker = Speaker()
    speaker.gate.allow(False)
    speaker.gate.want(False)
    speaker.chirp()
    assert not speaker.play(3.0, [(1.0, lambda: speaker.gate.allow(True))]).any()


def test_the_music_is_the_same_sample_for_sample() -> None:
    music = np.random.default_rng(1).uniform(-0.6, 0.6, (2, 3 * RATE_HZ)).astype(np.float32)
    chirping, silent = Speaker(music=music), Speaker(music=music)
    for speaker in (chirping, silent):
        speaker.gate.want(False)
    chirping.chirp()
    found, wanted = chirping.play(2.8), silent.play(2.8)
    instants = 100.0 + np.arange(found.shape[1]) / RATE_HZ - START_SECONDS
    chirps = (PEAK * PLAN.emission(0, instants)).astype(np.float32)
    np.testing.assert_array_equal(found[1], wanted[1])
    is_quiet = chirps == 0
    np.testing.assert_array_equal(found[0, is_quiet], wanted[0, is_quiet])
    np.testing.assert_allclose(found[0] - wanted[0], chirps, atol=1e-3 * PEAK)
    # the guard has kept music out of the chirps' band, and the limiter room for them
    assert level_db(wanted[0].astype(np.float64), 18_500, 22_000) < level_db(
        chirps.astype(np.float64), 0, 24_000
    )
    assert np.abs(found).max() <= 1


def test_chirps_whose_time_is_never_known_are_given_up() -> None:
    speaker = Speaker()
    speaker.is_timed = False
    speaker.chirp()
    speaker.play(10.5)
    speaker.is_timed = True
    tone = speaker.play(3.0)[0]
    assert np.abs(tone[-RATE_HZ:]).max() == pytest.approx(PEAK, rel=0.01)
    assert (
        level_db(tone.astype(np.float64), 20_800, 22_000) < level_db(tone.astype(np.float64), 0, 24_000) - 60
    )


def test_a_plan_that_takes_the_place_of_another_lets_it_end_with_its_ramp() -> None:
    speaker = Speaker()
    speaker.gate.want(False)
    speaker.chirp()
    sound = speaker.play(4.0, [(1.115, speaker.chirp)])[0].astype(np.float64)
    assert level_db(sound, 0, 18_000) < level_db(sound, 18_000, 24_000) - 60
    assert np.abs(sound[round(1.2 * RATE_HZ) :]).max() == pytest.approx(PEAK, rel=0.01)


def test_a_chirp_whose_beginning_is_missed_is_left_out() -> None:
    voice = ChirpVoice(PLAN, device=0, start_seconds=1.0)
    late = voice.process(0, RATE_HZ // 10, first_seconds=1.01, pace=1 / RATE_HZ)
    assert not late.any()
    assert voice.process(4800, RATE_HZ, first_seconds=1.11, pace=1 / RATE_HZ).any()


@pytest.mark.parametrize("louder_db", [0.0, 10.0])
def test_a_chirp_is_as_loud_as_the_cap_of_audible_tones_allows(louder_db: float) -> None:
    card = HubConfig.model_validate({"audio": {"device": "card"}})
    most = EmissionCaps(allows_audible=True).peak(18_500)
    assert chirp_peak(card, None) == pytest.approx(most)
    assert chirp_peak(card, None) <= 0.02
    assert chirp_peak(HubConfig(), None) == 0.25
    kept = MadeUpCard().calibrate()
    full_scale_db = 91.0 + louder_db
    db_spl = full_scale_db + 20 * float(np.log10(kept.level))
    measured = kept.model_copy(update={"db_spl": db_spl})
    assert chirp_peak(card, measured) == pytest.approx(most * 10 ** (-louder_db / 20))
    with_pets = kept.model_copy(update={"wishes": kept.wishes.model_copy(update={"has_pets": True})})
    assert chirp_peak(card, with_pets) == 0


def recording_of(
    start_seconds: float, gains: tuple[float, float], delays: tuple[float, float], seconds: float = 3.0
) -> NDArray[np.float32]:
    instants = np.arange(round(seconds * RATE_HZ)) / RATE_HZ - start_seconds
    sound = 1e-4 * np.random.default_rng(1).standard_normal(instants.size)
    for device in (0, 1):
        sound += gains[device] * PLAN.emission(device, instants - delays[device])
    return sound.astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.05, 1.0),
    st.floats(-40, 40),
    st.floats(0, 0.025),
    st.booleans(),
)
def test_the_plan_is_found_in_a_recording_whoever_is_louder(
    start: float, louder_db: float, delay: float, is_first: bool
) -> None:
    gains = (0.01 * 10 ** (max(louder_db, 0) / 20), 0.01 * 10 ** (max(-louder_db, 0) / 20))
    delays = (0.0003, delay) if is_first else (delay, 0.0003)
    found = plan_start(recording_of(start, gains, delays), rate_hz=RATE_HZ, plan=PLAN)
    # which chirp arrives first stands there; a third of the margin would do
    assert found == pytest.approx(start + min(delays), abs=2e-3)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 1.6])
def test_a_recording_shorter_than_the_plan_is_refused(seconds: float) -> None:
    with pytest.raises(Unsure, match="were recorded"):
        plan_start(recording_of(0.0, (0.1, 0.1), (0, 0), seconds), rate_hz=RATE_HZ, plan=PLAN)


def test_a_dead_microphone_is_said() -> None:
    with pytest.raises(Unsure, match="hears nothing at all"):
        plan_start(np.zeros(3 * RATE_HZ, np.float32), rate_hz=RATE_HZ, plan=PLAN)
