"""The step loop: updates, rows, validation, previews, checkpoints, stopping. Knows no mode."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from codecctl.datasets.batch import Batch
from codecctl.engine.checkpoint import load_state, save_checkpoint
from codecctl.engine.checkpoint_files import apply_retention, set_pointer
from codecctl.engine.device import rng_state, set_rng_state
from codecctl.engine.feed import Feed
from codecctl.engine.loop_parts import Parts, Progress, Report, Speed
from codecctl.engine.recipes.base import Scalars
from codecctl.engine.rundir import step_name
from codecctl.engine.system import SystemMonitor

FINISHED = "finished"
REQUESTED = "requested"
_REQUEST_SECONDS = 1.0


class Loop:
    """Trains a recipe until the last step or until someone asks to stop.

    Args:
        parts: What to train with.
        checkpoint: Where to go on; None starts at step 0.

    Attributes:
        progress: Where the training stands.
        batch: In work, for crash.txt.
    """

    def __init__(self, parts: Parts, *, checkpoint: Path | None = None) -> None:
        self._parts = parts
        self._values: dict[str, float] = {}
        self._validation_values: dict[str, float] = {}
        self._speed = Speed()
        self._system = SystemMonitor(parts.run, parts.device)
        self._feed = Feed(parts.device)
        self._unsaved = True
        self._saved_at = time.monotonic()
        self._polled_at = 0.0
        self._requests: tuple[str, ...] = ()
        self._fresh = checkpoint is None
        self.progress = Progress()
        self.batch: Batch | None = None
        if checkpoint is not None:
            self._restore(checkpoint)

    def run(self) -> str:
        """Train.

        Returns:
            `FINISHED`, `REQUESTED`, or what the signals were asked for; in every case there is
            a checkpoint of the last step.
        """
        parts, progress = self._parts, self.progress
        parts.lease.update(
            status="running", step=progress.step, epoch=parts.cadence.epoch(progress.step)
        )
        if self._fresh:
            self._initialize()
        self._after_step()
        if progress.step < parts.cadence.max_steps and not self._should_stop():
            with parts.open_batches(progress.step) as batches:
                self._train(batches)
        if self._unsaved:
            self._save()
        parts.run.served("stop")
        if progress.step >= parts.cadence.max_steps and self._is_complete():
            return FINISHED
        return parts.signals.asked or REQUESTED

    def _is_complete(self) -> bool:
        """Whether nothing of the work after the last step was cut short by a signal."""
        step, cadence = self.progress.step, self._parts.cadence
        return not (cadence.validates(step) and self.progress.validated_step != step)

    def _initialize(self) -> None:
        parts = self._parts
        parts.on_phase("step 0: initializing from the first batches")
        with parts.open_batches(0) as batches:
            # Clones: the audio of a batch is overwritten soon after, and this may collect some.
            parts.recipe.initialize(self._feed.audio(batch).clone() for batch in batches)
        if parts.save_start:
            self._save()

    def _train(self, batches: Iterator[Batch]) -> None:
        parts, progress = self._parts, self.progress
        self._speed = Speed()
        started = time.monotonic() - progress.seconds
        while progress.step < parts.cadence.max_steps and not self._should_stop():
            parts.lease.check()
            waiting = time.monotonic()
            batch = next(batches)
            self.batch = batch
            self._speed.wait_seconds += time.monotonic() - waiting
            scalars = parts.recipe.train_step(self._feed.audio(batch), progress.step)
            progress.step += 1
            self._unsaved = True
            heard = batch.samples.size / batch.sample_rate
            progress.audio_seconds += heard
            progress.seconds = time.monotonic() - started
            self._speed.steps += 1
            self._speed.audio_seconds += heard
            parts.guard.watch(progress.step, scalars)
            self._log(scalars)
            after = time.monotonic()
            self._after_step()
            self._speed.leave_out(time.monotonic() - after)

    def _log(self, scalars: Scalars) -> None:
        parts, progress = self._parts, self.progress
        epoch = parts.cadence.epoch(progress.step)
        parts.lease.update(step=progress.step, epoch=epoch)
        if parts.cadence.logs(progress.step, time.monotonic() - self._speed.started):
            parts.guard.check()
            values = torch.stack([value.float() for value in scalars.values()]).tolist()
            self._values = dict(zip(scalars, values, strict=True))
            self._values |= self._speed.row() | self._system.memory()
            self._row("train", self._values)
            self._system.write(progress.step, self._values)
            self._speed = Speed()
        step_seconds = self._values.get("speed/step_seconds", 0.0)
        parts.on_report(
            Report(
                step=progress.step,
                max_steps=parts.cadence.max_steps,
                epoch=epoch,
                values=self._values,
                audio_seconds_per_second=self._values.get("speed/audio_seconds_per_second", 0.0),
                seconds_left=step_seconds * (parts.cadence.max_steps - progress.step),
            )
        )

    def _row(self, split: str, values: Mapping[str, float]) -> None:
        parts, progress = self._parts, self.progress
        parts.run.metric(
            progress.step,
            split,
            values,
            epoch=parts.cadence.epoch(progress.step),
            seconds=progress.seconds,
            audio_seconds=progress.audio_seconds,
        )
        parts.on_row(progress.step, split, values)

    def _after_step(self) -> None:
        """Validation, previews and checkpoint of a step, each at most once.

        A signal may cut this short; the checkpoint then knows what is left to do, and the
        resumed run does it before its first update.
        """
        cadence, progress = self._parts.cadence, self.progress
        step = progress.step
        if cadence.validates(step) and progress.validated_step != step:
            self._validate()
        if self._should_stop():
            return
        if cadence.previews(step) and progress.previewed_step != step:
            self._preview()
        due = cadence.saves(step, time.monotonic() - self._saved_at)
        wanted = due or progress.best_step == step or "save" in self._requests
        if step and self._unsaved and wanted:
            self._save()

    def _validate(self) -> None:
        parts, progress = self._parts, self.progress
        parts.guard.check()
        parts.on_phase(f"step {progress.step}: validating")
        values = parts.validation.measure(
            parts.recipe, run=parts.run, step=progress.step, should_stop=self._should_stop
        )
        if values is None:
            return
        if parts.survey is not None:
            values |= parts.survey.measure(parts.recipe, run=parts.run, step=progress.step)
        self._row("val", values)
        progress.validated_step = progress.step
        self._unsaved = True
        self._validation_values = values
        score = values.get(parts.keep.metric, math.nan)
        sign = parts.keep.sign
        smallest = math.inf if progress.best is None else sign * progress.best
        if progress.step and sign * score < smallest:
            progress.best, progress.best_step = score, progress.step
        parts.run.event("validation", progress.step, f"{parts.keep.metric} {score:.4g}")

    def _preview(self) -> None:
        parts, progress = self._parts, self.progress
        count = parts.previews.write(progress.step, parts.recipe.reconstruct)
        progress.previewed_step = progress.step
        self._unsaved = True
        if count:
            parts.run.event("preview", progress.step, f"{count} items", items=count)

    def _save(self) -> None:
        parts, progress = self._parts, self.progress
        step, folder = progress.step, parts.run.path / "checkpoints"
        parts.guard.check()
        parts.lease.check()
        # The rows of a step must not be lost where its checkpoint survives.
        parts.run.flush_to_disk()
        networks = parts.recipe.modules()
        path = save_checkpoint(
            folder,
            {
                "progress": asdict(progress),
                "recipe": parts.recipe.state_dict(),
                "rng": dict(rng_state(parts.device)),
            },
            generator=networks["generator"],
            average=networks.get("average"),
            identity=parts.identity,
            step=step,
            epoch=parts.cadence.epoch(step),
            metrics=self._validation_values if progress.validated_step == step else {},
        )
        if progress.best_step == step:
            set_pointer(folder, "best", path.name)
        keep = parts.keep
        removed = apply_retention(
            folder,
            keep_last=keep.last,
            keep_best=keep.best,
            keep_every=keep.every,
            metric=keep.metric,
            sign=keep.sign,
        )
        parts.run.event("checkpoint", step, f"saved {path.name}", removed=removed)
        parts.run.served("save")
        self._requests = ()
        self._unsaved, self._saved_at = False, time.monotonic()

    def _restore(self, checkpoint: Path) -> None:
        state = load_state(checkpoint)
        progress, recipe, rng = state["progress"], state["recipe"], state["rng"]
        assert isinstance(progress, dict), type(progress)
        assert isinstance(recipe, dict), type(recipe)
        assert isinstance(rng, dict), type(rng)
        self.progress = Progress(**progress)
        self._parts.recipe.load_state_dict(recipe)
        set_rng_state(rng, self._parts.device)
        self._unsaved = False
        best = checkpoint.with_name(step_name(self.progress.best_step))
        if best.is_dir():  # a job killed right after saving it has not named it
            set_pointer(best.parent, "best", best.name)

    def _should_stop(self) -> bool:
        """Whether a signal or a request says so; looks into control/ once a second."""
        now = time.monotonic()
        if now - self._polled_at >= _REQUEST_SECONDS:
            self._polled_at = now
            self._requests = self._parts.run.requests()
        return "stop" in self._requests or bool(self._parts.signals.asked)
