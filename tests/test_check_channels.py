from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.check import Finding, check_store
from codecctl.datasets.store import Store

from .check_scenes import RATE, mono_noise

Maker = Callable[..., Path]


@pytest.fixture
def findings(make_store: Maker) -> Callable[..., tuple[Finding, ...]]:
    """A function that stores one recording and checks it."""

    def find(audio: np.ndarray, **settings: object) -> tuple[Finding, ...]:
        return check_store(Store.open(make_store({"room.1": audio}, **settings))).findings

    return find


Find = Callable[..., tuple[Finding, ...]]


def test_independent_noises_are_clean(findings: Find) -> None:
    for dtype in ("int16", "float32"):
        assert findings(mono_noise(5), dtype=dtype) == ()


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_a_channel_that_never_changes_is_dead(findings: Find, value: float) -> None:
    audio = mono_noise(3)
    audio[1] = value
    (found,) = findings(audio)
    assert (found.kind, found.severity, found.channels) == ("dead-channel", "warning", (2,))
    assert "no sample differs" in found.text


def test_a_recording_of_dead_channels_is_an_error(findings: Find) -> None:
    (found,) = findings(np.zeros((4, 3 * RATE), dtype=np.float32))
    assert (found.kind, found.severity) == ("silent-recording", "error")


def test_a_channel_below_the_limit_is_dead_though_it_changes(findings: Find) -> None:
    audio = mono_noise(3)
    audio[2] *= 1e-5
    (found,) = findings(audio)
    assert (found.kind, found.channels) == ("dead-channel", (3,))
    assert found.measured == pytest.approx(-126, abs=0.5)


def test_an_offset_is_told_with_its_size(findings: Find) -> None:
    audio = mono_noise(3, seconds=6)
    audio[0] += 0.02
    (found,) = findings(audio)
    assert (found.kind, found.channels) == ("dc-offset", (1,))
    assert found.measured == pytest.approx(0.4, rel=0.02)


def test_slow_sound_is_no_offset(findings: Find) -> None:
    audio = mono_noise(2, seconds=8)
    audio += 0.05 * np.sin(2 * np.pi * 0.1 * np.arange(audio.shape[1]) / RATE, dtype=np.float32)
    assert findings(audio) == ()


def test_silence_of_all_channels_is_told_with_its_seconds(findings: Find) -> None:
    audio = mono_noise(3, seconds=8)
    audio[:, 2 * RATE : 5 * RATE] = 0
    (found,) = findings(audio)
    assert (found.kind, found.severity) == ("silent-stretch", "warning")
    assert found.spans == ((2.0, 5.0),)


def test_silence_of_all_channels_within_a_second_is_a_pause_or_a_dropout(findings: Find) -> None:
    audio = mono_noise(3, seconds=4)
    audio[:, 12_000:12_400] = 0
    (found,) = findings(audio)
    assert (found.kind, found.measured) == ("dropout", 0.05)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_frozen_samples_are_a_dropout_of_their_channels(findings: Find, value: float) -> None:
    audio = mono_noise(4)
    for start in (3_000, 15_900):  # the second crosses into another second
        audio[1:3, start : start + 200] = value
    (found,) = findings(audio, dtype="float32")
    assert (found.kind, found.channels) == ("dropout", (2, 3))
    assert found.spans == ((0.375, 0.4), (1.9875, 2.0125))


def test_dropouts_of_other_channels_are_told_apart(findings: Find) -> None:
    audio = mono_noise(4)
    audio[0, 3_000:3_100] = 0
    audio[3, 9_000:9_300] = 0
    assert [(one.channels, one.measured) for one in findings(audio)] == [
        ((1,), 0.0125),
        ((4,), 0.0375),
    ]


def test_equal_samples_of_sound_that_is_a_few_steps_high_are_its_nature(findings: Find) -> None:
    steps = np.random.default_rng(0).integers(-1, 2, (2, 4 * RATE)).astype(np.int32)
    steps[:, 8000:8100] = 1
    assert findings(steps, dtype="pcm", bits=16) == ()


@pytest.mark.parametrize(("gain", "kind"), [(0.02, "low-channel"), (50.0, "loud-channel")])
def test_a_channel_far_from_the_others_is_told(findings: Find, gain: float, kind: str) -> None:
    audio = mono_noise(6) * 0.1
    audio[4] *= gain
    (found,) = findings(audio.astype(np.float32))
    assert (found.kind, found.channels) == (kind, (5,))
    assert found.measured == pytest.approx(20 * np.log10(gain), abs=0.5)
