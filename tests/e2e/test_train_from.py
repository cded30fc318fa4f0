"""`train --from`: a run that starts with the weights of another and then needs it no more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codecctl.engine.rundir import read_json, read_rows
from tests.e2e.training import SHORT, assert_equal_runs, run, write_store

pytestmark = pytest.mark.e2e

STEPS = 6
FAST = (*SHORT, "trainer.val_every_n_steps=4", "trainer.discriminator.start.step=2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and run `a` of four steps."""
    home = tmp_path_factory.mktemp("from")
    write_store(home / "stores" / "noise")
    code, _, said = run(home, "train", *FAST, "--run", "a", "trainer.max_steps=4")
    assert code == 0, said
    return home


def train(home: Path, *arguments: str) -> tuple[int, str]:
    code, _, said = run(home, "train", *arguments)
    return code, said


def test_a_run_that_started_from_another_resumes_exactly_when_that_is_gone(
    home: Path, tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    code, said = train(tmp_path, "--from", "a", "--run", "b", f"trainer.max_steps={STEPS}")
    assert code == 0, said
    # Profile and overrides are those of run a where the command names none.
    assert "--from a: takes its profile, too: paired model=tiny trainer=demo" in said
    assert "generator autoencoder.encoder.layers.0: taken" in said
    assert "layers taken, last weights" in said
    again = ("--from", "a:last", "--run", "c", *FAST, f"trainer.max_steps={STEPS}")
    assert train(tmp_path, *again[:-1], "trainer.max_steps=4")[0] == 0
    shutil.rmtree(tmp_path / "runs" / "a")
    code, said = train(tmp_path, *again, "--resume")  # as a requeued job repeats it
    assert code == 0, said
    runs = tmp_path / "runs"
    assert_equal_runs(runs / "b", runs / "c", steps=STEPS)
    stored = read_json(runs / "c" / "profile.json")["from"]
    assert isinstance(stored, dict)
    assert (stored["run"], stored["checkpoint"], stored["not_taken"]) == (
        "a",
        "step-000000004",
        [],
    )
    kinds = [row["kind"] for row in read_rows(runs / "c" / "events.jsonl")]
    assert kinds.count("transferred") == 1


def test_killed_before_its_first_checkpoint_it_takes_the_weights_again_or_says_they_are_gone(
    home: Path, tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    assert train(tmp_path, "--from", "a", "--run", "b", "trainer.max_steps=1")[0] == 0
    for path in (tmp_path / "runs" / "b" / "checkpoints").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, said = train(tmp_path, "--run", "b", "--resume")
    assert code == 0, said
    assert "generator quantizer: taken" in said
    for path in (tmp_path / "runs" / "b" / "checkpoints").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(tmp_path / "runs" / "a")
    code, said = train(tmp_path, "--run", "b", "--resume")
    assert code == 5
    assert "b: found no checkpoint of its own" in said


def test_the_options_that_make_no_sense_are_refused_before_anything_is_loaded(home: Path) -> None:
    for arguments, code, message in (
        (("--from-partial", "--profile", "mono"), 2, "--from-partial: found no --from"),
        (("--from", "a", "--resume"), 2, "--from with --resume: found no --run"),
        (("--from", "none"), 5, "none: no run of this name or path; have: a"),
        (("--from", "a:77"), 5, "a: found no checkpoint '77', needed best, last or a step"),
        (("--from", "a", "model.generator.latent_dim=4"), 3, "layers do not fit this profile"),
    ):
        found, said = train(home, *arguments)
        assert (found, message in said) == (code, True), said
    assert [path.name for path in (home / "runs").iterdir()] == ["a"]


def test_imported_weights_train_on(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    for arguments in (
        ("export", "a", "--format", "encodec", "-o", "w.safetensors"),
        ("import", "w.safetensors", "--name", "w"),
    ):
        code, _, said = run(tmp_path, *arguments)
        assert code == 0, said
    small = [word for word in FAST[2:] if not word.startswith("model.generator")]
    # The sizes of the networks come with the weights; the first of their codebooks is enough.
    narrow = [word for word in small if word != "model=tiny"]
    code, said = train(
        tmp_path, "--from", "w", "--run", "b", *narrow, "model.n_q=1", "trainer.max_steps=1"
    )
    assert code == 0, said
    assert "--from w: takes its profile, too: mono model.generator.channels=1" in said
    assert "first 1 of 2 codebooks" in said
    assert "note: discriminator: the checkpoint has none; it starts afresh" in said
