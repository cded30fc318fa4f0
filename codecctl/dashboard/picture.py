"""A waveform above its spectrogram."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from codecctl.dashboard.clip import Clip
from codecctl.dashboard.halfblock import (
    color_rows,
    quantize,
    shade_rows,
    waveform_rows,
)
from codecctl.dashboard.spectrum import peak_db, spectrogram_db, waveform_extent

RANGE_DB = 70.0
_LABEL_WIDTH = 5


class Picture(Widget):
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
        self._lines: list[Strip] | None = None

    def show(self, clip: Clip | None, *, top_db: float = 0.0, full_scale: float = 1.0) -> None:
        """Exchange the clip.

        Args:
            clip: None for nothing.
            top_db: Level of the brightest color.
            full_scale: Sample value at the upper edge of the waveform.
        """
        self._clip, self._top_db, self._full_scale = clip, top_db, full_scale
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        if self._lines is None:
            self._lines = self._draw()
        base = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, base)
        return self._lines[y].apply_style(base)

    def on_resize(self, _event: events.Resize) -> None:
        """Draw again for the new size."""
        self._redraw()

    def notify_style_update(self) -> None:
        """Draw again in another theme."""
        super().notify_style_update()
        self._redraw()

    def _redraw(self) -> None:
        self._lines = None
        self.refresh()

    def _draw(self) -> list[Strip]:
        width, height = self.size.width, self.size.height
        clip = self._clip
        if clip is None or clip.problem or width < 2 * _LABEL_WIDTH or height < 6:
            text = self._title + ("" if clip is None else f": {clip.problem}")
            return [_text(text, width)]
        wave_height = max(2, min(8, height // 4))
        columns = width - _LABEL_WIDTH
        low, high = waveform_extent(clip.samples, columns=columns)
        wave = waveform_rows(low, high, height=wave_height, full_scale=self._full_scale)
        caption = f"{self._title} · peak {peak_db(clip.samples):.1f} dB"
        lines = [_text(caption, width, Style(bold=True))]
        lines += [_text(" " * _LABEL_WIDTH + line, width) for line in wave]
        lines += self._spectrogram(clip, columns, height - len(lines) - 1)
        end = f"{clip.seconds:.2f} s"
        lines.append(_text(" " * _LABEL_WIDTH + "0" + end.rjust(columns - 1), width))
        return lines

    def _spectrogram(self, clip: Clip, columns: int, rows: int) -> list[Strip]:
        levels = quantize(
            spectrogram_db(
                clip.samples, sample_rate=clip.sample_rate, columns=columns, rows=2 * rows
            ),
            low=self._top_db - RANGE_DB,
            high=self._top_db,
        )
        nyquist = clip.sample_rate / 2000
        labels = [""] * rows
        for share in (0.0, 0.5, 1.0):
            labels[round((rows - 1) * (1 - share))] = f"{nyquist * share:g}k" if share else "0"
        if self.app.native_ansi_color or self.app.no_color:
            drawn = [[Segment(line)] for line in shade_rows(levels)]
        else:
            drawn = color_rows(levels)
        dim = Style(dim=True)
        return [
            Strip(
                [Segment(label.rjust(_LABEL_WIDTH - 1) + " ", dim), *line], _LABEL_WIDTH + columns
            )
            for label, line in zip(labels, drawn, strict=True)
        ]


def _text(text: str, width: int, style: Style | None = None) -> Strip:
    return Strip([Segment(text[:width].ljust(width), style)], width)
