"""Analyse routines written as YAML."""

from __future__ import annotations

from collections.abc import Collection
from textwrap import dedent, indent

from routines.analysis.analyse import analyse
from routines.analysis.findings import Finding
from routines.intents.directory import Directory
from routines.load import load_routines


def findings(
    yaml: str,
    kind: str,
    *,
    lists: str = "{}",
    directory: Directory | None = None,
    entities: Collection[str] | None = None,
    with_built_in: bool = False,
) -> list[Finding]:
    """Return the findings of one kind in a list of routines."""
    text = f"version: 1\nlists: {lists}\nroutines:\n" + indent(dedent(yaml).strip("\n"), "  ")
    routines, problems = load_routines(text, "test.yaml")
    assert problems == []
    every = analyse(routines, directory=directory, entities=entities, with_built_in=with_built_in)
    return [finding for finding in every if finding.kind == kind]
