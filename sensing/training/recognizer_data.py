"""The utterances that the recogniser learns from, as files of features."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensing.training.job_pool import worked
from sensing.training.recognizer_recordings import orders, read_aloud
from sensing.training.recognizer_speech import Shard, Surroundings, Utterance, make_shard
from sensing.training.recognizer_texts import Text, texts
from sensing.training.recordings import Part, Recording

SEED = 2_026


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a set of examples is drawn.

    Attributes
    ----------
    sentences : int
        Spoken by machines, each once.
    read_variants, order_variants : int
        Renderings of each recording.
    utterances : int
        Drawn from all these.
    home : str
        Where everything is said; of what is said in calm homes, the first rendering of a recording and one in
        four machines stay as they are.
    """

    name: str
    seed: int
    sentences: int
    read_variants: int
    order_variants: int
    utterances: int
    home: Surroundings


CALM = Plan(
    name="train",
    seed=SEED,
    sentences=9_000,
    read_variants=2,
    order_variants=12,
    utterances=11_000,
    home="calm",
)
NOISY = Plan(
    name="noisy",
    seed=SEED + 1,
    sentences=4_000,
    read_variants=1,
    order_variants=10,
    utterances=6_000,
    home="noisy",
)
BUSY = Plan(
    name="busy",
    seed=SEED + 2,
    sentences=7_000,
    read_variants=2,
    order_variants=16,
    utterances=12_000,
    home="busy",
)
_PLAIN_SHARE = 0.25
_SHARD_UTTERANCES = 250

Said = tuple[Recording, Text]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One utterance: features, float16 of shape ``(frames, 480)``, and what is said in it."""

    features: NDArray[np.float16]
    text: Text


def training_examples(data: Path, work: Path, plan: Plan, processes: int) -> list[Example]:
    """Return the examples of a plan; what is in ``work`` is not made again."""
    read, ordered = _kept(work / "said-train.pickle", data, "train")
    words = [text.words for _, text in read]
    spoken = texts(plan.sentences, orders=data / "commands" / "coffee.yaml", read=words, seed=plan.seed)
    utterances = [*_recorded(read, plan.read_variants, plan), *_recorded(ordered, plan.order_variants, plan)]
    random = np.random.default_rng(plan.seed)
    for number, text in enumerate(spoken):
        is_plain = random.random() < _PLAIN_SHARE and plan.home == "calm"
        utterances.append(Utterance(text, None, "none" if is_plain else plan.home, plan.seed + 7 * number))
    order = random.permutation(len(utterances))[: plan.utterances]
    return list(_examples([utterances[index] for index in order], data, work, plan.name, processes))


def validation_examples(data: Path, work: Path, processes: int) -> list[Example]:
    """Return recordings of people who train nothing: orders first, one in ten of what was read."""
    read, ordered = _kept(work / "said-validation.pickle", data, "validation")
    utterances = [Utterance(text, recording, "none", SEED) for recording, text in [*ordered, *read[::10]]]
    return list(_examples(utterances, data, work, "validation", processes))


def _kept(path: Path, data: Path, part: Part) -> tuple[list[Said], list[Said]]:
    """Return what was read and what was ordered in a part; orders are understood only once."""
    if not path.exists():
        draft = path.with_suffix(".part")
        said = list(read_aloud(data, part)), list(orders(data, part))
        draft.write_bytes(pickle.dumps(said))
        draft.replace(path)
    found: tuple[list[Said], list[Said]] = pickle.loads(path.read_bytes())
    return found


def _recorded(said: Sequence[Said], variants: int, plan: Plan) -> list[Utterance]:
    return [
        Utterance(
            text,
            recording,
            "none" if variant == 0 and plan.home == "calm" else plan.home,
            plan.seed + 1_000 * number + variant,
        )
        for number, (recording, text) in enumerate(said)
        for variant in range(variants)
    ]


def _examples(
    utterances: Sequence[Utterance], data: Path, work: Path, name: str, processes: int
) -> Iterator[Example]:
    starts = range(0, len(utterances), _SHARD_UTTERANCES)
    shards = [
        Shard(
            work / f"{name}-{len(utterances)}-{start:06}.npz",
            utterances[start : start + _SHARD_UTTERANCES],
            data,
        )
        for start in starts
    ]
    paths = worked(make_shard, shards, f"utterances to {name}", processes=processes)
    for shard, path in zip(shards, paths, strict=True):
        with np.load(path) as arrays:
            features = np.split(arrays["features"], arrays["ends"][:-1])
        for one, utterance in zip(features, shard.utterances, strict=True):
            yield Example(one, utterance.text)
