"""Cut the frozen speech embedding in two, so that what it sees early is computed once and used twice.

    python -m sensing.training.cut_embedding embedding_model.onnx FOLDER

The early half sees any number of log-mel frames and gives two inner stages every 40 ms, which the recogniser
reads; the late half turns the last ten frames of the second stage into the 96 values that wake words read.
Together they compute what the whole computes, bit for bit: no convolution is padded in time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.utils import Extractor

_MELS, _WINDOW_MELS = 32, 76
_FINE, _COARSE = "model/max_pooling2d_2/MaxPool:0", "model/max_pooling2d_3/MaxPool:0"
"""72 channels of 4 bands that see 24 mel frames, and 96 channels of 2 bands that see 40."""
_COARSE_FRAMES = 10


def main() -> None:
    """Write ``speech_stages.onnx`` and ``speech_embedding.onnx``."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("embedding", type=Path, help="the whole model")
    options.add_argument("folder", type=Path, help="where the two halves go")
    given = options.parse_args()
    whole = onnx.load(given.embedding)
    onnx.save(early_half(whole), given.folder / "speech_stages.onnx")
    onnx.save(late_half(whole), given.folder / "speech_embedding.onnx")


def early_half(whole: onnx.ModelProto) -> onnx.ModelProto:
    """Return mels ``[1, time, 32, 1]`` -> fine ``[1, 72, frames, 4]``, coarse ``[1, 96, frames, 2]``."""
    free = onnx.ModelProto()
    free.CopyFrom(whole)
    _free_time(free.graph)
    mels = _described(whole.graph.input[0].name, [1, "time", _MELS, 1])
    fine, coarse = _described(_FINE, [1, 72, "fine", 4]), _described(_COARSE, [1, 96, "coarse", 2])
    return _cut(free, [mels], [fine, coarse], ["mels", "fine", "coarse"])


def late_half(whole: onnx.ModelProto) -> onnx.ModelProto:
    """Return coarse ``[n, 96, 10, 2]`` -> embedding ``[n, 1, 1, 96]``."""
    coarse = _described(_COARSE, ["n", 96, _COARSE_FRAMES, 2])
    embedding = _described(whole.graph.output[0].name, ["n", 1, 1, 96])
    return _cut(whole, [coarse], [embedding], ["coarse", "embedding"])


def _cut(
    model: onnx.ModelProto,
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    names: list[str],
) -> onnx.ModelProto:
    """Return what lies between inputs and outputs, which get new names."""
    known = onnx.ModelProto()
    known.CopyFrom(model)
    del known.graph.value_info[:], known.graph.input[:], known.graph.output[:]
    known.graph.value_info.extend([*inputs, *outputs])
    ends = [[one.name for one in group] for group in (inputs, outputs)]
    half = Extractor(known).extract_model(*ends)
    renamed = dict(zip([*ends[0], *ends[1]], names, strict=True))
    for node in half.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    del half.graph.value_info[:]
    for one in (*half.graph.input, *half.graph.output):
        one.name = renamed[one.name]
    return half


def _free_time(graph: onnx.GraphProto) -> None:
    """Let the first reshape take any number of frames of one recording instead of 76 of any number."""
    for constant in graph.initializer:
        shape = numpy_helper.to_array(constant)
        if shape.dtype == np.int64 and shape.tolist() == [-1, 1, _WINDOW_MELS, _MELS + 2]:
            constant.CopyFrom(numpy_helper.from_array(np.array([1, 1, -1, _MELS + 2]), constant.name))
            break
    else:
        raise ValueError("the first reshape was not found: this is another embedding model")


def _described(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


if __name__ == "__main__":
    main()
