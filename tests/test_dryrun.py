"""What `--dry-run` measures: every stage, as it trains at its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.commands.train_lines import print_dry_run
from codecctl.datasets.store import Store
from codecctl.engine.dryrun import estimate
from codecctl.engine.prepare import Prepared, prepare

from .e2e.training import write_store
from .test_stages import profile


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "tiny"
    write_store(folder)
    return folder


def job(store: Path, *overrides: str, stage: str = "") -> Prepared:
    return prepare(profile("trainer.num_gpus=0", *overrides), Store.open(store), stage=stage)


@pytest.mark.long
def test_every_stage_is_measured_with_all_that_acts_in_it(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared = job(store)
    seen: list[tuple[int, bool]] = []
    train_step = type(prepared.recipe).train_step

    def watched(audio: object, step: int, channels: object) -> object:
        scalars = train_step(prepared.recipe, audio, step, channels)  # type: ignore[arg-type]
        seen.append((step, "loss/discriminator" in scalars))
        return scalars

    prepared.recipe.train_step = watched  # type: ignore[method-assign,assignment]
    print_dry_run(prepared)
    told = capsys.readouterr().out.splitlines()
    assert seen == [(1, False), (2, False), (3, False), (5, True), (6, True), (7, True)]
    assert [line.split(":")[0] for line in told if line.startswith("stage")] == [
        *["stage warmup"] * 6,
        *["stage adversarial"] * 6,
    ]
    assert "parameters of the discriminator" in told[1]
    assert told[-1].startswith("training of 8 steps: about ")


@pytest.mark.long
def test_times_add_up_over_the_stages_that_are_left(store: Path) -> None:
    found = estimate(job(store, "trainer.max_steps=6"))
    assert [(stage.name, stage.steps) for stage in found.stages] == [
        ("warmup", 4),
        ("adversarial", 2),
    ]
    assert found.total_seconds == pytest.approx(
        sum(stage.steps * stage.step_seconds for stage in found.stages)
    )
    assert found.memory_mb == found.stages[-1].memory_mb > 0
    (late,) = estimate(job(store, stage="adversarial")).stages
    assert (late.name, late.steps) == ("adversarial", 4)


@pytest.mark.long
def test_without_stages_there_is_one(store: Path) -> None:
    (only,) = estimate(job(store, "trainer.stages=[]", "trainer.max_steps=5")).stages
    assert (only.name, only.steps) == ("", 5)
