"""A chime before an announcement: two struck bars, made here, so that no file can be missing."""

from __future__ import annotations

import numpy as np

from sensing.audio_block import Block

_NOTES_HZ = (783.99, 523.25)
"""G and C: a falling fifth is what a door bell says."""
_APART_SECONDS = 0.28
_RING_SECONDS = 0.9
_PARTIALS = ((1.0, 1.0), (2.756, 0.25), (5.404, 0.08))
"""Of a free bar (Rossing, The Physics of Musical Instruments, section 2.17): ratio and level."""
_LEVEL = 0.25


def chime(rate_hz: int) -> Block:
    """Return the chime, shape ``(1, frames)``; it begins and ends in silence."""
    time = np.arange(round(_RING_SECONDS * rate_hz)) / rate_hz
    apart = round(_APART_SECONDS * rate_hz)
    sound = np.zeros(len(time) + apart)
    struck = np.minimum(time / 0.004, 1) * np.clip((_RING_SECONDS - time) / 0.1, 0, 1)
    for number, note_hz in enumerate(_NOTES_HZ):
        bar = sum(
            level * np.exp(-4.5 * ratio * time) * np.sin(2 * np.pi * ratio * note_hz * time)
            for ratio, level in _PARTIALS
        )
        sound[number * apart : number * apart + len(time)] += struck * bar
    block: Block = (_LEVEL * sound / np.abs(sound).max()).astype(np.float32)[None]
    return block
