"""Write small ONNX files with numpy alone: who trains a wake word at home needs no further package.

The file is a protocol buffer (onnx.proto3 of ONNX 1.15): fields of a number, a wire type and a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_IR_VERSION, _OPSET = 9, 17
_VARINT, _BYTES = 0, 2
"""Wire types."""
_ELEMENT_TYPES = {"float32": 1, "int64": 7}
"""TensorProto.DataType."""


@dataclass(frozen=True, slots=True)
class Node:
    """An operator without attributes, and the names that it reads and writes."""

    operator: str
    inputs: Sequence[str]
    output: str


def write_onnx(
    path: Path,
    *,
    name: str,
    nodes: Sequence[Node],
    values: Mapping[str, NDArray[np.generic]],
    inputs: Mapping[str, Sequence[int]],
    outputs: Mapping[str, Sequence[int]],
) -> None:
    """Write a graph of float32 inputs and outputs of fixed shapes, whole or not at all.

    Parameters
    ----------
    nodes : sequence of Node
        In the order of computation.
    values : mapping
        Constants by name, float32 or int64.
    inputs, outputs : mapping
        Shapes by name.
    """
    graph = b"".join(_field(1, _node(node)) for node in nodes) + _field(2, name.encode())
    graph += b"".join(_field(5, _tensor(key, value)) for key, value in values.items())
    graph += b"".join(_field(11, _value_info(key, shape)) for key, shape in inputs.items())
    graph += b"".join(_field(12, _value_info(key, shape)) for key, shape in outputs.items())
    model = _number(1, _IR_VERSION) + _field(2, b"roomwise") + _field(7, graph)
    model += _field(8, _field(1, b"") + _number(2, _OPSET))
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(model)
    draft.replace(path)


def _node(node: Node) -> bytes:
    inputs = b"".join(_field(1, name.encode()) for name in node.inputs)
    return inputs + _field(2, node.output.encode()) + _field(4, node.operator.encode())


def _tensor(name: str, value: NDArray[np.generic]) -> bytes:
    dimensions = b"".join(_number(1, size) for size in value.shape)
    little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    kind = _number(2, _ELEMENT_TYPES[value.dtype.name])
    return dimensions + kind + _field(8, name.encode()) + _field(9, little.tobytes())


def _value_info(name: str, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(_field(1, _number(1, size)) for size in shape)
    tensor = _number(1, _ELEMENT_TYPES["float32"]) + _field(2, dimensions)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Return seven bits a byte, the lowest first; the top bit says that more follow."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
