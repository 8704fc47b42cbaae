"""What the whole chain costs, block by block: upmix, 3 inputs on 8 drivers with 4,096 taps, and limiter.

Processor time of this process, so that a busy machine does not count; run it with OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from itertools import cycle

import numpy as np

from hub.playback.limiter import Limiter
from hub.spatial.filter_design import SpatialFilters
from hub.spatial.renderer import SpatialRenderer
from hub.spatial.upmix import CentreUpmix
from script.journal import Row
from sensing.audio_block import Block
from sensing.dsp.convolver import PartitionedConvolver

RATE_HZ = 48_000
BLOCK_FRAMES = 480
DRIVERS = 8
TAPS = 4_096

_WARM_BLOCKS = 20


def measure(seconds: float = 20.0, repeats: int = 3) -> list[Row]:
    """Return for the chain and its stages the share of real time, and of a block the time in ms.

    Of the repeats the one that took least counts: what else runs on the machine only ever adds.
    """
    rng = np.random.default_rng(0)
    taps = (rng.standard_normal((3, DRIVERS, TAPS)) * np.exp(-np.arange(TAPS) / 500)).astype(np.float32)
    filters = SpatialFilters(filters=taps, cancellers=taps[:2], rate_hz=RATE_HZ, delay_frames=0)
    stages: dict[str, Callable[[], Callable[[Block], Block]]] = {
        "whole chain": lambda: _chain(filters, low_latency=False),
        "whole chain, low latency": lambda: _chain(filters, low_latency=True),
        "whole chain, always in a fade": lambda: _changing(filters),
        "upmix": lambda: CentreUpmix(rate_hz=RATE_HZ).process,
        "upmix, low latency": lambda: CentreUpmix(rate_hz=RATE_HZ, low_latency=True).process,
        "convolution": lambda: _after_three(PartitionedConvolver(taps)),
        "limiter": lambda: _after_eight(Limiter(rate_hz=RATE_HZ, channels=DRIVERS)),
    }
    rows: list[Row] = []
    for name, make in stages.items():
        found = min(
            (_cost(make(), seconds) for _ in range(repeats)), key=lambda row: row["share_of_real_time"]
        )
        rows.append({"stage": name, **found, "peak_memory_mb": _memory_mb(make)})
    return rows


def _chain(filters: SpatialFilters, *, low_latency: bool) -> Callable[[Block], Block]:
    renderer = SpatialRenderer(filters, RATE_HZ, low_latency=low_latency)
    limiter = Limiter(rate_hz=RATE_HZ, channels=DRIVERS)
    return lambda stereo: limiter.process(renderer.process(stereo))


def _changing(filters: SpatialFilters) -> Callable[[Block], Block]:
    """Return a chain that fades all the time, as while a listener walks."""
    renderer = SpatialRenderer(filters, RATE_HZ)
    limiter = Limiter(rate_hz=RATE_HZ, channels=DRIVERS)

    every_other = cycle((True, False))  # two blocks are a little less than a fade

    def process(stereo: Block) -> Block:
        if next(every_other):
            renderer.bypass(on=not renderer.is_bypassed)
        return limiter.process(renderer.process(stereo))

    return process


def _after_three(convolver: PartitionedConvolver) -> Callable[[Block], Block]:
    return lambda stereo: convolver.process(np.concatenate([stereo, stereo[:1]]))


def _after_eight(limiter: Limiter) -> Callable[[Block], Block]:
    return lambda stereo: limiter.process(np.tile(stereo, (DRIVERS // 2, 1)))


def _music(blocks: int) -> list[Block]:
    """Return loud noise with something in the middle: every stage has work to do."""
    rng = np.random.default_rng(1)
    sides, centre = (
        rng.standard_normal((2, blocks * BLOCK_FRAMES)),
        rng.standard_normal(blocks * BLOCK_FRAMES),
    )
    return np.split((0.4 * (sides + centre)).astype(np.float32), blocks, axis=1)


def _cost(process: Callable[[Block], Block], seconds: float) -> dict[str, float]:
    blocks = _music(_WARM_BLOCKS + round(seconds * RATE_HZ / BLOCK_FRAMES))
    spent = []
    for block in blocks:
        began = time.process_time_ns()
        process(block)
        spent.append((time.process_time_ns() - began) / 1e6)
    steady = np.array(spent[_WARM_BLOCKS:])
    block_ms = 1e3 * BLOCK_FRAMES / RATE_HZ
    return {
        "share_of_real_time": float(steady.mean() / block_ms),
        "median_block_ms": float(np.median(steady)),
        "p99_block_ms": float(np.quantile(steady, 0.99)),
    }


def _memory_mb(make: Callable[[], Callable[[Block], Block]]) -> float:
    """Return the most memory that a stage holds at once, its filters included."""
    blocks = _music(50)
    tracemalloc.start()
    process = make()
    for block in blocks:
        process(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6
