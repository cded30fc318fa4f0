"""`codecctl export`: a checkpoint as files that other programs load."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.commands.checkpoint_choice import choose_checkpoint
from codecctl.errors import UsageError
from codecctl.output import note, result, result_json

if TYPE_CHECKING:
    from codecctl.engine.export import Exported
    from codecctl.engine.trained import Trained

_FOLDERS = {"transformers": ("config.json", "model.safetensors")}
"""Formats of several files, and their names."""


class Format(str, Enum):
    """What is written."""

    safetensors = "safetensors"
    transformers = "transformers"
    encodec = "encodec"
    onnx = "onnx"


class Averaging(str, Enum):
    """Which weights of a checkpoint."""

    average = "average"
    last = "last"


def export(
    checkpoint: Annotated[
        str,
        typer.Argument(metavar="RUN[:CKPT]", help="A run; CKPT is best (default), last or a step."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File, or folder with --format transformers.")
    ],
    kind: Annotated[
        Format, typer.Option("--format", help="What other program shall read it.")
    ] = Format.safetensors,
    weights: Annotated[
        Averaging | None,
        typer.Option("--weights", help="Averaged ones where there are, unless `last`."),
    ] = None,
    fold: Annotated[
        bool, typer.Option("--fold", help="safetensors: plain weights, without weight norm.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write the codec of a checkpoint for other programs: never a pickle, whole or not at all."""
    if kind is Format.onnx:
        raise UsageError(
            "--format onnx: this version does not write it; use safetensors or transformers"
        )
    if fold and kind is not Format.safetensors:
        raise UsageError(f"--fold: goes with --format safetensors, found --format {kind.value}")
    from codecctl.engine.export_files import refuse_taken, write_export

    refuse_taken(output, names=_FOLDERS.get(kind.value, ("",)), force=force)
    chosen = choose_checkpoint(checkpoint)
    note("loading torch")
    from codecctl.engine.export import EXPORTS, export_safetensors
    from codecctl.engine.trained import load_trained

    trained = load_trained(chosen, weights.value if weights else "")
    if kind is Format.safetensors:
        exported = export_safetensors(trained, fold=fold)
    else:
        exported = EXPORTS[kind.value](trained)
    write_export(output, exported.files)
    for line in exported.notes:
        note(line)
    _print(output, kind.value, trained, exported, json=json)


def _print(output: Path, kind: str, trained: Trained, exported: Exported, *, json: bool) -> None:
    written = {
        str(output / name) if name else str(output): data for name, data in exported.files.items()
    }
    if json:
        result_json(
            {
                "schema": 1,
                "format": kind,
                "run": trained.run,
                "checkpoint": trained.checkpoint,
                "step": trained.step,
                "weights": trained.weights,
                "profile_hash": trained.profile_hash,
                "tensors": exported.tensors,
                "files": [{"path": path, "bytes": len(data)} for path, data in written.items()],
                "notes": list(exported.notes),
            }
        )
        return
    which = "averaged weights" if trained.weights == "average" else "weights of its last step"
    result(f"{trained.run}:{trained.checkpoint}: {exported.tensors} tensors, {which}")
    for path, data in written.items():
        result(f"{path}: {len(data) / 1e6:.1f} MB")
