"""Train the network that tells people from nuisances: one command from nothing to ONNX.

    OMP_NUM_THREADS=1 python -m sensing.training.train_presence --work WORK --out presence.onnx

A seed model learns from drawn rooms; it sorts a thousand empty hours, and what it takes for somebody there,
and scenes like it, are learnt beside the rest (see `presence_mining`). Everything is kept in ``--work``, so
that an interrupted training goes on. Two hours on two cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from sensing.simulation.baseband.truth import MAJOR, MINOR, NONE
from sensing.training import recurrent_network
from sensing.training.presence_alarms import alarm_table, judged_hours
from sensing.training.presence_data import render_examples, render_given
from sensing.training.presence_features import ENDED, Hops, hops_of_files
from sensing.training.presence_mining import clusters, hardest, mined_hours, widened
from sensing.training.presence_nuisances import Split
from sensing.training.recurrent_network import Matrix, Weights
from sensing.training.whole_file import save_whole
from sensing.ultrasound.motion_network import INPUTS, OUTPUTS, UNITS

SEED = 2026
BATCH = 64
RATE = 3e-3
AVERAGING = 0.998
CLASS_WEIGHTS = {NONE: 1.0, MINOR: 2.5, MAJOR: 1.5}
EMPTY_WEIGHT = 2.0
"""Of hops of rooms in which nobody is: there, and only there, motion must not be seen."""
BEGINS = (0, 0, 150, 300, 450)
"""Hop with which the network begins to read: it is also started in the middle, with learnt floors."""
EDGE_HOPS = 2
EDGE_WEIGHT = 0.3
"""When exactly a motion begins is a matter of definition."""
WINDOWS_AN_HOUR = 80
VARIANTS = 3
"""Scenes drawn like each of the hardest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A network and the standardisation of its inputs, of shape ``(INPUTS,)`` each."""

    weights: Weights
    mean: Matrix
    scale: Matrix

    def scores(self, inputs: NDArray[np.float16], batch: int = 256) -> Matrix:
        """Return probabilities, shape ``(scenes, hops, outputs)``."""
        function = jax.jit(recurrent_network.logits)
        parts = []
        for first in range(0, len(inputs), batch):
            some = standardised(inputs[first : first + batch], self.mean, self.scale)
            outputs = np.asarray(function(self.weights, jnp.asarray(some.transpose(1, 0, 2))))
            kinds = outputs[..., :3] - outputs[..., :3].max(axis=-1, keepdims=True)
            chances = np.exp(kinds) / np.exp(kinds).sum(axis=-1, keepdims=True)
            doubts = 1 / (1 + np.exp(-outputs[..., 3:]))
            parts.append(np.concatenate([chances, doubts], axis=-1).transpose(1, 0, 2))
        return np.concatenate(parts).astype(np.float32)


def standardised(inputs: NDArray[np.float16], mean: Matrix, scale: Matrix) -> Matrix:
    """Return the inputs with mean 0 and deviation 1."""
    return ((inputs.astype(np.float32) - mean) / scale).astype(np.float32)


def features(work: Path, split: Split, scenes: int, processes: int) -> Hops:
    """Return the hops of a split, rendered and analysed where that was not done yet."""
    kept = work / f"features-{split}-{scenes}.npz"
    if not kept.exists():
        paths = render_examples(work / "rooms", split, scenes, processes)
        save_hops(kept, hops_of_files(paths, processes))
    return load_hops(kept)


def save_hops(path: Path, hops: Hops) -> None:
    """Write hops at once."""
    save_whole(
        path,
        inputs=hops.inputs,
        kinds=hops.kinds,
        nuisances=hops.nuisances,
        occupied=hops.occupied,
        people=np.array(hops.people),
        nuisance_kinds=np.array(hops.nuisance_kinds),
    )


def load_hops(path: Path) -> Hops:
    """Read what `save_hops` wrote."""
    with np.load(path) as file:
        return Hops(
            inputs=file["inputs"],
            kinds=file["kinds"],
            nuisances=file["nuisances"],
            occupied=file["occupied"],
            people=tuple(str(name) for name in file["people"]),
            nuisance_kinds=tuple(str(name) for name in file["nuisance_kinds"]),
        )


def importance(hops: Hops) -> Matrix:
    """Return the weight of each hop, shape ``(scenes, hops)``."""
    weights = np.select([hops.kinds == kind for kind in CLASS_WEIGHTS], list(CLASS_WEIGHTS.values()))
    empty = ~hops.occupied.any(axis=1)
    weights[empty] *= EMPTY_WEIGHT
    changes = np.diff(hops.kinds, axis=1, prepend=hops.kinds[:, :1]) != 0
    for shift in range(-EDGE_HOPS, EDGE_HOPS + 1):
        weights[np.roll(changes, shift, axis=1)] = EDGE_WEIGHT
    weights[hops.kinds == ENDED] = 0.0
    return weights.astype(np.float32)


def train(hops: Hops, *, epochs: int, seed: int) -> Trained:
    """Return the network with the averaged weights of a training with Adam and a cosine schedule."""
    heard = hops.inputs[hops.kinds != ENDED]
    mean = heard.mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = (heard.std(axis=0, dtype=np.float64) + 1e-3).astype(np.float32)
    weights = recurrent_network.first_weights(INPUTS, UNITS, len(OUTPUTS), seed=seed)
    steps = epochs * (len(hops) // BATCH)
    schedule = optax.warmup_cosine_decay_schedule(RATE / 10, RATE, steps // 20 + 1, steps, RATE / 100)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=1e-3))
    state = optimiser.init(weights)
    weigh = importance(hops)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(  # type: ignore[no-untyped-def]
        weights: Weights, average: Weights, state: optax.OptState, share: float, *batch: jax.Array
    ):
        value, slope = jax.value_and_grad(recurrent_network.loss)(weights, *batch)
        updates, state = optimiser.update(slope, state, weights)
        weights = optax.apply_updates(weights, updates)
        average = jax.tree.map(lambda a, w: a + share * (w - a), average, weights)
        return weights, average, state, value

    chance = np.random.default_rng(seed)
    average = jax.tree.map(jnp.copy, weights)
    for epoch in range(epochs):
        order = chance.permutation(len(hops))
        losses: list[jax.Array] = []
        batches = [order[i : i + BATCH] for i in range(0, len(order) - BATCH + 1, BATCH)]
        for rows in track(batches, f"epoch {epoch + 1} of {epochs}", console=Console(stderr=True)):
            some = np.sort(rows), slice(int(chance.choice(BEGINS)), None)
            inputs = standardised(hops.inputs[some], mean, scale)
            weights, average, state, value = step(
                weights,
                average,
                state,
                max(1 - AVERAGING, 9 / (10 + len(losses) + epoch * len(batches))),
                jnp.asarray(inputs.transpose(1, 0, 2)),
                jnp.asarray(hops.kinds[some].T.astype(np.int32)),
                jnp.asarray(hops.nuisances[some].T.astype(np.float32)),
                jnp.asarray(weigh[some].T),
            )
            losses.append(value)
        print(json.dumps({"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 4)}), flush=True)
    return Trained(weights=average, mean=mean, scale=scale)


def table(trained: Trained, hops: Hops) -> dict[str, object]:
    """Return how well scenes of a split are told apart, by kind of nuisance.

    A scene's score is the greatest mean of the major probability over half a second.
    """
    scores = trained.scores(hops.inputs)
    smooth = _smooth(scores[..., 2], 10)
    empty = ~hops.occupied.any(axis=1)
    walks = (hops.kinds == MAJOR).any(axis=1)
    by_kind = {}
    for kind in sorted(set(hops.nuisance_kinds)):
        here = np.array([name == kind for name in hops.nuisance_kinds])
        by_kind[kind] = {
            "empty": int((here & empty).sum()),
            "highest_when_empty": [
                round(float(value), 3)
                for value in np.quantile(smooth[here & empty].max(axis=1), (0.5, 0.9, 1))
            ],
            "walks": int((here & walks).sum()),
            "lowest_when_walking": [
                round(float(value), 3)
                for value in np.quantile(smooth[here & walks].max(axis=1), (0, 0.05, 0.5))
            ],
        }
    found = scores[..., 2] > 0.5
    moving = scores[..., 0] < 0.5
    return {
        "major_hops_found": round(float(found[hops.kinds == MAJOR].mean()), 4),
        "empty_hops_called_major": round(float(found[empty].mean()), 6),
        "minor_hops_found": round(float(moving[hops.kinds == MINOR].mean()), 4),
        "empty_hops_called_motion": round(float(moving[empty].mean()), 6),
        "by_kind": by_kind,
    }


def _smooth(values: Matrix, hops: int) -> Matrix:
    summed = np.cumsum(values, axis=1, dtype=np.float64)
    return ((summed[:, hops:] - summed[:, :-hops]) / hops).astype(np.float32)


def hard_negatives(work: Path, model: Path, hours: int, processes: int) -> Hops:
    """Return the hardest hundredth of the windows of many empty hours, and scenes like the hardest."""
    name = f"hard-{hours}"
    kept = work / f"features-{name}.npz"
    if kept.exists():
        return load_hops(kept)
    paths = mined_hours(work, model, hours, processes)
    hard, found = hardest(paths, windows=hours * WINDOWS_AN_HOUR // 100)
    (work / "clusters.json").write_text(json.dumps(clusters(found[: len(found) // 10]), indent=1))
    drawn = [
        (work / "rooms" / f"{name}-{rank:04}-{number}.npz", widened(scene, number), kind)
        for rank, (_, kind, scene) in enumerate(found[: len(found) // 4])
        for number in range(VARIANTS)
    ]
    render_given(drawn, processes)
    like_them = hops_of_files([path for path, *_ in drawn], processes)
    save_hops(kept, Hops.joined([hard, like_them]))
    return load_hops(kept)


def main(arguments: Sequence[str] | None = None) -> None:
    """Render, train, mine, train again, and tell the false alarms before and after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=3_600)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--hours", type=int, default=1_000, help="empty hours to mine")
    parser.add_argument("--dev-hours", type=int, default=24, help="of each family, for the table")
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args(arguments)
    learnt = features(wanted.work, "train", wanted.scenes, wanted.processes)
    seed_model = wanted.work / "seed.onnx"
    if not seed_model.exists():
        export(train(learnt, epochs=wanted.epochs // 2, seed=SEED), seed_model)
    hard = hard_negatives(wanted.work, seed_model, wanted.hours, wanted.processes)
    trained = train(Hops.joined([learnt, hard]), epochs=wanted.epochs, seed=SEED)
    export(trained, wanted.out)
    judged = features(wanted.work, "dev", wanted.scenes // 5, wanted.processes)
    hours = judged_hours(wanted.work, (seed_model, wanted.out), "dev", wanted.dev_hours, wanted.processes)
    told = {"scenes": table(trained, judged), "alarms": alarm_table(hours, ("seed", "mined"))}
    print(json.dumps(told, indent=1))


def export(trained: Trained, path: Path) -> None:
    """Write the network as ONNX."""
    recurrent_network.export(trained.weights, path, mean=trained.mean, scale=trained.scale)


if __name__ == "__main__":
    main()
