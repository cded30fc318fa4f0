"""What a training writes down: rows, events, previews and checkpoints.

Of several processes the leading one keeps the books; the others keep none.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import torch

from codecctl.engine.checkpoint import save_checkpoint
from codecctl.engine.checkpoint_files import apply_retention, set_pointer
from codecctl.engine.device import rng_state
from codecctl.engine.loop_parts import Desk, Parts, Progress, Report, Speed
from codecctl.engine.recipes.base import Scalars, State
from codecctl.engine.rundir import step_name
from codecctl.engine.stages import Stage
from codecctl.engine.system import SystemMonitor
from codecctl.engine.validate import Measurement

_REQUEST_SECONDS = 1.0


class Books(Protocol):
    """Who is told what a training does; each method is called by all processes."""

    def begin(self, progress: Progress) -> None:
        """The training starts, or goes on."""
        ...

    def restored(self, progress: Progress, checkpoint: Path) -> None:
        """A checkpoint was taken up."""
        ...

    def phase(self, text: str) -> None:
        """Something begins that takes a while."""
        ...

    def wants_start(self) -> bool:
        """Whether step 0 is to be saved, now that what needs data before it is fitted."""
        ...

    def entered(self, progress: Progress, stage: Stage) -> None:
        """The next update is the first one of a stage."""
        ...

    def hold(self) -> None:
        """Stop a job that has lost its run.

        Raises:
            CodecctlError: Another job holds the run now.
        """
        ...

    def step(self, progress: Progress, scalars: Scalars, speed: Speed) -> Speed:
        """An update is done; returns what counts the time of the next ones."""
        ...

    def validated(self, progress: Progress, measured: Measurement) -> None:
        """All fixed items were measured."""
        ...

    def preview(self, progress: Progress) -> None:
        """Reconstructions are due."""
        ...

    def is_due(self, progress: Progress) -> bool:
        """Whether to save, now that all that belongs to a step is done."""
        ...

    def is_unsaved(self) -> bool:
        """Whether there is anything that no checkpoint holds."""
        ...

    def save(self, progress: Progress, state: State) -> None:
        """Write a checkpoint of the whole state of the recipe."""
        ...

    def end(self, progress: Progress) -> None:
        """The training ends."""
        ...

    def stop_is_asked(self) -> bool:
        """Whether somebody asked for the end through the run folder."""
        ...


class RunBooks:
    """The books of a run folder.

    Args:
        parts: What is trained.
        desk: What to write with.
    """

    def __init__(self, parts: Parts, desk: Desk) -> None:
        self._parts = parts
        self._desk = desk
        self._values: dict[str, float] = {}
        self._validation_values: Mapping[str, float] = {}
        self._system = SystemMonitor(desk.run, parts.device)
        self._unsaved = True
        self._saved_at = time.monotonic()
        self._polled_at = 0.0
        self._requests: tuple[str, ...] = ()

    def begin(self, progress: Progress) -> None:
        """Say that the run is alive."""
        epoch = self._parts.cadence.epoch(progress.step)
        stage = progress.stage
        self._desk.lease.update(status="running", step=progress.step, epoch=epoch, stage=stage)

    def restored(self, progress: Progress, checkpoint: Path) -> None:
        """Name the best checkpoint, which a job killed right after saving it has not named."""
        self._unsaved = False
        best = checkpoint.with_name(step_name(progress.best_step))
        if best.is_dir():
            set_pointer(best.parent, "best", best.name)

    def phase(self, text: str) -> None:
        """Tell the user."""
        self._desk.on_phase(text)

    def wants_start(self) -> bool:
        """Whether nobody can repeat the start of this training from its profile alone."""
        return self._desk.save_start

    def entered(self, progress: Progress, stage: Stage) -> None:
        """Write the event of the hand-over, and tell the user."""
        stages = self._parts.cadence.stages
        text = (
            f"stage {stage.number + 1} of {len(stages)}, {stage.name}: steps {stage.first_step} "
            f"to {stage.end_step}"
        )
        self._desk.run.event("stage", progress.step, text, **asdict(stage))
        self._desk.lease.update(stage=stage.name)
        self._desk.tell(f"step {progress.step}: {text}")

    def hold(self) -> None:
        """Look at the lease."""
        self._desk.lease.check()

    def step(self, progress: Progress, scalars: Scalars, speed: Speed) -> Speed:
        """Write a row if one is due, and tell the user."""
        parts, desk = self._parts, self._desk
        epoch = parts.cadence.epoch(progress.step)
        self._unsaved = True
        desk.lease.update(step=progress.step, epoch=epoch)
        if parts.cadence.logs(progress.step, time.monotonic() - speed.started):
            parts.guard.check()
            values = torch.stack([value.float() for value in scalars.values()]).tolist()
            self._values = dict(zip(scalars, values, strict=True))
            self._values |= speed.row() | self._system.memory()
            self._row(progress, "train", self._values)
            self._system.write(progress.step, self._values)
            speed = Speed()
        step_seconds = self._values.get("speed/step_seconds", 0.0)
        desk.on_report(
            Report(
                step=progress.step,
                max_steps=parts.cadence.max_steps,
                epoch=epoch,
                values=self._values,
                audio_seconds_per_second=self._values.get("speed/audio_seconds_per_second", 0.0),
                stage=progress.stage,
                seconds_left=step_seconds * (parts.cadence.max_steps - progress.step),
            )
        )
        return speed

    def validated(self, progress: Progress, measured: Measurement) -> None:
        """Write the rows of the items and of the whole; remember the best."""
        desk, values = self._desk, dict(measured.values)
        if desk.survey is not None:
            values |= desk.survey.measure(self._parts.recipe, run=desk.run, step=progress.step)
        for row in measured.rows:
            desk.run.validation_row(row)
        self._row(progress, "val", values)
        self._unsaved = True
        self._validation_values = values
        score = values.get(desk.keep.metric, math.nan)
        sign = desk.keep.sign
        smallest = math.inf if progress.best is None else sign * progress.best
        trained = progress.step > self._parts.cadence.first_step  # what is given is no result
        if trained and sign * score < smallest:
            progress.best, progress.best_step = score, progress.step
        desk.run.event("validation", progress.step, f"{desk.keep.metric} {score:.4g}")

    def preview(self, progress: Progress) -> None:
        """Write the previews."""
        count = self._desk.previews.write(progress.step, self._parts.recipe.reconstruct)
        self._unsaved = True
        if count:
            self._desk.run.event("preview", progress.step, f"{count} items", items=count)

    def is_due(self, progress: Progress) -> bool:
        """By step, by the clock, after a better validation, and where it was asked for."""
        step, cadence = progress.step, self._parts.cadence
        due = cadence.saves(step, time.monotonic() - self._saved_at)
        wanted = due or progress.best_step == step or "save" in self._requests
        return bool(step) and self._unsaved and wanted

    def is_unsaved(self) -> bool:
        """Whether anything happened since the last checkpoint."""
        return self._unsaved

    def end(self, progress: Progress) -> None:
        """A request to stop is served now."""
        self._system.close()
        self._desk.run.served("stop", progress.step)

    def stop_is_asked(self) -> bool:
        """Look into control/, at most once a second."""
        now = time.monotonic()
        if now - self._polled_at >= _REQUEST_SECONDS:
            self._polled_at = now
            self._requests = self._desk.run.requests()
        return "stop" in self._requests

    def _row(self, progress: Progress, split: str, values: Mapping[str, float]) -> None:
        self._desk.run.metric(
            progress.step,
            split,
            values,
            epoch=self._parts.cadence.epoch(progress.step),
            stage=progress.stage,
            seconds=progress.seconds,
            audio_seconds=progress.audio_seconds,
        )
        self._desk.on_row(progress.step, split, values)

    def save(self, progress: Progress, state: State) -> None:
        """Write a checkpoint, and remove those that need not stay."""
        parts, desk = self._parts, self._desk
        step, folder = progress.step, desk.run.path / "checkpoints"
        parts.guard.check()
        desk.lease.check()
        # The rows of a step must not be lost where its checkpoint survives.
        desk.run.flush_to_disk()
        networks = parts.recipe.modules()
        path = save_checkpoint(
            folder,
            {
                "progress": asdict(progress),
                "recipe": state,
                "rng": dict(rng_state(parts.device)),
            },
            generator=networks["generator"],
            average=networks.get("average"),
            identity=desk.identity,
            step=step,
            epoch=parts.cadence.epoch(step),
            stage=progress.stage,
            metrics=self._validation_values if progress.validated_step == step else {},
        )
        if progress.best_step == step:
            set_pointer(folder, "best", path.name)
        keep = desk.keep
        removed = apply_retention(
            folder,
            keep_last=keep.last,
            keep_best=keep.best,
            keep_every=keep.every,
            metric=keep.metric,
            sign=keep.sign,
        )
        desk.run.event("checkpoint", step, f"saved {path.name}", removed=removed)
        desk.run.served("save", step)
        self._requests = ()
        self._unsaved, self._saved_at = False, time.monotonic()
