"""Which of several readings of a sentence is the best."""

from __future__ import annotations

from hassil import RecognizeResult


def rank(result: RecognizeResult) -> tuple[int, int, int, int, str]:
    """Return a key to sort readings by, the best first.

    A named thing counts most, the longer its name the better; then what hassil itself prefers: fewer
    wildcards, more words of the template, less text in wildcards.
    """
    name = result.entities.get("name")
    is_named = name is not None and not name.is_wildcard and bool(name.text)
    wild = [entity for entity in result.entities_list if entity.is_wildcard]
    return (
        -len(name.text) if is_named else 0,
        len(wild),
        -result.text_chunks_matched,
        sum(len(entity.text or "") for entity in wild),
        result.intent.name,
    )
