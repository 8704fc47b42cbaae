"""How loud a room's music is: 0 to 100 for people, a factor for samples, remembered over a restart."""

from __future__ import annotations

import json
from math import log10
from pathlib import Path

import structlog

from hub.whole_file import write_whole

log = structlog.get_logger("volume")


def volume_factor(percent: float) -> float:
    """Return the factor for a volume of 0 to 100.

    The cube of the share, as PulseAudio's software volume: 60 dB per decade comes near to how loud it is for
    ears, and 0 is silence without a jump.
    """
    return (min(max(percent, 0.0), 100.0) / 100) ** 3


def volume_db(percent: float) -> float:
    """Return the same in dB; minus infinity for 0."""
    factor = volume_factor(percent)
    return 20 * log10(factor) if factor > 0 else float("-inf")


def saved_volume(path: Path, *, otherwise: float) -> float:
    """Return the volume that was set last, or ``otherwise`` where none is or none can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return otherwise
    except (OSError, ValueError) as error:
        log.warning("the saved volume cannot be read", path=str(path), why=str(error))
        return otherwise
    volume = content.get("volume") if isinstance(content, dict) else None
    if isinstance(volume, bool) or not isinstance(volume, int | float) or not 0 <= volume <= 100:
        log.warning("the saved volume is none", path=str(path), volume=str(volume))
        return otherwise
    return float(volume)


def save_volume(path: Path, percent: float) -> None:
    """Replace the file at once, so that a power cut leaves the old or the new one."""
    write_whole(path, json.dumps({"volume": percent}))
