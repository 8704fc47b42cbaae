"""What a player knows of its music after a restart: the list, the place in it, and how it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.playback.play_queue import Repeat
from hub.playback.sound_source import Tags, Track
from hub.whole_file import write_whole

log = structlog.get_logger("music")


class PlayerMemory(BaseModel):
    """The list and the place in it.

    Attributes
    ----------
    playlist : str or None
        What was asked for.
    order : tuple of int
        In which the tracks come: numbers from 0.
    number : int or None
        The track that played, None where none did.
    place_seconds : float
        Where in it.
    tags, seconds, can_seek
        What was known of that track.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    v: Literal[1] = 1
    playlist: str | None = None
    tracks: tuple[Track, ...] = ()
    order: tuple[int, ...] = ()
    number: int | None = None
    place_seconds: Annotated[float, Field(ge=0)] = 0.0
    tags: Tags = Tags()
    seconds: float | None = None
    can_seek: bool = False
    shuffle: bool = False
    repeat: Repeat = "off"

    @model_validator(mode="after")
    def _refuse_other_numbers(self) -> Self:
        numbers = range(len(self.tracks))
        if sorted(self.order) != list(numbers) or not (self.number is None or self.number in numbers):
            raise ValueError("order and number do not fit the tracks")
        return self


def saved_player(path: Path) -> PlayerMemory:
    """Return what was remembered last; nothing where nothing was, or where it cannot be read."""
    try:
        return PlayerMemory.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("the remembered music cannot be read", path=str(path), why=str(error))
    except ValidationError as error:
        [first, *_] = error.errors()
        log.warning("the remembered music is damaged and is left out", path=str(path), why=first["msg"])
    return PlayerMemory()


def save_player(path: Path, memory: PlayerMemory) -> None:
    """Replace the file at once; nobody else reads it, for addresses may have a password in them."""
    write_whole(path, memory.model_dump_json(), is_private=True)
