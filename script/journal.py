"""Results that are kept: what was measured once with this code and this model is not measured again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import track

Row = dict[str, float | str | bool | None]
"""What came of one thing that was measured."""

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Scenes or sayings that are measured together, and what is measured with them.

    Attributes
    ----------
    part, kind : str
        Of the bench, and of its scenes.
    first, count : int
        Numbers of the scenes.
    names : tuple of str
        Of the watchers or recognisers.
    model : Path or None
        A network instead of the shipped one.
    """

    part: str
    kind: str
    first: int
    count: int
    names: tuple[str, ...]
    model: Path | None = None

    @property
    def numbers(self) -> range:
        """The scenes."""
        return range(self.first, self.first + self.count)


def batches(
    part: str, kind: str, scenes: int, size: int, names: Sequence[str], model: Path | None
) -> list[Batch]:
    """Return the batches of the first scenes of a kind."""
    return [
        Batch(
            part=part,
            kind=kind,
            first=first,
            count=min(size, scenes - first),
            names=tuple(names),
            model=model,
        )
        for first in range(0, scenes, size)
    ]


def fingerprint(code: Sequence[str], model: Path) -> str:
    """Return a hash of all that a result depends on: files and folders of the project, and the network."""
    digest = hashlib.sha256()
    for path in [_ROOT / name for name in code]:
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    digest.update(model.read_bytes())
    return digest.hexdigest()


class Journal:
    """Measure batches in processes of one thread each, and keep what each gave in a file of its own.

    Parameters
    ----------
    folder : Path or None
        Where results are kept; None keeps none.
    processes : int
        At least one.
    fingerprint : str
        What is kept holds for: see `fingerprint`.
    """

    def __init__(self, folder: Path | None, *, processes: int, fingerprint: str) -> None:
        self._folder = folder
        self._processes = processes
        self._fingerprint = fingerprint
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def rows(self, measure: Callable[[Batch], list[Row]], wanted: Sequence[Batch], title: str) -> list[Row]:
        """Return the rows of all batches, in no order."""
        os.environ["OMP_NUM_THREADS"] = "1"  # read by the processes when they load numpy
        work = partial(_measured, measure, self._folder, self._fingerprint)
        told = partial(track, description=title, total=len(wanted), console=Console(stderr=True))
        return [row for rows in told(self._results(work, wanted)) for row in rows]

    def _results(self, work: Callable[[Batch], list[Row]], wanted: Sequence[Batch]) -> Iterator[list[Row]]:
        if self._processes == 1:
            yield from map(work, wanted)
            return
        with get_context("spawn").Pool(self._processes) as pool:
            yield from pool.imap_unordered(work, wanted)


def _measured(
    measure: Callable[[Batch], list[Row]], folder: Path | None, fingerprint: str, batch: Batch
) -> list[Row]:
    if folder is None:
        return measure(batch)
    key = hashlib.sha256(f"{fingerprint} {batch}".encode()).hexdigest()[:16]
    path = folder / f"{batch.part}-{batch.kind}-{batch.first:05}-{key}.json"
    if path.exists():
        kept: list[Row] = json.loads(path.read_text("utf-8"))
        return kept
    rows = measure(batch)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(rows), "utf-8")
    draft.replace(path)
    return rows
