"""Values of charts as CSV, all of them: nothing averaged, nothing left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.curves import Source

if TYPE_CHECKING:
    from textual.app import App

HEAD = ("run", "metric", "x", "value")


def curves_csv(sources: Sequence[Source], metrics: Sequence[str], axis: XAxis) -> str:
    """A line for each value: run, metric, place on the axis, value; NaN and inf as such.

    Args:
        sources: The runs.
        metrics: Which scalars.
        axis: What x counts: steps, epochs, seconds of training or seconds of audio.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*HEAD[:2], axis.value, HEAD[3]])
    for source in sources:
        for metric in metrics:
            for table in (source.train, source.validation):
                x, values = table.series(metric, axis, steps_per_epoch=source.steps_per_epoch)
                writer.writerows(
                    (source.name, metric, f"{place:.12g}", f"{value:.9g}")
                    for place, value in zip(x.tolist(), values.tolist(), strict=True)
                )
    return text.getvalue()


def export_curves(app: App[Any], text: str) -> None:
    """Write values of charts into a new file of the working directory, and say so."""
    try:
        path = write_new(Path.cwd(), "codecctl-curves", ".csv", text.encode())
    except OSError as error:
        app.notify(f"not exported: {error}", severity="error", markup=False)
    else:
        app.notify(f"exported to {path}", markup=False)


def write_new(folder: Path, stem: str, suffix: str, content: bytes) -> Path:
    """Write a file that is not there yet, `stem-2` where `stem` is.

    Raises:
        OSError: The folder does not take it.
    """
    number = 1
    while True:
        path = folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            number += 1
        else:
            return path
