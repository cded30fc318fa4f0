"""Bits per sample of a lossless run, beside those of the coders that everybody has."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from codecctl.dashboard.bars import bar
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import value_text

BITS = "val/bits_per_sample"
_NUMBER_CELLS = 8
_NO_FILE = "FLAC: not measured: there is no references.json, as in runs of earlier versions"


def bits_lines(run: RunView, width: int) -> Iterator[Text]:
    """The model's newest value and each reference as bars, and what the difference means.

    Args:
        run: What is known of it.
        width: Cells across.
    """
    bits = run.validation.last(BITS)
    if bits is None:
        return
    references = [each for each in run.references if each.metric == BITS]
    rows = [("model", bits), *((each.name, each.value) for each in references)]
    label = max(len(name) for name, _ in rows) + 2
    cells = max(1, width - label - _NUMBER_CELLS - 2)
    most = max(value for _, value in rows)
    yield Text("Bits per sample of what validates", style="bold")
    for place, (name, value) in enumerate(rows):
        number = value_text(value).rjust(_NUMBER_CELLS)
        drawn = (bar(value / most, cells), "cyan" if place == 0 else "dim")
        yield Text.assemble(f"{name.ljust(label)}{number}  ", drawn)
    for each in references:
        share = 100 * (bits / each.value - 1)
        style = "green" if share < 0 else "yellow"
        said = f"{abs(share):.1f} % {'less' if share < 0 else 'more'} than {each.name}"
        yield Text.assemble(("the model needs ", ""), (said, style))
        yield Text(each.detail, style="dim")
    if not references:
        missing = run.references_missing
        yield Text(f"not measured: {missing}" if missing else _NO_FILE, style="dim")
