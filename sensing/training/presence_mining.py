"""Mine the long tail: what the network takes for somebody in a thousand hours without anybody.

    python -m sensing.training.presence_mining --work WORK --model presence.onnx --hours 1000

The loop of the article that this house follows: a seed model sorts simulated nuisance hours, the windows
with the highest scores are kept and clustered by what made them, the scenes that made them are varied, and
all of that is learnt beside the rest. Hours that were sorted already are not sorted again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2, whiten

from sensing.simulation.baseband.scene import Scene
from sensing.training.job_pool import worked
from sensing.training.presence_features import Hops
from sensing.training.presence_scenes import draw_empty_hour
from sensing.training.presence_trial import scored
from sensing.training.whole_file import save_whole
from sensing.ultrasound.motion_network import INPUTS, MotionNetwork, network_inputs

HOUR_SHARES = {
    "fan": 18,
    "oscillating_fan": 18,
    "curtain": 14,
    "hvac": 10,
    "plant": 10,
    "neighbour": 8,
    "interferer": 10,
    "dropouts": 8,
    "music": 4,
}
"""Of the hours, in percent."""
MOST_MICROPHONES = 2
"""Four take twice the time and make fewer mistakes."""
WINDOW_HOPS = 892
KEPT_AN_HOUR = 4
"""Of an hour's 80 windows, those with the highest scores are remembered."""
NOT_LEARNT = frozenset({"neighbour"})
"""Somebody who walks behind a door is no error of the network: with 476 such scenes among the hardest it told
one in twenty who came in later. Who passes is learnt by the presence filter, in each room for itself."""
_NOT_VARIED = frozenset({"at", "until", "hz", "facing_degrees"})
SMOOTH_HOPS = 6
"""A window's score is the highest mean of the major probability over 0.3 s."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MinedHour:
    """What was found in an hour.

    Attributes
    ----------
    inputs : NDArray
        Shape ``(windows, WINDOW_HOPS, INPUTS)``, float16: the windows with the highest scores.
    tops : NDArray
        Shape ``(windows,)``: their scores, falling.
    """

    scene: Scene
    kind: str
    inputs: NDArray[np.float16]
    tops: NDArray[np.float32]


def drawn_hours(hours: int) -> Iterator[tuple[str, int]]:
    """Yield kind and number of each hour; any beginning of the list is a fair sample."""
    chance = np.random.default_rng(99)
    shares = np.array(list(HOUR_SHARES.values()), float) / sum(HOUR_SHARES.values())
    for number in range(hours):
        yield str(chance.choice(list(HOUR_SHARES), p=shares)), number


def mine_hour(scene: Scene, kind: str, network: MotionNetwork) -> MinedHour:
    """Return the windows of an hour in which the network is surest of somebody."""
    network.reset()
    frames, scores = scored(network, scene)
    smooth = np.convolve(scores[:, 1], np.full(SMOOTH_HOPS, 1 / SMOOTH_HOPS), "same")
    windows = []
    left = smooth.copy()
    for _ in range(KEPT_AN_HOUR):
        peak = int(left.argmax())
        first = int(np.clip(peak - WINDOW_HOPS // 2, 0, len(left) - WINDOW_HOPS))
        windows.append((float(left[peak]), first))
        left[max(0, first) : first + WINDOW_HOPS] = -1
    inputs = [network_inputs(frames[first : first + WINDOW_HOPS]) for _, first in windows]
    return MinedHour(
        scene=scene,
        kind=kind,
        inputs=np.array(inputs, np.float16).reshape(-1, WINDOW_HOPS, INPUTS),
        tops=np.array([top for top, _ in windows], np.float32),
    )


def _mine_file(job: tuple[Path, Path, str, int]) -> None:
    path, model, kind, number = job
    if path.exists():
        return
    scene = draw_empty_hour("train", number, nuisance=kind)
    fewer = min(scene.hub.microphones, MOST_MICROPHONES)
    scene = scene.model_copy(update={"hub": scene.hub.model_copy(update={"microphones": fewer})})
    hour = mine_hour(scene, kind, MotionNetwork(model))
    save_whole(path, scene=hour.scene.model_dump_json(), kind=kind, inputs=hour.inputs, tops=hour.tops)


def mined_hours(work: Path, model: Path, hours: int, processes: int) -> list[Path]:
    """Sort what was not sorted yet by this model, and return the files of all hours."""
    name = hashlib.sha256(model.read_bytes()).hexdigest()[:8]
    folder = work / f"mined-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(folder / f"{kind}-{number:05}.npz", model, kind, number) for kind, number in drawn_hours(hours)]
    for _ in worked(_mine_file, jobs, "empty hours", processes=processes):
        pass
    return [path for path, *_ in jobs]


def hardest(paths: Sequence[Path], windows: int) -> tuple[Hops, list[tuple[float, str, Scene]]]:
    """Return the windows with the highest scores of all, as negatives, and the scenes that made them.

    Those of `NOT_LEARNT` are left out.
    """
    kept: list[tuple[float, str, str, NDArray[np.float16]]] = []
    for path in paths:
        with np.load(path) as file:
            if str(file["kind"]) in NOT_LEARNT:
                continue
            for top, inputs in zip(file["tops"], file["inputs"], strict=True):
                kept.append((float(top), str(file["kind"]), str(file["scene"]), inputs))
        kept = sorted(kept, key=lambda one: -one[0])[:windows]
    shape = (len(kept), WINDOW_HOPS)
    hops = Hops(
        inputs=np.array([inputs for *_, inputs in kept], np.float16),
        kinds=np.zeros(shape, np.int8),
        nuisances=np.ones(shape, bool),
        occupied=np.zeros(shape, bool),
        people=("nobody",) * len(kept),
        nuisance_kinds=tuple(kind for _, kind, *_ in kept),
    )
    return hops, [(top, kind, Scene.model_validate_json(scene)) for top, kind, scene, _ in kept]


def _numbers(scene: Scene) -> dict[str, float]:
    """Return what may have made a scene hard, as numbers: of its hub, and of its first nuisance."""
    made = [*scene.nuisances, *scene.faults]
    described = {
        "carrier_hz": scene.carrier_hz,
        "level_db": scene.level_db,
        "noise_db": scene.hub.noise_db,
        "microphones": float(scene.hub.microphones),
    }
    for name, value in made[0].model_dump().items() if made else ():
        if isinstance(value, int | float) and name not in ("at", "until"):
            described[name] = float(value)
    return described


def clusters(found: Sequence[tuple[float, str, Scene]], most: int = 3) -> list[dict[str, object]]:
    """Return what the hardest scenes of each kind have in common: the centres of k-means clusters."""
    told: list[dict[str, object]] = []
    for kind in sorted({kind for _, kind, _ in found}):
        rows = [_numbers(scene) for _, one, scene in found if one == kind]
        names = sorted(set.intersection(*(set(row) for row in rows)))
        points = np.array([[row[name] for name in names] for row in rows])
        groups = min(most, max(1, len(points) // 5))
        spread = np.where(points.std(axis=0) > 0, points, points + np.arange(len(points))[:, None] * 1e-9)
        _, labels = kmeans2(whiten(spread), groups, minit="++", seed=1, missing="warn")
        for label in range(groups):
            if (labels == label).any():
                centre = points[labels == label].mean(axis=0)
                told.append(
                    {
                        "kind": kind,
                        "windows": int((labels == label).sum()),
                        "centre": {
                            name: round(float(value), 3) for name, value in zip(names, centre, strict=True)
                        },
                    }
                )
    return told


def widened(scene: Scene, number: int, seconds: float = 45.0) -> Scene:
    """Return a scene like a hard one: other seeds, and the numbers of its nuisances changed by up to 30 %."""
    chance = np.random.default_rng([scene.seed, number])

    def vary(part: dict[str, object]) -> dict[str, object]:
        varied = dict(part)
        for name, value in part.items():
            if not isinstance(value, float) or value == 0 or name in _NOT_VARIED:
                continue  # what is not there at all stays away
            varied[name] = (
                value + float(chance.normal(0, 3))
                if name.endswith("_db")
                else value * float(chance.uniform(0.75, 1.3))
            )
        at = 0.0 if chance.random() < 0.6 else float(chance.uniform(0, 0.6) * seconds)
        return varied | {"at": at, "until": None}

    drawn = scene.model_dump()
    first_of = {str(one["kind"]): one for one in reversed(drawn["nuisances"])}
    faults = {str(one["kind"]): one for one in reversed(drawn["faults"])}
    return Scene.model_validate(
        drawn
        | {
            "seconds": seconds,
            "seed": int(chance.integers(1 << 31)),
            "level_db": scene.level_db + float(chance.normal(0, 3)),
            "nuisances": [vary(one) for one in first_of.values()],
            "faults": [vary(one) for one in faults.values()],
        }
    )


def main() -> None:
    """Sort, and tell what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--hours", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args()
    paths = mined_hours(wanted.work, wanted.model, wanted.hours, wanted.processes)
    _, found = hardest(paths, windows=max(1, wanted.hours * 80 // 1_000))
    print(json.dumps(clusters(found), indent=1))


if __name__ == "__main__":
    main()
