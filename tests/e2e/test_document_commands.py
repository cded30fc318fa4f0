"""Each command that the documents print, word by word behind `codecctl train`, trains."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from codecctl.engine.rundir import read_json, read_metrics, summarize_run

from .training import SHORT, run

pytestmark = pytest.mark.e2e

BOOKS = "model.quantizer.codebook_size=8"
NARROW = (
    *(word for word in SHORT[2:] if word != BOOKS),
    "trainer.max_steps=1",
    "trainer.val_every_n_steps=0",
    "trainer.previews.at_steps=[]",
)
"""So that a step takes a moment; what a document prints comes after it."""
YAML = (
    "datasets.batch_size=8",
    "datasets.fixed_length=13800",
    "pairwise.sim_weight=0.5",
    "pairwise.div_weight=0.5",
    "model.n_q=2",
    "model.target_bandwidths=[1.5, 3., 6., 12., 24.]",
)
"""The block of the paired document."""


@pytest.mark.parametrize(
    ("printed", "fitting", "profile"),
    [
        (("--1ch",), (), "baseline-1ch"),
        # The store has three channels, so this one says that it wants three of them.
        (("--32ch",), ("data.capsules.count=3", "model.generator.channels=3"), "baseline-32ch"),
        (("--config-name=config_paired_nq2",), (BOOKS,), "paired"),
        (("--config-name", "config_mono_nq2"), (BOOKS,), "mono"),
        (("--config-name=config_paired_nq2", *YAML), (), "paired"),
    ],
    ids=["1ch", "32ch", "paired", "mono", "yaml"],
)
def test_a_printed_command_trains_the_profile_that_it_means(
    home: Path,
    request: pytest.FixtureRequest,
    printed: tuple[str, ...],
    fitting: tuple[str, ...],
    profile: str,
) -> None:
    name = f"document-{request.node.callspec.id}"
    # A profile's own words first; the values of the block last, as the later one counts.
    words = (
        (*printed, *NARROW, *fitting) if len(printed) < 3 else (printed[0], *NARROW, *printed[1:])
    )
    code, _, said = run(home, "train", *words, "--run", name)
    assert code == 0, said
    summary = summarize_run(home / "runs" / name)
    assert (summary.profile, summary.status, summary.step) == (profile, "finished", 1)
    stored = read_json(home / "runs" / name / "profile.json")["profile"]
    assert isinstance(stored, dict)
    if printed[1:] == YAML:
        assert (stored["data"]["batch_size"], stored["data"]["items_per_epoch"]) == (8, 13800)
        assert stored["model"]["quantizer"]["num_codebooks"] == 2


SMALL = (
    *("model=tiny", "model.generator.num_filters=2", "model.generator.latent_dim=8"),
    *(
        "model.generator.n_fft=256",
        "model.generator.hop_length=64",
        "model.generator.win_length=256",
    ),
    *("data.rate=24000", "data.segment_seconds=0.2", "data.min_source_seconds=0.2"),
    *("data.val_items=2", "data.val_batch_size=2", "trainer.num_gpus=0", "trainer.max_steps=2"),
    "trainer.previews.items=0",
)
"""Sizes alone: all else is what the guide's command and the profile say."""


@pytest.mark.parametrize(
    ("printed", "key", "value"),
    [
        (
            ("trainer=guide-example", "data=jamendo_highres", "model=SEANet_real"),
            ("trainer", "scheduler", "type"),
            "InverseLR",
        ),
        (("trainer.optimizer.config.lr=3e-4",), ("trainer", "optimizer", "config", "lr"), 3e-4),
        (
            ("data.train_dataloader.batch_size=32", "trainer.trainer.max_epochs=100"),
            ("data", "batch_size"),
            32,
        ),
        (("trainer.wandb.use_wandb=false",), ("trainer", "wandb", "use_wandb"), False),
        (("model=SEANet_real", "data=jamendo_highres"), ("defaults", "data"), "jamendo-highres"),
    ],
    ids=["options", "rate", "sizes", "wandb", "network"],
)
def test_a_command_of_the_trainer_guide_trains(
    home: Path,
    request: pytest.FixtureRequest,
    printed: tuple[str, ...],
    key: tuple[str, ...],
    value: object,
) -> None:
    name = f"guide-{request.node.callspec.id}"
    # Keys and options that tell the profile need none; the two that do not are of the guide's.
    named = () if name in ("guide-sizes", "guide-network") else ("--profile", "spectral-vae")
    batch = () if name == "guide-sizes" else ("data.batch_size=2",)
    quiet = ("trainer.logger=jsonl",)
    code, _, said = run(home, "train", *named, *printed, *SMALL, *batch, *quiet, "--run", name)
    assert code == 0, said
    summary = summarize_run(home / "runs" / name)
    assert (summary.profile, summary.status, summary.step) == ("spectral-vae", "finished", 2)
    found: object = read_json(home / "runs" / name / "profile.json")["profile"]
    for part in key:
        assert isinstance(found, dict)
        found = found[part]
    assert found == value
    rows = read_metrics(home / "runs" / name, "train")
    assert all(math.isfinite(float(str(row["loss/total"]))) for row in rows)
    assert len(rows) == 2


def test_the_two_stages_of_soundstream_train(home: Path) -> None:
    """Document 003 prints its values as a table; its shape, in a small network."""
    words = (
        *("--profile", "soundstream", "model=tiny", "trainer.num_gpus=0", "data.batch_size=2"),
        *("data.segment_seconds=0.25", "data.min_source_seconds=0.25", "data.val_items=2"),
        *("model.generator.num_filters=2", "model.generator.latent_dim=8", BOOKS),
        *("model.quantizer.bandwidths=[1.2]", "model.discriminators.1.factors=[1]"),
        *("trainer.stages.0.length={steps=1}", "trainer.stages.1.length={steps=1}"),
        *("trainer.previews.items=0", "trainer.array_measures.items=0", "trainer.logger=jsonl"),
    )
    code, _, said = run(home, "train", *words, "--run", "two-stages")
    assert code == 0, said
    first, second = read_metrics(home / "runs" / "two-stages", "train")
    assert "loss/discriminator" not in first
    assert {"loss/generator", "loss/feature", "loss/discriminator"} <= set(second)
    last = read_metrics(home / "runs" / "two-stages", "val")[-1]
    assert {f"val/mel/q{depth}" for depth in range(1, 9)} <= set(last)
