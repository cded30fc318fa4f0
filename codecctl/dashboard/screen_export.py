"""A picture of the page that one sees, as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.app import App

from codecctl.dashboard.cells import Cell, screen_cells
from codecctl.dashboard.export import write_new
from codecctl.errors import UsageError


def _png(rows: Sequence[Sequence[Cell]]) -> bytes:
    # Here, not above: numpy and Pillow are nothing that the first screen needs.
    from codecctl.dashboard.screen_png import screen_png

    return screen_png(rows)


def _svg(rows: Sequence[Sequence[Cell]]) -> bytes:
    from codecctl.dashboard.screen_svg import screen_svg

    return screen_svg(rows).encode()


PICTURES: Mapping[str, Callable[[Sequence[Sequence[Cell]]], bytes]] = {"png": _png, "svg": _svg}


def export_screen(app: App[Any], kind: str) -> None:
    """Write what one sees into a new file of the working directory, and say so.

    Args:
        app: Running.
        kind: `png` or `svg`.
    """
    try:
        path = write_new(
            Path.cwd(), "codecctl-screen", f".{kind}", PICTURES[kind](screen_cells(app))
        )
    except (OSError, UsageError) as error:
        app.notify(f"not exported: {error}", severity="error", markup=False)
    else:
        app.notify(f"exported to {path}", markup=False)
