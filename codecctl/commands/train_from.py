"""`codecctl train --from`: which weights a new run starts with, and that a started one does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.commands.checkpoint_choice import choose_checkpoint
from codecctl.engine.checkpoint_files import newest_usable
from codecctl.engine.profile import aliased_options
from codecctl.engine.resume import stored_profile
from codecctl.errors import NotFoundError, UsageError
from codecctl.output import note

if TYPE_CHECKING:
    from codecctl.engine.prepare import Prepared


@dataclass(frozen=True)
class Beginning:
    """What `--from` asks for."""

    checkpoint: Path | None
    """The folder whose weights are taken; None where none are."""
    profile: str
    """Name of the profile: that of the checkpoint's run where the command line has none."""
    arguments: list[str]
    """Overrides of that run, then those of the command line."""


def begin(
    wanted: str, profile: str, arguments: Sequence[str], *, run: Path | None, resume: bool
) -> Beginning:
    """Find the weights to start from; none are needed where a run continues.

    Args:
        wanted: Of `--from`, "" without it.
        profile: Of `--profile`, "" without it.
        arguments: What else stands on the command line.
        run: Of `--run`, None without it.
        resume: Whether `--resume` was given.

    Raises:
        UsageError: `--from` and `--resume` without a run to continue.
        NotFoundError: There is no such run or checkpoint.
    """
    plain = Beginning(None, profile, list(arguments))
    if not wanted or (resume and run is not None and run.exists()):
        return plain
    if resume and run is None:
        raise UsageError("--from with --resume: found no --run; name the run that is to go on")
    checkpoint = choose_checkpoint(wanted)
    if profile or aliased_options(plain.arguments)[0]:
        return Beginning(checkpoint, profile, plain.arguments)
    stored = stored_profile(checkpoint.parent.parent)
    name, overrides = str(stored.get("name", "")), stored.get("overrides")
    before = [str(override) for override in overrides] if isinstance(overrides, list) else []
    note(f"--from {wanted}: takes its profile, too: {' '.join([name, *before])}")
    return Beginning(checkpoint, name, [*before, *plain.arguments])


def again(run: Path) -> Path | None:
    """The weights that a run starts with which has no checkpoint of its own yet, else None.

    Raises:
        UsageError: The run was imported and never trained.
        NotFoundError: The weights are gone.
    """
    stored = stored_profile(run)
    if stored.get("imported"):
        raise UsageError(
            f"{run.name}: found imported weights, needed the state of a training; start one from "
            f"them: codecctl train --from {run.name} --run NAME"
        )
    origin = stored.get("from")
    if not isinstance(origin, dict) or newest_usable(run / "checkpoints").path is not None:
        return None
    checkpoint = Path(str(origin.get("path", "")))
    if not (checkpoint / "meta.json").is_file():
        raise NotFoundError(
            f"{run.name}: found no checkpoint of its own, and {checkpoint}, whose weights it "
            "starts with, is gone; start another run"
        )
    return checkpoint


def take_weights(prepared: Prepared, checkpoint: Path, *, partial: bool) -> dict[str, object]:
    """Give the networks the weights and print what became of each layer; returns the facts."""
    from codecctl.engine.profile.schema import LosslessProfile
    from codecctl.engine.transfer import transfer

    if isinstance(prepared.profile, LosslessProfile):
        raise UsageError(
            "--from: found a profile of language models, needed one of codecs; train --resume "
            "continues a language model"
        )
    done = transfer(prepared.recipe, checkpoint, partial=partial, rate=prepared.profile.data.rate)
    for layer in done.layers:
        note(layer.line())
    for line in done.notes:
        note(f"note: {line}")
    taken = sum(layer.status == "taken" for layer in done.layers)
    which = "averaged weights" if done.source["weights"] == "average" else "last weights"
    note(
        f"--from {done.source['run']}:{done.source['checkpoint']}: {taken} of {len(done.layers)} "
        f"layers taken, {which}"
    )
    return done.facts()
