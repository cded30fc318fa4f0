"""The loop with the smallest recipe there is; run as a script it is a training to be killed."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from codecctl.datasets.batch import Batch, Item
from codecctl.engine.books import RunBooks
from codecctl.engine.cadence import Cadence
from codecctl.engine.checkpoint import Identity, load_state, resume_point
from codecctl.engine.guard import DivergedError, FiniteGuard
from codecctl.engine.loop import FINISHED, REQUESTED, Loop
from codecctl.engine.loop_parts import Desk, Keep, Parts, Report
from codecctl.engine.previews import Previews
from codecctl.engine.recipes.base import Evaluation, Scalars, State
from codecctl.engine.rows import VALIDATION_KEY, Row, comparable, latest_rows
from codecctl.engine.rundir import (
    Lease,
    RunDirectory,
    RunState,
    list_checkpoints,
    read_metrics,
    read_rows,
    read_state,
    request,
    step_name,
)
from codecctl.engine.signals import INTERRUPTED, PREEMPTED, StopSignals
from codecctl.engine.validate import Validation

CPU = torch.device("cpu")
RATE = 1000
CADENCE = Cadence(
    max_steps=24,
    updates_per_epoch=6,
    log_every_steps=5,
    validate_every_steps=(8,),
    save_every_steps=(6,),
    save_every_seconds=3600.0,
    preview_every_steps=0,
    preview_at_steps=(0, 3),
)


class Toy:
    """Regression of the audio on itself, with noise from torch's own generator."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.network = nn.Linear(16, 16)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.01)
        self.initialized = 0

    def modules(self) -> Mapping[str, nn.Module]:
        return {"generator": self.network}

    def initialize(self, batches: Iterator[Tensor]) -> None:
        self.initialized = int(next(batches).numel())

    def train_step(self, audio: Tensor, step: int, channels: Tensor | None = None) -> Scalars:
        noisy = audio + 0.1 * torch.randn(audio.shape)
        estimate: Tensor = self.network(noisy)
        loss = (estimate - audio).square().mean()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return {"loss/time": loss.detach(), "lr/generator": torch.tensor(0.01)}

    items_at_once = 0

    def shrink(self, batch_size: int) -> int:
        return 0

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        estimate = self.reconstruct(audio)
        error = (estimate - audio).abs().mean((1, 2))
        return Evaluation({"mel": error}, torch.zeros(len(audio), 1, 0, 1, dtype=torch.int64))

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        return {"val/mel": torch.cat([e.metrics["mel"] for e in evaluations]).mean()}

    def observe(self, value: float) -> None: ...

    def reconstruct(self, audio: Tensor) -> Tensor:
        estimate: Tensor = self.network(audio)
        return estimate

    def state_dict(self) -> State:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "initialized": self.initialized,
        }

    def load_state_dict(self, state: State) -> None:
        network, optimizer = state["network"], state["optimizer"]
        assert isinstance(network, dict)
        assert isinstance(optimizer, dict)
        self.network.load_state_dict(network)
        self.optimizer.load_state_dict(optimizer)
        self.initialized = int(str(state["initialized"]))

    def notes(self) -> tuple[str, ...]:
        return ()


def batch(step: int) -> Batch:
    """Two items of two capsules, a function of the step."""
    audio = np.random.default_rng(step).standard_normal((2, 2, 16)).astype(np.float32) * 0.1
    items = tuple(Item("Beach.1", 100 * step + row, (3, 7)) for row in range(2))
    return Batch(audio, RATE, items)


@contextmanager
def open_batches(first: int) -> Iterator[Iterator[Batch]]:
    yield (batch(step) for step in range(first, 10**6))


class Training:
    """A run folder with a loop in it, fresh or resumed."""

    def __init__(
        self,
        path: Path,
        *,
        recipe: Toy | None = None,
        cadence: Cadence = CADENCE,
        batches: Callable[[int], object] = open_batches,
    ) -> None:
        self.recipe = recipe or Toy()
        self.run = RunDirectory.reopen(path) if path.exists() else RunDirectory.create(path)
        self.lease = Lease(path, RunState("starting", max_steps=cadence.max_steps))
        self.signals = StopSignals()
        self.reports: list[Report] = []
        self.damage: list[str] = []
        self.parts = Parts(
            recipe=self.recipe,
            open_batches=batches,  # type: ignore[arg-type]  # some tests pass plain ones
            open_whole_batches=lambda: batches(0),  # type: ignore[arg-type,return-value]
            validation=Validation(
                3,
                lambda numbers: [batch(10**6 + number) for number in numbers],
                scenes={"Beach.1": "Beach"},
                device=CPU,
            ),
            cadence=cadence,
            guard=FiniteGuard(1),
            signals=self.signals,
            device=CPU,
        )
        self.desk = Desk(
            run=self.run,
            lease=self.lease,
            previews=Previews(path / "previews", lambda: [batch(10**6)], device=CPU),
            keep=Keep(last=2, best=1, metric="val/mel"),
            identity=Identity("toy", "p", "s"),
            on_row=lambda step, split, values: None,
            on_report=self.reports.append,
        )

    def train(self, desk: Desk | None = None) -> str:
        checkpoint = resume_point(self.run.path / "checkpoints", self.damage.append)
        books = RunBooks(self.parts, desk or self.desk)
        loop = Loop(self.parts, books, checkpoint=checkpoint)
        try:
            with self.signals:
                return loop.run()
        finally:
            self.lease.release("stopped", "")
            self.run.close()


def rows(path: Path, split: str = "") -> list[Row]:
    return [comparable(row) for row in read_metrics(path, split)]


def final_state(path: Path) -> State:
    state = load_state(path / "checkpoints" / step_name(CADENCE.max_steps))
    progress = state["progress"]
    assert isinstance(progress, dict)
    progress["seconds"] = 0.0
    return state


def assert_same(left: object, right: object) -> None:
    """Equal to the last bit, through lists and dicts."""
    if isinstance(left, Tensor):
        assert isinstance(right, Tensor)
        assert torch.equal(left, right)
    elif isinstance(left, dict):
        assert isinstance(right, dict)
        assert list(left) == list(right)
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, list):
        assert isinstance(right, list)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    else:
        assert left == right


@pytest.fixture(autouse=True, scope="module")
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Killed processes lose nothing that was not synced; only machines do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _no_sync)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing interrupted."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    torch.set_num_threads(1)
    training = Training(path)
    assert training.train() == FINISHED
    return path


def test_rows_come_at_the_first_ten_steps_then_by_cadence_and_at_the_end(whole: Path) -> None:
    assert [row["step"] for row in rows(whole, "train")] == [*range(1, 11), 15, 20, 24]
    assert [row["step"] for row in rows(whole, "val")] == [0, 8, 16, 24]
    last = rows(whole, "train")[-1]
    assert last["epoch"] == 4
    assert last["audio_seconds"] == pytest.approx(24 * 2 * 2 * 16 / RATE)


def test_the_toy_learns(whole: Path) -> None:
    first, *_, last = rows(whole, "val")
    assert float(str(last["val/mel"])) < 0.8 * float(str(first["val/mel"]))


def test_each_validation_item_has_a_row(whole: Path) -> None:
    found = read_rows(whole / "validation.jsonl")
    assert len(found) == 4 * 6
    row = {key: value for key, value in found[5].items() if key != "value"}
    assert row == {
        "schema": 1,
        "step": 0,
        "item": 5,
        "recording": "Beach.1",
        "scene": "Beach",
        "start_seconds": (100 * (10**6 + 2) + 1) / RATE,
        "channels": [3, 7],
        "metric": "mel",
    }


def test_previews_come_at_the_asked_steps_and_with_each_validation(whole: Path) -> None:
    names = sorted(path.name for path in (whole / "previews").iterdir())
    assert names == ["reference", *(step_name(step) for step in (0, 3, 8, 16, 24))]


def test_the_last_and_the_best_checkpoints_stay(whole: Path) -> None:
    assert [info.step for info in list_checkpoints(whole)] == [18, 24]
    (best,) = [info for info in list_checkpoints(whole) if info.is_best]
    assert best.is_last
    assert best.metrics["val/mel"] == rows(whole, "val")[-1]["val/mel"]


def test_where_more_is_better_the_largest_is_the_best(tmp_path: Path) -> None:
    training = Training(tmp_path / "a")
    measure = training.recipe.aggregate

    def as_ratio(evaluations: Sequence[Evaluation]) -> Scalars:
        return {"val/si_sdr": measure(evaluations)["val/mel"]}

    training.recipe.aggregate = as_ratio  # type: ignore[method-assign]
    training.train(replace(training.desk, keep=Keep(last=1, best=1, metric="val/si_sdr")))
    (best,) = [info for info in list_checkpoints(tmp_path / "a") if info.is_best]
    assert best.step == 8  # the toy learns, so its error is the largest at first


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("val/mel", {0: 0.1, 8: 0.5, 16: 0.5, 24: 0.7}, 8),  # untrained does not count
        ("val/mel", {0: 0.9, 8: math.nan, 16: 0.5, 24: math.nan}, 16),
        ("val/si_sdr", {0: 9.0, 8: -3.0, 16: math.nan, 24: -2.5}, 24),
        ("val/si_sdr", {0: 9.0, 8: 4.0, 16: 4.0, 24: 3.0}, 8),
    ],
)
def test_the_best_is_the_first_of_equals_and_never_one_without_a_number(
    tmp_path: Path, metric: str, values: dict[int, float], best: int
) -> None:
    training = Training(tmp_path / "a")
    left = iter(values.values())
    training.recipe.aggregate = lambda _: {metric: torch.tensor(next(left))}  # type: ignore[method-assign,assignment]
    training.train(replace(training.desk, keep=Keep(last=1, best=1, metric=metric)))
    assert [info.step for info in list_checkpoints(tmp_path / "a") if info.is_best] == [best]


def test_milestones_outlive_the_run_that_went_on(tmp_path: Path) -> None:
    training = Training(tmp_path / "a")
    training.train(replace(training.desk, keep=Keep(last=1, best=0, metric="val/mel", every=6)))
    assert [info.step for info in list_checkpoints(tmp_path / "a")] == [6, 12, 18, 24]


def test_the_end_is_told_to_the_progress_line(tmp_path: Path) -> None:
    training = Training(tmp_path / "a")
    training.train()
    assert [report.step for report in training.reports] == list(range(1, 25))
    assert training.reports[-1].seconds_left == 0.0
    assert training.reports[-1].values["loss/time"] > 0


def _script(path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.e2e
def test_killed_anywhere_and_resumed_equals_the_run_that_was_not(
    whole: Path, tmp_path: Path
) -> None:
    """Kills before a step, in a validation, and before syncs and renames of checkpoints."""
    script = _script(tmp_path, "kill")
    out, err = script.communicate(timeout=120)
    assert script.returncode == 0, err
    moments = out.split()
    assert len(moments) == 5

    for moment in moments:
        path = tmp_path / moment
        assert Training(path).train() == FINISHED
        assert rows(path) == rows(whole), moment
        assert_same(final_state(path), final_state(whole))
        assert not list((path / "checkpoints").glob(".tmp*"))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (signal.SIGINT, INTERRUPTED),
        (signal.SIGTERM, PREEMPTED),
        (signal.SIGUSR1, PREEMPTED),
        (signal.SIGHUP, PREEMPTED),
    ],
)
def test_a_signal_saves_and_stops_and_the_resumed_run_is_the_same(
    whole: Path, tmp_path: Path, number: signal.Signals, expected: str
) -> None:
    training = Training(tmp_path / "a")

    def report(report: Report) -> None:
        if report.step == 8:  # where a validation and a preview are due and have to wait
            os.kill(os.getpid(), number)

    assert training.train(replace(training.desk, on_report=report)) == expected
    assert [info.step for info in list_checkpoints(tmp_path / "a")] == [6, 8]
    assert [row["step"] for row in rows(tmp_path / "a", "val")] == [0]

    assert Training(tmp_path / "a").train() == FINISHED
    assert rows(tmp_path / "a") == rows(whole)
    assert_same(final_state(tmp_path / "a"), final_state(whole))


def test_killed_before_the_best_checkpoint_is_named_it_is_named_on_resume(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    training = Training(path)
    named = []

    def report(report: Report) -> None:
        if report.step == 24:  # as if killed between the checkpoint of step 24 and the pointer
            named.append((path / "checkpoints" / "best").read_text())

    training.train(replace(training.desk, on_report=report))
    (path / "checkpoints" / "best").write_text(named[0])

    assert Training(path).train() == FINISHED
    for pointer in ("best", "last"):
        found = (path / "checkpoints" / pointer).read_text()
        assert found == (whole / "checkpoints" / pointer).read_text() == "step-000000024\n"


def test_a_finished_run_that_is_resumed_changes_nothing(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "a"
    shutil.copytree(whole, path)
    before = _contents(path, "metrics.jsonl", "validation.jsonl")
    assert Training(path).train() == FINISHED
    assert _contents(path, "metrics.jsonl", "validation.jsonl") == before
    assert [info.step for info in list_checkpoints(path)] == [18, 24]


def _contents(path: Path, *names: str) -> list[bytes]:
    return [(path / name).read_bytes() for name in names]


def test_a_finished_run_goes_on_to_more_steps_as_one_that_was_longer(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    shorter = replace(CADENCE, max_steps=15)
    assert Training(path, cadence=shorter).train() == FINISHED
    assert Training(path).train() == FINISHED
    assert rows(path, "train") == rows(whole, "train")
    ours, theirs = final_state(path), final_state(whole)
    for name in ("recipe", "rng"):
        assert_same(ours[name], theirs[name])


def test_killed_in_the_first_validation_starts_over_and_counts_each_item_once(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    training = Training(path)
    with pytest.raises(KeyboardInterrupt):
        training.train(replace(training.desk, on_row=_die_at_first_validation))
    assert Training(path).train() == FINISHED
    assert rows(path) == rows(whole)
    items = read_rows(path / "validation.jsonl")
    assert len(items) == 5 * 6  # the six items of step 0 twice
    once = read_rows(whole / "validation.jsonl")
    assert latest_rows(items, VALIDATION_KEY) == latest_rows(once, VALIDATION_KEY)


def _die_at_first_validation(step: int, split: str, values: Mapping[str, float]) -> None:
    raise KeyboardInterrupt


def test_killed_between_a_row_and_its_checkpoint_repeats_the_row(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    training = Training(path)

    def die(step: int, split: str, values: Mapping[str, float]) -> None:
        if (step, split) == (24, "val"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(replace(training.desk, on_row=die))
    assert [info.step for info in list_checkpoints(path)] == [16, 18]
    assert Training(path).train() == FINISHED
    assert rows(path) == rows(whole)
    assert_same(final_state(path), final_state(whole))


def test_fewer_steps_than_are_done_end_at_once_and_keep_what_there_is(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    shutil.copytree(whole, path)
    assert Training(path, cadence=replace(CADENCE, max_steps=10)).train() == FINISHED
    assert_same(final_state(path), final_state(whole))


def test_the_second_ctrl_c_quits_without_waiting(tmp_path: Path) -> None:
    training = Training(tmp_path / "a")

    def report(report: Report) -> None:
        if report.step == 4:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        training.train(replace(training.desk, on_report=report))
    assert list_checkpoints(tmp_path / "a") == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_requests_in_control_are_served_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    training = Training(path)
    request(path, "stop")
    assert training.train() == REQUESTED
    assert (list_checkpoints(path)[0].step, training.run.requests()) == (0, ())

    assert Training(path).train() == FINISHED
    assert training.recipe.initialized == 64


def test_a_request_to_save_makes_a_checkpoint_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a"
    cadence = replace(CADENCE, save_every_steps=(), validate_every_steps=(), max_steps=4)
    training = Training(path, cadence=cadence)
    request(path, "save")
    assert training.train() == FINISHED
    assert [info.step for info in list_checkpoints(path)] == [1, 4]
    served = [row for row in read_rows(path / "events.jsonl") if row["kind"] == "served"]
    assert [(row["request"], row["step"]) for row in served] == [("save", 1)]


def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(tmp_path: Path) -> None:
    def poisoned(first: int) -> object:
        return _opened(
            replace(found, samples=found.audio * np.float32(np.nan if step == 12 else 1))
            for step, found in ((step, batch(step)) for step in range(first, 100))
        )

    training = Training(tmp_path / "a", batches=poisoned)
    with pytest.raises(DivergedError, match=r"step 13: loss/time is not finite.*--resume"):
        training.train()
    assert [info.step for info in list_checkpoints(tmp_path / "a")] == [8, 12]


@contextmanager
def _opened(batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    yield batches


def test_a_job_that_lost_its_lease_ends_without_saving(tmp_path: Path) -> None:
    training = Training(tmp_path / "a")

    def report(report: Report) -> None:
        if report.step == 3:
            training.lease.lost.set()

    with pytest.raises(Exception, match="has taken over this run"):
        training.train(replace(training.desk, on_report=report))
    assert list_checkpoints(tmp_path / "a") == []


def test_a_run_that_takes_long_saves_and_logs_by_the_clock(tmp_path: Path) -> None:
    cadence = replace(
        CADENCE,
        max_steps=14,
        log_every_steps=1000,
        save_every_steps=(),
        validate_every_steps=(),
        save_every_seconds=0.0,
        log_every_seconds=0.0,
    )
    training = Training(tmp_path / "a", cadence=cadence)
    assert training.train() == FINISHED
    assert [row["step"] for row in rows(tmp_path / "a", "train")] == list(range(1, 15))
    assert [info.step for info in list_checkpoints(tmp_path / "a")] == [13, 14]


def test_the_state_shows_the_step_while_training(tmp_path: Path) -> None:
    training = Training(tmp_path / "a")
    seen = []

    def report(report: Report) -> None:
        seen.append(training.lease.state.step)

    training.train(replace(training.desk, on_report=report))
    assert seen == list(range(1, 25))
    state = read_state(tmp_path / "a")
    assert state is not None
    assert (state.step, state.epoch, state.max_steps) == (24, 4, 24)


def _no_sync(_: int) -> None:
    return


def _die(function: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def counted(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    return counted


def _train_and_die(path: Path, moment: str, count: int) -> None:
    training = Training(path)
    if moment == "step":
        training.recipe.train_step = _die(training.recipe.train_step, [count])  # type: ignore[method-assign,assignment]
    elif moment == "evaluate":
        training.recipe.evaluate = _die(training.recipe.evaluate, [count])  # type: ignore[method-assign,assignment]
    elif moment == "sync":
        os.fsync = _die(_no_sync, [count])  # type: ignore[assignment]
    else:
        Path.rename = _die(Path.rename, [count])  # type: ignore[method-assign,assignment]
    training.train()


def _kill_children(folder: Path) -> None:
    """One killed training for each moment; prints their names."""
    moments = [("step", 3), ("step", 14), ("evaluate", 5), ("sync", 25), ("rename", 9)]
    for moment, count in moments:
        name = f"{moment}-{count}"
        child = os.fork()
        if not child:
            _train_and_die(folder / name, moment, count)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, name
        sys.stdout.write(name + "\n")


if __name__ == "__main__":
    assert threading.active_count() == 1
    torch.set_num_threads(1)
    os.fsync = _no_sync  # type: ignore[assignment]
    _kill_children(Path(sys.argv[1]))
