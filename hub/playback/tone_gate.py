"""Who decides whether the tone sounds: the house allows it, the sensor wants it."""

from __future__ import annotations

import threading

from sensing.ultrasound.emitter import CarrierEmitter


class ToneGate:
    """Start the tone while it is both allowed and wanted; safe from any thread.

    Forbidding stops the tone itself, so it does not wait for a sensor that is behind. Nothing is allowed at
    first, and everything that is allowed is wanted until a sensor says otherwise.
    """

    def __init__(self, emitter: CarrierEmitter) -> None:
        self._emitter = emitter
        self._lock = threading.Lock()
        self._is_allowed = False
        self._is_wanted = True

    def allow(self, is_allowed: bool) -> None:
        """Let the tone sound when it is wanted, or stop it with its next ramp."""
        with self._lock:
            self._is_allowed = is_allowed
            self._switch()

    def want(self, is_wanted: bool) -> None:
        """Say whether sensing has a use for the tone now."""
        with self._lock:
            self._is_wanted = is_wanted
            self._switch()

    def _switch(self) -> None:
        if self._is_allowed and self._is_wanted:
            self._emitter.start()
        else:
            self._emitter.stop()
