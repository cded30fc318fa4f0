"""RUN or RUN:CHECKPOINT on a command line to the folder of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from codecctl.engine.runlist import STEP_PREFIX, list_checkpoints, read_pointer
from codecctl.errors import NotFoundError
from codecctl.locations import find_run
from codecctl.output import note

POINTERS = ("best", "last")


def choose_checkpoint(text: str) -> Path:
    """The folder of a checkpoint.

    Args:
        text: Name or path of a run, alone or with `:best`, `:last` or `:STEP`; or the path of a
            checkpoint's folder inside its run. Alone, a run means its best checkpoint, and the
            last one where no validation has chosen any.

    Raises:
        NotFoundError: There is no such run or checkpoint; names those that there are.
    """
    folder = Path(text)
    if folder.name.startswith(STEP_PREFIX) and (folder / "meta.json").is_file():
        find_run(str(folder.resolve().parent.parent))
        return folder.resolve()
    name, colon, wanted = text.rpartition(":")
    if not colon or "/" in wanted:
        name, wanted = text, ""
    run = find_run(name)
    names = [info.name for info in list_checkpoints(run)]
    if not names:
        raise NotFoundError(f"{run.name}: found no checkpoint; train it on: --run NAME --resume")
    chosen = _named(run / "checkpoints", wanted)
    if not wanted and chosen not in names:
        chosen = _named(run / "checkpoints", "last")
        note(f"{run.name}: no validation has chosen a best checkpoint; takes {chosen}")
    if chosen not in names:
        shown = ", ".join(each.removeprefix(STEP_PREFIX).lstrip("0") or "0" for each in names[-8:])
        raise NotFoundError(
            f"{run.name}: found no checkpoint '{wanted}', needed best, last or a step: {shown}"
        )
    return run / "checkpoints" / chosen


def _named(checkpoints: Path, wanted: str) -> str:
    if wanted in ("", *POINTERS):
        return read_pointer(checkpoints, wanted or "best")
    step = wanted.removeprefix(STEP_PREFIX)
    return f"{STEP_PREFIX}{int(step):09d}" if step.isdecimal() else wanted
