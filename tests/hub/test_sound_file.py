"""Bad sound files give one clear line; good ones lose no frame."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.audio.sound_file import read_all, read_blocks
from hub.cli.main import run_command
from hub.errors import BadInput


def wav(path: Path, frames: int = 44_101) -> Path:
    noise = np.random.default_rng(1).normal(0, 0.1, (frames, 2)).astype(np.float32)
    soundfile.write(path, noise, 44_100, subtype="FLOAT")
    return path


def test_every_frame_of_a_file_is_read(tmp_path: Path) -> None:
    samples, rate = read_all(wav(tmp_path / "a.wav"))
    assert samples.shape == (2, 44_101)
    assert rate == 44_100


@pytest.mark.parametrize("share", [0.3, 0.999])
def test_a_cut_wav_is_refused_and_named(tmp_path: Path, share: float) -> None:
    path = wav(tmp_path / "cut.wav")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadInput, match=r"cut\.wav: the file is cut"):
        read_all(path)


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "FLAC"])
@settings(max_examples=15, deadline=None)
@given(share=st.floats(0.01, 0.999))
def test_wherever_a_file_is_cut_it_is_never_taken_for_a_shorter_one(kind: str, share: float) -> None:
    whole = io.BytesIO()
    noise = np.random.default_rng(1).normal(0, 0.1, (9_000, 2))
    soundfile.write(whole, noise, 48_000, format=kind, subtype="PCM_16")
    content = whole.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound"
        path.write_bytes(content)
        assert read_all(path)[0].shape[1] == 9_000
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(BadInput, match=r"cut|cannot be read as sound"):
            read_all(path)


def test_a_stream_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = wav(tmp_path / "stream.wav")
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(content))
    assert read_all(path)[0].shape == (2, 44_101)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not sound at all"])
def test_presence_on_a_broken_file_is_one_line_and_status_2(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    assert run_command(["presence", str(path), "--json"]) == 2
    seen = capsys.readouterr()
    assert seen.out == ""
    assert len(seen.err.splitlines()) == 1
    assert "broken.wav" in seen.err


def test_presence_with_a_wrong_carrier_says_unknown_and_not_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wav(tmp_path / "noise.wav")
    assert run_command(["presence", str(path), "--carrier-hz", "20000", "--json"]) == 0
    assert '"degraded": ["no_carrier"]' in capsys.readouterr().out


def test_a_sample_that_is_no_number_is_refused_with_its_frame(tmp_path: Path) -> None:
    samples = np.zeros((1_000, 2), np.float32)
    samples[700, 1] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(BadInput, match="frame 700 is not a number"):
        list(read_blocks(tmp_path / "nan.wav", 512))
