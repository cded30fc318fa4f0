"""`codecctl import`: weights from elsewhere become a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from codecctl.commands.train_job import named_run
from codecctl.errors import UsageError
from codecctl.output import note, result, result_json


def import_weights(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="CKPT",
            help="EnCodec weights: .th, .safetensors, or a folder of transformers.",
        ),
    ],
    name: Annotated[
        str, typer.Option("--name", help="Name of the run; default: that of the file.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Take EnCodec weights as a run that export, previews and `train --from` read."""
    path = named_run(name or source.stem, option="--name")
    if path.exists():
        raise UsageError(
            f"{path.name}: a run of this name exists in {path.parent}; use --name NAME"
        )
    note("loading torch")
    from codecctl.engine.foreign import read_foreign
    from codecctl.engine.imported import resolve_foreign, write_imported

    foreign = read_foreign(source)
    resolved = resolve_foreign(foreign, label=str(source))
    checkpoint = write_imported(path, foreign, resolved, source=source, argv=sys.argv)
    for line in foreign.notes:
        note(line)
    profile = resolved.profile
    if json:
        result_json(
            {
                "schema": 1,
                "run": path.name,
                "path": str(path),
                "checkpoint": checkpoint.name,
                "kind": foreign.kind,
                "sample_rate": profile.data.rate,
                "tensors": len(foreign.state),
                "overrides": list(resolved.overrides),
                "notes": list(foreign.notes),
            }
        )
        return
    numbers = sum(tensor.numel() for tensor in foreign.state.values())
    result(
        f"run {path}: {len(foreign.state)} tensors, {numbers / 1e6:.2f} M numbers, {foreign.kind}"
    )
    result(f"next: codecctl train --from {path.name}, or codecctl export {path.name} -o FILE")
