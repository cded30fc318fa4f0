"""A run folder: the only contract between training and everything that watches it.

    profile.json            the resolved profile, overrides, where each value came from
    environment.json        versions, revision, command line, host, devices, store fingerprint
    state.json              status, step and heartbeat, replaced every 5 s (`engine.lease`)
    metrics.jsonl           one row per logged step and per validation
    events.jsonl            started, resumed, validation, checkpoint, warning, stopped, ...
    validation.jsonl        one row per validation item and metric
    validation_items.json   the fixed items
    split.json              recordings that train, validate, and are kept for tests
    references.json         what other coders need for the recordings that validate (lossless)
    system.jsonl            CPU, memory, loader wait, step time; load, heat and power of GPUs
    checkpoints/            step-000000500/, and the text files `last` and `best`
    previews/               reference/item-000.wav, step-000000500/item-000.wav and .codes.json
    array/                  step-000000500.json: what the codes of whole arrays share
    control/                requests to the training process: save, stop (`engine.control`)
    wandb/, tensorboard/    mirrors, with their status in wandb.json and tensorboard.json
    train.log               events in words, and what the training said on the terminal
    crash.txt, tags.json

Files with rows are append-only, everything else is replaced as a whole. Imports no torch.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from codecctl.engine.checkpoint_place import remove_placed
from codecctl.engine.control import FOLDER as CONTROL
from codecctl.engine.control import (
    REQUESTS,
    Request,
    pending_requests,
    read_requests,
    request,
)
from codecctl.engine.files import sync_folder, write_json_atomically
from codecctl.engine.lease import Lease, RunState, read_state
from codecctl.engine.rows import (
    JsonlTail,
    Row,
    RowWriter,
    latest_rows,
    number,
    read_last_rows,
    read_rows,
)
from codecctl.engine.runlist import (
    CheckpointInfo,
    RunSummary,
    list_checkpoints,
    list_runs,
    read_json,
    read_metrics,
    read_tags,
    summarize_run,
)
from codecctl.errors import CodecctlError, UsageError

__all__ = [
    "REQUESTS",
    "CheckpointInfo",
    "JsonlTail",
    "Lease",
    "Request",
    "Row",
    "RunDirectory",
    "RunState",
    "RunSummary",
    "latest_rows",
    "list_checkpoints",
    "list_runs",
    "log_line",
    "number",
    "pending_requests",
    "read_json",
    "read_last_rows",
    "read_metrics",
    "read_requests",
    "read_rows",
    "read_state",
    "read_tags",
    "remove_run",
    "request",
    "step_name",
    "summarize_run",
    "write_tags",
]

SCHEMA = 1
_FOLDERS = ("checkpoints", "previews", CONTROL)


class RunDirectory:
    """The training side of a run folder: appends rows, writes files, serves requests.

    Make one with `create` or `reopen`.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._metrics = RowWriter(path / "metrics.jsonl")
        self._events = RowWriter(path / "events.jsonl")
        self._validation = RowWriter(path / "validation.jsonl")
        self._system = RowWriter(path / "system.jsonl")
        self._log = RowWriter(path / "train.log")

    @classmethod
    def create(cls, path: Path) -> RunDirectory:
        """Make the folder of a new run.

        Raises:
            UsageError: The name is taken.
            CodecctlError: No folder can be made there.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_make(path, error) from error
        try:
            path.mkdir()
        except FileExistsError:
            raise UsageError(
                f"{path.name}: a run of this name exists in {path.parent}; choose another with "
                "--run NAME, or continue it with --resume"
            ) from None
        except OSError as error:
            raise _cannot_make(path, error) from error
        for name in _FOLDERS:
            (path / name).mkdir()
        sync_folder(path.parent)
        return cls(path)

    @classmethod
    def reopen(cls, path: Path) -> RunDirectory:
        """Append to an existing run."""
        for name in _FOLDERS:
            (path / name).mkdir(exist_ok=True)
        return cls(path)

    def write_json(self, name: str, value: object) -> None:
        """Put a JSON file into the folder, whole or not at all.

        Raises:
            CodecctlError: The disk does not take it.
        """
        path = self.path / name
        try:
            if path.parent != self.path:  # which nobody makes again where it was deleted
                path.parent.mkdir(exist_ok=True)
            write_json_atomically(path, value)
        except OSError as error:
            raise CodecctlError(
                f"{path}: cannot write: {error.strerror}; free some space and use --resume"
            ) from error

    def metric(
        self,
        step: int,
        split: str,
        values: Mapping[str, float],
        *,
        epoch: int,
        seconds: float,
        audio_seconds: float,
        stage: str = "",
    ) -> None:
        """Append a row to metrics.jsonl.

        Args:
            step: Updates done.
            split: "train" or "val".
            values: Scalars by name; NaN and infinities are kept.
            epoch: Counted from 1.
            seconds: Of training, over all resumes.
            audio_seconds: Of audio heard in training, all capsules together.
            stage: That the row is of; empty without stages.
        """
        row: Row = {"schema": SCHEMA, "step": step, "epoch": epoch, "split": split}
        row |= {"stage": stage} if stage else {}
        row |= {"time": round(time.time(), 3), "seconds": round(seconds, 3)}
        row |= {"audio_seconds": audio_seconds, **values}
        self._metrics.append(row)

    def event(self, kind: str, step: int, message: str, **extras: object) -> None:
        """Append a row to events.jsonl, and a line for people to train.log."""
        now = time.time()
        self._events.append(
            {"schema": SCHEMA, "time": now, "step": step, "kind": kind, "message": message} | extras
        )
        self.log(f"step {step}: {kind}: {message}")

    def validation_row(self, row: Mapping[str, object]) -> None:
        """Append a row to validation.jsonl: one item, one metric."""
        self._validation.append({"schema": SCHEMA, **row})

    def system(self, row: Mapping[str, object]) -> None:
        """Append a row to system.jsonl."""
        self._system.append({"schema": SCHEMA, "time": time.time(), **row})

    def log(self, text: str) -> None:
        """Append a line with the time to train.log."""
        self._log.append_text(log_line(text))

    def requests(self) -> tuple[str, ...]:
        """What people asked for in control/, in the order save, stop."""
        return pending_requests(self.path)

    def served(self, name: str, step: int) -> None:
        """Remove a request that was done, if it was asked for, and write down who asked."""
        for asked in read_requests(self.path, (name,)):
            self.forget(name)
            waited = max(0.0, time.time() - asked.time)
            said = f"{name} asked by {asked.by} {waited:.1f} s before"
            self.event("served", step, said, request=name, by=asked.by, asked=asked.time)

    def forget(self, name: str) -> None:
        """Remove a request without serving it."""
        (self.path / CONTROL / name).unlink(missing_ok=True)

    def flush_to_disk(self) -> None:
        """Wait until all rows survive a power failure; a checkpoint must not be younger."""
        for writer in (self._metrics, self._events, self._validation):
            writer.flush_to_disk()

    def close(self) -> None:
        """Close the files."""
        for writer in (self._metrics, self._events, self._validation, self._system, self._log):
            writer.close()


def _cannot_make(path: Path, error: OSError) -> CodecctlError:
    return CodecctlError(
        f"{path}: cannot make a folder here: {error.strerror}; set CODECCTL_HOME to one that can "
        "be written"
    )


def log_line(text: str) -> str:
    """A line of train.log: the time in UTC, and a text."""
    return f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} {text}\n"


def step_name(step: int) -> str:
    """The folder name of a step, in checkpoints/ and previews/."""
    return f"step-{step:09d}"


def write_tags(run: Path, tags: set[str]) -> None:
    """Replace the tags of a run."""
    write_json_atomically(run / "tags.json", {"schema": SCHEMA, "tags": sorted(tags)})


def remove_run(run: Path) -> None:
    """Delete a run folder that is not listed any more from the first moment on."""
    aside = run.with_name(f".removed-{run.name}")
    run.rename(aside)
    remove_placed(aside)
    shutil.rmtree(aside)
