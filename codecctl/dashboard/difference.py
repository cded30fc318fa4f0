"""Two spectrograms of one scale, and what one has more or less than the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rich.segment import Segment
from rich.style import Style

from codecctl.dashboard.sound import Samples
from codecctl.log_spectrum import log_spectrogram_db

Array = npt.NDArray[np.float64]
Levels = npt.NDArray[np.intp]

RANGE_DB = 70.0
"""Below the loudest place: what lies deeper is neither drawn nor a difference."""
SPAN_DB = 20.0
"""Difference of the strongest colors."""
_HALF = 8
"""Steps on either side of none."""
_LESS, _NONE, _MORE = (60, 130, 230), (24, 24, 24), (240, 130, 40)  # blue and orange
_UPPER = "▀"
_MARKS_LESS, _MARKS_MORE = " ·-=", " ·+#"


@dataclass(frozen=True)
class Spectra:
    """Pictures of a reference and a reconstruction, (rows, columns), highest frequency first."""

    reference: Array
    """dB of a full-scale sine."""
    reconstruction: Array
    top_db: float
    """The loudest place of the reference."""

    @property
    def difference(self) -> Array:
        """Reconstruction less reference in dB, where either is within `RANGE_DB`."""
        return difference_db(self.reference, self.reconstruction, self.top_db)


def spectra_of(
    reference: Samples, reconstruction: Samples, *, sample_rate: int, columns: int, rows: int
) -> Spectra:
    """Pictures of two clips (T,) of equal length."""
    pictures = [
        log_spectrogram_db(audio, sample_rate=sample_rate, columns=columns, rows=rows)
        for audio in (reference, reconstruction)
    ]
    return Spectra(pictures[0], pictures[1], float(pictures[0].max()))


def difference_db(reference: Array, reconstruction: Array, top_db: float) -> Array:
    """Reconstruction less reference, both cut off `RANGE_DB` below the top."""
    floor = top_db - RANGE_DB
    less: Array = np.maximum(reconstruction, floor) - np.maximum(reference, floor)
    return less


def difference_levels(difference: Array) -> Levels:
    """Steps from -8 to 8, 0 within about a decibel."""
    steps: Levels = np.rint(np.clip(difference / SPAN_DB, -1, 1) * _HALF).astype(np.intp)
    return steps


def difference_rows(levels: Levels) -> list[list[Segment]]:
    """Lines of half-blocks: blue where something is missing, orange where there is too much."""
    return [_line(above, below) for above, below in zip(levels[0::2], levels[1::2], strict=False)]


def _line(above: Levels, below: Levels) -> list[Segment]:
    """Equal neighbors share a segment."""
    edges = np.flatnonzero((np.diff(above) != 0) | (np.diff(below) != 0)) + 1
    return [
        Segment(_UPPER * (end - start), _style(int(above[start]), int(below[start])))
        for start, end in pairwise([0, *edges.tolist(), above.size])
    ]


def difference_marks(levels: Levels) -> list[str]:
    """Lines without color: `-` and `=` where something is missing, `+` and `#` for too much."""
    lines = []
    for above, below in zip(levels[0::2], levels[1::2], strict=False):
        stronger = np.where(np.abs(above) >= np.abs(below), above, below)
        lines.append("".join(_mark(step) for step in stronger.tolist()))
    return lines


def _mark(step: int) -> str:
    marks = _MARKS_LESS if step < 0 else _MARKS_MORE
    return marks[-(-abs(step) * (len(marks) - 1) // _HALF)]


@cache
def _style(upper: int, lower: int) -> Style:
    return Style(color=_color(upper), bgcolor=_color(lower))


def _color(step: int) -> str:
    end = _LESS if step < 0 else _MORE
    share = abs(step) / _HALF
    mixed = (round(a + (b - a) * share) for a, b in zip(_NONE, end, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
