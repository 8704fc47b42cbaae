"""The acoustic model in JAX: a causal convolutional network that tells phones, and while it learns letters.

Blocks as in ConvNeXt (Liu et al., CVPR 2022) in one dimension: a depthwise convolution over 0.36 s of the
past, layer norm, and a two-layer perceptron of four times the width, all added to what came in.
Connectionist temporal classification (CTC) after Graves et al. (ICML 2006); letters are an auxiliary task
on an inner block (Lee and Watanabe, ICASSP 2021).
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import optax
from jax import Array

from sensing.speech.phones import LABELS
from sensing.speech.speech_stages import COARSE_VALUES, FINE_VALUES
from sensing.training.fast_products import depthwise, product

INPUTS = FINE_VALUES + COARSE_VALUES
WIDTH, BLOCKS, KERNEL, INNER = 160, 8, 9, 4
LETTERS = " abcdefghijklmnopqrstuvwxyz'"
LETTER_BLOCK = 5
"""After so many blocks letters are read."""
LETTER_SHARE = 0.3
MOST_DEVIATIONS = 6.0
_EPSILON = 1e-5

Weights = dict[str, Array]


def first_weights(seed: int) -> Weights:
    """Return random weights: He normal in front of ReLU, small where a block adds to its input."""
    keys = iter(jax.random.split(jax.random.key(seed), 4 * BLOCKS + 3))

    def normal(shape: tuple[int, ...], deviation: float) -> Array:
        return deviation * jax.random.normal(next(keys), shape)

    weights: Weights = {
        "mean": jnp.zeros(INPUTS),
        "scale": jnp.ones(INPUTS),
        "enter": normal((INPUTS, WIDTH), math.sqrt(1 / INPUTS)),
        "enter_bias": jnp.zeros(WIDTH),
        "phones": normal((WIDTH, LABELS), 0.02),
        "phones_bias": jnp.zeros(LABELS),
        "letters": normal((WIDTH, 1 + len(LETTERS)), 0.02),
        "letters_bias": jnp.zeros(1 + len(LETTERS)),
        "norm": jnp.ones(WIDTH),
        "norm_bias": jnp.zeros(WIDTH),
    }
    for block in range(BLOCKS):
        weights |= {
            f"conv{block}": normal((KERNEL, WIDTH), math.sqrt(1 / KERNEL)),
            f"conv{block}_bias": jnp.zeros(WIDTH),
            f"norm{block}": jnp.ones(WIDTH),
            f"norm{block}_bias": jnp.zeros(WIDTH),
            f"widen{block}": normal((WIDTH, INNER * WIDTH), math.sqrt(2 / WIDTH)),
            f"widen{block}_bias": jnp.zeros(INNER * WIDTH),
            f"narrow{block}": normal((INNER * WIDTH, WIDTH), 0.3 * math.sqrt(1 / (INNER * WIDTH))),
            f"narrow{block}_bias": jnp.zeros(WIDTH),
        }
    return weights


def is_fixed(name: str) -> bool:
    """Return whether a weight is measured on the data, not learnt."""
    return name in ("mean", "scale")


def standardised(weights: Weights, features: Array) -> Array:
    """Return features of mean 0 and deviation 1, within `MOST_DEVIATIONS`."""
    values = (features.astype(jnp.float32) - weights["mean"]) / weights["scale"]
    return jnp.clip(values, -MOST_DEVIATIONS, MOST_DEVIATIONS)


def logits(weights: Weights, values: Array) -> tuple[Array, Array]:
    """Return phones ``(batch, frames, 40)`` and letters ``(batch, frames, 29)`` before softmax.

    Parameters
    ----------
    values : Array
        Standardised features, shape ``(batch, frames, 480)``.
    """
    hidden = product(values, weights["enter"]) + weights["enter_bias"]
    letters = hidden
    for block in range(BLOCKS):
        hidden = hidden + _block(weights, block, hidden)
        if block + 1 == LETTER_BLOCK:
            letters = hidden @ weights["letters"] + weights["letters_bias"]
    hidden = _normed(hidden, weights["norm"], weights["norm_bias"])
    return hidden @ weights["phones"] + weights["phones_bias"], letters


def _block(weights: Weights, block: int, hidden: Array) -> Array:
    mixed = depthwise(hidden, weights[f"conv{block}"]) + weights[f"conv{block}_bias"]
    even = _normed(mixed, weights[f"norm{block}"], weights[f"norm{block}_bias"])
    wide = jax.nn.relu(product(even, weights[f"widen{block}"]) + weights[f"widen{block}_bias"])
    return product(wide, weights[f"narrow{block}"]) + weights[f"narrow{block}_bias"]


def _normed(values: Array, scale: Array, bias: Array) -> Array:
    centred = values - values.mean(axis=-1, keepdims=True)
    deviation = jnp.sqrt(jnp.square(centred).mean(axis=-1, keepdims=True) + _EPSILON)
    return centred / deviation * scale + bias


def loss(weights: Weights, values: Array, frames: Array, phones: Array, letters: Array) -> Array:
    """Return the mean CTC loss a phone, with that of letters.

    Parameters
    ----------
    frames : Array
        Length of each example, shape ``(batch,)``.
    phones, letters : Array
        Labels from 1, filled up with 0, shape ``(batch, most)``.
    """
    spoken, written = logits(weights, values)
    is_padding = (jnp.arange(values.shape[1]) >= frames[:, None]).astype(jnp.float32)

    def ctc(outputs: Array, labels: Array) -> Array:
        absent = (labels == 0).astype(jnp.float32)
        each = optax.ctc_loss(outputs, is_padding, labels, absent)
        return jnp.asarray(each.sum() / (1 - absent).sum())

    return ctc(spoken, phones) + LETTER_SHARE * ctc(written, letters)
