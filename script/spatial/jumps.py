"""Judge a recording of a known white sound: where it jumps, and where it is the same bit by bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Sound = NDArray[np.float32]

_BLOCK_SECONDS = 0.025
_SEARCH_SECONDS = 1.6
_SAME = 0.98
_LEAST_JUMP_SECONDS = 0.005
_LEAST_HOLE_BLOCKS = 3
_ONE_EVENT_SECONDS = 0.75
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """Where the recording jumps.

    Attributes
    ----------
    frames : int
        How much later it goes on; 0 for a hole that closes again.
    hole_frames : int
        How long it is something else.
    """

    frame: int
    frames: int
    hole_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a recording is worth.

    Attributes
    ----------
    jumps : tuple of Jump
        Changes of the delay by 5 ms or more, and holes of 75 ms or more; those within 0.75 s are one.
    slips : tuple of Jump
        Smaller ones: after a stop a server's clock creeps back in steps of a few samples.
    exact_share : float
        Blocks of 25 ms that are the same bit by bit.
    """

    jumps: tuple[Jump, ...]
    slips: tuple[Jump, ...]
    exact_share: float


def find_jumps(reference: Sound, capture: Sound, rate_hz: int) -> Judged:
    """Follow the delay from what was played to what was heard, block by block."""
    length = round(_BLOCK_SECONDS * rate_hz)
    delay: int | None = None
    changes: list[Jump] = []
    exact = hole_frames = 0
    starts = range(round(_SEARCH_SECONDS * rate_hz), len(capture) - length + 1, length)
    for start in starts:
        block = capture[start : start + length]
        if delay is not None and np.array_equal(block, _at(reference, start - delay, length)):
            exact += 1
        now = delay
        if delay is None or _likeness(block, _at(reference, start - delay, length)) < _SAME:
            now = _search(reference, block, start, round(_SEARCH_SECONDS * rate_hz))
        if now is None:
            hole_frames += length
            continue
        moved = 0 if delay is None else now - delay
        if hole_frames or moved:
            changes.append(Jump(frame=start - hole_frames, frames=moved, hole_frames=hole_frames))
        delay, hole_frames = now, 0
    if hole_frames:
        changes.append(Jump(frame=len(capture) - hole_frames, frames=0, hole_frames=hole_frames))
    events = _merged(changes, rate_hz)
    is_jump = [
        abs(one.frames) >= _LEAST_JUMP_SECONDS * rate_hz or one.hole_frames >= _LEAST_HOLE_BLOCKS * length
        for one in events
    ]
    return Judged(
        jumps=tuple(one for one, large in zip(events, is_jump, strict=True) if large),
        slips=tuple(one for one, large in zip(events, is_jump, strict=True) if not large),
        exact_share=exact / max(1, len(starts) - 1),
    )


def _at(sound: Sound, first: int, length: int) -> Sound:
    return sound[max(first, 0) : max(first, 0) + length]


def _likeness(block: Sound, other: Sound) -> float:
    """Return the correlation of two pieces, 0 where one is silent."""
    if len(other) < len(block):
        return 0.0
    power = float((block**2).sum() * (other**2).sum())
    return float((block * other).sum()) / np.sqrt(power) if power > _TINY else 0.0


def _search(reference: Sound, block: Sound, start: int, most: int) -> int | None:
    """Return the delay of a block, None where it is found nowhere."""
    past = reference[start - most : start + len(block)].astype(float)
    size = fft.next_fast_len(len(past) + len(block))
    product = fft.rfft(past, size) * fft.rfft(block.astype(float), size).conj()
    delay = most - int(np.argmax(fft.irfft(product, size)[: most + 1]))
    return delay if _likeness(block, _at(reference, start - delay, len(block))) >= _SAME else None


def _merged(changes: list[Jump], rate_hz: int) -> tuple[Jump, ...]:
    """Return changes with those that follow each other closely made one."""
    events: list[Jump] = []
    for one in changes:
        if events and one.frame - events[-1].frame < _ONE_EVENT_SECONDS * rate_hz:
            first = events[-1]
            events[-1] = Jump(
                frame=first.frame,
                frames=first.frames + one.frames,
                hole_frames=first.hole_frames + one.hole_frames,
            )
        else:
            events.append(one)
    return tuple(events)
