"""A wake word of one's own, learnt in miniature: few voices, few steps."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensing.errors import ModelDamaged
from sensing.models.catalog import SHIPPED
from sensing.models.session import Session
from sensing.share_interval import share_interval
from sensing.speech.speech_stages import CHUNK_FRAMES, SpeechStages
from sensing.speech.wake_errors import false_accepts, rate_at_most
from sensing.speech.wake_heads import find_head, wake_phrases
from sensing.speech.wake_word import WakeWord
from sensing.training.made_home import crowd, made_noises, made_rooms, room_response
from sensing.training.onnx_file import Node, write_onnx
from sensing.training.other_speech import other_speech
from sensing.training.own_wake_word import OwnWakeWord, Sizes, train_own, trimmed
from sensing.training.phonetic_neighbours import confusable, dictionary, neighbours, parts
from sensing.training.recordings import RATE_HZ, Recording, part_of
from sensing.training.rooms_and_noise import Home
from sensing.training.stream_store import StreamStore
from sensing.training.synthetic_speech import spoken_by
from sensing.training.synthetic_words import SyntheticWords, voices_of
from sensing.training.wake_head import fitting_threshold
from sensing.training.wake_word_data import NEGATIVE, POSITIVE, Renderings, Stream, person

MINIATURE = Sizes(said=60, near=24, talk=30, held_out=12, renderings=2, noises=4, epochs=10, steps=80)
PHRASE = "purple kangaroo"
Sound = NDArray[np.float32]


@pytest.fixture(scope="module")
def shares() -> list[float]:
    return []


@pytest.fixture(scope="module")
def own(shares: list[float]) -> OwnWakeWord:
    return train_own(PHRASE, sizes=MINIATURE, told=shares.append)


def padded(sound: Sound) -> Sound:
    quiet = np.zeros(8_000, np.float32)
    whole = np.concatenate([quiet, sound, quiet])
    return np.pad(whole, (0, -len(whole) % CHUNK_FRAMES))


def test_a_crowd_talks_without_a_pause(tmp_path: Path) -> None:
    said = []
    for index, voice in enumerate(voices_of("test")[::29][:3]):
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, spoken_by(voice, "the kettle is on and the guests are here"), RATE_HZ)
        said.append(Recording(path=path, label="", speaker=voice.name, origin="", licence=""))
    talk = crowd(said, np.random.default_rng(4)).read()
    levels = np.sqrt(np.square(talk.reshape(-1, RATE_HZ // 2)).mean(axis=1))
    assert levels.min() > 0.05 * levels.max()


def test_who_goes_on_talking_says_more_than_who_says_a_few_words() -> None:
    random, speaker = np.random.default_rng(8), voices_of("train")[:1]
    home = Home(noises=made_noises(random, 1, voices=speaker, words=["tea"]), rooms=made_rooms(random))
    voices = SyntheticWords(speaker, Renderings(home, random), random)
    [running], [few] = voices.running(1, ["the kettle is on and the guests are here"]), voices.talk(1)
    assert len(running.labels) > 3 * len(few.labels)
    assert (running.labels == NEGATIVE).all()


def test_a_head_learnt_from_text_tells_its_phrase_from_another(own: OwnWakeWord, tmp_path: Path) -> None:
    own.head.export(tmp_path / "purple_kangaroo.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "purple_kangaroo.onnx"))
    write_card(tmp_path, PHRASE, own.threshold)
    wake = WakeWord(PHRASE, folder=tmp_path)
    best: dict[str, list[float]] = {PHRASE: [], "turn on the kitchen light": []}
    for text, scores in best.items():
        for voice in voices_of("test")[::29][:5]:
            wake.reset()
            scores.append(float(wake.scores(padded(0.3 * spoken_by(voice, text))).max()))
    assert np.median(best[PHRASE]) > max(0.5, *np.sort(best["turn on the kitchen light"])[:3])
    assert own.measured.missed <= own.measured.said / 2
    assert own.measured.false_accepts / own.measured.hours < 60  # fewer than one a minute


def test_the_measurement_counts_what_was_made_and_progress_ends_at_one(
    own: OwnWakeWord, shares: list[float]
) -> None:
    assert own.measured.said == MINIATURE.held_out
    assert own.measured.recordings == 0
    assert 0 <= own.measured.missed <= own.measured.said
    assert own.measured.hours > 0.05
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def write_card(folder: Path, phrase: str, threshold: float) -> None:
    from hub.wake_words import write_own_head

    model = next(folder.glob("*.onnx"))
    content = model.read_bytes()
    write_own_head(
        folder, phrase, lambda path: void(path.write_bytes(content)), threshold=threshold, figures={}
    )


def void(_written: int) -> None:
    return None


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    shutil.copy(SHIPPED / "wake_computer.onnx", tmp_path / "hey_orbit.onnx")
    write_card(tmp_path, "hey orbit", 0.8)
    return tmp_path


def test_an_own_head_is_found_beside_the_shipped_ones(own_folder: Path) -> None:
    assert {"computer", "hey orbit"} <= set(wake_phrases(own_folder))
    assert find_head("hey orbit", own_folder).threshold == 0.8
    assert "hey orbit" not in wake_phrases()


def test_a_damaged_head_is_refused_by_name(own_folder: Path) -> None:
    model = own_folder / "hey_orbit.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(ModelDamaged, match=r"hey_orbit.onnx: the head is damaged .* train 'hey orbit' again"):
        WakeWord("hey orbit", folder=own_folder)
    model.unlink()
    with pytest.raises(ModelDamaged, match="missing"):
        WakeWord("hey orbit", folder=own_folder)


@pytest.mark.parametrize("card", ["", "{}", '{"phrase": "hey orbit", "sha256": "", "threshold": 7}'])
def test_a_card_that_is_none_is_refused(own_folder: Path, card: str) -> None:
    (own_folder / "hey_orbit.json").write_text(card)
    with pytest.raises(ModelDamaged, match=r"hey_orbit.json: is no card"):
        WakeWord("hey orbit", folder=own_folder)


def test_an_unknown_phrase_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"abracadabra.*computer"):
        WakeWord("abracadabra")


def test_several_phrases_from_one_embedding_score_as_each_alone(own_folder: Path) -> None:
    sound = padded(spoken_by(voices_of("test")[0], "computer"))
    both = WakeWord(["computer", "hey orbit"], folder=own_folder)
    alone = WakeWord("computer")
    assert both.phrases == ("computer", "hey orbit")
    assert np.array_equal(both.scores(sound)[:, 0], alone.scores(sound)[:, 0])
    both.reset()
    alone.reset()
    heard = [(wake.score, wake.end_frame) for wake in both.process(sound) if wake.phrase == "computer"]
    assert heard == [(wake.score, wake.end_frame) for wake in alone.process(sound)]
    assert heard


def test_a_head_reads_stages_that_somebody_else_computed() -> None:
    sound = padded(spoken_by(voices_of("test")[0], "computer"))
    stages = SpeechStages()
    shared, alone = WakeWord(), WakeWord()
    assert shared.of_stages(stages.process(sound)) == alone.process(sound) != []


def test_words_that_sound_alike_are_neighbours_and_the_phrase_itself_never_is() -> None:
    near = {one.text: one.distance for one in neighbours("computer")}
    assert near["commuter"] == 1
    assert "computer" not in near
    assert "computers" not in near  # the whole word is heard in it
    assert neighbours("zzyzx") == []
    assert all(text != "computer" for text in confusable("computer"))


@given(st.lists(st.sampled_from(["orbit", "purple", "lantern", "hey"]), min_size=2, max_size=4, unique=True))
def test_no_part_of_a_phrase_holds_all_of_it(words: list[str]) -> None:
    phrase = " ".join(words)
    assert parts(phrase)
    assert all(phrase not in part for part in parts(phrase))


def test_neighbours_are_as_far_as_they_say() -> None:
    known = dictionary()
    assert all(
        abs(len(known[one.text]) - len(known["jarvis"])) <= one.distance for one in neighbours("jarvis")
    )


def test_a_timbre_is_in_one_part_in_all_its_accents() -> None:
    parts_of: dict[str, set[str]] = {}
    for part in ("train", "validation", "test"):
        for voice in voices_of(part):
            parts_of.setdefault(person(voice), set()).add(part_of(person(voice)))
    assert all(len(found) == 1 for found in parts_of.values())


@given(st.integers(0, 1_000))
def test_a_made_room_starts_with_the_direct_sound_and_dies_away(seed: int) -> None:
    response = room_response(np.random.default_rng(seed))
    assert np.abs(response).max() == 1.0
    powers = np.square(response[64:].astype(np.float64))
    assert powers[-1_000:].mean() < powers[:1_000].mean()


@given(st.integers(0, 4_000), st.integers(0, 4_000))
def test_silence_around_a_phrase_is_trimmed(before: int, after: int) -> None:
    word = np.sin(np.arange(9_600) / 5).astype(np.float32)
    found = trimmed(np.concatenate([np.zeros(before, np.float32), word, np.zeros(after, np.float32)]))
    assert abs(found.first - before) <= 320
    assert abs(found.end - (before + 9_600)) <= 320


def test_the_shipped_speech_holds_every_part_and_fits_the_head() -> None:
    streams = [other_speech(part) for part in ("train", "validation", "test")]
    assert all(len(one) > 30 for one in streams)
    assert sum(map(len, streams)) == 221
    assert streams[0][0].embeddings.shape == (75, 96)


def test_streams_that_were_kept_are_the_streams_that_were_made(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    made = [
        Stream(
            embeddings=random.normal(size=(length, 96)).astype(np.float16).astype(np.float32),
            labels=random.choice([POSITIVE, NEGATIVE], size=length).astype(np.int8),
            text=text,
        )
        for length, text in ((20, "one"), (3, ""), (40, "three words said"))
    ]
    store = StreamStore(tmp_path)
    for make in (lambda: made, list):  # the second time nothing is made
        kept = store.kept("some", make)
        assert [one.text for one in kept] == [one.text for one in made]
        assert all(np.array_equal(a.embeddings, b.embeddings) for a, b in zip(kept, made, strict=True))
        assert all(np.array_equal(a.labels, b.labels) for a, b in zip(kept, made, strict=True))


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=200))
def test_a_fitting_threshold_is_reached_no_more_often_than_allowed_or_is_the_highest(
    values: list[float],
) -> None:
    scores = np.array(values, np.float32)
    threshold = fitting_threshold(scores, false_accepts_per_hour=0.1)
    assert false_accepts(scores, threshold) == 0 or threshold == 0.999


def test_bounds_are_those_of_the_tables() -> None:
    # Clopper-Pearson for 0 of 30: 11.6 %; Poisson 0 events: 3.0, 1 event: 4.74 (95 %, one side)
    assert share_interval(0, 30) == pytest.approx((0.0, 0.1157), abs=1e-3)
    assert rate_at_most(0, 1.0) == pytest.approx(2.996, abs=1e-3)
    assert rate_at_most(1, 2.0) == pytest.approx(4.744 / 2, abs=1e-3)
    assert rate_at_most(0, 0.0) is None


def test_a_graph_written_without_onnx_is_what_onnx_reads(tmp_path: Path) -> None:
    weight = np.arange(300, dtype=np.float32).reshape(3, 100)
    write_onnx(
        tmp_path / "sum.onnx",
        name="sum",
        nodes=[Node("MatMul", ["left", "weight"], "product"), Node("Relu", ["product"], "result")],
        values={"weight": weight},
        inputs={"left": (1, 3)},
        outputs={"result": (1, 100)},
    )
    onnx.checker.check_model(onnx.load(tmp_path / "sum.onnx"), full_check=True)
    left = np.array([[1, -2, 3]], np.float32)
    [result] = Session(tmp_path / "sum.onnx").run({"left": left})
    assert np.allclose(result, np.maximum(left @ weight, 0))
