"""The classifier behind the gate that opens it."""

from __future__ import annotations

from sensing.processing_meter import ProcessingMeter
from sensing.ultrasound.band_gate import BandGate
from sensing.ultrasound.doppler_features import HOP_SECONDS, DopplerFrame
from sensing.ultrasound.motion_classifier import MotionClassifier, MotionScore
from sensing.ultrasound.steady_tone import SteadyTone

NOTHING_MOVES = MotionScore(minor=0.0, major=0.0)
_TONE = MotionScore(minor=0.0, major=0.0, nuisance=1.0)


class GatedClassifier:
    """Score the hops that the gate lets through; the others, and steady tones of others, show nobody.

    Parameters
    ----------
    meter : ProcessingMeter
        Charged with what the classifier costs.
    """

    def __init__(self, classifier: MotionClassifier, *, meter: ProcessingMeter) -> None:
        self._gate = BandGate()
        self._tone = SteadyTone()
        self._classifier = classifier
        self._meter = meter

    @property
    def is_open(self) -> bool:
        """Whether the last hop was scored."""
        return self._gate.is_open

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._gate.reset()
        self._tone.reset()
        self._classifier.reset()

    def score(self, frame: DopplerFrame, *, is_present: bool) -> MotionScore:
        """Return the score of a hop; ``is_present`` where nobody can rule somebody out."""
        is_tone = self._tone.process(frame)
        hops = self._gate.process(frame, is_present=is_present)
        if not hops:
            return NOTHING_MOVES
        if self._gate.has_opened:
            self._classifier.reset()
        with self._meter.level("classifier", HOP_SECONDS):
            score = self._classifier.score(hops)[-1]
        return _TONE if is_tone else score
