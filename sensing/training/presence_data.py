"""Render the scenes that presence is learnt from, once, to files that a training reads again and again.

    python -m sensing.training.presence_data --work WORK [--split train] [--scenes 3600] [--processes 2]

What is kept is the baseband, so that a change of the features costs no rendering. Scenes that are there
already are not rendered again: an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sensing.simulation.baseband.recording import Recording
from sensing.simulation.baseband.renderer import render
from sensing.simulation.baseband.scene import Scene
from sensing.training.job_pool import worked
from sensing.training.presence_nuisances import NUISANCES, Split
from sensing.training.presence_scenes import PEOPLE, SIMPLE, STRONG, draw_scene
from sensing.training.whole_file import save_whole
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.playback_reference import Playback

_PEOPLE_SHARES = (42, 14, 7, 10, 9, 4, 4)
"""Of the scenes, in percent, in the order of `PEOPLE`; what is left is drawn from them again."""
_NUISANCE_SHARES = (26, 9, 9, 6, 6, 4, 14, 6, 8, 5, 4, 2, 2)
"""In the order of `NUISANCES` where somebody is there."""
_EMPTY_SHARES = (4, 14, 14, 8, 9, 6, 14, 9, 10, 6, 4, 2, 2)
"""The same where nobody is: more of what could be taken for somebody."""
_STRONG_PART, _SIMPLE_PART = 5, 15
"""With three times as many simple bodies the network took single lines of fans and tones for them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A rendered scene.

    Attributes
    ----------
    baseband : Baseband
        Shape ``(microphones, frames)``.
    playback : Playback or None
        Shape ``(frames,)``; None where nothing plays.
    motion : NDArray
        Shape ``(hops,)``, int8: see `sensing.simulation.baseband.truth`.
    occupied, nuisance : NDArray
        Shape ``(hops,)``: whether somebody is there, and something that is nobody.
    people, kind : str
        Which of `PEOPLE` and `NUISANCES` were drawn.
    """

    scene: Scene
    baseband: Baseband
    playback: Playback | None
    motion: NDArray[np.int8]
    occupied: NDArray[np.bool_]
    nuisance: NDArray[np.bool_]
    people: str
    kind: str

    @classmethod
    def of(cls, recording: Recording, people: str, kind: str) -> Self:
        """Return what a training needs of a recording."""
        truth = recording.truth
        nuisance = np.zeros(len(truth.motion), bool)
        for active in truth.nuisances.values():
            nuisance |= active
        return cls(
            scene=recording.scene,
            baseband=recording.baseband,
            playback=playback_of(recording),
            motion=truth.motion,
            occupied=truth.occupied,
            nuisance=nuisance,
            people=people,
            kind=kind,
        )

    def save(self, path: Path) -> None:
        """Write the example at once, so that no half of one is ever read."""
        playback = np.zeros(0, np.float32) if self.playback is None else self.playback
        save_whole(
            path,
            scene=self.scene.model_dump_json(),
            baseband=self.baseband,
            playback=playback,
            motion=self.motion,
            occupied=self.occupied,
            nuisance=self.nuisance,
            drawn=np.array([self.people, self.kind]),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as file:
            people, kind = (str(one) for one in file["drawn"])
            playback = file["playback"]
            return cls(
                scene=Scene.model_validate_json(str(file["scene"])),
                baseband=file["baseband"],
                playback=playback if len(playback) else None,
                motion=file["motion"],
                occupied=file["occupied"],
                nuisance=file["nuisance"],
                people=people,
                kind=kind,
            )


def playback_of(recording: Recording) -> Playback | None:
    """Return what was played at the baseband's rate, None where nothing was."""
    if recording.reference is None:
        return None
    scene = recording.scene
    slow: Playback = resample_poly(recording.reference[0], 1, scene.rate_hz // scene.baseband_hz)
    return slow[: recording.baseband.shape[1]].astype(np.float32)


def drawn_kinds(split: Split, scenes: int) -> Iterator[tuple[str, str, int]]:
    """Yield people, nuisance and number of each scene, and a quarter more with other bodies."""
    chance = np.random.default_rng([("train", "dev", "test").index(split), 7])
    shares = np.array(_PEOPLE_SHARES) / sum(_PEOPLE_SHARES)
    for number in range(scenes):
        people = str(chance.choice(PEOPLE, p=shares))
        weights = np.array(_EMPTY_SHARES if people == "nobody" else _NUISANCE_SHARES, float)
        yield people, str(chance.choice(NUISANCES, p=weights / weights.sum())), number
    shares = np.array(_NUISANCE_SHARES) / sum(_NUISANCE_SHARES)
    strong, simple = scenes // _STRONG_PART, scenes // _SIMPLE_PART
    for number in range(scenes, scenes + strong + simple):
        people = STRONG if number < scenes + strong else SIMPLE
        yield people, str(chance.choice(NUISANCES, p=shares)), number


def _render_one(job: tuple[Path, Scene, str, str]) -> None:
    path, scene, people, kind = job
    if not path.exists():
        Example.of(render(scene), people, kind).save(path)


def render_given(scenes: Sequence[tuple[Path, Scene, str]], processes: int) -> None:
    """Render scenes without anybody to files, where that was not done yet."""
    _render_all([(path, scene, "nobody", kind) for path, scene, kind in scenes], "hard rooms", processes)


def _render_all(jobs: Sequence[tuple[Path, Scene, str, str]], words: str, processes: int) -> None:
    for _ in worked(_render_one, jobs, words, processes=processes):
        pass


def render_examples(folder: Path, split: Split, scenes: int, processes: int) -> Sequence[Path]:
    """Render what is missing and return the files of all scenes."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (
            folder / f"{split}-{number:05}.npz",
            draw_scene(split, number, people=people, nuisance=kind),
            people,
            kind,
        )
        for people, kind, number in drawn_kinds(split, scenes)
    ]
    _render_all(jobs, f"rooms to {split}", processes)
    return [path for path, *_ in jobs]


def main() -> None:
    """Render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--split", choices=["train", "dev", "test"], default="train")
    parser.add_argument("--scenes", type=int, default=3_600)
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args()
    render_examples(wanted.work, wanted.split, wanted.scenes, wanted.processes)


if __name__ == "__main__":
    main()
