"""Fitting the confidence to decoded recordings, and how well it is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sensing.speech.confidence import ConfidenceCoefficients, ConfidenceFeatures

_RIDGE = 1e-2
"""Weight of the squared slopes of standardised features: separable rows would make them infinite."""
_LEAST_SPREAD = 1e-6


def fit_confidence(
    rows: Sequence[tuple[ConfidenceFeatures, bool]], weights: Sequence[float] | None = None
) -> ConfidenceCoefficients:
    """Return the coefficients under which the rows are likeliest.

    Targets are Platt's: ``(right + 1) / (right + 2)`` and ``1 / (wrong + 2)`` instead of 1 and 0. No slope is
    below zero: more of any feature never makes a sentence less likely.

    Parameters
    ----------
    rows : sequence
        Features of a decoded sentence and whether it was right.
    weights : sequence of float or None
        How many rows each counts for; None for one.

    Raises
    ------
    ValueError
        All rows are right, or all are wrong: there is nothing to tell apart.
    """
    is_right = np.array([right for _, right in rows], bool)
    if is_right.all() or not is_right.any():
        counts = f"{is_right.sum()} right and {(~is_right).sum()} wrong"
        raise ValueError(f"{counts} sentences: confidence needs some of both")
    counted = np.ones(len(rows)) if weights is None else np.array(weights, np.float64)
    right, wrong = float(counted @ is_right), float(counted @ ~is_right)
    values = np.array([astuple(features) for features, _ in rows], np.float64)
    middle, spread = values.mean(axis=0), np.maximum(values.std(axis=0), _LEAST_SPREAD)
    inputs = np.column_stack([np.ones(len(rows)), (values - middle) / spread])
    targets = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(slopes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = inputs @ slopes
        ridge = _RIDGE * np.concatenate([[0.0], slopes[1:]])
        likelihood = counted @ (np.logaddexp(0.0, odds) - targets * odds)
        slope = inputs.T @ (counted * (1 / (1 + np.exp(-odds)) - targets)) + ridge
        return float(likelihood + ridge @ slopes / 2), np.asarray(slope, np.float64)

    bounds = [(None, None), *[(0.0, None)] * values.shape[1]]
    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    slopes = found.x[1:] / spread
    return ConfidenceCoefficients(float(found.x[0] - slopes @ middle), *map(float, slopes))


def expected_calibration_error(rows: Sequence[tuple[float, bool]], *, bins: int = 10) -> float:
    """Return the mean distance between confidence and share of right sentences, 0 to 1.

    Over bins of equal width, weighted by their sizes (Naeini, Cooper and Hauskrecht 2015).

    Parameters
    ----------
    rows : sequence
        Confidence from 0 to 1 and whether the sentence was right; not the rows of the fit.
    bins : int
        At least 1.

    Raises
    ------
    ValueError
        There are no rows.
    """
    if not rows:
        raise ValueError("no sentences: there is no calibration error of nothing")
    confidence = np.array([one for one, _ in rows])
    is_right = np.array([right for _, right in rows], np.float64)
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(number, confidence - is_right, minlength=bins)
    return float(np.abs(gaps).sum() / len(rows))
