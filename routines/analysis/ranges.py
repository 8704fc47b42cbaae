"""What a value can be: some words, some numbers, some minutes of the week."""

from __future__ import annotations

import math
from dataclasses import dataclass

from routines.analysis.windows import ALWAYS


@dataclass(frozen=True, slots=True)
class Words:
    """A state or an id: one of the names, or with ``is_other`` anything but them."""

    names: frozenset[str]
    is_other: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing is left that it could be."""
        return not self.names and not self.is_other

    def meet(self, other: Words) -> Words:
        """Return what is in both."""
        if self.is_other and other.is_other:
            return Words(self.names | other.names, is_other=True)
        if self.is_other or other.is_other:
            said, not_said = (other, self) if self.is_other else (self, other)
            return Words(said.names - not_said.names)
        return Words(self.names & other.names)

    def join(self, other: Words) -> Words:
        """Return what is in either."""
        return self.negated().meet(other.negated()).negated()

    def negated(self) -> Words:
        """Return everything else."""
        return Words(self.names, is_other=not self.is_other)

    def covers(self, other: Words) -> bool:
        """Return whether everything in the other is in this."""
        return self.negated().meet(other).is_empty


@dataclass(frozen=True, slots=True)
class Span:
    """A number between two limits that it does not reach."""

    above: float = -math.inf
    below: float = math.inf

    @property
    def is_empty(self) -> bool:
        """No number lies between the limits."""
        return self.above >= self.below

    def meet(self, other: Span) -> Span:
        """Return what is in both."""
        return Span(max(self.above, other.above), min(self.below, other.below))

    def join(self, other: Span) -> Span:
        """Return what is in either, and between them."""
        return Span(min(self.above, other.above), max(self.below, other.below))

    def negated(self) -> Span:
        """Return what lies beyond the one limit; with two limits, everything."""
        if math.isinf(self.above) == math.isinf(self.below):
            return Span()
        if math.isinf(self.below):
            return Span(below=math.nextafter(self.above, math.inf))
        return Span(above=math.nextafter(self.below, -math.inf))

    def covers(self, other: Span) -> bool:
        """Return whether everything in the other is in this."""
        return self.above <= other.above and self.below >= other.below


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes of a week, see `routines.analysis.windows`."""

    mask: int

    @property
    def is_empty(self) -> bool:
        """There is no such minute."""
        return self.mask == 0

    def meet(self, other: Minutes) -> Minutes:
        """Return what is in both."""
        return Minutes(self.mask & other.mask)

    def join(self, other: Minutes) -> Minutes:
        """Return what is in either."""
        return Minutes(self.mask | other.mask)

    def negated(self) -> Minutes:
        """Return all other minutes."""
        return Minutes(ALWAYS & ~self.mask)

    def covers(self, other: Minutes) -> bool:
        """Return whether everything in the other is in this."""
        return other.mask & ~self.mask == 0


Range = Words | Span | Minutes


def met(one: Range, other: Range) -> Range:
    """Return what is in both."""
    match one, other:
        case Words(), Words():
            return one.meet(other)
        case Span(), Span():
            return one.meet(other)
        case Minutes(), Minutes():
            return one.meet(other)
    raise AssertionError("one thing has one sort of values")


def joined(one: Range, other: Range) -> Range:
    """Return what is in either."""
    match one, other:
        case Words(), Words():
            return one.join(other)
        case Span(), Span():
            return one.join(other)
        case Minutes(), Minutes():
            return one.join(other)
    raise AssertionError("one thing has one sort of values")


def covers(one: Range, other: Range) -> bool:
    """Return whether everything in the other is in the one."""
    match one, other:
        case Words(), Words():
            return one.covers(other)
        case Span(), Span():
            return one.covers(other)
        case Minutes(), Minutes():
            return one.covers(other)
    raise AssertionError("one thing has one sort of values")
