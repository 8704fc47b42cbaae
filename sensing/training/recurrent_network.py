"""A small recurrent network in JAX: its function, its loss, and its export to ONNX."""

from __future__ import annotations

import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

Weights = dict[str, Array]
Matrix = NDArray[np.float32]

CLASSES = 3
"""The first outputs exclude each other; what comes after them is a sigmoid each."""


def first_weights(inputs: int, units: int, outputs: int, *, seed: int) -> Weights:
    """Return random weights: Glorot uniform, biases zero (Glorot and Bengio, AISTATS 2010)."""
    shapes = {
        "inner": (inputs, units),
        "gates": (units, 3 * units),
        "recurrent": (units, 3 * units),
        "outer": (units, outputs),
    }
    keys = jax.random.split(jax.random.key(seed), len(shapes))
    weights: Weights = {}
    for key, (name, shape) in zip(keys, shapes.items(), strict=True):
        limit = math.sqrt(6 / sum(shape))
        weights[name] = jax.random.uniform(key, shape, minval=-limit, maxval=limit)
    weights |= {
        "inner_bias": jnp.zeros(units),
        "gates_bias": jnp.zeros(3 * units),
        "recurrent_bias": jnp.zeros(3 * units),
        "outer_bias": jnp.zeros(outputs),
    }
    return weights


def logits(weights: Weights, features: Array) -> Array:
    """Return the network's outputs before softmax and sigmoid, shape ``(hops, batch, outputs)``.

    A dense layer with ReLU, a gated recurrent unit (Cho et al., EMNLP 2014, the form with the reset gate
    after the recurrent product, as ONNX calls it linear_before_reset), and a dense layer.

    Parameters
    ----------
    features : Array
        Shape ``(hops, batch, inputs)``.
    """
    hidden = jax.nn.relu(features @ weights["inner"] + weights["inner_bias"])
    driven = hidden @ weights["gates"] + weights["gates_bias"]

    def step(state: Array, drive: Array) -> tuple[Array, Array]:
        update, reset, candidate = jnp.split(drive, 3, axis=-1)
        fed = state @ weights["recurrent"] + weights["recurrent_bias"]
        fed_update, fed_reset, fed_candidate = jnp.split(fed, 3, axis=-1)
        kept = jax.nn.sigmoid(update + fed_update)
        fresh = jnp.tanh(candidate + jax.nn.sigmoid(reset + fed_reset) * fed_candidate)
        state = (1 - kept) * fresh + kept * state
        return state, state

    start = jnp.zeros((features.shape[1], weights["recurrent"].shape[0]))
    _, states = jax.lax.scan(step, start, driven)
    return states @ weights["outer"] + weights["outer_bias"]


def loss(weights: Weights, features: Array, kinds: Array, nuisances: Array, importance: Array) -> Array:
    """Return the mean cross-entropy of classes and nuisance.

    Parameters
    ----------
    kinds, nuisances, importance : Array
        Shape ``(hops, batch)``: the class, whether there is a nuisance, and the weight of the hop's class.
    """
    outputs = logits(weights, features)
    logs = jax.nn.log_softmax(outputs[..., :CLASSES])
    right = jnp.take_along_axis(logs, kinds[..., None], axis=-1)[..., 0]
    doubt = outputs[..., CLASSES]
    wrong = jnp.maximum(doubt, 0) - doubt * nuisances + jnp.log1p(jnp.exp(-jnp.abs(doubt)))
    return -(importance * right).sum() / importance.sum() + 0.3 * wrong.mean()


def export(weights: Weights, path: Path, *, mean: Matrix, scale: Matrix) -> None:
    """Write an ONNX file of ``features``, ``state`` -> ``scores``, ``next_state``.

    ``features`` has shape ``(hops, 1, inputs)``, ``scores`` has ``(hops, outputs)``.
    """
    from onnx import TensorProto, checker, helper, numpy_helper, save_model

    values = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    inputs, units = values["inner"].shape
    outputs = values["outer"].shape[1]
    constants = {
        # the standardisation is part of the first layer
        "inner": values["inner"] / scale[:, None],
        "inner_bias": values["inner_bias"] - (mean / scale) @ values["inner"],
        "w": values["gates"].T[None],
        "r": values["recurrent"].T[None],
        "b": np.concatenate([values["gates_bias"], values["recurrent_bias"]])[None],
        "outer": values["outer"],
        "outer_bias": values["outer_bias"],
        "rows": np.array([-1, units], np.int64),
        "splits": np.array([CLASSES, outputs - CLASSES], np.int64),
    }
    nodes = [
        helper.make_node("MatMul", ["features", "inner"], ["product"]),
        helper.make_node("Add", ["product", "inner_bias"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["hidden"]),
        helper.make_node(
            "GRU",
            ["hidden", "w", "r", "b", "", "state"],
            ["states", "next_state"],
            hidden_size=units,
            linear_before_reset=1,
        ),
        helper.make_node("Reshape", ["states", "rows"], ["flat"]),
        helper.make_node("Gemm", ["flat", "outer", "outer_bias"], ["logits"]),
        helper.make_node("Split", ["logits", "splits"], ["kinds", "others"], axis=1),
        helper.make_node("Softmax", ["kinds"], ["chances"], axis=1),
        helper.make_node("Sigmoid", ["others"], ["doubts"]),
        helper.make_node("Concat", ["chances", "doubts"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "presence",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["hops", 1, inputs]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 1, units]),
        ],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["hops", outputs]),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, [1, 1, units]),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    save_model(model, str(path))
