"""A small feed-forward network in numpy: training, and export to ONNX."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensing.training.onnx_file import Node, write_onnx

Matrix = NDArray[np.float32]


class FeedForward:
    """Layers with ReLU between them and one logit at the end.

    Trained with Adam (Kingma & Ba 2015) on the binary cross-entropy; the weights that are used
    and exported are their moving average over the steps.

    Parameters
    ----------
    sizes : tuple of int
        Width of the input and of every hidden layer.
    random : numpy.random.Generator
        For the first weights (He et al. 2015) and the dropout.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        random: np.random.Generator,
        *,
        dropout: float = 0.3,
        weight_decay: float = 1e-3,
        averaging: float = 0.999,
    ) -> None:
        self._random = random
        self._dropout = dropout
        self._weight_decay = weight_decay
        self._averaging = averaging
        widths = (*sizes, 1)
        self._weights: list[Matrix] = []
        for fan_in, fan_out in pairwise(widths):
            scale = np.sqrt(2 / fan_in)
            self._weights.append(random.normal(0, scale, (fan_in, fan_out)).astype(np.float32))
            self._weights.append(np.zeros(fan_out, np.float32))
        self._average = [weight.copy() for weight in self._weights]
        self._first_moment = [np.zeros_like(weight) for weight in self._weights]
        self._second_moment = [np.zeros_like(weight) for weight in self._weights]
        self._steps = 0

    def step(self, inputs: Matrix, targets: Matrix, rate: float) -> float:
        """Learn from one batch of shape ``(n, inputs)`` with targets 0 and 1; return its mean loss."""
        layers, masks = [inputs], []
        for index in range(0, len(self._weights) - 2, 2):
            hidden = np.maximum(layers[-1] @ self._weights[index] + self._weights[index + 1], 0)
            keep = (self._random.random(hidden.shape) >= self._dropout) / (1 - self._dropout)
            masks.append((hidden > 0) * keep.astype(np.float32))
            layers.append(hidden * keep.astype(np.float32))
        logits = (layers[-1] @ self._weights[-2] + self._weights[-1])[:, 0]
        guess = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        slope = ((guess - targets) / len(targets))[:, None].astype(np.float32)
        gradients: list[Matrix] = []
        for index in range(len(self._weights) - 2, -1, -2):
            gradients = [layers[index // 2].T @ slope, slope.sum(axis=0), *gradients]
            if index:
                slope = (slope @ self._weights[index].T) * masks[index // 2 - 1]
        self._move(gradients, rate)
        return float(-np.log(np.where(targets > 0.5, guess, 1 - guess) + 1e-9).mean())

    def _move(self, gradients: list[Matrix], rate: float) -> None:
        self._steps += 1
        average = min(self._averaging, (1 + self._steps) / (10 + self._steps))
        for index, gradient in enumerate(gradients):
            first, second = self._first_moment[index], self._second_moment[index]
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            unbiased = (first / (1 - 0.9**self._steps), second / (1 - 0.999**self._steps))
            weight = self._weights[index]
            if weight.ndim == 2:
                weight -= rate * self._weight_decay * weight
            weight -= (rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)).astype(np.float32)
            self._average[index] += (1 - average) * (weight - self._average[index])

    def score(self, inputs: Matrix) -> Matrix:
        """Return probabilities, shape ``(n,)``, from the averaged weights."""
        layer = inputs
        for index in range(0, len(self._average) - 2, 2):
            layer = np.maximum(layer @ self._average[index] + self._average[index + 1], 0)
        logits = (layer @ self._average[-2] + self._average[-1])[:, 0]
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)

    def export(self, path: Path, *, shape: tuple[int, ...], mean: Matrix, scale: Matrix) -> None:
        """Write an ONNX file that standardises ``embeddings`` of this shape and gives ``score``."""
        values: dict[str, NDArray[np.generic]] = {"mean": mean, "scale": scale, "flat": np.array([1, -1])}
        nodes = [
            Node("Sub", ["embeddings", "mean"], "centred"),
            Node("Div", ["centred", "scale"], "standard"),
            Node("Reshape", ["standard", "flat"], "hidden_0"),
        ]
        layers = len(self._average) // 2
        for index in range(layers):
            values[f"weight_{index}"], values[f"bias_{index}"] = self._average[2 * index : 2 * index + 2]
            is_last = index == layers - 1
            inputs = [f"hidden_{index}", f"weight_{index}", f"bias_{index}"]
            nodes.append(Node("Gemm", inputs, f"sum_{index}"))
            result = "score" if is_last else f"hidden_{index + 1}"
            nodes.append(Node("Sigmoid" if is_last else "Relu", [f"sum_{index}"], result))
        write_onnx(
            path,
            name="wake_word",
            nodes=nodes,
            values=values,
            inputs={"embeddings": (1, *shape)},
            outputs={"score": (1, 1)},
        )
