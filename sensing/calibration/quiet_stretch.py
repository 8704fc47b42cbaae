"""The first quiet minute: how the carrier is heard while the calibration holds."""

from __future__ import annotations

import math

import numpy as np

from sensing.calibration.triggers import LONGEST_GAP_SECONDS
from sensing.ultrasound.carrier_state import CarrierState

QUIET_SECONDS = 60.0
_LEAST_STATES = 8
"""A tone that only blinks is heard for one second in eight."""


class QuietStretch:
    """Average what was heard in a minute without motion.

    Only what differs between the microphones is kept of the phases: the clocks start elsewhere at each start.
    """

    def __init__(self) -> None:
        self._states: list[CarrierState] = []

    def process(self, state: CarrierState) -> CarrierState | None:
        """Return the average once nothing has moved for a minute, None before."""
        if state.is_moving:
            self._states.clear()
            return None
        if self._states and not 0 <= state.at_seconds - self._states[-1].at_seconds <= LONGEST_GAP_SECONDS:
            self._states.clear()
        self._states.append(state)
        quiet_seconds = state.at_seconds - self._states[0].at_seconds
        if quiet_seconds < QUIET_SECONDS or len(self._states) < _LEAST_STATES:
            return None
        average = _average(self._states)
        self._states.clear()
        return average


def _average(states: list[CarrierState]) -> CarrierState:
    """Return the mean of states of any common phase: the strongest eigenvector of their products."""
    heard = np.array([state.signature for state in states], np.complex128)
    strengths, vectors = np.linalg.eigh(heard.T @ heard.conj() / len(heard))
    signature = math.sqrt(max(float(strengths[-1]), 0.0)) * vectors[:, -1]
    loudest = signature[np.abs(signature).argmax()]
    if abs(loudest) > 0:
        signature = signature * np.conj(loudest) / abs(loudest)
    return CarrierState(
        at_seconds=states[-1].at_seconds,
        signature=signature.astype(np.complex64),
        snr_db=float(np.median([state.snr_db for state in states])),
        is_moving=False,
        temperature_c=states[-1].temperature_c,
    )
