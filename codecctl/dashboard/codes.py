"""How a codec uses its codebooks, what its losses weigh, and whether it does what it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap

import numpy as np
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from codecctl.dashboard.axis import Array, XAxis
from codecctl.dashboard.bars import bar
from codecctl.dashboard.bits import bits_lines
from codecctl.dashboard.halfblock import color_rows, quantize, shade_rows
from codecctl.dashboard.table import Table
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import value_text
from codecctl.engine.rundir import Row

LOW_USAGE = 0.1
_USAGE = re.compile(r"(?:val/)?codebook/(\d+)/usage")
_SHARE = re.compile(r"balancer/([^/]+)")
_HEAD = "book  usage  perplexity  entropy  "
_BY_SIZE = "  by size"
VERDICT_STYLES = {"as expected": "green", "not as expected": "bold red", "undecided": "dim"}
_VERDICT_CELLS = 16
_LEAST_WORDS = 20


class Codes(VerticalScroll):
    """The codebooks, the balance of the losses and the verdicts of one run."""

    HELP = """
    ## Codes

    *Usage* is the share of a codebook's entries that occurred; its color over the steps shows when
    a codebook woke up or collapsed (red: below 10 %). *Shares* are the parts of the gradient at
    the decoder's output; the thin line below is the part that its size alone would give a term.
    Lossless runs have *bits per sample* beside those of FLAC on the recordings that validate.
    """

    def __init__(self) -> None:
        super().__init__(id="codes-scroll")
        self._run: RunView | None = None
        self._text = Text()

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="codes-text")

    def show_run(self, run: RunView) -> None:
        """Exchange the text."""
        self._run = run
        self._write()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the width."""
        self._write()

    def _write(self) -> None:
        if self._run is not None and self.size.width:
            mono = self.app.native_ansi_color or self.app.no_color
            lines = codes_lines(self._run, width=self.size.width - 2, mono=mono)
            text = Text("\n").join(lines)
            if text != self._text:
                self._text = text
                self.query_one("#codes-text", Static).update(text)


def codes_lines(run: RunView, *, width: int, mono: bool) -> list[Text]:
    """The page, line by line.

    Args:
        run: What is known of it.
        width: Cells across.
        mono: Shades in place of colors.
    """
    sections = [
        list(bits_lines(run, width)),
        list(_books("of validation items", run.validation, width, mono)),
        list(_books("of training batches", run.train, width, mono)),
        list(_balance(run.train, width)),
        list(_verdicts(run, width)),
    ]
    filled = [section for section in sections if section]
    if not filled:
        return [Text("no codebooks and no bits yet: they are logged with the first rows")]
    return [line for section in filled for line in (*section, Text())][:-1]


def _books(title: str, table: Table, width: int, mono: bool) -> Iterator[Text]:
    """One line for each codebook: newest values, and usage over the steps."""
    found = sorted(
        (int(match[1]), name) for name in table.columns if (match := _USAGE.fullmatch(name))
    )
    columns = width - len(_HEAD)
    if not found or columns < 1:
        return
    series = [table.series(name, XAxis.STEP, steps_per_epoch=0.0) for _, name in found]
    low = min(float(steps[0]) for steps, _ in series)
    high = max(float(steps[-1]) for steps, _ in series)
    yield Text(f"Codebooks {title}", style="bold")
    span = f"{low:.0f}" + f"step {high:.0f}".rjust(columns - len(f"{low:.0f}"))
    yield Text(_HEAD + (span if len(span) <= columns else ""), style="dim")
    for (book, name), (steps, values) in zip(found, series, strict=True):
        usage = table.last(name)
        line = Text(f"{book:4d}  ")
        percent = "  -  " if usage is None else f"{100 * usage:3.0f} %"
        line.append(percent, _usage_style(usage))
        for kind, cells in (("perplexity", 12), ("entropy", 9)):
            value = table.last(name.removesuffix("usage") + kind)
            line.append(value_text(value).rjust(cells))
        yield line + Text("  ") + _strip(heat(steps, values, low, high, columns), mono)


def _usage_style(usage: float | None) -> str:
    return "bold red" if usage is not None and usage < LOW_USAGE else ""


def heat(steps: Array, values: Array, low: float, high: float, columns: int) -> Array:
    """The lowest value of each column of a strip, (columns,), the last one held where none is.

    A collapse between two columns must not get lost in an average.

    Args:
        steps: (N,) rising.
        values: (N,)
        low: Step at the left edge.
        high: Step at the right edge.
        columns: How many.
    """
    place = ((steps - low) / max(high - low, 1e-9) * columns).astype(np.intp)
    lowest = np.full(columns, np.inf)
    np.minimum.at(lowest, place.clip(0, columns - 1), np.nan_to_num(values))
    filled = np.isfinite(lowest)
    held = np.maximum.accumulate(np.where(filled, np.arange(columns), -1))
    strip: Array = np.where(held >= 0, lowest[held.clip(0)], np.nan)
    return strip


def _strip(values: Array, mono: bool) -> Text:
    levels = quantize(np.nan_to_num(np.stack([values, values])), low=0.0, high=1.0)
    if mono:
        return Text(shade_rows(levels)[0])
    return Text.assemble(*((piece.text, piece.style or "") for piece in color_rows(levels)[0]))


def _balance(table: Table, width: int) -> Iterator[Text]:
    """A bar for each balanced loss, and a thin one for what it would be without the balancer."""
    names = sorted(match[1] for name in table.columns if (match := _SHARE.fullmatch(name)))
    if not names:
        return
    label = max(len(name) for name in [*names, _BY_SIZE]) + 2
    cells = max(1, width - label - 8)
    yield Text("Shares of the gradient", style="bold")
    for name in names:
        share = table.last(f"balancer/{name}") or 0.0
        yield Text.assemble(
            name.ljust(label), f"{100 * share:5.1f} % ", (bar(share, cells), "cyan")
        )
        before = table.last(f"balancer/{name}/before")
        if before is not None:
            thin = "╌" * round(before * cells)
            yield Text(f"{_BY_SIZE:{label}}{100 * before:5.1f} % {thin}", style="dim")


def _verdicts(run: RunView, width: int) -> Iterator[Text]:
    """The newest verdict on each claim, in the order of the document; words in a column."""
    rows = [
        row for row in (run.detail.events if run.detail else ()) if row.get("kind") == "verdict"
    ]
    newest: dict[str, Row] = {str(row.get("claim")): row for row in rows}
    if not newest:
        return
    yield Text("Expected behaviour", style="bold")
    for claim, row in newest.items():
        word = str(row.get("verdict", ""))
        rest = str(row.get("message", "")).removeprefix(f"{claim}: ").removeprefix(f"{word}: ")
        lines = wrap(f"{claim}: {rest}", max(_LEAST_WORDS, width - _VERDICT_CELLS))
        for number, line in enumerate(lines or [""]):
            head = "" if number else word
            yield Text.assemble((f"{head:{_VERDICT_CELLS}}", VERDICT_STYLES.get(word, "")), line)
