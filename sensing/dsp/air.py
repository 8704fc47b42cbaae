"""What air does to ultrasound: its speed, and how much of it is lost on the way."""

from __future__ import annotations

import math

_REFERENCE_KELVIN = 293.15
_TRIPLE_POINT_KELVIN = 273.16
_ZERO_CELSIUS_KELVIN = 273.15
_STANDARD_KPA = 101.325
_DB_PER_NEPER = 8.686


def speed_of_sound_mps(temperature_c: float = 20.0) -> float:
    """Return the speed of sound in metres per second (ISO 9613-1, equation A.5: 343.2 m/s at 20 C)."""
    return 343.2 * math.sqrt((temperature_c + _ZERO_CELSIUS_KELVIN) / _REFERENCE_KELVIN)


def air_absorption_db(
    hz: float, *, temperature_c: float = 20.0, humidity_percent: float = 50.0, pressure_kpa: float = 101.325
) -> float:
    """Return the absorption of pure tones in dB per metre.

    ISO 9613-1:1993, equations 3 to 5; the vapour pressure is its equation B.3.

    Parameters
    ----------
    hz : float
        Frequency; the standard's formulas are taken beyond its 10 kHz table.
    humidity_percent : float
        Relative humidity, 0 to 100.
    """
    kelvin = temperature_c + _ZERO_CELSIUS_KELVIN
    warmth, pressure = kelvin / _REFERENCE_KELVIN, pressure_kpa / _STANDARD_KPA
    saturation = math.pow(10, -6.8346 * math.pow(_TRIPLE_POINT_KELVIN / kelvin, 1.261) + 4.6151)
    vapour = humidity_percent * saturation / pressure
    oxygen_hz = pressure * (24 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour))
    cooling = math.exp(-4.170 * (math.pow(warmth, -1 / 3) - 1))
    nitrogen_hz = pressure * math.pow(warmth, -0.5) * (9 + 280 * vapour * cooling)
    classical = 1.84e-11 / pressure * math.sqrt(warmth)
    oxygen = 0.01275 * math.exp(-2239.1 / kelvin) / (oxygen_hz + hz**2 / oxygen_hz)
    nitrogen = 0.1068 * math.exp(-3352.0 / kelvin) / (nitrogen_hz + hz**2 / nitrogen_hz)
    relaxing = math.pow(warmth, -2.5) * (oxygen + nitrogen)
    return _DB_PER_NEPER * hz**2 * (classical + relaxing)


def air_absorption_nepers(hz: float, *, temperature_c: float = 20.0, humidity_percent: float = 50.0) -> float:
    """Return the absorption of the amplitude in nepers per metre: ``exp(-alpha r)``."""
    return (
        air_absorption_db(hz, temperature_c=temperature_c, humidity_percent=humidity_percent) / _DB_PER_NEPER
    )
