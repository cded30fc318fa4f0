"""A codebook that collapses is told, once, from validation and from training, and no other is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from codecctl.engine.alarms import Alarms, Codes, codes_of
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.quantizers import ResidualVectorQuantizer, count_codes
from codecctl.engine.recipes.scalars import codebook_scalars
from codecctl.engine.rundir import Row, RunDirectory, read_rows

SIZE = 64


def told(run: RunDirectory) -> list[Row]:
    run.close()
    return read_rows(run.path / "events.jsonl")


def test_a_codebook_that_collapses_is_told_once_until_it_recovers(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    alarms = Alarms(run, Codes(SIZE, in_batch=SIZE, in_validation=SIZE))
    for step, perplexity in ((0, 1.0), (1, 32.0), (2, 3.2), (3, 1.0), (4, 6.4), (5, 6.3)):
        values = {"val/codebook/2/perplexity": perplexity, "val/codebook/1/perplexity": 60.0}
        alarms.look(step, values)

    warnings = told(run)
    assert [(row["kind"], row["step"]) for row in warnings] == [("warning", 2), ("warning", 5)]
    assert str(warnings[0]["message"]).startswith(
        "codebook 2 collapses: codes as those of 3.2 of its 64 entries"
    )


def test_rows_of_training_count_when_settled_and_three_in_a_row_agree(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    alarms = Alarms(run, Codes(SIZE, in_batch=SIZE, in_validation=SIZE))
    rows = ((10, 1.0), (50, 1.0), (99, 1.0), (100, 1.0), (200, 1.0), (300, 20.0), (400, 1.0))
    for step, perplexity in (*rows, (500, 1.0), (600, 1.0), (700, 1.0)):
        alarms.look(step, {"codebook/1/perplexity": perplexity})
    # And what training has told, validation does not repeat.
    alarms.look(700, {"val/codebook/1/perplexity": 1.0})
    assert [row["step"] for row in told(run)] == [600]


@pytest.mark.parametrize("name", ["codebook/1/perplexity", "val/codebook/1/perplexity"])
def test_fewer_codes_than_entries_tell_nothing(tmp_path: Path, name: str) -> None:
    run = RunDirectory.create(tmp_path / "a")
    alarms = Alarms(run, Codes(SIZE, in_batch=SIZE - 1, in_validation=SIZE - 1))
    for step in range(100, 110):
        alarms.look(step, {name: 1.0})
    assert told(run) == []


def test_a_value_that_is_no_number_is_no_collapse(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    Alarms(run, Codes(SIZE, SIZE, SIZE)).look(9, {"val/codebook/1/perplexity": float("nan")})
    assert told(run) == []


def trained(run: RunDirectory, spread: float) -> list[Row]:
    """Alarms of 300 updates whose latents keep, after the 120th, this share of their spread."""
    network = ResidualVectorQuantizer(
        dim=4,
        num_codebooks=2,
        codebook_size=SIZE,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=10,
        dead_threshold=0.0,  # revival would repair what this is about
        ema="correct",
    )
    generator = torch.Generator().manual_seed(0)

    def latent(share: float) -> Tensor:
        return 1 + share * torch.randn(4, 4, 64, generator=generator)

    network.initialize(latent(1.0).transpose(1, 2).flatten(0, 1), generator)
    alarms = Alarms(run, Codes(SIZE, in_batch=4 * 64, in_validation=0))
    for step in range(1, 301):
        coded = network(latent(1.0 if step < 120 else spread))
        network.update(generator)
        if step <= 10 or step % 10 == 0:
            scalars = codebook_scalars(count_codes(coded.codes, codebook_size=SIZE))
            alarms.look(step, {name: float(value) for name, value in scalars.items()})
    return told(run)


@pytest.mark.long
def test_an_encoder_that_shrinks_to_a_point_is_told_within_fifty_steps(tmp_path: Path) -> None:
    warnings = trained(RunDirectory.create(tmp_path / "a"), spread=0.02)
    assert [row["step"] for row in warnings if "codebook 1" in str(row["message"])] == [140]


@pytest.mark.long
def test_a_healthy_training_is_left_alone_from_the_first_step(tmp_path: Path) -> None:
    assert trained(RunDirectory.create(tmp_path / "a"), spread=1.0) == []


@pytest.mark.parametrize(
    ("profile", "overrides", "expected"),
    [
        ("paired", [], Codes(1024, 8 * 2 * 75, 100 * 2 * 75)),
        ("mono", [], Codes(1024, 16 * 75, 100 * 75)),
        ("baseline-32ch", [], Codes(0, 4 * 75, 2000 * 75)),
        ("mono", ["model.quantizer={type='fsq', levels=[8, 5, 5]}"], Codes(200, 1200, 7500)),
    ],
)
def test_the_codes_of_a_row_follow_from_the_profile(
    profile: str, overrides: list[str], expected: Codes
) -> None:
    assert codes_of(load_profile(profile, overrides, search=(PACKAGED,)).profile) == expected


def test_a_latent_that_collapses_is_told_once_until_it_recovers(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    alarms = Alarms(run, codes_of(load_profile("spectral-vae", search=(PACKAGED,)).profile))
    shares = (0.0, 0.0, 0.0, 0.0, 0.05, 0.0, 0.5, 0.02, 0.02, 0.02)
    for step, active in zip(range(70, 170, 10), shares, strict=True):
        alarms.look(step, {"latent/active": active})
    warnings = told(run)
    assert [row["step"] for row in warnings] == [120, 160]
    assert str(warnings[0]["message"]).startswith(
        "the latent collapses: 0 % of its numbers depend on the audio (latent/active); lower"
    )


@pytest.mark.parametrize("name", ["latent/norm", "codebook/3/norm"])
def test_norms_that_run_away_are_told_once(tmp_path: Path, name: str) -> None:
    run = RunDirectory.create(tmp_path / "a")
    alarms = Alarms(run, Codes(SIZE, in_batch=SIZE, in_validation=SIZE))
    norms = [0.001, 2.0, 19.0, 21.0, 19.0, 21.0, 22.0, 23.0, 24.0]  # the first is before it counts
    for step, norm in enumerate(norms, start=99):
        alarms.look(step, {name: norm, "codebook/1/norm": 1.0})
    (warning,) = told(run)
    assert warning["step"] == 106
    assert str(warning["message"]).startswith(f"{name} has grown from 2 to 23: embeddings")
