"""One job on one run: puts profile, store, recipe and loop together, and cleans up after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.validation import items_to_json
from codecctl.engine.alarms import Alarms, codes_of
from codecctl.engine.assemble import parts_of
from codecctl.engine.books import RunBooks
from codecctl.engine.build_previews import build_previews
from codecctl.engine.build_watch import references_of, survey_of
from codecctl.engine.checkpoint import Identity, resume_point
from codecctl.engine.checkpoint_place import place_checkpoints
from codecctl.engine.crash import write_crash
from codecctl.engine.environment import describe_environment
from codecctl.engine.lease import Lease, RunState
from codecctl.engine.loop import FINISHED, TIMED, Loop
from codecctl.engine.loop_parts import Desk, Keep, Report
from codecctl.engine.origin import Origin
from codecctl.engine.prepare import Prepared, tracker_settings
from codecctl.engine.process_group import OtherProcessFailedError
from codecctl.engine.profile import profile_hash
from codecctl.engine.redraws import RedrawReport
from codecctl.engine.references import FILE as REFERENCES_FILE
from codecctl.engine.references import read_references
from codecctl.engine.references import to_json as references_to_json
from codecctl.engine.rundir import REQUESTS, RunDirectory, read_metrics
from codecctl.engine.runlist import read_pointer
from codecctl.engine.signals import INTERRUPTED, StopSignals
from codecctl.engine.stages import FILE, to_json
from codecctl.engine.tracking import Trackers, start_trackers
from codecctl.engine.verdicts import judge
from codecctl.errors import CodecctlError, InterruptedByUserError


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    reason: str
    """`FINISHED`, or what stopped it: see `Loop.run`."""
    step: int
    notes: tuple[str, ...]
    """What the tracker has to say."""


class Session:
    """A job that trains a run; of several processes, the one that leads.

    Args:
        prepared: What to train.
        path: The run folder.
        origin: Where the job comes from.
        tell: Shows the user a line that train.log has as well.
        on_phase: Shows what begins, where no report will come for a while.
        on_open: Told when the run folder is there and this job's.
    """

    def __init__(
        self,
        prepared: Prepared,
        path: Path,
        *,
        origin: Origin,
        tell: Callable[[str], None],
        on_phase: Callable[[str], None],
        on_open: Callable[[Path], None] = lambda _run: None,
    ) -> None:
        self._prepared = prepared
        self._path = path
        self._origin = origin
        self._tell = tell
        self._on_phase = on_phase
        self._on_open = on_open
        self._signals = StopSignals()
        self._loop: Loop | None = None
        self._first_step = 0

    def train(self, on_report: Callable[[Report], None]) -> Outcome:
        """Take the run, train, and leave the run folder in order whatever happens.

        Raises:
            CodecctlError: The training failed; crash.txt in the run folder says where.
            InterruptedByUserError: Ctrl-C came twice.
        """
        fresh = not self._path.exists()
        run = RunDirectory.create(self._path) if fresh else None
        place_checkpoints(self._path, self._prepared.profile.trainer.ckpt_dir)
        state = RunState("starting", max_steps=self._prepared.cadence.max_steps)
        # The lease before the files: another job may be writing to them.
        lease = Lease(self._path, state, on_wait=self._tell)
        run = run or RunDirectory.reopen(self._path)
        ended = ("failed", "")
        trackers: Trackers | None = None
        try:
            with self._signals:
                self._on_open(run.path)
                checkpoint = self._prepared.crew.share(self._take_up(run))
                settings = tracker_settings(self._prepared.profile, default=run.path.name)
                trackers = start_trackers(run.path, settings, step=self._first_step)
                reason = self._run_loop(run, lease, checkpoint, on_report)
            ended = _end_of(reason)
            if reason == FINISHED:
                self._judge(run)
            run.event(ended[0], self._step(), ended[1])
        except KeyboardInterrupt:
            last = read_pointer(run.path / "checkpoints", "last") or "none"
            ended = ("stopped", f"interrupted twice, not saved; last checkpoint: {last}")
            run.event("stopped", self._step(), ended[1])
            raise InterruptedByUserError(f"{run.path.name}: {ended[1]}") from None
        except BaseException as error:
            ended = ("failed", str(error).splitlines()[0] if str(error) else repr(error))
            self._report_failure(run, lease, error, ended[1])
            raise
        finally:
            lease.update(step=self._step())
            lease.release(*ended)
            notes = trackers.finish() if trackers is not None else ()
            run.close()
        return Outcome(reason=reason, step=self._step(), notes=notes)

    def _step(self) -> int:
        return self._loop.progress.step if self._loop is not None else self._first_step

    def _take_up(self, run: RunDirectory) -> Path | None:
        """Find the checkpoint to continue from, and write what describes this job."""

        def warn(problem: str) -> None:
            run.event("warning", 0, problem)
            self._tell(f"warning: {problem}")

        for stale in REQUESTS:
            run.forget(stale)
        checkpoint = resume_point(run.path / "checkpoints", warn)
        prepared, origin = self._prepared, self._origin
        origin.write_profile(run)
        run.write_json(
            "environment.json",
            describe_environment(
                origin.argv,
                prepared.store,
                sides=prepared.data.split.sides,
                device=prepared.runtime.device,
                device_name=prepared.runtime.device_name,
            ),
        )
        if prepared.cadence.stages:
            plan = to_json(prepared.cadence.stages, first_step=prepared.cadence.first_step)
            run.write_json(FILE, plan)
        run.write_json("validation_items.json", items_to_json(prepared.data.validation))
        named, sides = prepared.profile.data.split, prepared.data.split.sides
        run.write_json("split.json", {"schema": 1, "name": named, "sides": sides})
        first = prepared.cadence.first_step
        step = int(checkpoint.name.rpartition("-")[2]) if checkpoint is not None else first
        self._first_step = step
        kind, message = (
            ("resumed", f"from {checkpoint.name}")
            if checkpoint
            else ("started", f"at step {first}")
        )
        origin.tell_start(run, kind, step, message)
        for sentence in prepared.data.left_out:
            run.event("warning", step, f"left out: {sentence}")
        for text in prepared.recipe.notes():
            run.log(text)
        if prepared.profile.trainer.log_model_structure:
            for role, network in prepared.recipe.modules().items():
                run.log(f"{role}: {network}")
        return checkpoint

    def _run_loop(
        self,
        run: RunDirectory,
        lease: Lease,
        checkpoint: Path | None,
        on_report: Callable[[Report], None],
    ) -> str:
        redraws = RedrawReport(run, lambda: self._prepared.data.train.redraws)
        self._write_references(run)
        parts = parts_of(
            self._prepared,
            signals=self._signals,
            warn=lambda text: self._warn(run, text),
        )
        with self._profiled(run, on_report) as report:
            desk = self._desk(run, lease, redraws, report)
            self._loop = Loop(parts, RunBooks(parts, desk), checkpoint=checkpoint)
            reason = self._loop.run()
        if redrawn := redraws.total(self._step()):
            self._tell(f"warning: {redrawn}")
        return reason

    def _write_references(self, run: RunDirectory) -> None:
        """Measure what others reach on the validation material, unless an earlier job did."""
        if read_references(run.path):
            return
        found, missing = references_of(self._prepared)
        if found or missing:
            run.write_json(REFERENCES_FILE, references_to_json(found, missing=missing))
        for each in found:
            run.log(f"{each.metric} of {each.name}: {each.value:.4f} ({each.detail})")
        if missing:
            run.log(f"no reference of {missing}")

    @contextmanager
    def _profiled(
        self, run: RunDirectory, on_report: Callable[[Report], None]
    ) -> Iterator[Callable[[Report], None]]:
        """Record a few updates, where asked; what is told of each update is told the profiler."""
        trainer = self._prepared.profile.trainer
        if not trainer.profile:
            yield on_report
            return
        from codecctl.engine.profiling import LEFT_OUT, RECORDED, StepProfiler

        folder = run.path / trainer.profiler_dir  # an absolute one stays as it is
        with StepProfiler(folder, self._prepared.runtime.device) as profiler:

            def report(given: Report) -> None:
                profiler.step()
                on_report(given)

            yield report
        if profiler.written:
            text = f"profile of {RECORDED} updates: {folder}"
            run.log(text)
            self._tell(text)
        else:
            needed = LEFT_OUT + RECORDED
            self._warn(run, f"trainer.profile: no record, as it needs {needed} updates")

    def _desk(
        self,
        run: RunDirectory,
        lease: Lease,
        redraws: RedrawReport,
        on_report: Callable[[Report], None],
    ) -> Desk:
        prepared, profile = self._prepared, self._prepared.profile
        store, trainer = prepared.store, profile.trainer
        alarms = Alarms(run, codes_of(profile))

        def on_row(step: int, split: str, values: Mapping[str, float]) -> None:
            alarms.look(step, values)
            redraws.look(step, split)

        return Desk(
            run=run,
            lease=lease,
            previews=build_previews(prepared, run.path / "previews"),
            keep=Keep(
                trainer.keep_last,
                trainer.save_top_k,
                trainer.best_metric,
                every=trainer.keep_every_n_steps,
            ),
            identity=Identity(profile.mode, profile_hash(profile), store.fingerprint),
            survey=survey_of(prepared, run),
            on_row=on_row,
            on_report=on_report,
            on_phase=self._on_phase,
            tell=self._tell,
            save_start=self._origin.taken is not None,
        )

    def _judge(self, run: RunDirectory) -> None:
        """Write what the whole run says of each expectation of its mode."""
        for verdict in judge(read_metrics(run.path), mode=self._prepared.profile.mode):
            run.event("verdict", self._step(), verdict.text, **verdict.row())

    def _warn(self, run: RunDirectory, text: str) -> None:
        run.event("warning", self._step(), text)
        self._tell(f"warning: {text}")

    def _report_failure(
        self, run: RunDirectory, lease: Lease, error: BaseException, message: str
    ) -> None:
        if lease.lost.is_set():
            return  # the folder is another job's now
        batch = self._loop.batch if self._loop is not None else None
        if isinstance(error, OtherProcessFailedError):
            batch = None  # that one had other windows, which its part of the traceback names
        write_crash(run, error, step=self._step(), batch=batch)
        with suppress(CodecctlError):  # a full disk must not hide the error itself
            run.event("failed", self._step(), message)


def _end_of(reason: str) -> tuple[str, str]:
    """Status and message of state.json for the end of a loop."""
    if reason == FINISHED:
        return "finished", "all steps done"
    known = {INTERRUPTED: "Ctrl-C", "requested": "a request", TIMED: "trainer.max_time"}
    who = known.get(reason, "the scheduler")
    return "stopped", f"stopped by {who}, checkpoint saved"
