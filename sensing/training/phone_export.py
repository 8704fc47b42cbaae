"""The acoustic model as an ONNX file that streams: what convolutions still need of the past is its state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper, save_model

from sensing.models.session import Session
from sensing.speech.phones import LABELS
from sensing.training.phone_network import BLOCKS, INPUTS, KERNEL, MOST_DEVIATIONS, WIDTH, Weights

PAST = KERNEL - 1
_EPSILON = 1e-5
_TEST_FRAMES = 40

Constants = dict[str, NDArray[np.generic]]


def export(weights: Weights, path: Path) -> None:
    """Write an ONNX file of ``features``, ``state`` -> ``log_probs``, ``next_state``.

    ``features`` has shape ``(frames, 480)``, ``log_probs`` has ``(frames, 40)``, and the states
    ``(blocks, past frames, width)``: zeros where nothing was heard before.
    """
    values = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    constants: Constants = {
        "mean": values["mean"],
        "gain": 1 / values["scale"],
        "least": np.array(-MOST_DEVIATIONS, np.float32),
        "most": np.array(MOST_DEVIATIONS, np.float32),
        "enter": values["enter"],
        "enter_bias": values["enter_bias"],
        "phones": values["phones"],
        "phones_bias": values["phones_bias"],
        "norm": values["norm"],
        "norm_bias": values["norm_bias"],
        "first_axis": np.array([0], np.int64),
        "past": np.array([-PAST], np.int64),
        "end": np.array([2**31 - 1], np.int64),
    }
    states = [f"state{block}" for block in range(BLOCKS)]
    nodes = [
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "gain"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "least", "most"], ["values"]),
        *_dense("values", "enter", "hidden0"),
        helper.make_node("Split", ["state"], states, axis=0, num_outputs=BLOCKS),
    ]
    for block in range(BLOCKS):
        constants |= _block_constants(values, block)
        nodes += _block(block)
    nodes += [
        helper.make_node("Concat", [f"next{block}" for block in range(BLOCKS)], ["next_state"], axis=0),
        helper.make_node(
            "LayerNormalization", [f"hidden{BLOCKS}", "norm", "norm_bias"], ["normed"], epsilon=_EPSILON
        ),
        *_dense("normed", "phones", "logits"),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=1),
    ]
    _save(nodes, constants, path)


def self_test(path: Path, *, seed: int) -> None:
    """Write made-up features and their scores beside the model: recordings may not be shipped in any form."""
    features = np.random.default_rng(seed).normal(0, 3, (_TEST_FRAMES, INPUTS)).astype(np.float32)
    state = np.zeros((BLOCKS, PAST, WIDTH), np.float32)
    log_probs, _ = Session(path).run({"features": features, "state": state})
    np.savez_compressed(
        path.with_suffix(".npz"), features=features.astype(np.float16), log_probs=log_probs.astype(np.float16)
    )


def _block_constants(values: dict[str, NDArray[np.float32]], block: int) -> Constants:
    names = ("norm", "widen", "narrow")
    constants: Constants = {
        f"{name}{block}{end}": values[f"{name}{block}{end}"] for name in names for end in ("", "_bias")
    }
    # as ONNX wants it: (channels, 1, places)
    constants[f"conv{block}"] = np.ascontiguousarray(values[f"conv{block}"].T[:, None])
    constants[f"conv{block}_bias"] = values[f"conv{block}_bias"]
    return constants


def _block(block: int) -> list[NodeProto]:
    """Return the nodes from ``hidden{block}`` and ``state{block}`` to those of the next block."""

    def own(name: str) -> str:
        return f"{name}{block}"

    return [
        helper.make_node("Squeeze", [own("state"), "first_axis"], [own("before")]),
        helper.make_node("Concat", [own("before"), own("hidden")], [own("history")], axis=0),
        helper.make_node("Slice", [own("history"), "past", "end", "first_axis"], [own("after")]),
        helper.make_node("Unsqueeze", [own("after"), "first_axis"], [own("next")]),
        helper.make_node("Transpose", [own("history")], [own("channels")], perm=[1, 0]),
        helper.make_node("Unsqueeze", [own("channels"), "first_axis"], [own("wave")]),
        helper.make_node(
            "Conv", [own("wave"), own("conv"), f"{own('conv')}_bias"], [own("mixed")], group=WIDTH
        ),
        helper.make_node("Squeeze", [own("mixed"), "first_axis"], [own("mixed_channels")]),
        helper.make_node("Transpose", [own("mixed_channels")], [own("mixed_frames")], perm=[1, 0]),
        helper.make_node(
            "LayerNormalization",
            [own("mixed_frames"), own("norm"), f"{own('norm')}_bias"],
            [own("even")],
            epsilon=_EPSILON,
        ),
        *_dense(own("even"), own("widen"), own("wide")),
        helper.make_node("Relu", [own("wide")], [own("bent")]),
        *_dense(own("bent"), own("narrow"), own("added")),
        helper.make_node("Add", [own("hidden"), own("added")], [f"hidden{block + 1}"]),
    ]


def _dense(given: str, layer: str, made: str) -> list[NodeProto]:
    return [
        helper.make_node("MatMul", [given, layer], [f"{made}_product"]),
        helper.make_node("Add", [f"{made}_product", f"{layer}_bias"], [made]),
    ]


def _save(nodes: list[NodeProto], constants: Constants, path: Path) -> None:
    state = [BLOCKS, PAST, WIDTH]
    graph = helper.make_graph(
        nodes,
        "phones",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["frames", INPUTS]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, state),
        ],
        [
            helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["frames", LABELS]),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, state),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model, full_check=True)
    save_model(model, path)
