"""The parts of the recogniser's training; the training itself takes hours."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hassil import Intents
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.models.session import Session
from sensing.speech.grammar import compile_grammar
from sensing.speech.phones import LABELS, PHONES, phone_labels
from sensing.training import phone_network
from sensing.training.fast_products import depthwise, product
from sensing.training.phone_export import PAST, export
from sensing.training.phone_network import BLOCKS, INPUTS, WIDTH, Weights
from sensing.training.recognizer_data import Example
from sensing.training.recognizer_recordings import orders, read_aloud
from sensing.training.recognizer_speech import drawn_voice, is_held_back
from sensing.training.recognizer_texts import Text, phones_of, texts
from sensing.training.synthetic_speech import Voice, spoken_by, voices
from sensing.training.train_recognizer import BUCKETS, batched, phone_errors
from tests.conftest import recordings_folder

TEMPLATES = """
language: en
intents:
  order:
    data:
      - sentences: ["(bring|get) me [some] (tea|coffee)"]
"""
READ = ["she had your dark suit in greasy wash water all year"]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return phone_network.first_weights(3)


@pytest.fixture(scope="module")
def session(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Session:
    path = tmp_path_factory.mktemp("model") / "phones.onnx"
    export(weights, path)
    return Session(path)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Text]:
    templates = tmp_path_factory.mktemp("texts") / "tea.yaml"
    templates.write_text(TEMPLATES)
    return texts(60, orders=templates, read=READ, seed=1)


def example(words: str, random: np.random.Generator) -> Example:
    """Return features in which each phone sounds by itself for three frames."""
    phones = phones_of(words)
    assert phones is not None
    labels = np.repeat(phone_labels(phones), 3)
    features = random.normal(0, 0.1, (len(labels) + 8, INPUTS))
    features[np.arange(len(labels)) + 4, labels] += 5
    return Example(features.astype(np.float16), Text("words", words, phones))


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 29), max_size=5))
def test_the_exported_network_says_the_same_however_the_sound_is_cut(
    weights: Weights, session: Session, cuts: list[int]
) -> None:
    features = np.random.default_rng(1).normal(0, 2, (30, INPUTS)).astype(np.float32)
    values = phone_network.standardised(weights, jnp.asarray(features)[None])
    trained = jax.nn.log_softmax(phone_network.logits(weights, values)[0][0])
    state = np.zeros((BLOCKS, PAST, WIDTH), np.float32)
    whole, _ = session.run({"features": features, "state": state})
    pieces = []
    for piece in np.split(features, sorted(set(cuts))):
        log_probs, state = session.run({"features": piece, "state": state})
        pieces.append(log_probs)
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-4)
    assert np.allclose(whole, trained, atol=0.01)  # which rounds its factors while it learns


def test_fast_products_have_the_values_and_gradients_of_the_plain_ones() -> None:
    random = np.random.default_rng(6)
    values, kernel, weights = (
        jnp.asarray(random.normal(size=shape).astype(np.float32)) for shape in ((2, 30, 8), (5, 8), (8, 16))
    )

    def plain_depthwise(values: jax.Array, kernel: jax.Array) -> jax.Array:
        padded = jnp.pad(values, ((0, 0), (4, 0), (0, 0)))
        return sum((padded[:, place : place + 30] * kernel[place] for place in range(5)), start=jnp.zeros(()))

    def slopes(function: Callable[[jax.Array, jax.Array], jax.Array], other: jax.Array) -> list[jax.Array]:
        def value(values: jax.Array, other: jax.Array) -> jax.Array:
            return jnp.sin(function(values, other)).sum()

        return [function(values, other), *jax.grad(value, argnums=(0, 1))(values, other)]

    for fast, plain in zip(slopes(depthwise, kernel), slopes(plain_depthwise, kernel), strict=True):
        assert np.allclose(fast, plain, atol=1e-4)
    for fast, plain in zip(slopes(product, weights), slopes(jnp.matmul, weights), strict=True):
        assert float(jnp.abs(fast - plain).mean()) < 0.02 * float(jnp.abs(plain).mean())


def test_the_network_never_looks_ahead(weights: Weights) -> None:
    values = np.random.default_rng(2).normal(size=(1, 40, INPUTS)).astype(np.float32)
    changed = values.copy()
    changed[:, 25:] += 1
    before, after = (phone_network.logits(weights, jnp.asarray(one))[0][0] for one in (values, changed))
    assert np.allclose(before[:25], after[:25], atol=1e-5)
    assert not np.allclose(before[25], after[25], atol=1e-2)


def test_a_few_steps_teach_a_sentence_to_the_network(weights: Weights) -> None:
    random = np.random.default_rng(4)
    said = [example("turn on the light", random) for _ in range(2_400 // 50)]
    batch = next(batched(said))
    given = tuple(map(jnp.asarray, (batch.features, batch.frames, batch.phones, batch.letters)))
    optimizer = optax.adam(4e-3)
    learnt, state = weights, optimizer.init(weights)

    @jax.jit
    def step(learnt: Weights, state: optax.OptState) -> tuple[Weights, optax.OptState, jax.Array]:
        values = phone_network.standardised(learnt, given[0])
        loss, gradients = jax.value_and_grad(phone_network.loss)(learnt, values, *given[1:])
        updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(learnt, updates), state, loss

    losses = []
    for _ in range(15):
        learnt, state, loss = step(learnt, state)
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]
    assert phone_errors(learnt, said[:2]) < phone_errors(weights, said[:2])


def test_batches_hold_each_example_that_fits_once_and_nothing_longer_than_they_are() -> None:
    random = np.random.default_rng(5)
    said = [example("what time is it", random) for _ in range(200)]
    too_fast = Example(said[0].features[:9], said[0].text)
    batches = list(batched([*said, too_fast]))
    assert all(batch.features.shape[1] in BUCKETS for batch in batches)
    assert sum(len(batch.frames) for batch in batches) == 200 - 200 % (2_400 // 50)
    assert all(
        (batch.features[row, frames:] == 0).all()
        for batch in batches
        for row, frames in enumerate(batch.frames)
    )
    assert {tuple(row[row > 0]) for batch in batches for row in batch.phones} == {
        phone_labels(said[0].text.phones)
    }


def test_every_drawn_sentence_can_be_pronounced_and_the_same_seed_draws_the_same(drawn: list[Text]) -> None:
    assert {text.kind for text in drawn} == {"order", "home", "words"}
    assert all(set(text.phones) <= set(PHONES) for text in drawn)
    assert all(phones_of(text.words) == text.phones for text in drawn)
    assert max(phone_labels(drawn[0].phones)) < LABELS


def test_orders_are_sentences_of_their_templates(drawn: list[Text]) -> None:
    grammar = compile_grammar(Intents.from_yaml(StringIO(TEMPLATES)))
    assert all(grammar.accepts(text.words.split()) for text in drawn if text.kind == "order")


def test_a_word_that_the_dictionary_lacks_has_no_phones() -> None:
    assert phones_of("turn on the quxzle") is None
    assert phones_of("tea") == ("T", "IY")


def test_voices_that_are_kept_for_measuring_train_nothing() -> None:
    random = np.random.default_rng(6)
    assert not any(is_held_back(drawn_voice(random)) for _ in range(500))
    assert any(is_held_back(voice) for voice in voices())


def test_a_voice_says_the_same_twice_and_faster_when_asked() -> None:
    voice = Voice("espeak", "en-us+f3")
    once, twice, fast = (spoken_by(voice, "good morning", speed=speed) for speed in (1.0, 1.0, 1.4))
    assert len(once) == len(twice)  # the noise in its consonants is new each time
    assert len(fast) < 0.85 * len(once)
    assert 0.05 < np.abs(once).max() <= 1


def test_a_voice_that_is_not_there_is_named() -> None:
    with pytest.raises(RuntimeError, match="no voice xx-nobody"):
        spoken_by(Voice("espeak", "xx-nobody"), "hello")


@pytest.mark.recordings
def test_orders_are_understood_by_their_slots_and_nobody_is_in_two_parts() -> None:
    data = recordings_folder("commands")
    recording, text = next(orders(Path(data).parent, "validation"))
    assert recording.part == "validation"
    assert all(value in text.words for value in json.loads(recording.label).values())
    speakers = {
        part: {one.speaker for one, _ in read_aloud(Path(data).parent, part)}
        for part in ("train", "validation")
    }
    assert not speakers["train"] & speakers["validation"]
