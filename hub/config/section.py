"""What all sections of ``hub.yaml`` have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings cannot change after loading, and a misspelt one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
