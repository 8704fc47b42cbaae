"""What counts as sound beside the tone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.distortion_canceller import SILENT
from sensing.ultrasound.playback_reference import PlaybackReference

RATE, CARRIER = 48_000, 20_500.0


def played(frames: int, *, first: int = 0, music: float = 0.0) -> np.ndarray:
    seconds = (first + np.arange(frames)) / RATE
    sound = 0.1 * np.sin(2 * np.pi * CARRIER * seconds) + music * np.sin(2 * np.pi * 200 * seconds)
    return sound[None].astype(np.float32)


def reference() -> PlaybackReference:
    demodulator = Demodulator(carrier_hz=CARRIER, rate_hz=RATE, microphones=1)
    return PlaybackReference(
        rate_hz=RATE, factor=demodulator.factor, latency_frames=demodulator.latency_frames
    )


@given(first=st.integers(0, RATE), cut=st.integers(1, 9_599))
def test_a_tone_that_is_there_at_once_after_a_rest_is_not_taken_for_music(first: int, cut: int) -> None:
    low, whole = reference(), reference()
    sound = played(9_600, first=first)
    pieces = np.concatenate([low.process(sound[:, :cut]), low.process(sound[:, cut:])])
    assert np.abs(pieces).max() < SILENT
    np.testing.assert_allclose(pieces, whole.process(sound), atol=1e-7)


def test_music_is_heard_as_soon_as_the_filter_is_full() -> None:
    heard = reference().process(played(9_600, music=0.01))
    assert np.abs(heard[:10]).max() == 0.0
    assert np.abs(heard[40:]).max() > 50 * SILENT
