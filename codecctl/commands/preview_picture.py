"""Pictures of `data preview`: waveform above a spectrogram, and a bar for every channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.text import Text

from codecctl.dashboard.halfblock import NUM_LEVELS, color_rows, quantize, shade_rows
from codecctl.dashboard.raster import Window, braille, curve_dots
from codecctl.dashboard.ticks import linear_ticks
from codecctl.log_spectrum import frequency_labels, log_spectrogram_db
from codecctl.terminal import BARS

Samples = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

LABEL_WIDTH = 7
WAVE_ROWS = 3
MOST_RANGE_DB = 80.0
_LEAST_BAR_SPAN_DB = 12.0
_PARTS = BARS + "█"
"""Of a cell, the last one full: a bar goes on through the lines of a picture."""


@dataclass(frozen=True)
class Signal:
    """One line of sound, drawn as one panel."""

    label: str
    audio: Samples
    """(T,)"""
    rms_db: float
    peak_db: float


@dataclass(frozen=True)
class Scale:
    """What all panels of a page share, so that they can be compared."""

    full_scale: float
    """Sample value at the upper edge of a waveform."""
    low_db: float
    high_db: float


@dataclass(frozen=True)
class Frame:
    """Where a panel is drawn."""

    width: int
    rows: int
    """Lines of the spectrogram."""
    start: float
    """Seconds of the recording at the left edge."""
    sample_rate: int
    """Hz."""
    colors: bool


def spectrogram(signal: Signal, frame: Frame) -> Array:
    """Levels of the picture of a panel, two pixels for each of its lines."""
    return log_spectrogram_db(
        signal.audio,
        sample_rate=frame.sample_rate,
        columns=frame.width - LABEL_WIDTH,
        rows=2 * frame.rows,
    )


def common_scale(signals: Sequence[Signal], pictures: Sequence[Array]) -> Scale:
    """Scales that show the loudest signal in full, and at most 80 dB below it."""
    loudest = max(signal.peak_db for signal in signals)
    full_scale = 10 ** (loudest / 20) if loudest > -math.inf else 1.0
    values = np.concatenate([picture.ravel() for picture in pictures])
    high = 5 * math.ceil(float(values.max()) / 5)
    low = 5 * math.floor(float(np.percentile(values, 2)) / 5)
    return Scale(full_scale, min(high - 20.0, max(high - MOST_RANGE_DB, low)), high)


def panel(signal: Signal, picture: Array, *, scale: Scale, frame: Frame) -> list[Text]:
    """Caption, waveform, spectrogram and axis of time; every line is `frame.width` wide."""
    caption = Text(f"{signal.label}  ", style="bold")
    levels = f"RMS {_level(signal.rms_db)} dBFS, peak {_level(signal.peak_db)}"
    caption.append(levels, "not bold dim" if frame.colors else "not bold")
    lines = [
        caption,
        *_waveform(signal.audio, scale, frame),
        *_spectrogram_lines(picture, scale, frame),
        _time_axis(frame, signal.audio.size / frame.sample_rate),
    ]
    for line in lines:
        line.truncate(frame.width, pad=True)
    return lines


def side_by_side(panels: Sequence[Sequence[Text]], *, columns: int) -> list[Text]:
    """Panels in rows of so many, with two blanks between them."""
    lines: list[Text] = []
    for first in range(0, len(panels), columns):
        rows = zip(*panels[first : first + columns], strict=True)
        lines += [Text("  ").join(row) for row in rows]
    return lines


def scale_line(scale: Scale, *, width: int, colors: bool) -> Text:
    """What the colors of the spectrograms mean."""
    steps = min(NUM_LEVELS, width - 40)
    ramp = np.rint(np.linspace(0, NUM_LEVELS - 1, steps)).astype(np.intp)[None].repeat(2, axis=0)
    line = Text(f"{'dB':>{LABEL_WIDTH - 1}} {scale.low_db:.0f} ", style="dim" if colors else "")
    line.append_text(_picture_line(ramp, colors=colors)[0])
    return line.append(f" {scale.high_db:.0f} of a full-scale sine")


def level_bars(levels_db: Sequence[float], *, width: int, rows: int, colors: bool) -> list[Text]:
    """A bar for every channel, on a scale that shows how they differ.

    Args:
        levels_db: Of each channel, -inf for silence, which is marked by a cross.
        width: Of the page; channels beyond it share a bar, the loudest of them is shown.
        rows: Height of the bars.
        colors: Whether the terminal has them.
    """
    shown, per_bar = _merged(levels_db, width - LABEL_WIDTH)
    heard = [level for level in shown if level > -math.inf]
    top = math.ceil(max(heard, default=0.0))
    bottom = min(top - _LEAST_BAR_SPAN_DB, math.floor(min(heard, default=0.0)) - 1)
    cell = max(1, min(4, (width - LABEL_WIDTH) // len(shown)))
    lines = []
    for row in range(rows):
        label = {0: f"{top:.0f} dB", rows - 1: f"{bottom:.0f} dB"}.get(row, "")
        line = Text(f"{label.rjust(LABEL_WIDTH - 1)}│", style="dim" if colors else "")
        for level in shown:
            part = (level - bottom) / (top - bottom) * rows - (rows - 1 - row)
            mark = _bar(part) if level > -math.inf else "×" if row == rows - 1 else " "
            alert = level == -math.inf
            body = mark * max(1, cell - 1)
            line.append(body.ljust(cell), "not dim red" if alert else "not dim cyan")
        lines.append(line)
    return [*lines, _channel_axis(len(shown), per_bar, cell=cell, colors=colors)]


def _merged(levels_db: Sequence[float], room: int) -> tuple[list[float], int]:
    per_bar = -(-len(levels_db) // room)
    groups = range(0, len(levels_db), per_bar)
    return [max(levels_db[first : first + per_bar]) for first in groups], per_bar


def _bar(part: float) -> str:
    """The part of a cell that is filled from below."""
    return " " if part <= 0 else _PARTS[min(len(_PARTS), math.ceil(part * len(_PARTS))) - 1]


def _channel_axis(count: int, per_bar: int, *, cell: int, colors: bool) -> Text:
    """Numbers of channels below their bars, as many as fit."""
    characters = [" "] * (count * cell)
    free = 0
    for index in range(count):
        number = index * per_bar + 1
        text = str(number)
        wanted = index == 0 or number % 5 == 0 or count * cell < 30
        if wanted and index * cell >= free and index * cell + len(text) <= len(characters):
            characters[index * cell : index * cell + len(text)] = text
            free = index * cell + len(text) + 1
    return Text(" " * LABEL_WIDTH + "".join(characters), style="dim" if colors else "")


def _waveform(audio: Samples, scale: Scale, frame: Frame) -> list[Text]:
    width = frame.width - LABEL_WIDTH
    x = np.arange(audio.size) / max(1, audio.size - 1)
    window = Window(0.0, 1.0, -scale.full_scale, scale.full_scale)
    dots = curve_dots(x, audio.astype(np.float64), window=window, width=width, height=WAVE_ROWS)
    labels = {0: f"{scale.full_scale:.2g}", WAVE_ROWS // 2: "0"}
    lines = []
    for row, codes in enumerate(braille(dots).tolist()):
        line = _label(labels.get(row, ""), frame)
        line.append("".join(map(chr, codes)), "cyan" if frame.colors else "")
        lines.append(line)
    return lines


def _spectrogram_lines(picture: Array, scale: Scale, frame: Frame) -> list[Text]:
    labels = frequency_labels(frame.sample_rate, frame.rows)
    levels = quantize(picture, low=scale.low_db, high=scale.high_db)
    return [
        _label(labels.get(row, ""), frame).append_text(line)
        for row, line in enumerate(_picture_line(levels, colors=frame.colors))
    ]


def _picture_line(levels: npt.NDArray[np.intp], *, colors: bool) -> list[Text]:
    if not colors:
        return [Text(line) for line in shade_rows(levels)]
    return [
        Text.assemble(*((piece.text, piece.style or "") for piece in line))
        for line in color_rows(levels)
    ]


def _time_axis(frame: Frame, seconds: float) -> Text:
    """Marks in seconds of the recording."""
    width = frame.width - LABEL_WIDTH
    characters = [" "] * width
    free = 0
    for tick in linear_ticks(frame.start, frame.start + seconds, count=max(2, width // 9)):
        column = round((tick.value - frame.start) / seconds * (width - 1))
        text = tick.label
        start = max(0, min(width - len(text) - 2, column - len(text) // 2))
        if start >= free:
            characters[start : start + len(text)] = text
            free = start + len(text) + 2
    characters[width - 1] = "s"
    line = Text(" " * LABEL_WIDTH, style="dim" if frame.colors else "")
    return line.append("".join(characters[:width]))


def _label(text: str, frame: Frame) -> Text:
    line = Text()
    line.append(f"{text.rjust(LABEL_WIDTH - 1)}│", "dim" if frame.colors else "")
    return line


def _level(level: float) -> str:
    return f"{level:.1f}" if level > -math.inf else "-inf"
