"""A rectangle of characters, each with the number of a style: what charts are drawn on."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint32]


class Ink(IntEnum):
    """Styles that every chart knows; curve c is drawn in `CURVES + 2 c`, its raw values one up."""

    BLANK = 0
    AXIS = 1
    TITLE = 2
    LABEL = 3
    GUIDE = 4
    ALERT = 5
    CURSOR = 6
    CURVES = 8


def curve_ink(color: int) -> int:
    """The style of a curve's smoothed values."""
    return Ink.CURVES + 2 * color


def raw_ink(color: int) -> int:
    """The style of a curve's raw values, behind."""
    return Ink.CURVES + 2 * color + 1


class Canvas:
    """Characters and style numbers, both (height, width).

    Attributes:
        left: The column in which the curves begin.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.left = 0
        self.codes: Codes = np.full((height, width), ord(" "), dtype=np.uint32)
        self.inks = np.zeros((height, width), dtype=np.int32)

    def copy(self) -> Canvas:
        """The same, to be drawn over."""
        other = Canvas(self.width, self.height)
        other.left = self.left
        other.codes[:], other.inks[:] = self.codes, self.inks
        return other

    def text(self, row: int, column: int, text: str, ink: int) -> None:
        """Write from a column on; what does not fit is cut."""
        if not 0 <= row < self.height:
            return
        text = text[max(0, -column) : max(0, self.width - column)]
        column = max(0, column)
        end = column + len(text)
        self.codes[row, column:end] = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        self.inks[row, column:end] = ink

    def upright(self, row: int, column: int, character: str, ink: int, *, height: int) -> None:
        """Write one character so many times, from a row down."""
        self.codes[row : row + height, column] = ord(character)
        self.inks[row : row + height, column] = ink

    def stamp(self, row: int, column: int, codes: Codes, *, mask: Mask, ink: int) -> None:
        """Put characters where the mask is set, over what is there."""
        height, width = codes.shape
        area = (slice(row, row + height), slice(column, column + width))
        self.codes[area][mask] = codes[mask]
        self.inks[area][mask] = ink

    def unlike_rows(self, other: Canvas) -> list[int]:
        """The rows in which another canvas of the same size differs."""
        unlike = (self.codes != other.codes) | (self.inks != other.inks)
        return np.flatnonzero(unlike.any(axis=1)).tolist()

    def rows(self) -> Iterator[str]:
        """The characters alone."""
        for row in self.codes.tolist():
            yield "".join(map(chr, row))

    def pieces(self, row: int) -> list[tuple[str, int]]:
        """A row as pieces of text of one style each."""
        inks = self.inks[row]
        edges = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), self.width]
        characters = "".join(map(chr, self.codes[row].tolist()))
        return [
            (characters[start:end], int(inks[start]))
            for start, end in pairwise(edges)
            if end > start
        ]
