"""The second look at a wake word: whether the recogniser's phones say the phrase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.speech.phones import BLANK, LABELS, phone_labels

_FLOOR = -30.0
"""Of a label's log probability: a posterior of exactly 0 must not decide alone."""


def keyword_score(log_probs: NDArray[np.float32], phones: Sequence[str]) -> float:
    """Return how well a phrase explains the part of a window that fits it best.

    The phrase may begin and end in any frame. Between them the forward algorithm of connectionist temporal
    classification (Graves et al. 2006) sums over all alignments; the best free path takes each frame's
    likeliest label. The begin and the end are those with the highest ratio of both, which is then shared
    among the phones, so that long and short phrases compare. More sound around it never lowers the score.

    Parameters
    ----------
    log_probs : NDArray
        Shape ``(frames, 40)``: log probabilities of the blank and the 39 phones.
    phones : sequence of str
        The phrase in ARPAbet, at least one phone.

    Returns
    -------
    float
        Log likelihood ratio a phone: about 0 where the phrase is what is heard anyway, lower the less it
        fits, ``-inf`` where the window is too short to say the phrase.

    Raises
    ------
    ValueError
        There is no phone, one is unknown, or the window has another shape.
    """
    if not phones:
        raise ValueError("a phrase has at least one phone")
    if log_probs.ndim != 2 or log_probs.shape[1] != LABELS:
        raise ValueError(f"log_probs has shape {log_probs.shape}; wanted (frames, {LABELS})")
    ratios = np.maximum(log_probs - log_probs.max(axis=1, keepdims=True), _FLOOR).astype(np.float64)
    states = _states(phone_labels(phones))
    frames = len(ratios)
    # A row for every frame in which the phrase may begin: sums of different begins must not be mixed.
    forward = np.full((frames, len(states)), -np.inf)
    best = -np.inf
    for frame in range(frames):
        forward[:frame] = _advanced(forward[:frame], states) + ratios[frame, states]
        forward[frame, 0] = ratios[frame, states[0]]
        best = max(best, float(forward[: frame + 1, -1].max()))
    return best / len(phones)


def _states(labels: Sequence[int]) -> NDArray[np.intp]:
    """Return the labels with a blank between any two, none before and after."""
    states = np.full(2 * len(labels) - 1, BLANK, np.intp)
    states[::2] = labels
    return states


def _advanced(forward: NDArray[np.float64], states: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sums of the ways into every state: stay, go on, skip a blank between different phones."""
    ways = forward.copy()
    ways[:, 1:] = np.logaddexp(ways[:, 1:], forward[:, :-1])
    skips = np.flatnonzero((states[2:] != BLANK) & (states[2:] != states[:-2])) + 2
    ways[:, skips] = np.logaddexp(ways[:, skips], forward[:, skips - 2])
    return ways
