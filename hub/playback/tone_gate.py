"""Who decides whether the tone sounds: the house allows it, the sensor wants it."""

from __future__ import annotations

import threading

from sensing.ultrasound.emitter import CarrierEmitter


class ToneGate:
    """Start the tone while it is both allowed and wanted; safe from any thread.

    Forbidding stops the tone itself, so it does not wait for a sensor that is behind. Nothing is allowed at
    first, and everything that is allowed is wanted until a sensor says otherwise. It rests while something
    else sounds in its place.
    """

    def __init__(self, emitter: CarrierEmitter) -> None:
        self._emitter = emitter
        self._lock = threading.Lock()
        self._is_allowed = False
        self._is_wanted = True
        self._is_resting = False

    @property
    def is_allowed(self) -> bool:
        """Whether anything may sound at all."""
        return self._is_allowed

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

    def rest(self, is_resting: bool) -> None:
        """Keep the tone silent although it is wanted, or let it come back."""
        if is_resting != self._is_resting:
            with self._lock:
                self._is_resting = is_resting
                self._switch()

    def _switch(self) -> None:
        if self._is_allowed and self._is_wanted and not self._is_resting:
            self._emitter.start()
        else:
            self._emitter.stop()
