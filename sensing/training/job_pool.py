"""Work that takes long, spread over processes, with a bar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Job = TypeVar("Job")
Made = TypeVar("Made")


def worked(work: Callable[[Job], Made], jobs: Sequence[Job], words: str, *, processes: int) -> Iterator[Made]:
    """Yield what each job gives, in their order; each process computes in one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the processes when they load numpy
    with get_context("spawn").Pool(processes) as pool:
        done = pool.imap(work, jobs)
        yield from track(done, words, total=len(jobs), console=Console(stderr=True))
