"""Run ONNX models: the one door to ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Tensor = NDArray[np.float32]


class Session:
    """One loaded model on one thread that never spins: the cost of a call is its CPU time.

    Parameters
    ----------
    path : Path
        An ONNX file.

    Attributes
    ----------
    inputs : tuple of str
        Names of the inputs, in the model's order.
    """

    def __init__(self, path: Path) -> None:
        options = session_options(threads=1)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs: tuple[str, ...] = tuple(one.name for one in self._session.get_inputs())

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> list[Tensor]:
        """Return all outputs for the given inputs."""
        outputs: list[Tensor] = self._session.run(None, dict(feeds))
        return outputs


def session_options(*, threads: int) -> onnxruntime.SessionOptions:
    """Return options for a model on some threads that never spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # warnings are about providers that nobody asked for
    return options


def model_metadata(path: Path) -> Mapping[str, str]:
    """Return what a model's file says of itself.

    Raises
    ------
    ValueError
        It is not an ONNX file.
    """
    options = session_options(threads=1)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it is not run
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no other root
        raise ValueError(f"{path}: cannot be read as an ONNX model") from error
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return metadata
