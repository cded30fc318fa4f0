"""Rows of codes of two capsules, one above the other, and where they part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Static

from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.token_codes import TokenCodes

_LABEL = 12


class TokensView(Static, can_focus=True):
    """The codes of an item."""

    HELP = """
    ## Tokens

    The codes of two capsules by codebook and frame; equal ones have a line between them, others a
    cross. `n` goes to the next frame whose first codes differ, `N` back; the arrows move by a page.
    `c` takes the next pair of capsules.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "parting(1)", "Differs", id="tokens.next", tooltip="Next difference"),
        Binding(
            "N",
            "parting(-1)",
            "Differs before",
            show=False,
            id="tokens.before",
            tooltip="The difference before",
        ),
        Binding("right", "move(1)", "Later", show=False, id="tokens.later", tooltip="By a page"),
        Binding(
            "left", "move(-1)", "Earlier", show=False, id="tokens.earlier", tooltip="By a page"
        ),
        Binding(
            "home", "move(-1000000)", "Start", show=False, id="tokens.first", tooltip="Frame 0"
        ),
    ]

    def __init__(self) -> None:
        super().__init__(id="tokens", markup=False)
        self._loaded: Loaded | None = None
        self._first = 0
        self._marked: int | None = None
        self._capsule = 0

    def show(self, loaded: Loaded, channel: int) -> None:
        """Exchange the item, or the pair of capsules."""
        if self._loaded is None or loaded.preview.item != self._loaded.preview.item:
            self._first, self._marked = 0, None
        self._loaded, self._capsule = loaded, channel
        self._write()

    def on_resize(self) -> None:
        """Fit the width."""
        self._write()

    def action_move(self, pages: int) -> None:
        """Go by pages."""
        codes = self._codes()
        if codes is not None:
            per_page = _frames_per_page(codes, self.size.width, self.size.height)
            last = max(0, codes.codes.shape[2] - per_page)
            self._first = min(last, max(0, self._first + pages * per_page))
            self._write()

    def action_parting(self, way: int) -> None:
        """Go to the next frame whose first codes differ, or the one before."""
        codes = self._codes()
        if codes is None or len(codes.codes) < 2:
            return
        pair = capsule_pair(codes, self._capsule)
        outside = -1 if way > 0 else codes.codes.shape[2]
        start = outside if self._marked is None else self._marked
        found = codes.next_parting(*pair, start, back=way < 0)
        if found is None:
            self.notify("no further frame whose first codes differ", markup=False)
            return
        self._marked = found
        per_page = _frames_per_page(codes, self.size.width, self.size.height)
        if not self._first <= found < self._first + per_page:
            self._first = max(0, min(found - per_page // 2, codes.codes.shape[2] - per_page))
        self._write()

    def _codes(self) -> TokenCodes | None:
        codes = self._loaded.codes if self._loaded is not None else None
        return None if codes is None or codes.problem else codes

    def _write(self) -> None:
        if self._loaded is None or not self.size.width:
            return
        codes = self._loaded.codes
        if codes.problem:
            self.update(codes.problem)
            return
        lines = token_lines(
            codes,
            capsule=self._capsule,
            first=self._first,
            marked=self._marked,
            width=self.size.width,
            height=self.size.height,
        )
        self.update(Text("\n").join(lines))


def capsule_pair(codes: TokenCodes, capsule: int) -> tuple[int, int]:
    """A capsule and the next one, the first after the last."""
    count = len(codes.codes)
    return capsule % count, (capsule + 1) % count


def token_lines(
    codes: TokenCodes,
    *,
    capsule: int,
    first: int,
    marked: int | None,
    width: int,
    height: int = 0,
) -> list[Text]:
    """The page as lines.

    Args:
        codes: Without a problem.
        capsule: The first one of the pair, counted from 0.
        first: Frame at the left edge.
        marked: Frame that a search found.
        width: Cells across.
        height: Lines; frames that have no room in a line stand in further ones below it.
    """
    capsules, books, frames = codes.codes.shape
    seconds = codes.frame_seconds
    head = f"{frames} frames of {1000 * seconds:.1f} ms, {books} codebooks of {codes.codebook_size}"
    lines = [Text(head, style="bold")]
    if capsules > 1:
        pair = capsule_pair(codes, capsule)
        lines += list(_agreements(codes, pair))
    else:
        pair = (0, 0)
    end = min(frames, first + _frames_per_page(codes, width, height))
    for start in range(first, end, _frames_per_line(codes, width)):
        shown = slice(start, min(end, start + _frames_per_line(codes, width)))
        lines.append(_ruler(codes, shown))
        for book in range(books):
            lines += list(_rows(codes, pair, book, shown, marked))
        lines += [Text()] if lines[-1] else []
    return lines[:-1]


def _ruler(codes: TokenCodes, shown: slice) -> Text:
    """The second at which each fourth frame begins."""
    cell = _cell(codes)
    marks = "".join(
        f"{frame * codes.frame_seconds:.2f}".ljust(cell * 4)[: cell * 4]
        for frame in range(shown.start, shown.stop, 4)
    )
    return Text(" " * _LABEL + marks[: cell * (shown.stop - shown.start)], style="dim")


def _agreements(codes: TokenCodes, pair: tuple[int, int]) -> Iterator[Text]:
    frames = codes.codes.shape[2]
    for book in range(codes.codes.shape[1]):
        same = int(codes.agree(*pair, book).sum())
        yield Text(
            f"codebook {book + 1}: capsules {pair[0] + 1} and {pair[1] + 1} agree in {same} of "
            f"{frames} frames ({same / frames:.0%})"
        )
    parting = codes.next_parting(*pair, -1)
    if parting is None:
        yield Text("first codes never differ")
    else:
        at = parting * codes.frame_seconds
        yield Text(f"first codes differ first in frame {parting} ({at:.3f} s); n goes there")


def _rows(
    codes: TokenCodes, pair: tuple[int, int], book: int, shown: slice, marked: int | None
) -> Iterator[Text]:
    cell = _cell(codes)
    above = codes.codes[pair[0], book, shown]
    yield _row(f"{book + 1} capsule {pair[0] + 1}", above, cell, shown.start, marked)
    if pair[0] == pair[1]:
        return
    below = codes.codes[pair[1], book, shown]
    line = Text(" " * _LABEL)
    for same in (above == below).tolist():
        line.append(("│" if same else "×").rjust(cell - 1) + " ", "green" if same else "bold red")
    yield line
    yield _row(f"{book + 1} capsule {pair[1] + 1}", below, cell, shown.start, marked)
    yield Text()


def _row(label: str, values: np.ndarray, cell: int, first: int, marked: int | None) -> Text:
    line = Text(label.ljust(_LABEL)[:_LABEL])
    for frame, value in enumerate(values.tolist(), start=first):
        line.append(str(value).rjust(cell - 1), "reverse" if frame == marked else "")
        line.append(" ")
    return line


def _cell(codes: TokenCodes) -> int:
    return len(str(codes.codebook_size - 1)) + 1


def _frames_per_line(codes: TokenCodes, width: int) -> int:
    return max(1, (width - _LABEL) // _cell(codes))


def _frames_per_page(codes: TokenCodes, width: int, height: int) -> int:
    """Frames of as many lines as fit below what is said about all of them."""
    capsules, books = codes.codes.shape[:2]
    said = 1 + (books + 1 if capsules > 1 else 0)
    high = 1 + 4 * books if capsules > 1 else 2 + books
    lines = max(1, int(height - said + 1) // int(high))
    return _frames_per_line(codes, width) * lines
