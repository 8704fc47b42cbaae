"""Keep the left sound out of the right ear: robust null-steering for any number of drivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.spatial.plant import Response

TARGET_DB = (
    (100.0, 0.0),
    (200.0, 6.0),
    (500.0, 18.0),
    (6000.0, 18.0),
    (8000.0, 14.0),
    (12_000.0, 3.0),
    (16_000.0, 0.0),
)
"""Cancellation to reach by frequency: asking for more fits the model instead of real heads."""

_LOADINGS = (-8.0, 4.0)
"""Powers of ten between which the loading is searched, in units of what the near ear hears of one driver."""


def canceller(
    near: Response,
    far: Response,
    share: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
    *,
    model_error: NDArray[np.float64],
    max_gain: float,
) -> Response:
    """Return driver filters that reach the near ear and spare the far one.

    Per frequency the loading is the least that keeps the filters' norm below ``max_gain`` and the
    cancellation at or below `TARGET_DB`; the near ear hears the drivers' natural response.

    Parameters
    ----------
    near, far : ndarray
        What the near ears of many heads hear, and what is to vanish at their far ears, shape
        ``(heads, drivers, bins)``.
    share : ndarray
        How much each head counts, together 1, shape ``(heads,)``.
    model_error : ndarray
        How far real drivers and heads are from the model, as power over that of one driver in
        ``far``, shape ``(bins,)``.
    max_gain : float
        Factor.

    Returns
    -------
    ndarray
        Shape ``(drivers, bins)``.
    """
    goal = _aligned_mean(near, share).T
    reach, spill = _power(near, share), _power(far, share)
    natural = np.sqrt(_mean_of_drivers(reach))
    error = model_error * _mean_of_drivers(spill)
    leak, axes = np.linalg.eigh(spill)  # in its own axes loading is an addition, 1 / (leak + loading)
    leak = leak + error[:, None]
    turned = axes.conj().transpose(0, 2, 1)
    reach = turned @ reach @ axes
    wanted = (turned @ goal.conj()[..., None])[..., 0]
    target = 10 ** (target_db(frequency_hz) / 10)

    def weigh(loading: NDArray[np.float64]) -> Response:
        free = wanted / (leak + (natural**2 * 10**loading)[:, None])
        power = np.einsum("fn,fn->f", free.conj(), (reach @ free[..., None])[..., 0]).real
        weights: Response = free * (natural / np.sqrt(power))[:, None]
        return weights

    low, high = (np.full(len(goal), end) for end in _LOADINGS)
    for _ in range(20):
        middle = (low + high) / 2
        power = np.abs(weigh(middle)) ** 2
        strong = power.sum(axis=1) > max_gain**2
        deep = natural**2 > target * (leak * power).sum(axis=1)
        low, high = np.where(strong | deep, middle, low), np.where(strong | deep, high, middle)
    weights = (axes @ weigh(high)[..., None])[..., 0]
    loudest = int(np.argmax(np.einsum("k,knf->n", share, np.abs(near) ** 2)))
    filters: Response = weights.T * np.exp(1j * np.angle(goal[:, loudest]))  # arrives as from this one
    return filters


def target_db(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `TARGET_DB` between its points, on a logarithmic axis."""
    hz, level_db = np.array(TARGET_DB).T
    level: NDArray[np.float64] = np.interp(np.log(np.maximum(frequency_hz, hz[0])), np.log(hz), level_db)
    return level


def _aligned_mean(near: Response, share: NDArray[np.float64]) -> Response:
    """Return the mean over heads once each is turned to the phase of the middle one."""
    middle = near[len(near) // 2]
    turn = np.exp(-1j * np.angle((near * middle.conj()).sum(axis=1, keepdims=True)))
    mean: Response = np.einsum("k,knf->nf", share, near * turn)
    return mean


def _power(ear: Response, share: NDArray[np.float64]) -> Response:
    """Return the mean over heads of what each two drivers share, shape ``(bins, drivers, drivers)``."""
    weighted = (ear * np.sqrt(share)[:, None, None]).transpose(2, 0, 1)
    power: Response = weighted.conj().transpose(0, 2, 1) @ weighted
    return power


def _mean_of_drivers(power: Response) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.einsum("fnn->f", power).real / power.shape[1]
    return mean
