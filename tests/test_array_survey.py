"""The measures of whole arrays that a training writes beside its validation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from codecctl.datasets.batch import Batch, Item
from codecctl.datasets.store import Store
from codecctl.datasets.windows import Window
from codecctl.engine.array_items import array_items
from codecctl.engine.array_report import latest_report, report_lines, report_summary
from codecctl.engine.array_survey import ArraySurvey, can_survey
from codecctl.engine.quantizers import FiniteScalarQuantizer
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.rundir import RunDirectory

from .clear_codec import FRAMES, HOP, codec, scene

SAMPLES = HOP * FRAMES


class Trained:
    """As much of a recipe as a survey asks for."""

    def __init__(self, network: nn.Module, average: nn.Module | None = None) -> None:
        self._networks = {"generator": network}
        if average is not None:
            self._networks["average"] = average

    def modules(self) -> Mapping[str, nn.Module]:
        return self._networks


def recipe(network: nn.Module, average: nn.Module | None = None) -> Recipe:
    return cast(Recipe, Trained(network, average))


def survey(network: CodecNetwork, *, every: int = 0) -> ArraySurvey:
    audio, _ = scene(network, capsules=32)
    items = tuple(Item("Beach.1", start, tuple(range(32))) for start in (0, SAMPLES))
    given = [
        Batch(part[None].numpy(), 600, (item,)) for part, item in zip(audio, items, strict=True)
    ]
    return ArraySurvey(lambda: given, every=every, max_steps=50, device=torch.device("cpu"))


def test_a_survey_is_a_file_and_scalars_of_the_same_figures(tmp_path: Path) -> None:
    network = codec()
    run = RunDirectory.create(tmp_path / "run")
    scalars = survey(network).measure(recipe(network), run=run, step=10)
    run.close()
    stored = json.loads((run.path / "array" / "step-000000010.json").read_text())
    assert stored["schema"] == 1 and stored["step"] == 10 and stored["items"] == 2
    # The first codes of the scene are shared by all capsules, the second ones are drawn apart.
    assert np.array(stored["first_matrix"]) == pytest.approx(np.ones((32, 32)))
    assert scalars["val/array/first_agreement"] == 1
    assert scalars["val/array/first_agreement/above_chance"] == 1
    assert scalars["val/array/second_agreement"] == pytest.approx(0.25, abs=0.02)
    assert scalars["val/array/probe/second"] == stored["probes"][1]["accuracy"]
    assert scalars["val/array/shared/mel"] == pytest.approx(stored["shared"]["mel"])
    assert {"val/array/apart/level_error", "val/array/shared/coherence_error"} <= set(scalars)
    assert [group["pairs"] for group in stored["first_by_angle"]]
    assert all(len(group["coherence"]) == 5 for group in stored["first_by_angle"])


@pytest.mark.long
def test_a_survey_is_made_at_its_steps_and_at_the_last_one(tmp_path: Path) -> None:
    network = codec()
    run = RunDirectory.create(tmp_path / "run")
    rare = survey(network, every=20)
    made = [
        step for step in (0, 10, 20, 30, 50) if rare.measure(recipe(network), run=run, step=step)
    ]
    run.close()
    assert made == [0, 20, 50]
    assert len(list((run.path / "array").iterdir())) == 3


def test_a_survey_changes_neither_network_nor_random_numbers(tmp_path: Path) -> None:
    network = codec().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    made = survey(codec())
    drawn = torch.random.get_rng_state()
    run = RunDirectory.create(tmp_path / "run")
    made.measure(recipe(network), run=run, step=0)
    run.close()
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.long
def test_averaged_weights_are_surveyed_where_they_are_kept(tmp_path: Path) -> None:
    silent = codec()
    nn.init.zeros_(next(silent.autoencoder.decoder.parameters()))
    run = RunDirectory.create(tmp_path / "run")
    made = survey(codec())
    plain = made.measure(recipe(codec()), run=run, step=0)
    averaged = made.measure(recipe(codec(), silent), run=run, step=0)
    run.close()
    assert averaged["val/array/apart/mel"] > plain["val/array/apart/mel"] + 0.1


def test_only_a_codec_with_two_residual_codebooks_can_be_surveyed() -> None:
    network = codec()
    assert can_survey(recipe(network))
    network.quantizer = FiniteScalarQuantizer(dim=HOP, levels=(4, 4))
    assert not can_survey(recipe(network))
    assert not can_survey(recipe(nn.Linear(1, 1)))


def test_only_windows_of_whole_arrays_are_taken(make_store: Callable[..., Path]) -> None:
    noise = np.random.default_rng(0).standard_normal((32, 8000)).astype(np.float32) * 0.1
    folder = make_store({"Beach.1": noise, "Beach.2": noise[:2], "Park.1": noise[:, :500]})
    window = Window(1000, 2, policy="random_distinct")
    with Store.open(folder) as store:
        names = [info.name for info in store.recordings]
        items = array_items(store, names, window=window, count=3, seed=42)
        assert {item.recording for item in items} == {"Beach.1"}
        assert {item.channels for item in items} == {tuple(range(32))}
        assert items == array_items(store, names, window=window, count=3, seed=42)
        assert array_items(store, names, window=window, count=0, seed=42) == ()
        assert array_items(store, ["Beach.2"], window=window, count=3, seed=42) == ()


def test_a_report_reads_what_a_survey_wrote(tmp_path: Path) -> None:
    network = codec()
    run = RunDirectory.create(tmp_path / "run")
    assert latest_report(run.path) is None
    for step in (0, 10):
        survey(network).measure(recipe(network), run=run, step=step)
    run.close()
    report = latest_report(run.path)
    assert report is not None and report.step == 10
    lines = report_lines(report)
    assert lines[0] == "2 items of 32 capsules"
    assert lines[2].split()[2:4] == ["1.000", f"({report.first_by_angle[0].chance:.3f})"]
    assert any(line.startswith("one first stream") for line in lines)
    assert report_summary(report).startswith(
        "all 32 capsules: first codes agree in 100.0 % of frames (by chance "
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "step": "x"}'])
def test_a_damaged_or_newer_report_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "array").mkdir()
    (tmp_path / "array" / "step-000000010.json").write_text(text)
    assert latest_report(tmp_path) is None
