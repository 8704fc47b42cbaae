"""How alike two sounds of speech are: the confusion matrix of the 39 phones of CMUdict.

Each phone is a point in a space of articulation, as in Kondrak's ALINE (2000), and two phones are as far
apart as their points. So the distance is a metric: nobody has to collect confusions of every recogniser.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensing.speech.phones import PHONES

_DIFFERENT = 0.1
"""What any two phones differ by at least."""
_VOWEL_SCALE, _CONSONANT_SCALE = 1.1, 0.9

_IY, _IH, _EH, _AE = (1.0, 0.0, 0.0), (0.8, 0.15, 0.0), (0.5, 0.1, 0.0), (0.15, 0.1, 0.0)
_AA, _AO, _UH, _UW = (0.0, 0.8, 0.0), (0.3, 1.0, 1.0), (0.8, 0.85, 1.0), (1.0, 1.0, 1.0)
_AH, _ER = (0.45, 0.55, 0.0), (0.5, 0.4, 0.5)
_EY, _OW = (0.65, 0.05, 0.0), (0.6, 0.9, 1.0)
_VOWELS = {
    "IY": (_IY, _IY), "IH": (_IH, _IH), "EH": (_EH, _EH), "AE": (_AE, _AE), "AA": (_AA, _AA),
    "AO": (_AO, _AO), "UH": (_UH, _UH), "UW": (_UW, _UW), "AH": (_AH, _AH), "ER": (_ER, _ER),
    "EY": (_EY, _IY), "AY": (_AA, _IY), "OY": (_AO, _IY), "AW": (_AA, _UW), "OW": (_OW, _UW),
}  # fmt: skip
"""Height, backness and rounding (0 to 1) at the beginning and at the end of the vowel."""
_VOWEL_WEIGHTS = np.array([0.45, 0.35, 0.2])

_STOP, _AFFRICATE, _FRICATIVE, _NASAL, _LIQUID, _GLIDE = 0.0, 0.2, 0.4, 0.6, 0.85, 1.0
_LIPS, _TEETH, _RIDGE, _BEHIND, _PALATE, _VELUM, _THROAT = 0.0, 0.2, 0.35, 0.5, 0.6, 0.8, 1.0
_CONSONANTS = {
    "P": (_LIPS, _STOP, 0), "B": (_LIPS, _STOP, 1), "T": (_RIDGE, _STOP, 0), "D": (_RIDGE, _STOP, 1),
    "K": (_VELUM, _STOP, 0), "G": (_VELUM, _STOP, 1),
    "CH": (_BEHIND, _AFFRICATE, 0), "JH": (_BEHIND, _AFFRICATE, 1),
    "F": (0.1, _FRICATIVE, 0), "V": (0.1, _FRICATIVE, 1), "TH": (_TEETH, _FRICATIVE, 0),
    "DH": (_TEETH, _FRICATIVE, 1), "S": (_RIDGE, _FRICATIVE, 0), "Z": (_RIDGE, _FRICATIVE, 1),
    "SH": (_BEHIND, _FRICATIVE, 0), "ZH": (_BEHIND, _FRICATIVE, 1), "HH": (_THROAT, _FRICATIVE, 0),
    "M": (_LIPS, _NASAL, 1), "N": (_RIDGE, _NASAL, 1), "NG": (_VELUM, _NASAL, 1),
    "L": (_RIDGE, _LIQUID, 1), "R": (_BEHIND, _LIQUID, 1), "Y": (_PALATE, _GLIDE, 1), "W": (_LIPS, _GLIDE, 1),
}  # fmt: skip
"""Place from the lips backwards, manner by how open the mouth is, and voice."""
_CONSONANT_WEIGHTS = np.array([0.4, 0.4, 0.2])


def confusion_costs() -> NDArray[np.float64]:
    """Return what taking one phone for another costs, shape ``(39, 39)``, in the order of `PHONES`.

    0 for the same phone, at most 1, symmetric, and no way over a third phone is shorter. A vowel and a
    consonant are 1 apart.
    """
    costs = np.ones((len(PHONES), len(PHONES)))
    vowels, consonants = slice(0, len(_VOWELS)), slice(len(_VOWELS), None)
    costs[vowels, vowels] = _apart(list(_VOWELS.values()), _VOWEL_SCALE * _VOWEL_WEIGHTS / 2)
    costs[consonants, consonants] = _apart(
        [[one] for one in _CONSONANTS.values()], _CONSONANT_SCALE * _CONSONANT_WEIGHTS
    )
    np.fill_diagonal(costs, 0.0)
    order = [(*_VOWELS, *_CONSONANTS).index(phone) for phone in PHONES]
    ordered: NDArray[np.float64] = costs[np.ix_(order, order)]
    return ordered


def _apart(points: object, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted city-block distances of points of shape ``(phones, instants, features)``."""
    places = np.asarray(points, np.float64)
    differences = np.abs(places[:, None] - places[None])
    distances: NDArray[np.float64] = _DIFFERENT + (differences * weights).sum(axis=(2, 3))
    return np.minimum(distances, 1.0)
