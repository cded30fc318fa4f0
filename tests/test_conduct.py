"""Keys that say how long, on how much and with which aids a training runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.store import Store
from codecctl.engine.assemble import parts_of
from codecctl.engine.checkpoint_place import place_checkpoints, require_reachable
from codecctl.engine.prepare import cadence_of, prepare, tracker_settings
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.schema_conduct import seconds_of
from codecctl.engine.profiling import StepProfiler
from codecctl.engine.recipes.player import Player
from codecctl.engine.rundir import remove_run
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.signals import StopSignals
from codecctl.errors import ProfileError, UsageError

from .e2e.training import SHORT, write_store

TINY = tuple(word for word in SHORT if "=" in word)


def profile(*overrides: str) -> Profile:
    return load_profile("paired", [*TINY, *overrides]).profile


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "tiny"
    write_store(folder)
    return folder


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("00:00:01", 1.0), ("08:00:00", 28800.0), ("01:02:03:04", 93784.0)],
)
def test_a_time_is_read_as_days_hours_minutes_and_seconds(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["8h", "1:2", "00:00:00", "00:61:00", "1:2:3:4:5", "-1:00:00"])
def test_what_is_no_time_is_one_line(text: str) -> None:
    with pytest.raises(ProfileError, match="allowed: DD:HH:MM:SS or HH:MM:SS"):
        profile(f"trainer.max_time={text}")


def test_a_development_run_is_one_update_without_trackers() -> None:
    chosen = profile("trainer.fast_dev_run=true", "trainer.logger=both")
    assert cadence_of(chosen).max_steps == 1
    assert not tracker_settings(chosen, default="run").tensorboard
    assert cadence_of(profile()).max_steps > 1


@pytest.mark.long
def test_validation_measures_no_more_batches_than_asked(store: Path) -> None:
    counts = {}
    for key in ("trainer.limit_val_batches=1", "trainer.fast_dev_run=true", "trainer.seed=3401"):
        prepared = prepare(profile("data.val_batch_size=1", key), Store.open(store))
        parts = parts_of(prepared, signals=StopSignals(), warn=lambda text: None)
        measured = parts.validation.measure(
            parts.recipe, step=0, crew=parts.crew, should_stop=lambda: False
        )
        assert measured is not None
        counts[key] = len({row["item"] for row in measured.rows})
    assert list(counts.values()) == [1, 1, 3]


def test_the_first_batches_come_again_and_again(store: Path) -> None:
    prepared = prepare(profile("trainer.overfit_batches=2"), Store.open(store))
    for depth in (0, 3):
        with Prefetcher(prepared.data.train, 0, depth, repeat=2) as batches:
            heard = [next(batches).audio.copy() for _ in range(5)]
        assert all(np.array_equal(heard[at], heard[at % 2]) for at in range(5))
        assert not np.array_equal(heard[0], heard[1])
    parts = parts_of(prepared, signals=StopSignals(), warn=lambda text: None)
    with parts.open_batches(1) as batches:
        assert np.array_equal(next(batches).audio, heard[1])


def test_a_try_of_validation_evaluates_so_many_batches(store: Path) -> None:
    prepared = prepare(profile("data.val_batch_size=1"), Store.open(store))
    parts = parts_of(prepared, signals=StopSignals(), warn=lambda text: None)
    seen = []
    evaluate = parts.recipe.evaluate
    parts.recipe.evaluate = lambda *given: (seen.append(1), evaluate(*given))[1]  # type: ignore[method-assign,func-returns-value]
    parts.validation.try_out(parts.recipe, 2)
    assert len(seen) == 2
    parts.validation.try_out(parts.recipe, 99)
    assert len(seen) == 2 + 3


@pytest.mark.parametrize(("by_value", "bound"), [(False, 0.5), (True, 0.5)])
def test_clipping_bounds_the_norm_or_each_number(by_value: bool, bound: float) -> None:
    network = torch.nn.Linear(4, 4, bias=False)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    player = Player(
        network,
        optimizer,
        schedule=lambda step: 1.0,
        max_norm=bound,
        by_value=by_value,
        runtime=FabricRuntime(0),
    )
    before = network.weight.detach().clone()
    gradient = torch.arange(16.0).reshape(4, 4) - 3
    player.backward((network.weight * gradient).sum())
    scalars = player.move(0, role="generator", spoiled=torch.tensor(False))
    moved = before - network.weight.detach()
    expected = gradient.clamp(-bound, bound) if by_value else bound * gradient / gradient.norm()
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(scalars["grad_norm/generator"], gradient.norm())


def test_cudnn_is_told_to_try_its_algorithms(store: Path) -> None:
    try:
        for wanted in (True, False):
            word = str(wanted).lower()
            prepare(profile(f"trainer.benchmark={word}"), Store.open(store))
            assert torch.backends.cudnn.benchmark is wanted
    finally:
        torch.backends.cudnn.benchmark = False


def test_a_profile_holds_five_updates_and_none_without_them(tmp_path: Path) -> None:
    with StepProfiler(tmp_path / "short", torch.device("cpu")) as short:
        for _ in range(3):
            short.step()
    assert not short.written
    with StepProfiler(tmp_path / "long", torch.device("cpu")) as long:
        for _ in range(9):
            torch.randn(64, 64) @ torch.randn(64, 64)
            long.step()
    assert long.written
    events = json.loads((tmp_path / "long" / "trace.json").read_text())["traceEvents"]
    products = [event for event in events if event["name"] == "aten::mm"]
    assert len(products) == 5
    assert "aten::mm" in (tmp_path / "long" / "summary.txt").read_text()


def test_checkpoints_may_lie_elsewhere_and_go_with_their_run(tmp_path: Path) -> None:
    run, far = tmp_path / "runs" / "a", tmp_path / "far" / "ckpt"
    (run / "checkpoints").mkdir(parents=True)
    require_reachable(str(far))
    place_checkpoints(run, str(far))
    place_checkpoints(run, str(far))  # again, as a resume does
    (run / "checkpoints" / "last").write_text("step-1")
    assert (far / "a" / "last").read_text() == "step-1"
    other = tmp_path / "elsewhere" / "a"
    (other / "checkpoints").mkdir(parents=True)
    with pytest.raises(UsageError, match="found checkpoints of another run of this name"):
        place_checkpoints(other, str(far))
    remove_run(run)
    assert not (far / "a").exists()
    place_checkpoints(other, "checkpoints")
    assert not (other / "checkpoints").is_symlink()


def test_a_folder_that_cannot_hold_checkpoints_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfileError, match=r"trainer\.ckpt_dir: found '.*file/deep'.*Not a direct"):
        require_reachable(str(tmp_path / "file" / "deep"))
    require_reachable("checkpoints")
