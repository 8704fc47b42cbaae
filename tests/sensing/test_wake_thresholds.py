"""The table from which the thresholds of the shipped wake words are chosen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hub.wake_words import make_verifier
from script.voice.thresholds import Other, found
from sensing.speech.speech_stages import RATE_HZ
from sensing.speech.wake_errors import THRESHOLDS
from sensing.speech.wake_word import WakeWord
from sensing.training.synthetic_speech import Voice, spoken_by


def test_what_the_head_finds_is_told_for_each_of_its_scores_and_counted_if_the_verifier_agrees() -> None:
    head, verifier = WakeWord("computer"), make_verifier()
    word = spoken_by(Voice("espeak", "en-us"), "computer")
    call = np.pad(word, (RATE_HZ, RATE_HZ // 2))
    nats = found(head, verifier, call)
    assert set(nats) == set(THRESHOLDS)
    assert all(len(nats[low]) >= len(nats[high]) for low, high in pairwise(THRESHOLDS))
    other = Other(head, verifier, [call, np.zeros(RATE_HZ, np.float32)])
    hours = (len(call) + RATE_HZ) / RATE_HZ / 3_600
    [heard] = nats[0.5]
    assert np.isclose(other.an_hour(0.5, heard), 1 / hours)
    assert other.an_hour(0.5, heard + 0.1) == 0
