"""A training in stages: what each trains, what the next takes over, and kills at the boundary."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from codecctl.datasets.store import Store
from codecctl.engine.assemble import parts_of
from codecctl.engine.books import RunBooks
from codecctl.engine.build_stages import staged_recipe
from codecctl.engine.checkpoint import Identity, resume_point
from codecctl.engine.loop import FINISHED, Loop
from codecctl.engine.loop_parts import Desk, Keep
from codecctl.engine.prepare import cadence_of, prepare
from codecctl.engine.previews import Previews
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.staged import profile_of_stage
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.staged import StagedRecipe
from codecctl.engine.rows import comparable
from codecctl.engine.rundir import Lease, RunDirectory, RunState, read_metrics, read_rows
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.signals import StopSignals
from codecctl.engine.stages import Stage, plan, read_stages, stage_at, to_json
from codecctl.errors import ProfileError
from tests.e2e.training import write_store
from tests.tiny_training import changed, everything

pytestmark = pytest.mark.long


SMALL = (
    "model=tiny",
    "trainer=demo",
    "data.segment_seconds=0.25",
    "data.min_source_seconds=0.25",
    "data.batch_size=2",
    "data.val_items=2",
    "model.quantizer.num_codebooks=2",
    "model.quantizer.codebook_size=8",
    "model.quantizer.bandwidths=[0.3]",
    "model.quantizer.decay=0.9",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "trainer.stages.0.length={steps=4}",
    "trainer.stages.1.length={steps=4}",
    "model.discriminators.0.num_filters=8",
    "model.discriminators.0.n_fft=256",
    "model.discriminators.0.hop_length=128",
    "model.discriminators.1.factors=[1]",
    "model.discriminators.1.num_filters=4",
    "model.discriminators.1.max_filters=8",
    "trainer.array_measures.items=0",
)


def profile(*overrides: str) -> Profile:
    return load_profile("soundstream", [*SMALL, *overrides]).profile


def staged(*overrides: str) -> StagedRecipe:
    from codecctl.engine.build import build_recipe

    chosen, runtime = profile(*overrides), FabricRuntime(0)
    trained = staged_recipe(
        chosen,
        cadence_of(chosen).stages,
        lambda of_stage, task: build_recipe(
            of_stage, runtime=runtime, updates_per_epoch=60, task=task
        ),
    )
    trained.initialize(iter(batch(seed) for seed in range(100, 120)))
    return trained


def batch(seed: int) -> Tensor:
    return 0.1 * torch.randn(2, 1, 6000, generator=torch.Generator().manual_seed(seed))


def train(recipe: Recipe, *steps: int) -> dict[str, Tensor]:
    scalars: dict[str, Tensor] = {}
    for step in steps:
        scalars = recipe.train_step(batch(step), step)
    return scalars


def test_steps_belong_to_stages_and_what_is_read_is_what_was_planned(tmp_path: Path) -> None:
    stages = plan([("warmup", 3), ("adversarial", 2)])
    assert stages == (Stage("warmup", 0, 3, 0), Stage("adversarial", 3, 5, 1))
    at = [stage_at(stages, step) for step in range(7)]
    assert [stage.name if stage else "" for stage in at] == ["warmup"] * 3 + ["adversarial"] * 4
    assert [stage.status(3) for stage in stages] == ["done", "now"]
    import json

    (tmp_path / "stages.json").write_text(json.dumps(to_json(stages)))
    assert read_stages(tmp_path) == stages
    (tmp_path / "stages.json").write_text('{"stages": [3]}')
    assert read_stages(tmp_path) == ()


def test_soundstream_ends_with_its_last_stage_and_weighs_as_its_document() -> None:
    full = load_profile("soundstream").profile
    cadence = cadence_of(full)
    assert [(s.name, s.first_step, s.end_step) for s in cadence.stages] == [
        ("warmup", 0, 50_000),
        ("adversarial", 50_000, 95_000),
    ]
    assert cadence.max_steps == 95_000
    weights = [profile_of_stage(full, number).trainer.loss_config for number in (0, 1)]
    assert [w.reconstruction.weights.mel for w in weights] == [1.0, 0.01]
    assert [w.reconstruction.weights.time for w in weights] == [1.0, 1.0]
    assert [w.bottleneck.weights.commitment for w in weights] == [1.0, 1.0]
    assert [w.adversarial.weights.model_dump() for w in weights] == [
        {"generator": 0.0, "feature": 0.0},
        {"generator": 1.0, "feature": 0.1},
    ]
    assert [step for step in range(0, 95_001, 500) if cadence.previews(step)] == [
        *(0, 500, 50_000, 80_000, 95_000)
    ]
    assert all(cadence.saves(step, 0.0) for step in range(5000, 95_001, 5000))


def test_the_generator_goes_on_and_the_discriminators_begin() -> None:
    trained = staged()
    scalars = train(trained, 0, 1, 2, 3)
    assert set(trained.modules()) == {"generator"}
    assert "loss/generator" not in scalars
    before = everything(trained)
    trained.enter(1)
    after = everything(trained)
    assert changed(before, after) == []
    new = {name for name in after if name not in before}
    assert new and all(name.startswith("discriminator/") for name in new)
    fresh = staged()
    fresh.enter(1)
    assert [n for n in new if not torch.equal(after[n], everything(fresh)[n])] == []  # by the seed
    scalars = train(trained, 4)
    assert {"loss/generator", "loss/feature", "loss/discriminator"} <= set(scalars)
    moved = changed(after, everything(trained))
    assert any(name.startswith("generator/network") for name in moved)
    assert any(name.startswith("discriminator/network") for name in moved)


def test_the_warm_up_begins_again_with_the_stage() -> None:
    trained = staged()
    rates = [train(trained, step)["lr/generator"].item() for step in range(4)]
    trained.enter(1)
    rates += [train(trained, step)["lr/generator"].item() for step in range(4, 8)]
    first = [1e-3 * (0.1 + 0.9 * step / 10) for step in range(4)]
    second = [1e-3 * (0.1 + 0.9 * step / 5) for step in range(4)]
    assert rates == pytest.approx([*first, *second], rel=1e-5)


@pytest.mark.parametrize("part", ["encoder", "quantizer", "decoder", "discriminator"])
def test_what_is_frozen_stays_to_the_last_bit(part: str) -> None:
    trained = staged(f'trainer.stages.1.freeze=["{part}"]')
    train(trained, 0, 1, 2, 3)
    trained.enter(1)
    before = everything(trained)
    train(trained, 4, 5)
    moved = changed(before, everything(trained))
    parts = {
        "encoder": "generator/network/autoencoder.encoder.",
        "quantizer": "generator/network/quantizer.",
        "decoder": "generator/network/autoencoder.decoder.",
        "discriminator": "discriminator/network/",
    }
    for name, prefix in parts.items():
        assert any(each.startswith(prefix) for each in moved) == (name != part), name


def test_moments_go_on_unless_the_stage_names_an_optimizer() -> None:
    adam = '{type="Adam",config={lr=1e-4,betas=[0.9,0.99],eps=1e-8,weight_decay=0.0}}'
    for override, steps in ((), 4.0), ((f"trainer.stages.1.optimizer={adam}",), 0.0):
        trained = staged(*override)
        train(trained, 0, 1, 2, 3)
        trained.enter(1)
        counted = [v for n, v in everything(trained).items() if n.endswith("/step")]
        of_generator = [float(v) for v in counted]
        assert set(of_generator) == ({steps} if steps else set()), override
        assert train(trained, 4)["lr/generator"].item() == pytest.approx(
            (1e-3 if steps else 1e-4) * 0.1, rel=1e-5
        )


@pytest.mark.parametrize("named", [True, False])
def test_a_plateau_goes_on_unless_the_stage_names_a_schedule(named: bool) -> None:
    plateau = (
        '{type="Plateau",enabled=true,interval="validation",config={factor=0.5,patience=0,'
        "threshold=0.0,cooldown=0,least=0.0}}"
    )
    of_stage = f",scheduler={plateau}" if named else ""
    first = 'name="a",length={steps=4},weights={adversarial=0.0}'
    stages = f'trainer.stages=[{{{first}}},{{name="b",length={{steps=4}}{of_stage}}}]'
    trained = staged(f"trainer.scheduler={plateau}", stages)
    full = train(trained, 0)["lr/generator"]
    for value in (1.0, 2.0, 3.0):
        trained.observe(value)
    assert train(trained, 1)["lr/generator"] == full / 4
    trained.enter(1)
    assert train(trained, 4)["lr/generator"] == (full if named else full / 4)
    trained.observe(2.5)  # the best so far was 1, and is nothing where the schedule is another
    assert train(trained, 5)["lr/generator"] == (full if named else full / 8)


def test_only_the_named_discriminators_act() -> None:
    trained = staged('trainer.stages.1.discriminators=["stft"]')
    trained.enter(1)
    before = everything(trained)
    train(trained, 4)
    moved = changed(before, everything(trained))
    judges = {
        name.split(".")[1] for name in moved if "discriminator/network/discriminators" in name
    }
    assert judges == {"0"}


def test_a_state_of_a_later_stage_goes_on_to_the_last_bit() -> None:
    trained = staged()
    train(trained, 0, 1, 2, 3)
    trained.enter(1)
    train(trained, 4)
    state = copy.deepcopy(trained.state_dict())
    again = staged()
    again.enter(1)
    again.load_state_dict(state)
    train(trained, 5, 6)
    train(again, 5, 6)
    assert changed(everything(trained), everything(again)) == []


class Killed(BaseException):
    """As a kill: nothing is saved on the way out."""


def run_loop(path: Path, store: Path, kill: Callable[[str, int], bool]) -> Recipe:
    """Train until killed; a second call goes on."""
    prepared = prepare(profile(), Store.open(store))
    run = RunDirectory.reopen(path) if path.exists() else RunDirectory.create(path)
    lease = Lease(path, RunState("starting"), take_over_seconds=0.0)
    signals = StopSignals()
    parts = parts_of(prepared, signals=signals, warn=lambda text: None)

    def enter(stage: Stage) -> None:
        if kill("entering", stage.first_step):
            raise Killed
        parts.enter(stage)
        if kill("entered", stage.first_step):
            raise Killed

    def report(step: int) -> None:
        if kill("updated", step):
            raise Killed

    desk = Desk(
        run=run,
        lease=lease,
        previews=Previews(path / "previews", list, device=torch.device("cpu")),
        keep=Keep(last=9, best=1, metric="val/mel"),
        identity=Identity("soundstream", "p", "s"),
        on_row=lambda step, split, values: None,
        on_report=lambda given: report(given.step),
    )
    books = RunBooks(parts, desk)
    checkpoint = resume_point(path / "checkpoints", lambda text: None)
    loop = Loop(replace(parts, enter=enter), books, checkpoint=checkpoint)
    try:
        assert loop.run() == FINISHED
    finally:
        lease.release("stopped", "")
        run.close()
    return prepared.recipe


@pytest.mark.long
def test_killed_around_the_hand_over_and_resumed_is_the_run_that_was_not(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_store(store)
    whole = everything(run_loop(tmp_path / "whole", store, lambda what, step: False))
    rows = [comparable(row) for row in read_metrics(tmp_path / "whole")]
    assert {row.get("stage", "") for row in rows if row["split"] == "train"} == {
        "warmup",
        "adversarial",
    }
    for moment in (("updated", 4), ("entering", 4), ("entered", 4), ("updated", 5), ("updated", 7)):
        path = tmp_path / f"{moment[0]}-{moment[1]}"
        with pytest.raises(Killed):
            run_loop(path, store, lambda what, step, moment=moment: (what, step) == moment)  # type: ignore[misc]
        resumed = everything(run_loop(path, store, lambda what, step: False))
        assert changed(whole, resumed) == [], moment
        assert [comparable(row) for row in read_metrics(path)] == rows, moment
        events = [row for row in read_rows(path / "events.jsonl") if row["kind"] == "stage"]
        assert {row["name"] for row in events} == {"warmup", "adversarial"}


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (("trainer.stages.0.weights.mell=1.0",), "unknown term; did you mean 'mel'?"),
        (("trainer.stages.0.weights.mel=-1.0",), "allowed: a number at least 0"),
        (("trainer.stages.0.length={steps=0}",), "allowed: a whole number at least 1"),
        (("trainer.stages.1.name=warmup",), "which stage 0 is called as well"),
        (
            ("trainer.stages.0.weights={time=0.0,mel=0.0,adversarial=0.0,bottleneck=0.0}",),
            "the stage trains nothing",
        ),
        (('trainer.stages.0.freeze=["encoder","quantizer","decoder"]',), "trains nothing"),
        (("model.discriminators=[]",), "needed: model.discriminators, or weights 0"),
        (('trainer.stages.1.discriminators=["stf"]',), "did you mean 'stft'?"),
        (('trainer.stages.0.freeze=["discriminator"]',), "adversarial weights are all 0"),
        (("trainer.best_metric=val/total",), "which other stages weigh otherwise"),
    ],
)
def test_stages_that_cannot_be_are_one_line(overrides: tuple[str, ...], line: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profile(*overrides)
    assert line in "\n".join(caught.value.problems)
    assert "trainer." in caught.value.problems[0]


def test_a_stage_that_is_never_reached_is_told() -> None:
    notices = load_profile("soundstream", [*SMALL, "trainer.max_steps=4"]).notices
    assert any("adversarial never begins" in notice for notice in notices)


@pytest.mark.parametrize("groups", [1, 2])
def test_validation_hears_every_number_of_codebooks(groups: int) -> None:
    from codecctl.engine.recipes.network import CodecNetwork

    books = ("model.quantizer.num_codebooks=8", f"model.quantizer.groups={groups}")
    trained = staged(*books, "model.quantizer.bandwidths=[3.0]")
    train(trained, *range(4))
    evaluation = trained.evaluate(batch(7))
    values = trained.aggregate([evaluation])
    for name in ("mel", "si_sdr"):
        depths = [key for key in values if key.startswith(f"val/{name}/q")]
        assert depths == [f"val/{name}/q{depth}" for depth in range(1, 9)]
        torch.testing.assert_close(values[f"val/{name}/q8"], values[f"val/{name}"])
        assert len({values[key].item() for key in depths}) == 8
    network = trained.modules()["generator"].eval()
    assert isinstance(network, CodecNetwork)
    with torch.no_grad():  # by masking in place of cutting codes off
        two = network(batch(7), torch.tensor([2, 2])).estimate
    codes = evaluation.codes.flatten(0, 1)
    heard = network.at_depth(codes, 2, batch(7))
    torch.testing.assert_close(heard, two, rtol=1e-4, atol=1e-5)


def test_after_dropout_every_number_of_codebooks_decodes() -> None:
    from codecctl.engine.recipes.network import CodecNetwork

    trained = staged()
    train(trained, *range(4))
    network = trained.modules()["generator"]
    assert isinstance(network, CodecNetwork)
    network.eval()
    audio = batch(7)
    with torch.no_grad():
        codes = network.quantizer.encode(network.encode(audio))
        errors = []
        for depth in range(1, codes.shape[1] + 1):
            latent = network.quantizer.decode(codes[:, :depth])
            decoded = network.autoencoder.decode(latent, audio.shape[-1])
            assert decoded.shape == audio.shape
            errors.append((latent - network.encode(audio)).square().mean().item())
    assert errors == sorted(errors, reverse=True)  # each codebook brings the latent nearer
