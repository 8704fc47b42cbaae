"""Where a reply is heard: which device or room the words ``origin``, ``same_room``, ``nearest`` mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from routines.facts import Json
from routines.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearers:
    """Who could hear a reply.

    Attributes
    ----------
    device, room : str or None
        The hub that heard the phrase, and the room where it stands or whose presence fired the trigger.
    occupied : tuple of str
        Rooms where people are, the latest to be entered first.
    """

    device: str | None = None
    room: str | None = None
    occupied: tuple[str, ...] = ()

    @classmethod
    def of(cls, trigger: Json, home: Home) -> Self:
        """Return who could hear a reply to a trigger."""
        seen = trigger if isinstance(trigger, dict) else {}
        device, room = seen.get("device"), seen.get("room")
        taken = sorted((known.since, name) for name, known in home.rooms() if known.present)
        return cls(
            device=device if isinstance(device, str) else None,
            room=room if isinstance(room, str) and room else None,
            occupied=tuple(name for _, name in reversed(taken)),
        )


def resolve(speaker: Json, hearers: Hearers) -> Json:
    """Return the device, the room or the list of them that ``speaker`` means; None is wherever the hub is.

    ``nearest`` and ``follow`` go to the room that was entered last, since that is where somebody is.
    """
    match speaker:
        case "origin" | "same_room":
            return hearers.device or hearers.room
        case "nearest" | "follow":
            return hearers.occupied[0] if hearers.occupied else hearers.device or hearers.room
        case {"area_id": area}:
            return area
        case _:
            return speaker
