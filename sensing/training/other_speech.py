"""Real speech that ships with the trainer, as embeddings: what no own head shall take for its phrase.

    python -m sensing.training.other_speech ../shared/data

Six seconds of each of 221 readers of LibriSpeech (CC-BY-4.0; Panayotov et al., ICASSP 2015), 8 bits a value.
The card is ``other_speech.toml``. Speech cannot be made out of them again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sensing.speech.speech_embedding import SpeechEmbedding
from sensing.speech.speech_stages import CHUNK_FRAMES
from sensing.training.recordings import Part, part_of, spoken
from sensing.training.wake_word_data import NEGATIVE, Stream
from sensing.training.whole_file import save_whole

FILE = Path(__file__).with_suffix(".npz")
_CHUNKS = 75
_FOLDER = "librispeech_251spk"


def other_speech(part: Part) -> list[Stream]:
    """Return the speakers of a part, a stream each."""
    with np.load(FILE) as arrays:
        values, scale, speakers = arrays["values"], arrays["scale"], arrays["speakers"]
    labels = np.full(_CHUNKS, NEGATIVE, np.int8)
    return [
        Stream(embeddings=(one * scale).astype(np.float32), labels=labels)
        for one, speaker in zip(values, speakers, strict=True)
        if part_of(str(speaker)) == part
    ]


def main() -> None:
    """Write the file again from the recordings."""
    embedding = SpeechEmbedding()
    rows, speakers = [], []
    for recording in spoken(Path(sys.argv[1]) / "speech", "transcript"):
        if recording.path.parent.name != _FOLDER:
            continue
        sound = recording.read()[: _CHUNKS * CHUNK_FRAMES]
        if len(sound) == _CHUNKS * CHUNK_FRAMES:
            embedding.reset()
            rows.append(embedding.process(sound))
            speakers.append(recording.speaker)
    values = np.stack(rows)
    scale = (np.abs(values).max(axis=(0, 1)) / 127).astype(np.float32)
    save_whole(
        FILE, values=np.round(values / scale).astype(np.int8), scale=scale, speakers=np.array(speakers)
    )


if __name__ == "__main__":
    main()
