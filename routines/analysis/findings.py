"""What an analysis of routines finds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Path = tuple[str | int, ...]
"""Where in a routine: keys of the YAML and numbers of list items.

A path goes by the long forms. Where the author wrote a short one, parts of it have no place in the file; they
are to be passed over, as `routines.positions.YamlDocument.problem` does.
"""
Kind = Literal[
    "unknown_entity",
    "unknown_area",
    "unknown_routine",
    "unknown_trigger",
    "phrase_collision",
    "built_in_phrase",
    "loop",
    "opposite_actions",
    "unreachable",
    "contradiction",
    "never_matches",
    "never_runs",
]
Severity = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a routine that its author should know.

    Attributes
    ----------
    severity : str
        ``error`` can only be a mistake, ``warning`` will probably surprise, ``hint`` may well be meant so.
    routine : str
        Id of the routine in which it was found.
    path : tuple
        Where in the routine.
    hint : str
        What to do about it, or nothing.
    """

    kind: Kind
    severity: Severity
    routine: str
    path: Path
    message: str
    hint: str = ""


def did_you_mean(name: str, among: Collection[str]) -> str:
    """Return a question that names the nearest known name, or nothing when none is near."""
    close = get_close_matches(name, among, n=1, cutoff=0.7)
    return f"did you mean '{close[0]}'?" if close else ""
