"""From the sound card's blocks to hops of features: only of sound that can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sensing.audio_block import AudioBlock
from sensing.processing_meter import ProcessingMeter
from sensing.ultrasound.carrier_state import CarrierState, CarrierStates
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.doppler_features import WINDOW_SECONDS, DopplerFrame
from sensing.ultrasound.emission_watch import EmissionWatch
from sensing.ultrasound.playback_reference import PlaybackReference
from sensing.ultrasound.signal_health import HealthFinding, SignalHealth
from sensing.ultrasound.tone_chain import ToneChain
from sensing.ultrasound.tone_join import ToneJoin


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedHop:
    """A hop of features, and the sound card's frame at the end of its window."""

    frame: DopplerFrame
    end_frame: int


class UltrasoundReceiver:
    """Turn blocks into hops while the tone is in the air and the sound is whole.

    While the tone rests, and while the sound is broken, no hop comes, and what was learnt stays as it is.
    Of several tones each hop is the join.

    Parameters
    ----------
    carrier_hz, second_carrier_hz : float
        The tones that are played; None for no second one.
    meter : ProcessingMeter
        Charged with what the levels below the classifier cost.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        microphones: int,
        carrier_hz: float,
        meter: ProcessingMeter,
        second_carrier_hz: float | None = None,
    ) -> None:
        carriers_hz = (carrier_hz,) if second_carrier_hz is None else (carrier_hz, second_carrier_hz)
        self._chains = [
            ToneChain(
                carrier_hz=hz,
                others_hz=[other for other in carriers_hz if other != hz],
                rate_hz=rate_hz,
                microphones=microphones,
            )
            for hz in carriers_hz
        ]
        self._join = ToneJoin(carriers_hz)
        self._demodulator = self._chains[0].demodulator
        self._front_end = self._chains[0].front_end
        self._playback = PlaybackReference(
            rate_hz=rate_hz,
            factor=self._demodulator.factor,
            latency_frames=self._demodulator.latency_frames,
        )
        self._health = SignalHealth(
            rate_hz=rate_hz,
            microphones=microphones,
            carrier_hz=carrier_hz,
            second_carrier_hz=second_carrier_hz,
        )
        self._watch = EmissionWatch(
            rate_hz=rate_hz, carrier_hz=carrier_hz, second_carrier_hz=second_carrier_hz
        )
        self._states = CarrierStates(baseband_hz=self._demodulator.baseband_hz, microphones=microphones)
        self._meter = meter
        self._window_frames = round(WINDOW_SECONDS * self._demodulator.baseband_hz) * self._demodulator.factor
        self.hop_seconds = self._front_end.hop_seconds
        self.reset()

    def reset(self) -> None:
        """Forget filters and floors, as after a gap in the audio."""
        for chain in self._chains:
            chain.reset()
        self._playback.reset()
        self._health.reset()
        self._watch.reset()
        self._states.reset()
        self._first_frame: int | None = None
        self._blocks: list[AudioBlock] = []

    @property
    def findings(self) -> tuple[HealthFinding, ...]:
        """What is wrong with the sound now."""
        return self._health.findings

    @property
    def blinding(self) -> HealthFinding | None:
        """What keeps anything from being concluded about the room now."""
        return self._health.blinding

    @property
    def is_playing(self) -> bool:
        """Whether the loudspeaker plays something beside the tone."""
        return self._front_end.is_playing

    def take_carrier_state(self, *, is_moving: bool) -> CarrierState | None:
        """Return how the first tone is heard, once a second while nothing else is played."""
        return self._states.take(is_moving=is_moving)

    def process(self, block: AudioBlock) -> list[ReceivedHop]:
        """Return the hops that this block completes."""
        self._blocks.append(block)
        hop_frames = self._front_end.hop_frames * self._demodulator.factor
        spare = sum(one.frames for one in self._blocks)
        spare -= self._front_end.missing_frames * self._demodulator.factor
        if spare < 0:
            return []  # five blocks at once cost a third, and no decision comes later
        # what ends with a hop is one piece for the canceller too, whose ticks end there
        whole, rest = _cut(_joined(self._blocks), spare % hop_frames)
        self._blocks = [rest] if rest.frames else []
        return self._process(whole)

    def _process(self, block: AudioBlock) -> list[ReceivedHop]:
        if not self._is_usable(block):
            self._pause()
            return []
        if self._first_frame is None:
            self._first_frame = block.first_frame
        seconds = block.frames / block.rate_hz
        with self._meter.level("front end", seconds):
            basebands = [chain.demodulate(block.capture) for chain in self._chains]
            is_known = block.reference.shape[0] > 0  # of a recording nobody may know what was played
            playback = self._playback.process(block.reference) if is_known else None
            tones = [
                chain.process(baseband, playback)
                for chain, baseband in zip(self._chains, basebands, strict=True)
            ]
            frames = [self._join.process(hop) for hop in zip(*tones, strict=True)]
            self._follow_carrier(basebands[0], block.end_frame / block.rate_hz)
        return [ReceivedHop(frame=frame, end_frame=self._end_of(frame)) for frame in frames]

    def _follow_carrier(self, baseband: Baseband, at_seconds: float) -> None:
        if self.is_playing:
            self._states.pause()  # what else is played takes headroom and adds distortion
        else:
            self._states.process(baseband, at_seconds)

    def _is_usable(self, block: AudioBlock) -> bool:
        with self._meter.level("signal health", block.frames / block.rate_hz):
            self._watch.process(block)
            self._health.process(block, is_emitting=self._watch.is_on or not self._watch.is_known)
            # findings come after half a second, and one such value would stay in the filters for ever
            is_finite = bool(np.isfinite(block.capture).all() and np.isfinite(block.reference).all())
            is_sound = is_finite and self._health.blinding is None
            return is_sound and self._watch.is_usable(block.first_frame, block.end_frame)

    def _pause(self) -> None:
        if self._first_frame is not None:
            for chain in self._chains:
                chain.pause()
            self._playback.reset()
            self._states.pause()
            self._first_frame = None

    def _end_of(self, frame: DopplerFrame) -> int:
        hop_frames = self._front_end.hop_frames * self._demodulator.factor
        return (self._first_frame or 0) + frame.hop * hop_frames + self._window_frames


def _joined(blocks: Sequence[AudioBlock]) -> AudioBlock:
    if len(blocks) == 1:
        return blocks[0]
    return AudioBlock(
        first_frame=blocks[0].first_frame,
        rate_hz=blocks[0].rate_hz,
        capture=np.concatenate([one.capture for one in blocks], axis=1),
        reference=np.concatenate([one.reference for one in blocks], axis=1),
    )


def _cut(block: AudioBlock, last_frames: int) -> tuple[AudioBlock, AudioBlock]:
    """Return the block without its last frames, and those."""
    at = block.frames - last_frames
    whole = replace(block, capture=block.capture[:, :at], reference=block.reference[:, :at])
    rest = replace(
        block,
        first_frame=block.first_frame + at,
        capture=block.capture[:, at:],
        reference=block.reference[:, at:],
    )
    return whole, rest
