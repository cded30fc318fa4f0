from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

from codecctl.datasets.check import Finding, check_store
from codecctl.datasets.store import Store

from .check_scenes import RATE

Maker = Callable[..., Path]


def slow_noise(channels: int, *, rate: int = RATE, seconds: float = 6.0) -> np.ndarray:
    """Noise below a tenth of the rate, peak 0.5, (C, T) float32."""
    rng = np.random.default_rng(0)
    kernel = np.hanning(20)
    noise = rng.standard_normal((channels, round(seconds * rate)))
    audio = np.stack([np.convolve(row, kernel, "same") for row in noise])
    result: np.ndarray = 0.5 * audio / np.abs(audio).max(axis=1, keepdims=True)
    return result.astype(np.float32)


def check(folder: Path) -> tuple[Finding, ...]:
    return check_store(Store.open(folder)).findings


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_flat_tops_are_found_below_full_scale(make_store: Maker, dtype: str) -> None:
    audio = slow_noise(3)
    audio[1] = np.clip(audio[1], -0.4, 0.4)
    (found,) = check(make_store({"a": audio}, dtype=dtype))
    assert (found.kind, found.channels) == ("clipped", (2,))
    assert "clipped at -8.0 dBFS" in found.text


def test_flat_tops_of_integers_are_found(make_store: Maker) -> None:
    audio = np.clip(slow_noise(2) * 3, -1, 32767 / 32768)
    integers = np.round(audio * 32768).clip(-32768, 32767).astype(np.int32)
    (found,) = check(make_store({"a": integers}, dtype="pcm", bits=16))
    assert (found.kind, found.channels) == ("clipped", (1, 2))


def test_a_source_at_full_scale_is_found_after_resampling(make_store: Maker) -> None:
    audio = slow_noise(2, rate=2 * RATE)
    audio[0] = np.clip(audio[0] * 3, -1, 1)
    half = np.stack([soxr.resample(row, 2 * RATE, RATE) for row in audio])
    (found,) = check(make_store({"a": half}, source_rate=2 * RATE))
    assert (found.kind, found.channels) == ("clipped", (1,))
    assert "resampled since" in found.text


def test_tops_that_were_cut_lower_are_found_after_resampling(make_store: Maker) -> None:
    audio = np.stack(
        [np.convolve(row, np.hanning(60), "same") for row in slow_noise(2, rate=2 * RATE)]
    )
    audio[0] = np.clip(audio[0], *(np.array([-0.4, 0.4]) * audio[0].max()))
    audio *= 0.5 / np.abs(audio).max()
    half = np.stack([soxr.resample(row, 2 * RATE, RATE) for row in audio])
    (found,) = check(make_store({"a": half}, source_rate=2 * RATE))
    assert (found.kind, found.channels) == ("clipped", (1,))


@pytest.mark.parametrize("source_rate", [RATE, 2 * RATE])
def test_noise_tones_and_normalized_sound_are_not_clipped(
    make_store: Maker, source_rate: int
) -> None:
    audio = slow_noise(4)
    audio[1] *= 2  # touches full scale once
    audio[2] = 0.99 * np.sin(2 * np.pi * 440.3 * np.arange(audio.shape[1]) / RATE)
    audio[3] *= 0.3
    assert check(make_store({"a": audio}, source_rate=source_rate)) == ()
