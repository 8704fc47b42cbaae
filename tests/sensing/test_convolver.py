"""Partitioned convolution against the definition, and filters that change while it plays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from sensing.dsp.convolver import FADE_PARTS, PartitionedConvolver

STEP = 64
FADE = FADE_PARTS * STEP


def noise(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def convolved(sound: NDArray[np.float32], filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Every output by direct convolution, one block late."""
    parts = [[signal.convolve(x, h) for h in row] for x, row in zip(sound, filters, strict=True)]
    whole = np.pad(np.sum(parts, axis=0), ((0, 0), (STEP, 0)))
    late: NDArray[np.float64] = whole[:, : sound.shape[1]]
    return late


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 300), st.lists(st.integers(0, 1500), max_size=6))
def test_it_convolves_whatever_the_shape_and_the_cuts(
    inputs: int, outputs: int, taps: int, cuts: list[int]
) -> None:
    filters, sound = noise(inputs, outputs, taps), noise(inputs, 1500, seed=1)
    convolver = PartitionedConvolver(filters, STEP)
    pieces = [convolver.process(piece) for piece in np.split(sound, sorted(cuts), axis=1)]
    # float32 sums of up to 900 products of size 1
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), convolved(sound, filters), atol=2e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 12), st.lists(st.integers(0, 768), max_size=4), st.lists(st.integers(0, 1500), max_size=4)
)
def test_other_filters_take_over_in_a_straight_line_however_cut(
    parts_before: int, before: list[int], after: list[int]
) -> None:
    old, new, sound = noise(2, 3, 200), noise(2, 3, 200, seed=2), noise(2, 2300, seed=1)
    first = parts_before * STEP
    convolver = PartitionedConvolver(old, STEP)
    cuts = sorted(cut for cut in before if cut < first)
    pieces = [convolver.process(piece) for piece in np.split(sound[:, :first], cuts, axis=1)]
    convolver.exchange(new)
    pieces += [convolver.process(piece) for piece in np.split(sound[:, first:], sorted(after), axis=1)]
    begin = first + STEP  # what comes out is one part old
    share = np.clip((np.arange(2300) - begin + 1) / FADE, 0, 1)
    wanted = (1 - share) * convolved(sound, old) + share * convolved(sound, new)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), wanted, atol=2e-4)


def test_the_last_filters_asked_for_during_a_fade_come_after_it() -> None:
    sound = noise(1, 4000)
    convolver = PartitionedConvolver(noise(1, 1, 100, seed=1), STEP)
    convolver.process(sound[:, :1000])
    last = noise(1, 1, 100, seed=9)
    heard = []
    for seed, first in enumerate(range(1000, 1200, 50)):
        convolver.exchange(noise(1, 1, 100, seed=seed + 2))
        heard.append(convolver.process(sound[:, first : first + 50]))
    convolver.exchange(last)
    heard.append(convolver.process(sound[:, 1200:]))
    settled = np.concatenate(heard, axis=1)[:, 3 * FADE :]
    np.testing.assert_allclose(settled, convolved(sound, last)[:, 1000 + 3 * FADE :], atol=2e-4)


def test_a_reset_forgets_the_sound_and_keeps_the_last_filters() -> None:
    new = noise(1, 2, 100, seed=5)
    convolver = PartitionedConvolver(noise(1, 2, 100), STEP)
    convolver.process(noise(1, 500))
    convolver.exchange(new)
    convolver.reset()
    sound = noise(1, 700, seed=3)
    np.testing.assert_allclose(convolver.process(sound), convolved(sound, new), atol=2e-4)


def test_filters_of_another_shape_are_refused() -> None:
    convolver = PartitionedConvolver(noise(2, 3, 100), STEP)
    with pytest.raises(ValueError, match=r"\(2, 4, 100\) cannot follow \(2, 3, 100\)"):
        convolver.exchange(noise(2, 4, 100))
