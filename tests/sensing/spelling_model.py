"""A CTC model in NeMo's convention that says one text whatever it hears; onnx-asr and sherpa-onnx load it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TOKENS = ["\u2581", *"abcdefghijklmnopqrstuvwxyz'"]
"""SentencePiece's word mark and letters; the blank comes last."""
SUBSAMPLING = 4
_FRAMES = 250
_SURE = 8.0
"""Logit of the token of a frame over that of the others."""
METADATA = {
    "vocab_size": str(len(TOKENS)),
    "subsampling_factor": str(SUBSAMPLING),
    "normalize_type": "per_feature",
    "model_type": "EncDecCTCModel",
    "is_giga_am": "0",
}


def write_spelling_model(folder: Path, text: str, metadata: dict[str, str] = METADATA) -> None:
    """Write a folder with a model that spells the text, a letter every 80 ms, and what describes it."""
    spelt = [TOKENS[0] if letter == " " else letter for letter in (f" {text}" if text else "")]
    write_token_model(folder, spelt, TOKENS, metadata)


def write_token_model(
    folder: Path, said: Sequence[str], tokens: Sequence[str], metadata: dict[str, str] = METADATA
) -> None:
    """Write a folder with a model that says some of its tokens, one every 80 ms, and what describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = [tokens.index(token) for token in said]
    onnx.save(_model(labels, len(tokens), metadata), str(folder / "model.onnx"))
    lines = "".join(f"{token} {number}\n" for number, token in enumerate([*tokens, "<blk>"]))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")
    (folder / "vocab.txt").write_text(lines, encoding="utf-8")
    content = {"model_type": "nemo-conformer-ctc", "features_size": 80, "subsampling_factor": SUBSAMPLING}
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")


def _log_probabilities(labels: Sequence[int], tokens: int) -> np.ndarray:
    logits = np.zeros((_FRAMES, tokens + 1), np.float32)
    for frame in range(_FRAMES):
        place, is_between = divmod(frame, 2)
        says = not is_between and place < len(labels)
        logits[frame, labels[place] if says else tokens] = _SURE
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _model(labels: Sequence[int], tokens: int, metadata: dict[str, str]) -> onnx.ModelProto:
    constants = {
        "table": _log_probabilities(labels, tokens)[None],
        "two": np.array([2], np.int64),
        "three": np.array([3], np.int64),
        "subsampling": np.array([SUBSAMPLING], np.int64),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "nothing": np.array(0.0, np.float32),
    }
    nodes = [
        helper.make_node("Shape", ["audio_signal"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["mels"]),
        helper.make_node("Add", ["mels", "three"], ["more"]),
        helper.make_node("Div", ["more", "subsampling"], ["frames"]),
        helper.make_node("Slice", ["table", "zero", "frames", "one"], ["said"]),
        helper.make_node("ReduceMean", ["audio_signal"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["silence"]),
        helper.make_node("Add", ["said", "silence"], ["logprobs"]),
    ]
    graph = helper.make_graph(
        nodes,
        "spelling",
        [
            helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["batch", 80, "time"]),
            helper.make_tensor_value_info("length", TensorProto.INT64, ["batch"]),
        ],
        [helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["batch", "frames", tokens + 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata)
    return model
