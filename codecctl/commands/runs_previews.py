"""`codecctl runs previews`: what was real and what the codec made of it, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from codecctl.errors import NotFoundError
from codecctl.locations import find_run
from codecctl.output import result, result_json

_REFERENCE = "reference"


@dataclass(frozen=True)
class Pair:
    """A preview and what it is of; paths are below the run folder."""

    step: int
    item: str
    real: str
    fake: str


def pairs_of(run: Path) -> Iterator[Pair]:
    """All previews of a run whose reference is there, by step and item."""
    folder = run / "previews"
    for step in sorted(folder.glob("step-*")):
        number = step.name.removeprefix("step-")
        for fake in sorted(step.glob("item-[0-9]*.wav")) if number.isdigit() else ():
            real = folder / _REFERENCE / fake.name
            if fake.name.count(".") == 1 and real.is_file():
                paths = (str(path.relative_to(run)) for path in (real, fake))
                yield Pair(int(number), fake.stem, *paths)


def previews(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name or path of a run.")],
    item: Annotated[str, typer.Option(help="Only this one, e.g. item-000.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print previews as a table with links that hold in the run folder.

    `codecctl runs previews RUN > runs/RUN/previews.md` is a page that a browser of code shows.
    """
    path = find_run(run)
    found = [pair for pair in pairs_of(path) if item in ("", pair.item)]
    if json:
        result_json({"schema": 1, "run": str(path), "previews": [vars(pair) for pair in found]})
        return
    if not found:
        of = f" of {item}" if item else ""
        raise NotFoundError(
            f"{path.name}: found no preview{of}; trainer.previews says when they are written"
        )
    result("| Timestep | Item | Real Audio | Fake (Generated) Audio |")
    result("|----------|------|------------|------------------------|")
    for pair in found:
        real, fake = f"[real]({pair.real})", f"[fake {pair.step}]({pair.fake})"
        result(f"| {pair.step} | {pair.item} | {real} | {fake} |")
