"""What acoustic calibrations have found, and the trim that follows; kept over restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.whole_file import write_whole
from sensing.calibration.calibration import Hardware

_MOST_HUBS = 16

log = structlog.get_logger("calibration of rooms")


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PairResult(_Kept):
    """What was found between this hub and another one.

    Attributes
    ----------
    offset_seconds : float
        How much later the hub that follows sounded.
    trim_seconds : float
        How much earlier it plays since then, with all that was found before.
    """

    at: AwareDatetime
    offset_seconds: float
    sigma_seconds: float
    distance_metres: float
    trim_seconds: float


class PairMemory(_Kept):
    """All results, and the trim of this hub where it follows.

    Attributes
    ----------
    follows : str or None
        The server for which the trim holds; None for a hub that serves.
    hardware : Hardware
        The card for which it holds.
    """

    v: Literal[1] = 1
    follows: str | None
    hardware: Hardware
    trim_seconds: Annotated[float, Field(ge=-1, le=1)] = 0.0
    results: Annotated[dict[str, PairResult], Field(max_length=_MOST_HUBS)] = {}

    def with_result(self, hub: str, result: PairResult, *, is_own_trim: bool) -> PairMemory:
        """Return the memory with another result; beyond 16 hubs the oldest is forgotten."""
        others = sorted(
            ((name, one) for name, one in self.results.items() if name != hub), key=lambda item: item[1].at
        )
        results = dict([*others[-(_MOST_HUBS - 1) :], (hub, result)])
        trim = result.trim_seconds if is_own_trim else self.trim_seconds
        return self.model_copy(update={"results": results, "trim_seconds": trim})


def remembered(path: Path, *, follows: str | None, hardware: Hardware) -> PairMemory:
    """Return what was found with this server and this card; of others nothing, and the log says so."""
    nothing = PairMemory(follows=follows, hardware=hardware)
    try:
        memory = PairMemory.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return nothing
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        why = f"{error.error_count()} values are wrong" if isinstance(error, ValidationError) else str(error)
        log.warning("what was calibrated cannot be read", path=str(path), why=why)
        return nothing
    if (memory.follows, memory.hardware) != (follows, hardware):
        log.info("what was calibrated is of another card or server, and not used", path=str(path))
        return nothing
    return memory


def remember(path: Path, memory: PairMemory) -> None:
    """Replace the file at once.

    Raises
    ------
    OSError
        It cannot be written.
    """
    write_whole(path, memory.model_dump_json())
