"""MQTT topics and the filters that cover them."""

from __future__ import annotations


def covers_topic(pattern: str, topic: str) -> bool:
    """Return whether a filter with the wildcards + and # covers a topic (MQTT 5, section 4.7)."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(
        one in ("+", level) for one, level in zip(wanted, levels, strict=True)
    )
