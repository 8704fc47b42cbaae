"""Which of several hubs answers a wake word that all of them heard: each claims it, and the best claim wins.

Every hub compares the claims that reached it by the same total order. The hub with the best claim of all
therefore always answers, whatever gets lost on the way, and another one answers too only if a better claim
did not reach it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

TOKENS = 2**32


class WakeClaim(BaseModel):
    """How well a hub heard its wake word.

    Attributes
    ----------
    is_asking : bool
        The hub waits for a yes or a no, so this is most likely the answer.
    speech_to_noise_db : float or None
        How far the speech stood above the noise; the nearest hub hears it best. None for not measured.
    score : float
        Of the wake word, 0 to 1.
    token : int
        Drawn by lot, for hubs that heard it equally well.
    at : str
        When, for whoever reads along; clocks differ, so nothing depends on it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    v: Literal[1] = 1
    hub: Annotated[str, Field(min_length=1, max_length=100)]
    room: Annotated[str, Field(max_length=100)]
    phrase: Annotated[str, Field(max_length=100)]
    is_asking: bool = False
    speech_to_noise_db: Annotated[float, Field(ge=0, le=200)] | None = None
    score: Annotated[float, Field(ge=0, le=1)]
    token: Annotated[int, Field(ge=0, lt=TOKENS)]
    at: Annotated[str, Field(max_length=40)] = ""

    @property
    def rank(self) -> tuple[bool, float, float, int, str]:
        """The order of claims; no two hubs have the same."""
        level_db = -1.0 if self.speech_to_noise_db is None else self.speech_to_noise_db
        return self.is_asking, level_db, self.score, self.token, self.hub


def best_claim(claims: Iterable[WakeClaim]) -> WakeClaim:
    """Return the claim whose hub answers.

    Raises
    ------
    ValueError
        There is none.
    """
    return max(claims, key=lambda claim: claim.rank)
