from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.calibration.interferers import find_interferers, listen
from sensing.errors import CannotCalibrate

RATE_HZ = 48_000


def room(seconds: float = 4.0, noise_dbfs: float = -80.0, seed: int = 1) -> np.ndarray:
    frames = round(seconds * RATE_HZ)
    noise = np.random.default_rng(seed).normal(0, 10 ** (noise_dbfs / 20), (2, frames))
    return noise.astype(np.float32)


def test_the_density_of_white_noise_is_its_power_over_half_the_rate() -> None:
    listening = listen(room(), RATE_HZ)
    # a sine of full scale is 0 dBFS, so its power of 1/2 is: 3 dB are added to the mean square
    expected_db = -80.0 + 3.01 - 10 * np.log10(RATE_HZ / 2)
    seen_db = listening.noise_around(np.array([19_000.0, 21_000.0]), 400.0)
    # 47 periodograms of 68 bins: 0.3 dB is three standard deviations of a median's mean
    np.testing.assert_allclose(seen_db, expected_db, atol=0.3)


@settings(max_examples=12, deadline=None)
@given(hz=st.floats(18_500, 22_500), level_db=st.floats(-85, -20), seed=st.integers(0, 99))
def test_a_steady_tone_is_found_where_it_is(hz: float, level_db: float, seed: int) -> None:
    heard = room(seed=seed)
    heard[1] += (10 ** (level_db / 20) * np.sin(2 * np.pi * hz * np.arange(heard.shape[1]) / RATE_HZ)).astype(
        np.float32
    )
    found = find_interferers(listen(heard, RATE_HZ), low_hz=18_000, high_hz=23_000)
    assert len(found) == 1
    # bins are 5.9 Hz apart
    assert found[0].hz == pytest.approx(hz, abs=6.0)
    assert found[0].microphone == 1
    assert found[0].excludes(hz + 490)
    assert not found[0].excludes(hz + 510)


def test_noise_and_clicks_are_no_tones() -> None:
    heard = room()
    heard[:, 10_000:10_040] += 0.5
    heard[:, 90_000:90_200] -= 0.3
    assert find_interferers(listen(heard, RATE_HZ), low_hz=18_000, high_hz=23_000) == []


def test_an_overloaded_microphone_is_refused() -> None:
    heard = room()
    heard[0, 5_000] = 1.0
    with pytest.raises(CannotCalibrate, match=r"too loud.*when it is quiet"):
        listen(heard, RATE_HZ)
