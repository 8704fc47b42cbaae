"""Move the sweet spot: filters for listeners in many directions, designed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, radians, tan

import numpy as np
from numpy.typing import NDArray

from hub.spatial.beam import front_drivers
from hub.spatial.filter_design import SpatialFilters, design_filters
from hub.spatial.layout import Driver, SpeakerLayout

STEP_DEGREES = 3.0
WIDEST_DEGREES = 30.0
DIRECTION_ERROR_DEGREES = 3.0
"""How well the direction of a listener who talks is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SteeredFilters:
    """One set of filters a direction; all have the same shape and delay.

    Attributes
    ----------
    azimuth_degrees : ndarray
        Ascending; 0 is straight ahead of the device, positive to the right of who sits there and
        looks at it. Shape ``(sets,)``.
    """

    azimuth_degrees: NDArray[np.float64]
    sets: tuple[SpatialFilters, ...]

    def towards(self, azimuth_degrees: float) -> SpatialFilters:
        """Return the filters for a listener; the outermost where the listener is further out."""
        return self.sets[int(np.argmin(np.abs(self.azimuth_degrees - azimuth_degrees)))]


def steered_filters(
    layout: SpeakerLayout, *, widest_degrees: float = WIDEST_DEGREES, step_degrees: float = STEP_DEGREES
) -> SteeredFilters:
    """Design filters for listeners at the layout's distance, who look at the device.

    Their zone is wider than that of `design_filters`, as wide as the direction is unsure.
    """
    steps = int(widest_degrees // step_degrees)
    azimuth = np.arange(-steps, steps + 1).astype(np.float64) * step_degrees
    mirror, front = _mirror(layout), front_drivers(layout)

    def design(degrees: float) -> SpatialFilters:
        return design_filters(_unsure(turned(layout, degrees)), front)

    right = [design(float(degrees)) for degrees in azimuth[steps:]]
    if mirror is None:
        left = [design(float(degrees)) for degrees in azimuth[:steps]]
    else:
        left = [_mirrored(filters, mirror) for filters in right[:0:-1]]
    return SteeredFilters(azimuth_degrees=azimuth, sets=(*left, *right))


def turned(layout: SpeakerLayout, azimuth_degrees: float) -> SpeakerLayout:
    """Return the loudspeaker as a listener at ``azimuth_degrees`` sees it, who looks at its origin."""
    angle = radians(azimuth_degrees)
    cosine, sine = np.cos(angle), np.sin(angle)

    def turn(driver: Driver) -> Driver:
        x, y, z = driver.position_m
        place = (float(x * cosine + y * sine), float(y * cosine - x * sine), z)
        return driver.model_copy(
            update={"position_m": place, "facing_degrees": driver.facing_degrees - azimuth_degrees}
        )

    return layout.model_copy(update={"drivers": tuple(turn(driver) for driver in layout.drivers)})


def _unsure(layout: SpeakerLayout) -> SpeakerLayout:
    """Return the layout with a spread that allows for the error of the direction."""
    listener = layout.listener
    miss_m = listener.distance_m * tan(radians(DIRECTION_ERROR_DEGREES))
    wider = listener.model_copy(update={"spread_m": hypot(listener.spread_m, miss_m)})
    return layout.model_copy(update={"listener": wider})


def _mirror(layout: SpeakerLayout) -> list[int] | None:
    """Return of each driver which one stands opposite, or None where the loudspeaker is uneven."""
    places = [(*driver.position_m, driver.facing_degrees) for driver in layout.drivers]
    opposite = [(-x, y, z, -facing) for x, y, z, facing in places]
    return [places.index(place) for place in opposite] if set(opposite) == set(places) else None


def _mirrored(filters: SpatialFilters, mirror: list[int]) -> SpatialFilters:
    """Return the filters for the listener on the other side: left is right, drivers are swapped."""
    return replace(
        filters,
        filters=filters.filters[[1, 0, 2]][:, mirror],
        cancellers=filters.cancellers[[1, 0]][:, mirror],
    )
