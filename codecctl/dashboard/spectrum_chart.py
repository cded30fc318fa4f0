"""Curves over frequency on a logarithmic axis: what lies between the channels of an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from codecctl.dashboard.axis import Array
from codecctl.dashboard.canvas import Canvas, Ink, curve_ink
from codecctl.dashboard.colors import inks
from codecctl.dashboard.picture import Drawing
from codecctl.dashboard.raster import BRAILLE, Window, braille, curve_dots
from codecctl.dashboard.ticks import linear_ticks

_LABELED = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
_UNIT = "Hz"
_PARTS_OF_OCTAVE = 6
_LEAST_WIDTH, _LEAST_HEIGHT = 20, 5


@dataclass(frozen=True)
class Spectrum:
    """One curve."""

    values: Array
    """(F,)"""
    color: int
    letter: str = ""
    """Stands at its right end, so that curves are told apart without colors, too."""


class SpectrumChart(Drawing):
    """Curves over one axis of frequency.

    Args:
        title: What they show, with its unit.
        id: Of the widget.
    """

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._title = title
        self._frequencies: Array = np.empty(0)
        self._spectra: tuple[Spectrum, ...] = ()
        self._top = 1.0

    def show(self, frequencies: Array, spectra: Sequence[Spectrum], *, top: float) -> None:
        """Exchange the curves.

        Args:
            frequencies: Hz, rising, (F,).
            spectra: The first one behind the others.
            top: The axis reaches from 0 so far at least, above 0.
        """
        self._frequencies, self._spectra, self._top = frequencies, tuple(spectra), top
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Title, curves and axis."""
        canvas = draw_spectra(
            self._title,
            self._spectra,
            frequencies=self._frequencies,
            top=self._top,
            width=max(0, width - 1),  # another chart begins there
            height=height,
        )
        book = inks(ansi=self.app.native_ansi_color, dark=self.app.current_theme.dark)
        return [
            Strip([Segment(text, book.styles[ink]) for text, ink in canvas.pieces(row)])
            for row in range(canvas.height)
        ]


def draw_spectra(
    title: str,
    spectra: Sequence[Spectrum],
    *,
    frequencies: Array,
    top: float,
    width: int,
    height: int,
) -> Canvas:
    """Curves from 0 upward over frequency, in `width` x `height` cells.

    Each point is the mean over a sixth of an octave; low ones hold one bin.

    Args:
        title: Stands above them.
        spectra: The first one behind the others.
        frequencies: Hz, rising, (F,).
        top: The axis reaches so far at least, and up to the highest point.
        width: Cells across.
        height: Cells down.
    """
    canvas = Canvas(width, height)
    canvas.text(0, 0, title, Ink.TITLE)
    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT or frequencies.size < 2:
        return canvas
    places, *curves = _means(frequencies, [spectrum.values for spectrum in spectra])
    top = max(top, *(float(values.max()) for values in curves))
    window = Window(float(places[0]), float(places[-1]), 0.0, top)
    rows = height - 2
    _draw_axes(canvas, window, rows)
    for spectrum, values in zip(spectra, curves, strict=True):
        dots = curve_dots(places, values, window=window, width=width - canvas.left, height=rows)
        codes, ink = braille(dots), curve_ink(spectrum.color)
        canvas.stamp(1, canvas.left, codes, mask=codes != BRAILLE, ink=ink)
    for spectrum, values in zip(spectra, curves, strict=True):
        row = 1 + _row(float(values[-1]), window, rows)
        canvas.text(row, width - 1, spectrum.letter, curve_ink(spectrum.color))
    return canvas


def _means(frequencies: Array, curves: Sequence[Array]) -> list[Array]:
    """log10 of frequencies, then values, as means over parts of an octave."""
    part = np.floor(np.log2(frequencies) * _PARTS_OF_OCTAVE)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(part)) + 1])
    counts = np.diff(np.append(starts, frequencies.size))
    columns = [np.log10(frequencies), *curves]
    return [np.add.reduceat(column, starts) / counts for column in columns]


def _draw_axes(canvas: Canvas, window: Window, rows: int) -> None:
    ticks = linear_ticks(window.y_low, window.y_high, count=max(2, rows // 2))
    canvas.left = max((len(tick.label) for tick in ticks), default=0) + 1
    for row in range(rows):
        canvas.text(1 + row, canvas.left - 1, "│", Ink.AXIS)
    for tick in ticks:
        row = 1 + _row(tick.value, window, rows)
        canvas.text(row, 0, tick.label.rjust(canvas.left - 1), Ink.LABEL)
        canvas.text(row, canvas.left - 1, "┤", Ink.AXIS)
        canvas.text(row, canvas.left, "┈" * (canvas.width - canvas.left), Ink.GUIDE)
    _draw_frequencies(canvas, window)


def _row(value: float, window: Window, rows: int) -> int:
    share = min(1.0, max(0.0, (window.y_high - value) / (window.y_high - window.y_low)))
    return round(share * (rows * 4 - 1)) // 4


def _draw_frequencies(canvas: Canvas, window: Window) -> None:
    bottom, end = canvas.height - 1, canvas.width - len(_UNIT)
    canvas.text(bottom, end, _UNIT, Ink.LABEL)
    free = canvas.left
    for frequency in _LABELED:
        share = (np.log10(frequency) - window.x_low) / (window.x_high - window.x_low)
        label = f"{frequency // 1000}k" if frequency >= 1000 else str(frequency)
        column = canvas.left + int(share * (canvas.width - canvas.left - 1))
        start = column - len(label) // 2
        if free <= start and start + len(label) < end:
            canvas.text(bottom, start, label, Ink.LABEL)
            free = start + len(label) + 1
