"""What the centre's beam keeps from the walls: three drivers on a ball, beside one driver and an equal mix.

What is measured are the finished taps, between the frequencies of the design, at another distance, with
drivers that differ, and on a body of another model. The room is one of 5 x 4 x 2.6 m, the listener 2.55 m
away. There are no measured loudspeakers here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import to_taps
from hub.spatial.beam import centre_beam
from hub.spatial.filter_design import DESIGN_SIZE, TAPS
from hub.spatial.head_model import SPEED_OF_SOUND, point_on_sphere
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import Response
from hub.spatial.rigid_sphere import rigid_sphere
from script.journal import Row
from sensing.simulation.room_response import image_sources, wall_reflection

RATE_HZ = 48_000
RADIUS_M = 0.09
FACING_DEGREES = (0.0, -90.0, 90.0)
BANDS_HZ = tuple(1000 * 2 ** (step / 3) for step in range(-5, 7))
"""Third octaves from 315 Hz to 4 kHz."""
REVERBERATION_SECONDS = (0.3, 0.5)
MISMATCHES = 20
"""Draws of drivers that differ by 0.5 dB and 3 degrees, standard deviation."""

_SIZE = 2 * DESIGN_SIZE
_FAR_M = 2.55
_ROOM_M = (5.0, 4.0, 2.6)
_DEVICE_M = (1.0, 2.1, 1.0)
_LISTENER_M = (3.55, 2.1, 1.0)
_ELEVATIONS = np.radians(np.arange(-85.0, 90.0, 10.0))
_AZIMUTHS = np.radians(np.arange(-180.0, 180.0, 10.0))


def layout() -> SpeakerLayout:
    """Return a ball of 9 cm with a driver in front and one at each side."""
    drivers = []
    for degrees in FACING_DEGREES:
        x, y = RADIUS_M * np.sin(np.radians(degrees)), -RADIUS_M * np.cos(np.radians(degrees))
        drivers.append({"name": f"{degrees:g}", "position_m": (x, y, 0.0), "facing_degrees": degrees})
    enclosure = {"shape": "sphere", "radius_m": RADIUS_M}
    return SpeakerLayout.model_validate({"enclosure": enclosure, "drivers": drivers})


def measure() -> list[Row]:
    """Return attenuation at 90 degrees, level at 45, directivity, direct to reverberant level, and gain."""
    hz = fft.rfftfreq(_SIZE, 1 / RATE_HZ)
    grid_hz = fft.rfftfreq(DESIGN_SIZE, 1 / RATE_HZ)
    taps = to_taps(centre_beam(layout(), grid_hz), TAPS)
    beam = fft.rfft(taps.astype(float), _SIZE, axis=1)
    front, mix = np.zeros_like(beam), np.ones_like(beam)
    front[0] = 1
    rng = np.random.default_rng(0)
    parts = [(rng.normal(0, 0.5, (3, 1)), rng.normal(0, 3, (3, 1))) for _ in range(MISMATCHES)]
    unlike = [10 ** (db / 20) * np.exp(1j * np.radians(degrees)) for db, degrees in parts]
    ways = [
        ("front driver alone", "ball", [front]),
        ("equal mix", "ball", [mix]),
        ("beam", "ball", [beam]),
        ("beam, drivers differ", "ball", [beam * one for one in unlike]),
        ("beam, other body", "Brown-Duda", [beam]),
    ]
    bodies = {name: _body(name, hz) for name in ("ball", "Brown-Duda")}
    rows: list[Row] = []
    for name, body, filters in ways:
        figures = [_figures(bodies[body], one, hz) for one in filters]
        means = {figure: float(np.mean([row[figure] for row in figures])) for figure in figures[0]}
        rows.append({"way": name, "body": body, **means})
    return rows


class _Body:
    """What drivers on a body send to directions, in band of the measurement only."""

    def __init__(self, by_degree: Response) -> None:
        self._by_degree = by_degree
        azimuth, self.elevation = (axis.ravel() for axis in np.meshgrid(_AZIMUTHS, _ELEVATIONS))
        self.around = self.towards(azimuth, self.elevation)

    def towards(self, azimuth: NDArray[np.float64], elevation: NDArray[np.float64]) -> Response:
        """Return shape ``(directions, drivers, bins)``."""
        facing = np.radians(FACING_DEGREES)
        cosine = np.cos(elevation)[:, None] * np.cos(azimuth[:, None] - facing)
        sent: Response = self._by_degree[np.rint(np.degrees(np.arccos(np.clip(cosine, -1, 1)))).astype(int)]
        return sent


def _band(hz: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (hz >= BANDS_HZ[0] * 2 ** (-1 / 6)) & (hz < BANDS_HZ[-1] * 2 ** (1 / 6))
    return inside


def _body(name: str, hz: NDArray[np.float64]) -> _Body:
    degrees, inside = np.radians(np.arange(0.0, 181.0)), hz[_band(hz)]
    if name == "ball":
        return _Body(rigid_sphere(degrees, RADIUS_M, _FAR_M, inside))
    return _Body(point_on_sphere(degrees, RADIUS_M, inside))


def _figures(body: _Body, filters: Response, hz: NDArray[np.float64]) -> dict[str, float]:
    """Return the figures of one set of filters."""
    inside = filters[:, _band(hz)]
    bands = [np.abs(np.log2(hz[_band(hz)] / centre)) <= 1 / 6 for centre in BANDS_HZ]

    def level(*degrees: float) -> NDArray[np.float64]:
        azimuth = np.radians(degrees)
        power = np.abs(np.einsum("anf,nf->af", body.towards(azimuth, 0 * azimuth), inside)) ** 2
        return np.array([power[:, band].mean() for band in bands])

    around = np.abs(np.einsum("anf,nf->af", body.around, inside)) ** 2
    by_band = np.stack([around[:, band].mean(axis=1) for band in bands], axis=1) / level(0)
    share = np.cos(body.elevation) / np.cos(body.elevation).sum()
    aside_db, lobe_db = 10 * np.log10(level(90, -90) / level(0)), 10 * np.log10(level(45, -45) / level(0))
    pattern = by_band.mean(axis=1).reshape(len(_ELEVATIONS), len(_AZIMUTHS))
    direct = {
        f"direct_over_reverberant_{seconds:g}_s_db": _direct_db(pattern, seconds)
        for seconds in REVERBERATION_SECONDS
    }
    return {
        "attenuation_90_db": float(-aside_db.mean()),
        "worst_band_90_db": float(-aside_db.max()),
        "level_45_db": float(lobe_db.mean()),
        "least_45_db": float(lobe_db.min()),
        "most_45_db": float(lobe_db.max()),
        "directivity_db": float(-10 * np.log10(share @ by_band).mean()),
        "least_directivity_db": float(-10 * np.log10((share @ by_band).max())),
        **direct,
        "gain_db": float(20 * np.log10(np.linalg.norm(filters, axis=0).max())),
    }


def _direct_db(pattern: NDArray[np.float64], reverberation_seconds: float) -> float:
    """Return the direct sound over all reflections; ``pattern`` is the power by elevation and azimuth."""
    direct, energy = _reflections(reverberation_seconds)
    return float(10 * np.log10(direct / (pattern * energy).sum()))


@cache
def _reflections(reverberation_seconds: float) -> tuple[float, NDArray[np.float64]]:
    """Return the direct energy, and that of reflections by the direction in which they left.

    Image sources of a room with even walls, whose energies are summed.
    """
    sides, device, listener = np.array(_ROOM_M), np.array(_DEVICE_M), np.array(_LISTENER_M)
    reach = 0.7 * SPEED_OF_SOUND * reverberation_seconds
    images, hits = image_sources(listener, sides, reach)
    x, y, z = (images - device).T
    distance = np.sqrt(x**2 + y**2 + z**2)
    row = np.clip(np.rint((np.degrees(np.arcsin(z / distance)) + 85) / 10), 0, len(_ELEVATIONS) - 1)
    column = np.rint((np.degrees(np.arctan2(y, x)) + 180) / 10) % len(_AZIMUTHS)
    power = wall_reflection(sides, reverberation_seconds) ** (2 * hits) / distance**2
    is_late = (hits > 0) & (distance < reach)
    energy = np.zeros((len(_ELEVATIONS), len(_AZIMUTHS)))
    np.add.at(energy, (row[is_late].astype(int), column[is_late].astype(int)), power[is_late])
    return float(power[hits == 0].sum()), energy
