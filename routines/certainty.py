"""How surely a sentence must have been heard for what it asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """Steps of confidence, 0 to 1; the recogniser's confidence is how likely the sentence was said.

    Attributes
    ----------
    ask : float
        From here the hub asks back; what is heard less surely is taken for noise.
    sure : float
        From here it acts without asking, and takes a yes for a yes.
    secure : float
        From here it asks whether to open the house; less sure, and it must be said again.
    """

    ask: float = 0.25
    sure: float = 0.5
    secure: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.ask <= self.sure <= self.secure <= 1:
            message = f"ask {self.ask}, sure {self.sure} and secure {self.secure} must rise from 0 to 1"
            raise ValueError(message)
