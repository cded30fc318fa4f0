"""The spectral family through whole commands: train, resume, show, export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from codecctl.engine.rundir import read_metrics

from .training import assert_equal_runs, run

pytestmark = pytest.mark.e2e

SHORT = (
    "model=tiny",
    "trainer=demo",
    "data.rate=24000",
    "data.segment_seconds=0.2",
    "data.min_source_seconds=0.2",
    "data.batch_size=2",
    "data.val_items=3",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "model.generator.n_fft=256",
    "model.generator.hop_length=64",
    "model.generator.win_length=256",
    "trainer.updates_per_epoch=5",
    "trainer.val_every_n_steps=2",
    "trainer.save_every_n_steps=1",
)


def train(home: Path, name: str, *words: str, profile: str = "spectral-vae") -> Path:
    arguments = ("train", "--profile", profile, "--run", name, *SHORT, *words)
    code, _, err = run(home, *arguments)
    assert code == 0, err
    return home / "runs" / name


def test_a_training_resumes_to_the_last_bit_and_is_exported(home: Path) -> None:
    whole = train(home, "spectral-whole", "trainer.max_steps=4")
    train(home, "spectral-halves", "trainer.max_steps=2")
    halves = train(home, "spectral-halves", "trainer.max_steps=4", "--resume")
    assert_equal_runs(whole, halves, steps=4)

    code, out, err = run(home, "runs", "show", "spectral-whole")
    assert code == 0, err
    for name in ("val/mel", "val/si_sdr", "val/stft_mse", "val/kl", "latent/active", "latent/std"):
        assert name in out
    code, _, err = run(home, "export", "spectral-whole:last", "-o", "out.safetensors", "--fold")
    assert code == 0, err
    with safe_open(home / "out.safetensors", "pt") as file:
        facts = file.metadata()
        assert not any("original" in name for name in file.keys())  # noqa: SIM118  # no mapping
    assert facts["mode"] == "spectral"
    assert json.loads(facts["profile"])["model"]["bottleneck"] == {"type": "vae"}


def test_the_complex_sibling_trains_in_pieces_and_on_one_channel(home: Path) -> None:
    folder = train(
        home,
        "complex",
        "trainer.max_steps=2",
        "model.spectral_chunk_frames=32",
        "model.bottleneck.type=none",
        "data.capsules.count=1",
        "data.capsules.policy=random_one",
        "model.generator.channels=1",
        profile="spectral-complex",
    )
    measured = [row for row in read_metrics(folder) if row["split"] == "val"]
    assert [row["step"] for row in measured] == [0, 2]
    assert all(float(str(row["val/mel"])) > 0 for row in measured)
    assert any((folder / "previews").iterdir())
