"""Two tones on their way through the hub: settings, calibration, and what is played."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.bus import Bus
from hub.calibration import CalibrationInUse, calibrated, calibration_file, hardware_of, write_calibration
from hub.clock import VirtualClock
from hub.config.files import load_config
from hub.config.hub_config import HubConfig
from hub.errors import ConfigError
from hub.playback.mixer import Mixer
from hub.ultrasound import build_ultrasound
from sensing.calibration.calibration import Calibration
from sensing.calibration.caps import EmissionCaps
from sensing.ultrasound.emitter import MAX_LEVEL
from tests.sensing.calibration.made_up_card import MadeUpCard

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
RATE = 48_000


def settings(**ultrasound: object) -> HubConfig:
    return HubConfig.model_validate({"ultrasound": ultrasound})


@pytest.fixture(scope="module")
def kept() -> Calibration:
    chosen = {
        "carrier_hz": 22_550.0,
        "second_carrier_hz": 22_850.0,
        "hardware": hardware_of(HubConfig().audio),
    }
    return MadeUpCard().calibrate().model_copy(update=chosen)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("carrier_hz: 22000\n  second_carrier_hz: 22200", "the tones are 200 Hz apart"),
        ("carrier_hz: 22000\n  second_carrier_hz: 20500", "the tones are 1500 Hz apart"),
        ("second_carrier_hz: 20900", "needs carrier_hz beside it"),
        ("carrier_hz: 22700\n  second_carrier_hz: 23100", "two tones must stay below 23000 Hz"),
        ("tones: 3", "1 or 2"),
    ],
)
def test_tones_that_do_not_fit_are_a_problem_of_hub_yaml(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(f"ultrasound:\n  {text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert said in str(caught.value.problems[0])


@given(apart_hz=st.floats(-3_000, 3_000))
def test_tones_are_taken_from_300_to_1000_hz_apart(apart_hz: float) -> None:
    try:
        found = settings(carrier_hz=20_500, second_carrier_hz=20_500 + apart_hz).ultrasound
    except ValidationError:
        assert not 300.01 <= abs(apart_hz) <= 999.99
    else:
        assert 299.99 <= abs(apart_hz) <= 1_000.01
        assert found.second_tone_hz is None  # one tone unless two are asked for


def test_both_tones_come_from_the_calibration_and_their_peaks_stay_below_its_cap(
    tmp_path: Path, kept: Calibration
) -> None:
    loud = kept.model_copy(update={"level": 0.05, "db_spl": 74.0, "cap_db_spl": 74.0})
    write_calibration(calibration_file(tmp_path), loud)
    one = calibrated(settings(), tmp_path)[0].ultrasound
    two = calibrated(settings(tones=2), tmp_path)[0].ultrasound
    assert (one.second_tone_hz, one.level) == (None, 0.05)
    assert (two.carrier_hz, two.second_tone_hz) == (22_550, 22_850)
    assert two.level == pytest.approx(0.05 / math.sqrt(2))
    soft = loud.model_copy(update={"db_spl": 70.0})
    write_calibration(calibration_file(tmp_path), soft)
    assert calibrated(settings(tones=2), tmp_path)[0].ultrasound.level == 0.05


@pytest.mark.parametrize("second_hz", [None, 22_300.0, 20_550.0, 24_000.0])
def test_a_second_carrier_that_may_not_be_as_loud_or_is_too_far_is_not_played(
    second_hz: float | None, tmp_path: Path, kept: Calibration
) -> None:
    """Below 22.4 kHz 15 dB less are allowed."""
    write_calibration(calibration_file(tmp_path), kept.model_copy(update={"second_carrier_hz": second_hz}))
    assert calibrated(settings(tones=2), tmp_path)[0].ultrasound.second_tone_hz is None


def test_tones_set_by_hand_stay_below_the_lower_of_their_caps(tmp_path: Path) -> None:
    by_hand = settings(carrier_hz=22_600, second_carrier_hz=22_300, tones=2, level=0.2)
    card = by_hand.model_copy(update={"audio": by_hand.audio.model_copy(update={"device": "card"})})
    level = calibrated(card, tmp_path)[0].ultrasound.level
    assert level * math.sqrt(2) <= EmissionCaps(allows_audible=True).peak(22_300) + 1e-9


async def test_what_the_hub_plays_are_both_tones_and_music_stays_below_the_lower_one(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    ultrasound = build_ultrasound(
        settings(carrier_hz=20_900, second_carrier_hz=20_500, tones=2, level=0.1),
        calibration=CalibrationInUse(),
        state=tmp_path,
        bus=Bus(clock),
        clock=clock,
    )
    assert ultrasound is not None
    ultrasound.tone.allow(True)
    mixer = Mixer(rate_hz=RATE, speakers=2, emitter=ultrasound.emitter)
    mixer.play(np.random.default_rng(1).uniform(-1, 1, (2, 2 * RATE)).astype(np.float32))
    sound = mixer.next_block(2 * RATE)[:, RATE:]
    spectra = 2 * np.abs(np.fft.rfft(sound * np.hanning(RATE), axis=1)) / (RATE / 2)
    assert spectra[0, [20_500, 20_900]] == pytest.approx(0.1 / math.sqrt(2), rel=0.02)
    assert np.abs(sound).max() <= 1
    # the second loudspeaker has no tone: what it has is what the guard lets through and the limiter makes
    near, below = spectra[1, 20_000:21_400], spectra[1, 1_000:15_000]
    assert 20 * np.log10(np.sqrt(np.mean(near**2) / np.mean(below**2))) < -35
    assert ultrasound.emitter.peak <= MAX_LEVEL
