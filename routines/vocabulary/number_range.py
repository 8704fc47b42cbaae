"""A range that a number is in or comes into."""

from __future__ import annotations

from pydantic import model_validator

from routines.vocabulary.words import TemplateText, Texts, Word


class NumberRange(Word):
    """The numbers of entities, and between which limits; a limit is a number or an entity."""

    entity_id: Texts
    above: float | str | None = None
    below: float | str | None = None
    attribute: str | None = None
    value_template: TemplateText | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> NumberRange:
        if self.above is None and self.below is None:
            raise ValueError("numeric_state needs above or below")
        return self
