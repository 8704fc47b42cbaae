"""A user's own model folder behind the seam, through the real onnx-asr and sherpa-onnx where installed."""

from __future__ import annotations

import builtins
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from hub.config.hub_config import RecognizerConfig
from hub.errors import BadInput
from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.recognizer_backend import recognizer_backend
from sensing.speech.recognizer import SURE_CONFIDENCE, Hypothesis
from tests.sensing.spelling_model import METADATA, TOKENS, write_spelling_model, write_token_model

EXTRAS = {"onnx_asr": "onnx-asr", "sherpa_onnx": "sherpa-onnx"}


@pytest.fixture(params=EXTRAS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"the extra {EXTRAS[name]} is not installed")
    return name


def heard(folder: Path, backend: str) -> list[Hypothesis]:
    """Return what a recogniser of the folder's model hears in three seconds of noise."""
    settings = RecognizerConfig.model_validate({"backend": backend, "model": folder.name})
    make = recognizer_backend(settings, directory=folder.parent, server=None)
    recognizer = make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer", backend=make)
    for piece in np.random.default_rng(1).standard_normal((30, 1_600)).astype(np.float32) * 0.01:
        recognizer.feed(piece)
    found = recognizer.finish()
    assert recognizer.finish() == []
    return found


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ("turn on the kitchen light", "turn on the kitchen light"),
        ("turn on the kitten light", "turn on the kitchen light"),
    ],
)
def test_what_the_model_writes_becomes_a_sentence(
    tmp_path: Path, backend: str, spelt: str, meant: str
) -> None:
    write_spelling_model(tmp_path / "mine", spelt)
    [best, *_] = heard(tmp_path / "mine", backend)
    assert best.text == meant
    assert best.confidence >= SURE_CONFIDENCE


def test_the_grammar_is_decoded_over_the_tokens_and_words_have_times(tmp_path: Path) -> None:
    pytest.importorskip("onnx_asr", reason="the extra onnx-asr is not installed")
    write_spelling_model(tmp_path / "mine", "stop the music")
    [best, *_] = heard(tmp_path / "mine", "onnx_asr")
    assert best.text == "stop the music"
    # a letter every 80 ms, each word behind its mark: "stop" from 0, "the" from 0.4, "music" from 0.72 s
    assert [round(word.start_seconds, 2) for word in best.words] == [0.0, 0.4, 0.72]
    assert best.confidence == pytest.approx(1.0)


def test_the_grammar_is_decoded_over_pieces_of_words(tmp_path: Path) -> None:
    pytest.importorskip("onnx_asr", reason="the extra onnx-asr is not installed")
    mark, *letters = TOKENS
    pairs = [f"{first}{second}" for first in "aeiostr" for second in "chlmnrst"]
    pieces = [*pairs, f"{mark}st", f"{mark}th", f"{mark}the", "op", "mus", mark, *letters]
    said = [f"{mark}st", "op", f"{mark}the", mark, "mus", "ic"]
    write_token_model(tmp_path / "mine", said, pieces)
    with capture_logs() as logs:
        [best, *_] = heard(tmp_path / "mine", "onnx_asr")
    assert [one for one in logs if one["log_level"] == "info"] == []  # not by the model's text
    assert best.text == "stop the music"
    assert [round(word.start_seconds, 2) for word in best.words] == [0.0, 0.16, 0.24]
    assert best.confidence == pytest.approx(1.0)


def test_what_no_sentence_sounds_like_is_not_sure(tmp_path: Path, backend: str) -> None:
    write_spelling_model(tmp_path / "mine", "my hovercraft is full of eels")
    assert all(one.confidence < SURE_CONFIDENCE for one in heard(tmp_path / "mine", backend))


def test_a_model_that_writes_nothing_is_not_guessed_for(tmp_path: Path, backend: str) -> None:
    write_spelling_model(tmp_path / "mine", "")
    assert heard(tmp_path / "mine", backend) == []


def test_a_folder_that_is_missing_or_empty_is_refused_in_one_line(tmp_path: Path, backend: str) -> None:
    with pytest.raises(BadInput, match=r"nowhere: no such folder; put a model there"):
        heard(tmp_path / "nowhere", backend)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty: no ") as refused:
        heard(tmp_path / "empty", backend)
    assert "\n" not in str(refused.value)


def test_a_damaged_model_is_refused_and_does_not_end_the_process(tmp_path: Path, backend: str) -> None:
    write_spelling_model(tmp_path / "mine", "yes")
    (tmp_path / "mine" / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(BadInput, match="model") as refused:
        heard(tmp_path / "mine", backend)
    assert "\n" not in str(refused.value)


def test_metadata_that_sherpa_onnx_would_die_of_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("sherpa_onnx", reason="the extra sherpa-onnx is not installed")
    metadata = {key: value for key, value in METADATA.items() if key != "normalize_type"}
    write_spelling_model(tmp_path / "mine", "yes", metadata)
    with pytest.raises(BadInput, match="its metadata lack normalize_type"):
        heard(tmp_path / "mine", "sherpa_onnx")


def test_a_model_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    pytest.importorskip("onnx_asr", reason="the extra onnx-asr is not installed")
    write_spelling_model(tmp_path / "mine", "yes")
    (tmp_path / "mine" / "config.json").write_text('{"model_type": "telepathy"}', encoding="utf-8")
    with pytest.raises(BadInput, match="cannot load it as telepathy"):
        heard(tmp_path / "mine", "onnx_asr")


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    really_import = builtins.__import__

    def without_extra(module: str, *rest: object, **more: object) -> object:
        if module == name:
            raise ModuleNotFoundError(f"No module named {name!r}")
        return really_import(module, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_extra)
    with pytest.raises(BadInput, match=rf"not installed; pip install 'roomwise\[{EXTRAS[name]}\]'"):
        heard(tmp_path, name)


def test_a_folder_without_a_description_is_known_by_its_files(tmp_path: Path) -> None:
    pytest.importorskip("onnx_asr", reason="the extra onnx-asr is not installed")
    write_spelling_model(tmp_path / "mine", "stop")
    (tmp_path / "mine" / "config.json").unlink()
    [best, *_] = heard(tmp_path / "mine", "onnx_asr")
    assert best.text == "stop"
