"""Keep the left sound out of the right ear: robust null-steering for any number of drivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.spatial.head_model import point_on_sphere
from hub.spatial.plant import Response

TARGET_DB = (
    (20.0, 0.0),
    (100.0, 0.0),
    (200.0, 3.0),
    (500.0, 9.0),
    (1000.0, 12.0),
    (4000.0, 12.0),
    (8000.0, 9.0),
    (12_000.0, 3.0),
    (16_000.0, 0.0),
)
"""Cancellation to reach by frequency: asking for more fits the model instead of real heads."""


def canceller(
    near: Response, far: Response, frequency_hz: NDArray[np.float64], max_gain: NDArray[np.float64]
) -> Response:
    """Return driver filters that reach the near ear and spare the far one.

    Per frequency the loading is the least that keeps the filters' norm below ``max_gain`` and the
    cancellation at or below `TARGET_DB`; the near ear hears the drivers' natural response.

    Parameters
    ----------
    near, far : ndarray
        What the ears of many heads hear, shape ``(heads, drivers, bins)``.
    max_gain : ndarray
        Shape ``(bins,)``, factor.

    Returns
    -------
    ndarray
        Shape ``(drivers, bins)``.
    """
    goal = _aligned_mean(near).T
    spill = np.einsum("knf,kmf->fnm", far.conj(), far) / len(far)
    natural = np.sqrt((np.abs(near) ** 2).mean(axis=(0, 1)))
    hold_db = np.array(TARGET_DB)
    target = 10 ** (
        np.interp(np.log(np.maximum(frequency_hz, 20)), np.log(hold_db[:, 0]), hold_db[:, 1]) / 10
    )
    low, high = np.full(len(goal), -8.0), np.full(len(goal), 4.0)
    for _ in range(22):
        middle = (low + high) / 2
        weights = _steer(spill, goal, near, natural, 10**middle)
        reached = _power(near, weights) / np.maximum(_power(far, weights), 1e-20)
        fine = (np.linalg.norm(weights, axis=1) <= max_gain) & (reached <= target)
        low, high = np.where(fine, low, middle), np.where(fine, middle, high)
    weights = _steer(spill, goal, near, natural, 10**high)
    loudest = int(np.argmax((np.abs(near) ** 2).mean(axis=(0, 2))))  # the driver on the near side
    weights = weights * np.exp(1j * np.angle(goal[:, loudest]))[:, None]
    filters: Response = weights.T
    return filters


def add_virtual_pair(
    left: Response, right: Response, degrees: float, frequency_hz: NDArray[np.float64]
) -> tuple[Response, Response]:
    """Give the far ear what it would hear of a loudspeaker ``degrees`` to the side."""
    angle = np.radians([90 - degrees, 90 + degrees])
    near, far = point_on_sphere(angle, 0.0875, frequency_hz)
    return left + far / near * right, right + far / near * left


def _aligned_mean(near: Response) -> Response:
    """Return the mean over heads once each is turned to the phase of the middle one."""
    middle = near[len(near) // 2]
    turn = np.exp(-1j * np.angle((near * middle.conj()).sum(axis=1, keepdims=True)))
    mean: Response = (near * turn).mean(axis=0)
    return mean


def _steer(
    spill: Response,
    goal: Response,
    near: Response,
    natural: NDArray[np.float64],
    loading: NDArray[np.float64],
) -> Response:
    """Return weights of shape ``(bins, drivers)`` for one loading a bin."""
    drivers = goal.shape[1]
    loaded = spill + loading[:, None, None] * np.eye(drivers)
    weights = np.linalg.solve(loaded, goal.conj()[..., None])[..., 0]
    weights = weights / (goal * weights).sum(axis=1, keepdims=True)
    scaled: Response = weights * (natural / np.sqrt(_power(near, weights)))[:, None]
    return scaled


def _power(ear: Response, weights: Response) -> NDArray[np.float64]:
    """Return the mean power over heads, shape ``(bins,)``."""
    heard = np.einsum("knf,fn->kf", ear, weights)
    power: NDArray[np.float64] = (np.abs(heard) ** 2).mean(axis=0)
    return power
