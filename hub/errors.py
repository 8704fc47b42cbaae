"""What can go wrong in the hub.

HubError
├── ConfigError      the configuration has problems; every one is listed
├── BadInput         a file or argument of a command is wrong; one line says what to do
└── Degraded         a part of the house is missing now; the hub goes on without it
"""

from __future__ import annotations

from collections.abc import Sequence

from routines.problems import Problem


class HubError(Exception):
    """Root of the hub's errors."""


class ConfigError(HubError):
    """The configuration has problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BadInput(HubError):
    """A file or an argument is wrong: what, where, and what to do, in one line."""


class Degraded(HubError):
    """A part is missing now; ``hint`` says what the user can do."""

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(f"{what}. {hint}")
        self.what = what
        self.hint = hint
