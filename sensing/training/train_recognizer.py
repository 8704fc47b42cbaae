"""Train the recogniser's acoustic model: one command from recordings and machines' voices to ONNX.

    python -m sensing.training.train_recognizer --data ../shared/data --work work --out phones.onnx

Everything that is made is kept in ``--work``, and the state of the training after every epoch: an interrupted
run goes on where it was. The same command runs on two cores, in hours, and on a GPU that JAX knows.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.progress import track

from sensing.speech.phones import phone_labels
from sensing.training import phone_network
from sensing.training.phone_export import export, self_test
from sensing.training.phone_network import LETTERS, Weights
from sensing.training.recognizer_data import (
    BUSY,
    CALM,
    NOISY,
    SEED,
    Example,
    Plan,
    training_examples,
    validation_examples,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Epochs over some examples, at a rate of learning that rises at once and then falls to nothing."""

    plans: tuple[Plan, ...]
    epochs: int
    rate: float


STAGES = (
    Stage(plans=(CALM,), epochs=6, rate=2e-3),
    Stage(plans=(CALM, NOISY), epochs=4, rate=1e-3),
    Stage(plans=(CALM, NOISY, BUSY), epochs=4, rate=1e-3),
)
"""Who has not yet learnt to hear learns nothing from noise."""
SHIPPED_ENDS = 2
"""The model is the mean of how the last two stages ended (a soup: Wortsman et al., ICML 2022)."""
BATCH_FRAMES = 2_400
"""96 s of sound."""
BUCKETS = (50, 75, 100, 125, 150, 200, 250, 350, 500)
"""Lengths in frames to which examples are filled up; longer ones are left out."""
WARM_UP_STEPS, DECAY = 500, 0.01
KEPT = 0.999
"""A stage ends with the running mean of its weights."""
_MASKS, _MASK_FRAMES, _DROPPED, _NOISE = 2, 6, 0.1, 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Examples of nearly one length; see `phone_network.loss`."""

    features: NDArray[np.float16]
    frames: NDArray[np.int32]
    phones: NDArray[np.int32]
    letters: NDArray[np.int32]


@dataclass(slots=True)
class State:
    """What a training goes on from: stages and epochs that are done, and how each stage ended."""

    stage: int
    epoch: int
    weights: Weights
    mean_weights: Weights
    optimizer: optax.OptState
    ends: list[Weights]


def main() -> None:
    """Make the data, train, and write the model with its self-test."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    options.add_argument("--work", type=Path, required=True, help="folder for what can be used again")
    options.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    options.add_argument("--processes", type=int, default=2, help="that make features")
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    judged = validation_examples(given.data, given.work, given.processes)
    learnt = {
        plan.name: training_examples(given.data, given.work, plan, given.processes)
        for plan in (CALM, NOISY, BUSY)
    }
    state = _started(given.work, learnt[CALM.name])
    while state.stage < len(STAGES):
        stage = STAGES[state.stage]
        fit(state, stage, [one for plan in stage.plans for one in learnt[plan.name]], judged, given.work)
    export(_mean(state.ends[-SHIPPED_ENDS:]), given.out)
    self_test(given.out, seed=SEED)


def fit(state: State, stage: Stage, learnt: Sequence[Example], judged: Sequence[Example], work: Path) -> None:
    """Go through a stage, telling the share of wrong phones of the judged examples on the way."""
    batches = list(batched(learnt))
    steps = stage.epochs * len(batches)
    schedule = optax.warmup_cosine_decay_schedule(0.0, stage.rate, WARM_UP_STEPS, steps, stage.rate / 100)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=DECAY))
    if state.epoch == 0:
        state.optimizer = optimizer.init(state.weights)
    step = jax.jit(lambda *given: _step(optimizer, *given))
    while state.epoch < stage.epochs:
        random = np.random.default_rng([SEED, state.stage, state.epoch])
        losses = []
        order = random.permutation(len(batches))
        words = f"stage {state.stage + 1}, epoch {state.epoch + 1}"
        for place in track(order, words, console=Console(stderr=True)):
            key = jax.random.key(int(random.integers(2**31)))
            state.weights, state.mean_weights, state.optimizer, loss = step(
                state.weights, state.mean_weights, state.optimizer, _arrays(batches[place]), key
            )
            losses.append(loss)
        state.epoch += 1
        _keep(state, work)
        wrong = {kind: phone_errors(state.mean_weights, some) for kind, some in _by_kind(judged).items()}
        figures = {"stage": state.stage + 1, "epoch": state.epoch, "loss": round(float(np.mean(losses)), 4)}
        print(json.dumps(figures | {"wrong_phones": wrong}), flush=True)
    state.stage, state.epoch = state.stage + 1, 0
    state.ends.append(state.mean_weights)


def _step(
    optimizer: optax.GradientTransformation,
    weights: Weights,
    mean_weights: Weights,
    optimizer_state: optax.OptState,
    batch: tuple[Array, ...],
    key: Array,
) -> tuple[Weights, Weights, optax.OptState, Array]:
    features, *rest = batch
    values = _disturbed(phone_network.standardised(weights, features), key)
    loss, gradients = jax.value_and_grad(phone_network.loss)(weights, values, *rest)
    gradients = {
        name: jnp.zeros_like(one) if phone_network.is_fixed(name) else one for name, one in gradients.items()
    }
    updates, optimizer_state = optimizer.update(gradients, optimizer_state, weights)
    moved = {
        name: one if phone_network.is_fixed(name) else one + updates[name] for name, one in weights.items()
    }
    mean_weights = {name: KEPT * mean_weights[name] + (1 - KEPT) * moved[name] for name in moved}
    return moved, mean_weights, optimizer_state, loss


def _disturbed(values: Array, key: Array) -> Array:
    """Return values with noise, some of them missing for good and all of them for moments (SpecAugment)."""
    batch, frames, inputs = values.shape
    noise_key, drop_key, *mask_keys = jax.random.split(key, 2 + _MASKS)
    values = values + _NOISE * jax.random.normal(noise_key, values.shape)
    values = values * (jax.random.uniform(drop_key, (batch, 1, inputs)) >= _DROPPED)
    for mask_key in mask_keys:
        first = jax.random.randint(mask_key, (batch, 1), 0, frames)
        length = jax.random.randint(jax.random.fold_in(mask_key, 1), (batch, 1), 0, _MASK_FRAMES + 1)
        place = jnp.arange(frames)
        values = values * ~((place >= first) & (place < first + length))[..., None]
    return values


def batched(examples: Sequence[Example]) -> Iterator[Batch]:
    """Yield batches of nearly one length; what is too long, or too short for its phones, is left out."""
    random = np.random.default_rng(SEED)
    buckets: dict[int, list[Example]] = {length: [] for length in BUCKETS}
    for example in (examples[place] for place in random.permutation(len(examples))):
        frames = len(example.features)
        length = next((length for length in BUCKETS if length >= frames), None)
        if length is None or frames <= _least_frames(example):
            continue
        buckets[length].append(example)
        if len(buckets[length]) == BATCH_FRAMES // length:
            yield _filled(buckets[length], length)
            buckets[length] = []


def _least_frames(example: Example) -> int:
    """Return how many frames a CTC path needs: one a label, and one between equal ones."""
    labels = (example.text.phones, _spelt(example))
    return max(len(one) + sum(a == b for a, b in zip(one[1:], one, strict=False)) for one in labels)


def _spelt(example: Example) -> str:
    return "".join(letter for letter in example.text.words if letter in LETTERS)


def _filled(examples: Sequence[Example], length: int) -> Batch:
    frames = np.array([len(one.features) for one in examples], np.int32)
    features = np.zeros((len(examples), length, phone_network.INPUTS), np.float16)
    for row, one in zip(features, examples, strict=True):
        row[: len(one.features)] = one.features
    phones = [phone_labels(one.text.phones) for one in examples]
    letters = [[1 + LETTERS.index(letter) for letter in _spelt(one)] for one in examples]
    return Batch(features, frames, _rows(phones, length // 2), _rows(letters, length))


def _rows(labels: Sequence[Sequence[int]], most: int) -> NDArray[np.int32]:
    rows = np.zeros((len(labels), max(most, max(map(len, labels)))), np.int32)
    for row, one in zip(rows, labels, strict=True):
        row[: len(one)] = one
    return rows


def _arrays(batch: Batch) -> tuple[Array, ...]:
    return tuple(map(jnp.asarray, (batch.features, batch.frames, batch.phones, batch.letters)))


def _started(work: Path, learnt: Sequence[Example]) -> State:
    path = work / "training.pickle"
    if path.exists():
        kept: State = pickle.loads(path.read_bytes())
        return kept
    weights = phone_network.first_weights(SEED)
    some = np.concatenate([one.features for one in learnt[::10]]).astype(np.float32)
    weights |= {"mean": jnp.asarray(some.mean(axis=0)), "scale": jnp.asarray(some.std(axis=0) + 1e-2)}
    return State(
        stage=0, epoch=0, weights=weights, mean_weights=weights, optimizer=optax.EmptyState(), ends=[]
    )


def _mean(ends: Sequence[Weights]) -> Weights:
    return {name: sum((one[name] for one in ends[1:]), start=ends[0][name]) / len(ends) for name in ends[0]}


def _keep(state: State, work: Path) -> None:
    draft = work / "training.part"
    draft.write_bytes(pickle.dumps(jax.device_get(state)))
    draft.replace(work / "training.pickle")


def _by_kind(examples: Sequence[Example]) -> dict[str, list[Example]]:
    kinds = dict.fromkeys(one.text.kind for one in examples)
    return {kind: [one for one in examples if one.text.kind == kind] for kind in kinds}


def phone_errors(weights: Weights, examples: Sequence[Example]) -> float:
    """Return the edit distance of the best labels to the phones, as a share of the phones."""
    wrong = said = 0
    for one in examples:
        values = phone_network.standardised(weights, jnp.asarray(one.features)[None])
        best = np.asarray(_best(weights, jnp.pad(values, ((0, 0), (0, -values.shape[1] % 100), (0, 0)))))
        best = best[: len(one.features)]
        heard = best[np.flatnonzero(np.diff(best, prepend=0))]
        truth = phone_labels(one.text.phones)
        wrong += Levenshtein.distance(heard[heard > 0].tolist(), truth)
        said += len(truth)
    return round(wrong / said, 4)


@jax.jit
def _best(weights: Weights, values: Array) -> Array:
    return phone_network.logits(weights, values)[0][0].argmax(axis=-1)


if __name__ == "__main__":
    main()
