from __future__ import annotations

import math

import numpy as np
import pytest

from codecctl.commands.preview_picture import (
    LABEL_WIDTH,
    Frame,
    Scale,
    Signal,
    common_scale,
    level_bars,
    panel,
    scale_line,
    side_by_side,
    spectrogram,
)

RATE = 24_000


def _signal(frequency: float, seconds: float = 2.0, gain: float = 0.5) -> Signal:
    audio = gain * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)
    level = 20 * math.log10(gain)
    return Signal("capsule 1", audio.astype(np.float32), level - 3.01, level)


def _frame(width: int = 60, *, colors: bool = False, start: float = 0.0) -> Frame:
    return Frame(width=width, rows=10, start=start, sample_rate=RATE, colors=colors)


def _panel(signal: Signal, frame: Frame) -> list[str]:
    picture = spectrogram(signal, frame)
    scale = common_scale([signal], [picture])
    return [line.plain for line in panel(signal, picture, scale=scale, frame=frame)]


def test_every_line_of_a_panel_has_its_width() -> None:
    lines = _panel(_signal(1000), _frame())
    assert {len(line) for line in lines} == {60}
    assert len(lines) == 1 + 3 + 10 + 1
    assert lines[0].startswith("capsule 1  RMS -9.0 dBFS, peak -6.0")


def test_a_sine_is_brightest_beside_the_label_of_its_frequency() -> None:
    lines = _panel(_signal(1000), _frame())[4:-1]
    brightest = [line for line in lines if "█" in line]
    assert len(brightest) in (1, 2)
    assert any(line.split("│")[0].strip() == "1k" for line in brightest)


def test_frequencies_rise_upwards_on_a_logarithmic_axis() -> None:
    labels = [line.split("│")[0].strip() for line in _panel(_signal(1000), _frame())[4:-1]]
    assert [label for label in labels if label] == [
        "10k", "5k", "2k", "1k", "500", "200", "100", "50",
    ]  # fmt: skip


def test_time_is_that_of_the_recording() -> None:
    axis = _panel(_signal(1000), _frame(start=100.0))[-1]
    assert axis.split() == ["100.0", "100.5", "101.0", "101.5", "102.0", "s"]


def test_the_wave_reaches_the_edges_of_its_scale() -> None:
    wave = [line[LABEL_WIDTH:] for line in _panel(_signal(1000), _frame())[1:4]]
    assert all(any(ord(c) > 0x2800 for c in line) for line in wave)
    quiet = _signal(1000, gain=0.05)
    picture = spectrogram(quiet, _frame())
    scale = Scale(full_scale=0.5, low_db=-80, high_db=0)
    top, middle, bottom = (
        line.plain[LABEL_WIDTH:] for line in panel(quiet, picture, scale=scale, frame=_frame())[1:4]
    )
    assert set(top) == set(bottom) == {"\u2800"}
    assert "\u2800" not in middle


def test_colors_are_half_blocks_with_two_pixels_each() -> None:
    signal, frame = _signal(1000), _frame(colors=True)
    picture = spectrogram(signal, frame)
    scale = common_scale([signal], [picture])
    lines = panel(signal, picture, scale=scale, frame=frame)
    assert all("▀" in line.plain for line in lines[4:-1])
    assert "▀" * 10 in scale_line(scale, width=80, colors=True).plain


@pytest.mark.parametrize("seconds", [1 / RATE, 0.001, 0.05])
def test_the_shortest_clips_are_drawn(seconds: float) -> None:
    assert {len(line) for line in _panel(_signal(1000, seconds), _frame())} == {60}


def test_silence_is_drawn() -> None:
    silent = Signal("a", np.zeros(RATE, np.float32), -math.inf, -math.inf)
    lines = _panel(silent, _frame())
    assert "RMS -inf dBFS, peak -inf" in lines[0]


def test_signals_share_their_scale() -> None:
    loud, quiet = _signal(1000, gain=0.5), _signal(1000, gain=0.005)
    pictures = [spectrogram(signal, _frame()) for signal in (loud, quiet)]
    scale = common_scale([quiet, loud], pictures)
    assert scale.full_scale == pytest.approx(0.5, rel=1e-3)
    assert scale.high_db == -5
    assert 20 <= scale.high_db - scale.low_db <= 80


def test_panels_stand_side_by_side() -> None:
    signal = _signal(1000)
    picture = spectrogram(signal, _frame())
    scale = common_scale([signal], [picture])
    one = panel(signal, picture, scale=scale, frame=_frame())
    lines = side_by_side([one, one, one], columns=2)
    assert len(lines) == 2 * len(one)
    assert {len(line.plain) for line in lines} == {122, 60}


def test_every_channel_has_a_bar_and_a_silent_one_a_cross() -> None:
    lines = [
        line.plain for line in level_bars([-20.0, -26.0, -math.inf], width=80, rows=3, colors=False)
    ]
    assert lines[0].startswith("-20 dB│███ ")
    assert lines[2][LABEL_WIDTH + 8 : LABEL_WIDTH + 11] == "×××"
    # -26 dB is halfway between -20 and -32: of 24 steps it has 12, half of the middle line.
    assert lines[1][LABEL_WIDTH + 4 : LABEL_WIDTH + 7] == "▄▄▄"
    assert lines[3].split() == ["1", "2", "3"]


def test_bars_of_many_channels_fit_the_page() -> None:
    for count in (1, 32, 64, 200):
        for line in level_bars([-20.0] * count, width=80, rows=3, colors=False):
            assert len(line.plain) <= 80
