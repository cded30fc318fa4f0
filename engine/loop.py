"""The step loop: updates, validation, previews, checkpoints, stopping. Knows no mode.

Several processes run it side by side, each with its rows of every batch. What follows from the
step alone each of them finds for itself; what depends on signals or requests they agree on, once
after each step and before each part of a validation.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from codecctl.datasets.batch import Batch
from codecctl.engine.books import Books
from codecctl.engine.checkpoint import load_state
from codecctl.engine.device import set_rng_state
from codecctl.engine.feed import Feed
from codecctl.engine.loop_parts import Parts, Progress, Speed
from codecctl.engine.signals import INTERRUPTED, PREEMPTED
from codecctl.engine.stages import stage_named

FINISHED = "finished"
REQUESTED = "requested"
TIMED = "max_time"
_GO_ON = ""
_REASONS = (_GO_ON, TIMED, REQUESTED, PREEMPTED, INTERRUPTED)
"""To stop; where processes have several, the last of these counts."""


class Loop:
    """Trains a recipe until the last step or until someone asks to stop.

    Args:
        parts: What to train with.
        books: Who is told.
        checkpoint: Where to go on; None starts at the first step of the cadence.

    Attributes:
        progress: Where the training stands.
        batch: In work, for crash.txt.
    """

    def __init__(self, parts: Parts, books: Books, *, checkpoint: Path | None = None) -> None:
        self._parts = parts
        self._books = books
        self._speed = Speed()
        self._feed = Feed(parts.device)
        self._fresh = checkpoint is None
        self._reason = _GO_ON
        self.progress = Progress(step=parts.cadence.first_step)
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
        self._books.begin(progress)
        if self._fresh:
            self._initialize()
            self._take_up_stage()
        parts.equalize(tuple(parts.recipe.modules().values()))
        if parts.cadence.sanity_batches:
            self._books.phase("trying validation")
            with parts.whole():
                parts.validation.try_out(parts.recipe, parts.cadence.sanity_batches)
        self._after_step()
        if progress.step < parts.cadence.max_steps and not self._reason:
            with parts.open_batches(progress.step) as batches:
                self._train(batches)
        self._save(self._books.is_unsaved())
        self._books.end(progress)
        parts.crew.agree(0)  # nobody leaves before the checkpoint is there
        if progress.step >= parts.cadence.max_steps and self._is_complete():
            return FINISHED
        return self._reason or REQUESTED

    def _is_complete(self) -> bool:
        """Whether nothing of the work after the last step was cut short by a signal."""
        step, cadence = self.progress.step, self._parts.cadence
        return not (cadence.validates(step) and self.progress.validated_step != step)

    def _initialize(self) -> None:
        parts = self._parts
        self._books.phase("step 0: initializing from the first batches")
        with parts.open_whole_batches() as batches, parts.whole():
            # Clones: the audio of a batch is overwritten soon after, and this may collect some.
            parts.recipe.initialize(self._feed.audio(batch).clone() for batch in batches)
        self._save(self._books.wants_start())

    def _train(self, batches: Iterator[Batch]) -> None:
        parts, progress = self._parts, self.progress
        self._speed = Speed()
        started = time.monotonic() - progress.seconds
        while progress.step < parts.cadence.max_steps and not self._reason:
            self._take_up_stage()
            self._books.hold()
            waiting = time.monotonic()
            batch = next(batches)
            self.batch = batch
            self._speed.wait_seconds += time.monotonic() - waiting
            scalars = parts.recipe.train_step(
                self._feed.audio(batch), progress.step, self._feed.channels(batch)
            )
            progress.step += 1
            heard = parts.crew.world_size * batch.samples.size / batch.sample_rate
            progress.audio_seconds += heard
            progress.seconds = time.monotonic() - started
            self._speed.steps += 1
            self._speed.audio_seconds += heard
            parts.guard.watch(progress.step, scalars)
            self._speed = self._books.step(progress, scalars, self._speed)
            after = time.monotonic()
            self._after_step()
            self._speed.leave_out(time.monotonic() - after)

    def _take_up_stage(self) -> None:
        """Hand over to the stage of the next update, if it is another one.

        A function of the step and the state, so that a run which was killed between the
        checkpoint at the end of a stage and its next update does it again, the same way.
        """
        parts, progress = self._parts, self.progress
        stage = parts.cadence.stage(progress.step)
        if stage is None or stage.name == progress.stage:
            return
        parts.enter(stage)
        parts.equalize(tuple(parts.recipe.modules().values()))
        progress.stage = stage.name
        self._books.entered(progress, stage)

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
            with self._parts.whole():
                self._books.preview(progress)
            progress.previewed_step = step
        self._save(self._books.is_due(progress))

    def _save(self, wanted: bool) -> None:
        """Save where the process that keeps the books wants it.

        All processes bring the state together, of which each may hold a part.
        """
        parts = self._parts
        if parts.crew.agree(int(wanted)):
            self._books.save(self.progress, parts.recipe.state_dict())

    def _validate(self) -> None:
        parts, progress = self._parts, self.progress
        parts.guard.check()
        self._books.phase(f"step {progress.step}: validating")
        with parts.whole():
            measured = parts.validation.measure(
                parts.recipe, step=progress.step, crew=parts.crew, should_stop=self._should_stop
            )
            if measured is None:
                return
            progress.validated_step = progress.step
            if progress.step > parts.cadence.first_step:
                parts.observe(parts.crew.share(dict(measured.values)))
            self._books.validated(progress, measured)

    def _restore(self, checkpoint: Path) -> None:
        state = load_state(checkpoint)
        progress, recipe, rng = state["progress"], state["recipe"], state["rng"]
        assert isinstance(progress, dict), type(progress)
        assert isinstance(recipe, dict), type(recipe)
        assert isinstance(rng, dict), type(rng)
        self.progress = Progress(**progress)
        if stage := stage_named(self._parts.cadence.stages, self.progress.stage):
            self._parts.enter(stage)
        self._parts.recipe.load_state_dict(recipe)
        set_rng_state(rng, self._parts.device)
        self._books.restored(self.progress, checkpoint)

    def _should_stop(self) -> bool:
        """Whether a signal to a process or a request says so; all processes have one answer."""
        if not self._reason:
            own = self._parts.signals.asked
            if not own and self._books.stop_is_asked():
                own = REQUESTED
            if not own and self.progress.seconds >= self._parts.cadence.max_seconds:
                own = TIMED
            self._reason = _REASONS[self._parts.crew.agree(_REASONS.index(own))]
        return bool(self._reason)
