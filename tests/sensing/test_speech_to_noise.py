"""How clearly speech was heard: what hubs compare to find the nearest one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.speech.energy_gate import PIECE_FRAMES, EnergyGate


def heard(level_db: float, noise_db: float = -60.0, *, seed: int = 0) -> float:
    """Return what the gate says of 0.6 s of noise-like speech at the end of two seconds of a room."""
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal(100 * PIECE_FRAMES) * 10 ** (noise_db / 20)
    sound[-30 * PIECE_FRAMES :] += rng.standard_normal(30 * PIECE_FRAMES) * 10 ** (level_db / 20)
    gate = EnergyGate()
    gate.process(sound.astype(np.float32))
    level = gate.speech_to_noise_db
    assert level is not None
    return level


def test_before_any_sound_nothing_is_known() -> None:
    gate = EnergyGate()
    assert gate.speech_to_noise_db is None
    gate.process(np.zeros(PIECE_FRAMES, np.float32))
    assert gate.speech_to_noise_db == 0.0


@settings(max_examples=20, deadline=None)
@given(st.floats(-45, -10), st.integers(0, 99))
def test_the_level_is_that_of_the_speech_above_the_noise(level_db: float, seed: int) -> None:
    # the quietest of 70 pieces lies a decibel below the noise, the loudest tenth half a one above the speech
    assert heard(level_db, seed=seed) == pytest.approx(level_db + 60, abs=2.5)


@settings(max_examples=20, deadline=None)
@given(st.floats(-45, -20), st.floats(3, 10), st.integers(0, 99))
def test_the_nearer_hub_hears_it_more_clearly(level_db: float, nearer_db: float, seed: int) -> None:
    assert heard(level_db + nearer_db, seed=seed) > heard(level_db, seed=seed)
