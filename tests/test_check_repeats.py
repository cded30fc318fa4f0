from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.check import Finding, check_store
from codecctl.datasets.store import Store

from .check_scenes import RATE, mono_noise

Maker = Callable[..., Path]


def check(folder: Path) -> tuple[Finding, ...]:
    return check_store(Store.open(folder)).findings


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("block", [64, 441, 2048])
def test_a_buffer_that_was_written_twice_is_found(
    make_store: Maker, dtype: str, block: int
) -> None:
    audio = mono_noise(3)
    audio[:, 17_000 + block : 17_000 + 2 * block] = audio[:, 17_000 : 17_000 + block]
    (found,) = check(make_store({"a": audio}, dtype=dtype))
    assert (found.kind, found.measured) == ("repeated-block", block)
    (span,) = found.spans
    assert span == (round((17_000 + block) / RATE, 4), round((17_000 + 2 * block) / RATE, 4))


def test_tones_with_a_period_of_whole_samples_and_coarse_sound_repeat_by_nature(
    make_store: Maker,
) -> None:
    tone = np.sin(2 * np.pi * np.arange(4 * RATE) / 40)
    integers = np.stack([np.round(tone * 20_000), np.zeros(4 * RATE)]).astype(np.int32)
    integers[1] = np.random.default_rng(0).integers(-12, 13, 4 * RATE)
    assert check(make_store({"a": integers}, dtype="pcm", bits=16)) == ()
