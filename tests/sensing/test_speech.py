from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hassil import Intents
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases, understand
from hub.playback.text_to_speech import pronunciation, speak
from sensing.audio_block import AudioBlock
from sensing.dsp.resampler import Resampler
from sensing.errors import ModelDamaged
from sensing.models import catalog
from sensing.models.catalog import SHIPPED, model_cards, shipped_model
from sensing.models.session import Session
from sensing.observations import AttentionChanged, Observation, TranscriptDone, WakeWordHeard
from sensing.speech.energy_gate import EnergyGate
from sensing.speech.grammar import compile_grammar
from sensing.speech.listener import Listener
from sensing.speech.pronunciation import arpabet
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.speech_embedding import SpeechEmbedding
from sensing.speech.speech_stages import CHUNK_FRAMES
from sensing.speech.voice_activity import VoiceActivity
from sensing.speech.wake_word import WakeWord
from sensing.training.recordings import spoken
from tests.conftest import recordings_folder

RATE_HZ = 16_000
Sound = NDArray[np.float32]


def said(text: str, *, rate_hz: int = RATE_HZ, level: float = 0.3) -> Sound:
    return np.asarray(level * speak(text, rate_hz)[0], np.float32)


def quiet(seconds: float, *, rate_hz: int = RATE_HZ, dbfs: float = -70.0) -> Sound:
    noise = np.random.default_rng(3).standard_normal(round(seconds * rate_hz))
    return np.asarray(10 ** (dbfs / 20) * noise, np.float32)


def blocks(sound: Sound, cuts: Sequence[int], rate_hz: int = RATE_HZ) -> list[AudioBlock]:
    edges = [0, *sorted(cuts), len(sound)]
    pieces = [(first, sound[None, first:end]) for first, end in pairwise(edges) if end > first]
    return [
        AudioBlock(first_frame=first, rate_hz=rate_hz, capture=piece, reference=piece[:0])
        for first, piece in pieces
    ]


def heard(listener: Listener, sound: Sound, rate_hz: int = RATE_HZ) -> list[Observation]:
    step = rate_hz // 100
    seen = [
        one
        for block in blocks(sound, range(step, len(sound), step), rate_hz)
        for one in listener.process(block)
    ]
    return seen + listener.finish()


def of(kind: type[Any], seen: Sequence[object]) -> list[Any]:
    return [one for one in seen if isinstance(one, kind)]


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    return make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer")


@pytest.fixture
def listener(recognizer: SpeechRecognizer) -> Listener:
    return Listener(rate_hz=RATE_HZ, wake=WakeWord(), recognizer=recognizer)


def test_every_shipped_model_is_the_file_of_its_card() -> None:
    for card in model_cards():
        assert Session(shipped_model(card.name)).inputs


def test_a_damaged_model_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SHIPPED, tmp_path / "shipped")
    model = tmp_path / "shipped" / "silero_vad.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path / "shipped")
    with pytest.raises(ModelDamaged, match=r"silero_vad.onnx: the model is damaged"):
        shipped_model("voice_activity")
    model.unlink()
    with pytest.raises(ModelDamaged, match="missing"):
        shipped_model("voice_activity")


def test_the_wake_head_gives_the_scores_that_it_was_shipped_with() -> None:
    vectors = np.load(SHIPPED / "wake_computer.npz")
    head = Session(shipped_model("wake_computer"))
    scores = [head.run({"embeddings": window[None]})[0][0, 0] for window in vectors["embeddings"]]
    assert np.allclose(scores, vectors["scores"], atol=1e-4)


@given(splits=st.lists(st.integers(1, 11), max_size=4, unique=True))
@settings(max_examples=10, deadline=None)
def test_the_embedding_is_the_same_however_chunks_are_grouped(splits: list[int]) -> None:
    sound = np.concatenate([said("turn on the light"), quiet(1)])[: 12 * CHUNK_FRAMES]
    embedding = SpeechEmbedding()
    whole = embedding.process(sound)
    embedding.reset()
    edges = [0, *sorted(splits), 12]
    parts = [embedding.process(sound[a * CHUNK_FRAMES : b * CHUNK_FRAMES]) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)


@given(
    cuts=st.lists(st.integers(1, 4_799), max_size=5, unique=True), rate_hz=st.sampled_from([44_100, 48_000])
)
@settings(max_examples=20, deadline=None)
def test_resampling_does_not_depend_on_how_the_sound_is_cut(cuts: list[int], rate_hz: int) -> None:
    sound = np.random.default_rng(1).standard_normal(4_800).astype(np.float32)
    whole = Resampler(rate_hz, RATE_HZ).process(sound, last=True)
    stream = Resampler(rate_hz, RATE_HZ)
    edges = [0, *sorted(cuts), len(sound)]
    parts = [stream.process(sound[a:b], last=b == len(sound)) for a, b in pairwise(edges)]
    assert np.allclose(np.concatenate(parts), whole, atol=1e-6)


def test_the_gate_closes_in_a_steady_room_and_opens_for_a_voice() -> None:
    gate = EnergyGate()
    room = quiet(4, dbfs=-50)
    assert not [gate.process(room[i : i + CHUNK_FRAMES]) for i in range(0, len(room), CHUNK_FRAMES)][-1]
    assert gate.process(room[:CHUNK_FRAMES] + said("hello")[4_000 : 4_000 + CHUNK_FRAMES])


def test_voice_activity_tells_speech_from_noise() -> None:
    assert max(VoiceActivity().process(said("what time is it"))) > 0.9
    assert max(VoiceActivity().process(quiet(2, dbfs=-30))) < 0.5


def test_a_command_after_the_wake_word_is_understood_at_any_rate(recognizer: SpeechRecognizer) -> None:
    for rate_hz in (16_000, 44_100, 48_000):
        speech = [
            quiet(1, rate_hz=rate_hz),
            said("computer", rate_hz=rate_hz),
            quiet(0.5, rate_hz=rate_hz),
            said("turn on the kitchen lights", rate_hz=rate_hz),
            quiet(1.5, rate_hz=rate_hz),
        ]
        listener = Listener(rate_hz=rate_hz, wake=WakeWord(), recognizer=recognizer)
        seen = heard(listener, np.concatenate(speech), rate_hz)
        [wake] = of(WakeWordHeard, seen)
        [done] = of(TranscriptDone, seen)
        assert done.text == "turn on the kitchen lights"
        assert done.confidence > 0.9
        assert wake.at < done.start < done.end < done.at < sum(map(len, speech)) / rate_hz
        assert [one.tier for one in of(AttentionChanged, seen)][:3] == ["listening", "hearing", "asleep"]


def test_a_command_in_one_breath_with_the_wake_word_is_understood(listener: Listener) -> None:
    seen = heard(listener, np.concatenate([quiet(1), said("computer turn off the lamp"), quiet(1.5)]))
    assert [one.text for one in of(TranscriptDone, seen)] == ["turn off the lamp"]


def test_a_single_word_in_one_breath_with_the_wake_word_is_understood_at_once(listener: Listener) -> None:
    sound = np.concatenate([quiet(1), said("computer stop"), quiet(3)])
    [done] = of(TranscriptDone, heard(listener, sound))
    assert done.text == "stop"
    assert done.at - done.end < 1.0


def test_times_are_those_of_the_sound_card_also_when_listening_starts_late(listener: Listener) -> None:
    sound = np.concatenate([quiet(1), said("computer"), quiet(0.6), said("never mind"), quiet(1.5)])
    late = 50 * RATE_HZ
    step = 160
    for first in range(0, len(sound), step):
        piece = sound[None, first : first + step]
        block = AudioBlock(first_frame=late + first, rate_hz=RATE_HZ, capture=piece, reference=piece[:0])
        for one in of(TranscriptDone, listener.process(block)):
            assert 50 < one.start < one.end < one.at < 50 + len(sound) / RATE_HZ
            break


def test_without_the_wake_word_nothing_is_recognised(listener: Listener) -> None:
    seen = heard(listener, np.concatenate([quiet(1), said("turn on the kitchen lights"), quiet(2)]))
    assert not of(WakeWordHeard, seen)
    assert not of(TranscriptDone, seen)
    assert listener.cpu_seconds["asr"] == 0


def test_the_wake_word_alone_is_no_command(listener: Listener) -> None:
    seen = heard(listener, np.concatenate([quiet(1), said("computer"), quiet(6)]))
    assert of(WakeWordHeard, seen)
    assert not of(TranscriptDone, seen)


def test_a_quiet_room_opens_no_level_but_the_gate(listener: Listener) -> None:
    assert not heard(listener, quiet(10, dbfs=-55))
    listener.cpu_seconds.update(gate=0, vad=0)
    heard(listener, quiet(20, dbfs=-55))
    assert listener.cpu_seconds["wake"] == listener.cpu_seconds["asr"] == 0


@given(cuts=st.lists(st.integers(1, 60_000), max_size=12, unique=True))
@settings(max_examples=5, deadline=None)
def test_what_is_heard_does_not_depend_on_how_the_sound_is_cut(
    recognizer: SpeechRecognizer, cuts: list[int]
) -> None:
    sound = np.concatenate([quiet(0.5), said("computer, stop the music"), quiet(1.5)])
    results = []
    for edges in (range(160, len(sound), 160), [cut for cut in cuts if cut < len(sound)]):
        ear = Listener(rate_hz=RATE_HZ, wake=WakeWord(), recognizer=recognizer)
        results.append([one for block in blocks(sound, edges) for one in ear.process(block)] + ear.finish())
    assert results[0] == results[1]


def test_templates_become_exactly_their_sentences() -> None:
    intents = Intents.from_dict(
        {
            "language": "en",
            "intents": {
                "a": {"data": [{"sentences": ["turn (on|off)[ the] light[s]", "wait {n} <min>"]}]},
                "b": {"data": [{"sentences": ["play {anything}", "(one;two)"]}]},
            },
            "lists": {"n": {"range": {"from": 20, "to": 21}}, "anything": {"wildcard": True}},
            "expansion_rules": {"min": "minute[s]"},
        }
    )
    lights = [f"turn {way}{the} light{s}" for way in ("on", "off") for the in ("", " the") for s in ("", "s")]
    waits = [f"wait {number} minute{s}" for number in ("twenty", "twenty one") for s in ("", "s")]
    assert sorted(compile_grammar(intents).sentences()) == sorted([*lights, *waits, "one two", "two one"])
    assert all(
        compile_grammar(intents).accepts(sentence.split()) for sentence in [*lights, *waits, "two one"]
    )
    assert not any(
        compile_grammar(intents).accepts(words) for words in (["turn"], ["one"], [], ["two", "one", "one"])
    )
    assert "computer one two" in set(compile_grammar(intents, after="computer").sentences())


def test_every_sentence_of_the_grammar_means_something() -> None:
    phrases = read_phrases(BUILT_IN_SENTENCES, [])
    sentences = sorted(compile_grammar(phrases.intents).sentences())
    assert len(sentences) > 1_000
    for sentence in sentences[::97]:
        assert phrases.match(sentence), sentence


def test_a_grammar_of_open_lists_alone_is_refused() -> None:
    intents = Intents.from_dict({"language": "en", "intents": {"a": {"data": [{"sentences": ["{x}"]}]}}})
    with pytest.raises(ValueError, match="no sentence can be said"):
        compile_grammar(intents)


def test_unknown_words_are_pronounced_in_arpabet() -> None:
    assert pronunciation("roomwise") == "R UW M W AY Z"
    assert arpabet("tʃˈiːz") == "CH IY Z"
    with pytest.raises(ValueError, match="no sound"):
        arpabet("")


@pytest.mark.recordings
def test_people_who_trained_nothing_are_heard_and_other_words_are_not() -> None:
    folder = recordings_folder("wakeword")
    clips = [one for one in spoken(folder, "keyword") if one.part == "test"]
    silent = SilentRecognizer()
    wake = WakeWord()

    def wakes(sound: Sound) -> int:
        return len(of(WakeWordHeard, heard(Listener(rate_hz=RATE_HZ, wake=wake, recognizer=silent), sound)))

    own = [wakes(clip.read()) for clip in clips if clip.label == "computer"]
    others = [wakes(clip.read()) for clip in clips if "computer" not in clip.label][::6]
    assert len(own) >= 10
    assert sum(count == 1 for count in own) / len(own) >= 0.9
    assert sum(others) <= 1


class SilentRecognizer:
    def reset(self) -> None:
        return

    def feed(self, samples: Sound) -> None:
        return

    def finish(self) -> list[Any]:
        return []


@pytest.mark.recordings
def test_coffee_orders_are_understood_and_other_speech_is_not_an_order() -> None:
    folder = recordings_folder("commands")
    phrases = read_phrases(folder / "coffee.yaml", [])
    recognizer = make_recognizer(phrases)
    rows = labels(folder)
    orders = [row for row in rows if row["slots_json"]][::16]
    right = 0
    for row in orders:
        meaning = recognized(phrases, recognizer, folder / row["file"])
        right += meaning is not None and dict(meaning.slots) == json.loads(row["slots_json"])
    assert right / len(orders) >= 0.75
    others = [row for row in rows if row["file"].startswith(("gsc/", "ha_en/"))][::6]
    assert not [row["file"] for row in others if recognized(phrases, recognizer, folder / row["file"])]


@pytest.mark.recordings
def test_questions_to_a_home_are_understood() -> None:
    folder = recordings_folder("commands")
    phrases = read_phrases(BUILT_IN_SENTENCES, [])
    recognizer = make_recognizer(phrases)
    right = {
        "is_the_Front_Door_locked": "HassGetState",
        "what_s_the_date": "HassGetCurrentDate",
        "what_s_the_weather": "HassGetWeather",
        "what_time_is_it": "HassGetCurrentTime",
        "set_Kitchen_lights_to_green": "HassLightSet",
    }
    for name, intent in right.items():
        meaning = recognized(phrases, recognizer, folder / "ha_en" / f"{name}.flac")
        assert meaning is not None, name
        assert meaning.intent == intent


def labels(folder: Path) -> list[dict[str, str]]:
    import csv

    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def recognized(phrases: Any, recognizer: SpeechRecognizer, path: Path) -> Any:
    import soundfile

    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == RATE_HZ
    recognizer.feed(samples)
    found = recognizer.finish()
    return understand(phrases, found[0].text, found[0].confidence) if found else None
