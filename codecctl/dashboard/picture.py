"""A waveform above its spectrogram, and the difference of two spectrograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from codecctl.dashboard.difference import (
    RANGE_DB,
    SPAN_DB,
    difference_db,
    difference_levels,
    difference_marks,
    difference_rows,
)
from codecctl.dashboard.halfblock import color_rows, quantize, shade_rows, waveform_rows
from codecctl.dashboard.sound import Clip
from codecctl.dashboard.waveform import peak_db, waveform_extent
from codecctl.log_spectrum import frequency_labels, log_spectrogram_db

_LABEL_WIDTH = 5
_LEAST_WIDTH, _LEAST_HEIGHT = 12, 5


class Drawing(Widget):
    """Lines that are drawn once for a size, a theme and what is shown.

    Args:
        id: Of the widget.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: list[Strip] | None = None

    def draw(self, width: int, height: int) -> list[Strip]:
        """All lines for a size."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again when the screen is next painted."""
        self._lines = None
        self.refresh()

    @property
    def mono(self) -> bool:
        """Whether shades and marks stand in for colors."""
        return bool(self.app.native_ansi_color or self.app.no_color)

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        if self._lines is None:
            self._lines = self.draw(self.size.width, self.size.height)
        base = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, base)
        return self._lines[y].apply_style(base)

    def on_resize(self, _event: events.Resize) -> None:
        """Draw again for the new size."""
        self.redraw()

    def notify_style_update(self) -> None:
        """Draw again in another theme."""
        super().notify_style_update()
        self.redraw()


class Picture(Drawing):
    """Looks at one clip; both clips of a pair get the same scales.

    Args:
        title: What it is.
        id: Of the widget.
    """

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._title = title
        self._clip: Clip | None = None
        self._top_db = 0.0
        self._full_scale = 1.0

    def show(self, clip: Clip | None, *, top_db: float = 0.0, full_scale: float = 1.0) -> None:
        """Exchange the clip.

        Args:
            clip: None for nothing.
            top_db: Level of the brightest color.
            full_scale: Sample value at the upper edge of the waveform.
        """
        self._clip, self._top_db, self._full_scale = clip, top_db, full_scale
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Caption, waveform, spectrogram and axis."""
        clip = self._clip
        if clip is None or clip.problem or width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
            return wrapped(self._title, "" if clip is None else clip.problem, width)
        wave_height = wave_lines(height)
        columns = width - _LABEL_WIDTH
        low, high = waveform_extent(clip.samples, columns=columns)
        wave = waveform_rows(low, high, height=wave_height, full_scale=self._full_scale)
        caption = f"{self._title} · peak {peak_db(clip.samples):.1f} dB"
        rows = height - wave_height - 2
        picture = log_spectrogram_db(
            clip.samples, sample_rate=clip.sample_rate, columns=columns, rows=2 * rows
        )
        levels = quantize(picture, low=self._top_db - RANGE_DB, high=self._top_db)
        drawn = (
            [[Segment(line)] for line in shade_rows(levels)] if self.mono else color_rows(levels)
        )
        return [
            text_strip(caption, width, Style(bold=True)),
            *(text_strip(" " * _LABEL_WIDTH + line, width) for line in wave),
            *labeled(drawn, clip.sample_rate, columns),
            time_strip(clip.seconds, columns),
        ]


class DifferencePicture(Drawing):
    """What a reconstruction has more or less than its reference, by time and frequency."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._clips: tuple[Clip, Clip] | None = None
        self._full_scale = 1.0

    def show(self, clips: tuple[Clip, Clip] | None, *, full_scale: float = 1.0) -> None:
        """Exchange what is compared.

        Args:
            clips: Reference and reconstruction, of one rate and length; None for nothing.
            full_scale: Sample value at the upper edge of the waveform.
        """
        self._clips, self._full_scale = clips, full_scale
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Caption, waveform of the error, picture and axis."""
        if self._clips is None or width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
            return wrapped("difference", "", width)
        reference, reconstruction = self._clips
        wave_height = wave_lines(height)
        columns, rows = width - _LABEL_WIDTH, height - wave_height - 2
        error = reconstruction.samples - reference.samples
        low, high = waveform_extent(error, columns=columns)
        wave = waveform_rows(low, high, height=wave_height, full_scale=self._full_scale)
        pictures = [
            log_spectrogram_db(
                clip.samples, sample_rate=clip.sample_rate, columns=columns, rows=2 * rows
            )
            for clip in (reference, reconstruction)
        ]
        difference = difference_db(pictures[0], pictures[1], float(pictures[0].max()))
        levels = difference_levels(difference)
        mono = self.mono
        less, more = ("-", "+") if mono else ("blue", "orange")
        mean = float(np.abs(difference).mean())
        caption = _difference_caption(mean, less, more, width)
        drawn = (
            [[Segment(line)] for line in difference_marks(levels)]
            if mono
            else difference_rows(levels)
        )
        return [
            text_strip(caption, width, Style(bold=True)),
            *(text_strip(" " * _LABEL_WIDTH + line, width) for line in wave),
            *labeled(drawn, reference.sample_rate, columns),
            time_strip(reference.seconds, columns),
        ]


def _difference_caption(mean: float, less: str, more: str, width: int) -> str:
    """As much about a difference as fits: its mean in dB, its colors, their range."""
    span = f"±{SPAN_DB:.0f} dB"
    captions = (
        f"B - A · mean {mean:.1f} dB · {less} lacks, {more} exceeds, {span}",
        f"B - A · mean {mean:.1f} dB · {less} lacks",
        f"B - A · mean {mean:.1f} dB",
    )
    return next((each for each in captions if len(each) <= width), captions[-1])


def wave_lines(height: int) -> int:
    """Lines of a waveform in a picture of so many."""
    return max(1, min(8, height // 4))


def labeled(drawn: Sequence[list[Segment]], sample_rate: int, columns: int) -> list[Strip]:
    """Lines of a picture with frequencies at their left."""
    labels = frequency_labels(sample_rate, len(drawn))
    return [
        Strip(
            [Segment(labels.get(row, "").rjust(_LABEL_WIDTH - 1) + " ", Style(dim=True)), *line],
            _LABEL_WIDTH + columns,
        )
        for row, line in enumerate(drawn)
    ]


def time_strip(seconds: float, columns: int) -> Strip:
    """The axis of time."""
    end = f"{seconds:.2f} s".rjust(columns - 1)
    return text_strip(" " * _LABEL_WIDTH + "0" + end, _LABEL_WIDTH + columns)


def text_strip(text: str, width: int, style: Style | None = None) -> Strip:
    """A line of text, cut or filled to a width."""
    return Strip([Segment(text[:width].ljust(width), style)], width)


def wrapped(title: str, problem: str, width: int) -> list[Strip]:
    """What stands in place of a picture."""
    text = title + (f": {problem}" if problem else "")
    size = max(1, width)
    return [text_strip(text[first : first + size], size) for first in range(0, len(text), size)]
