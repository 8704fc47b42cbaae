"""Embedding streams on disk: made once, then read, so that an interrupted training goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from sensing.training.wake_word_data import Stream
from sensing.training.whole_file import save_whole


class StreamStore:
    """Sets of streams in a folder, one file a set, values in half precision.

    Parameters
    ----------
    folder : Path or None
        None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def kept(self, name: str, make: Callable[[], Iterable[Stream]]) -> list[Stream]:
        """Return a set of streams, made now if it was not made before."""
        if self._folder is None:
            return list(make())
        path = self._folder / f"{name}.npz"
        if not path.exists():
            save_whole(path, **packed(list(make())))
        with np.load(path) as arrays:
            return unpacked({key: arrays[key] for key in arrays.files})


def packed(streams: Sequence[Stream]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    """Return streams as arrays: one long row of embeddings, and where each stream ends in it."""
    return {
        "embeddings": np.concatenate([one.embeddings for one in streams]).astype(np.float16),
        "labels": np.concatenate([one.labels for one in streams]),
        "ends": np.cumsum([len(one.labels) for one in streams]),
        "texts": np.array([one.text for one in streams]),
    }


def unpacked(arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]) -> list[Stream]:
    """Return the streams that `packed` took."""
    embeddings = arrays["embeddings"].astype(np.float32)
    labels = arrays["labels"].astype(np.int8)
    ends = [int(end) for end in arrays["ends"]]
    return [
        Stream(embeddings=embeddings[first:end], labels=labels[first:end], text=str(text))
        for first, end, text in zip([0, *ends], ends, arrays["texts"], strict=False)
    ]
