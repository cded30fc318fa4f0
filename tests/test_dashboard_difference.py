"""Difference pictures: sign, span and floor."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.dashboard.capsule_levels import Levels, level_lines, levels_of
from codecctl.dashboard.difference import (
    difference_db,
    difference_levels,
    difference_marks,
    difference_rows,
    spectra_of,
)
from codecctl.dashboard.sound import Sound, paired

from .preview_files import RATE, field


def test_a_gain_is_the_same_difference_everywhere_above_the_floor() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE // 2).astype(np.float32)
    spectra = spectra_of(noise, noise * np.float32(2), sample_rate=RATE, columns=30, rows=20)
    np.testing.assert_allclose(spectra.difference, 6.02, atol=0.01)
    same = spectra_of(noise, noise, sample_rate=RATE, columns=30, rows=20)
    assert not same.difference.any()


def test_what_lies_below_the_floor_is_no_difference() -> None:
    reference = np.array([[0.0, -200.0, -60.0]])
    reconstruction = np.array([[0.0, -80.0, -200.0]])
    found = difference_db(reference, reconstruction, 0.0)
    assert found.tolist() == [[0.0, 0.0, -10.0]]


def test_marks_tell_the_sign_and_the_strength() -> None:
    levels = difference_levels(np.array([[-40.0, -3.0, 0.0, 3.0, 40.0], [0.0, 0, 0, 0, 0]]))
    assert levels[0].tolist() == [-8, -1, 0, 1, 8]
    assert difference_marks(levels) == ["=· ·#"]
    line = difference_rows(levels)[0]
    assert "".join(segment.text for segment in line) == "▀" * 5
    styles = [segment.style for segment in line]
    colors = [style.color.name for style in styles if style and style.color]
    assert colors[0] == "#3c82e6"  # blue: missing
    assert colors[4] == "#f08228"  # orange: too much


@pytest.mark.parametrize(("channels", "lines"), [(2, 1), (32, 2)])
def test_levels_of_few_capsules_are_numbers_and_of_many_are_bars(channels: int, lines: int) -> None:
    audio = field(channels).astype(np.float32)
    worse = audio * np.float32(0.5)
    worse[1] *= np.float32(0.5)
    found = level_lines(levels_of(paired(Sound(audio, RATE), Sound(worse, RATE))), width=150)
    assert len(found) == lines
    if channels == 2:
        assert "capsule 1  -17.0 → -23.0 dB (-6.0)" in found[0]
        assert "(-12.0)" in found[0]
    else:
        assert "most changed: capsule 2, -12.0 dB" in found[1]
        assert found[0].count("▇") == 32  # not full: the bars of the other side are right below


@pytest.mark.parametrize(
    ("channels", "width", "expected"),
    [
        (2, 76, ["dB of capsule  1  -17.0 → -123.0 (-106.0)   2  -17.0 → -123.0 (-106.0)"]),
        (
            4,
            76,
            [
                "dB of capsule  1  -17.0 → -123.0 (-106.0)   2  -17.0 → -123.0 (-106.0)",
                "               3  -17.0 → -123.0 (-106.0)   4  -17.0 → -123.0 (-106.0)",
            ],
        ),
        (2, 20, ["dB of capsule  1  -1", "               2  -1"]),
    ],
)
def test_levels_of_few_capsules_fit_a_narrow_terminal(
    channels: int, width: int, expected: list[str]
) -> None:
    levels = Levels((-17.0,) * channels, (-123.0,) * channels)
    assert level_lines(levels, width=width) == expected


def test_what_is_no_pair_has_no_levels() -> None:
    mono, stereo = (Sound(field(channels).astype(np.float32), RATE) for channels in (1, 2))
    assert levels_of(paired(mono, stereo)) == Levels()


def test_silence_has_a_level_too() -> None:
    silence = Sound(np.zeros((2, 100), np.float32), RATE)
    assert "-inf → -inf dB (+0.0)" in level_lines(levels_of(paired(silence, silence)), width=100)[0]
