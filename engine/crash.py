"""crash.txt: what a failed training was doing, for the report that someone writes."""

from __future__ import annotations

import traceback
from datetime import datetime, timezone

from codecctl.datasets.batch import Batch
from codecctl.engine.files import write_text_atomically
from codecctl.engine.rundir import RunDirectory


def write_crash(run: RunDirectory, error: BaseException, *, step: int, batch: Batch | None) -> None:
    """Write what `describe_crash` says.

    A disk that takes no more must not hide the error itself, so this one file may be missing.
    """
    try:
        write_text_atomically(run.path / "crash.txt", describe_crash(error, step=step, batch=batch))
    except OSError:
        return


def describe_crash(error: BaseException, *, step: int, batch: Batch | None) -> str:
    """Time, step, the windows of the batch in work and the traceback."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    lines = [f"time: {now}", f"updates done: {step}", "batch in work:"]
    for row, item in enumerate(batch.items if batch is not None else ()):
        channels = ", ".join(str(channel) for channel in item.channels)
        lines.append(f"  {row}: {item.recording}, from frame {item.start}, channels {channels}")
    return "\n".join([*lines, "", *traceback.format_exception(error)])
