"""What a Wyoming server offers, as the house behind it does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from integrations.wyoming.wire import SoundFormat

HearsWakeWord = Callable[[bytes], str | None]
"""Takes the next sound, whole instants of one format, and returns the wake word that ended in it, if any."""


class Ears(Protocol):
    """Hears in other people's sound what the house hears in its own.

    Each of the two methods, and what `wake_ear` returns, is called in one thread of its own.

    Attributes
    ----------
    language : str
        The language that is understood, as ``en``.
    wake_phrases : tuple of str
        The wake words.
    """

    language: str
    wake_phrases: tuple[str, ...]

    def transcribe(self, sound: bytes, form: SoundFormat) -> str:
        """Return what was said, empty for what is not understood."""

    def wake_ear(self, phrases: Sequence[str], form: SoundFormat) -> HearsWakeWord:
        """Return an ear for one client's sound that hears some of the wake words."""
