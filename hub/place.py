"""Where a home is that only says its time zone: where the zone's own city is."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from hub.config.hub_config import HomeConfig
from routines.schedule.sun import Place

_COORDINATES = re.compile(r"([+-])(\d{2,3})(\d{2})(\d{2})?([+-])(\d{2,3})(\d{2})(\d{2})?")
_GREENWICH = Place(latitude=51.48, longitude=0.0)


def place_of_timezone(name: str) -> Place:
    """Return the place of a time zone's city, from the tables of the time zone database.

    In the zone's other places the sun rises up to an hour or two earlier or later; a home that needs it
    better sets its latitude and longitude. UTC and other zones without a city are taken for Greenwich.
    """
    return _places().get(name, _GREENWICH)


def place_of_home(home: HomeConfig) -> Place:
    """Return where a home says that it is, else where its time zone's city is."""
    if home.latitude is None or home.longitude is None:
        return place_of_timezone(home.timezone)
    return Place(latitude=home.latitude, longitude=home.longitude, elevation_m=home.elevation_m)


@cache
def _places() -> dict[str, Place]:
    text = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[2]: place for row in rows if (place := _place(row[1])) is not None}


def _place(coordinates: str) -> Place | None:
    """Read ISO 6709: ``+5230+01322``, with or without seconds."""
    found = _COORDINATES.fullmatch(coordinates)
    if found is None:
        return None
    signs, numbers = found.group(1, 5), [found.group(2, 3, 4), found.group(6, 7, 8)]
    latitude, longitude = (
        (-1 if sign == "-" else 1) * (int(whole) + int(minutes) / 60 + int(seconds or 0) / 3600)
        for sign, (whole, minutes, seconds) in zip(signs, numbers, strict=True)
    )
    return Place(latitude=latitude, longitude=longitude)
