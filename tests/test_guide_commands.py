"""The commands of the trainer guide, with `codecctl train` in the place of `python train.py`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from codecctl.commands.train_job import Wish, plan
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.refused import ELSEWHERE, TRAINER
from codecctl.errors import ProfileError, UsageError

NAMED = "--profile spectral-vae "
PRINTED = [
    (NAMED + "trainer=guide-example data=jamendo_highres model=SEANet_real", "data.rate", 44100),
    (NAMED + "trainer.optimizer.config.lr=3e-4", "trainer.optimizer.config.lr", 3e-4),
    ("data.train_dataloader.batch_size=32 trainer.trainer.max_epochs=100", "data.batch_size", 32),
    (
        "data.train_dataloader.batch_size=32 trainer.trainer.max_epochs=100",
        "trainer.max_epochs",
        100,
    ),
    (NAMED + "trainer.wandb.use_wandb=false", "trainer.wandb.use_wandb", False),
    ("model=SEANet_real data=jamendo_highres", "defaults.model", "seanet-real"),
    ("model=SEANet_real data=jamendo_highres", "defaults.data", "jamendo-highres"),
    (NAMED + "trainer.deterministic=true", "trainer.deterministic", True),
    ("trainer.trainer.deterministic=true", "trainer.deterministic", True),
    ("trainer.trainer.strict_deterministic=true", "trainer.strict_deterministic", True),
    ("trainer.trainer.gradient_clip_val=0.5", "trainer.gradient_clip_val", 0.5),
    ("trainer.trainer.accumulate_grad_batches=2", "trainer.accumulate_grad_batches", 2),
    ("trainer.trainer.save_every_n_epochs=3", "trainer.save_every_n_epochs", 3),
    ("trainer.trainer.log_model_structure=true", "trainer.log_model_structure", True),
    (NAMED + "trainer.logger=none", "trainer.logger", "jsonl"),
    (NAMED + "trainer.num_gpus=0", "trainer.num_gpus", 0),
    (NAMED + "trainer.scheduler.enabled=false", "trainer.scheduler.enabled", False),
    ("model.autoencoder.pre_transform.type=none", "model.pre_transform.type", "none"),
]


@pytest.mark.parametrize(("words", "key", "value"), PRINTED)
def test_a_command_of_the_guide_means_what_it_says(
    words: str, key: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    profile, rest = "", shlex.split(words)
    if rest[0] == "--profile":
        profile, rest = rest[1], rest[2:]
    job = plan(Wish(profile, rest, "run", False, "", False), leads=True)
    assert job.profile_name == "spectral-vae"
    found: object = job.resolved.profile.model_dump(mode="json")
    for part in key.split("."):
        assert isinstance(found, dict)
        found = found[part]
    assert found == value
    if not profile:
        assert any(note.startswith("profile spectral-vae: ") for note in job.notes)


def test_without_anything_that_tells_the_guides_profile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"found no profile; .*--profile spectral-vae\)$"):
        plan(Wish("", ["trainer.optimizer.config.lr=3e-4"], "", False, "", False), leads=True)


def test_the_examples_of_the_guide_are_an_option() -> None:
    trainer = load_profile("spectral-vae", ["trainer=guide-example"], search=(PACKAGED,))
    values = trainer.profile.trainer.model_dump(mode="json")
    assert values["optimizer"]["type"] == "AdamW"
    assert values["optimizer"]["config"]["lr"] == 3e-4
    assert values["optimizer"]["config"]["betas"] == [0.9, 0.999]
    assert values["optimizer"]["config"]["weight_decay"] == 1e-4
    assert values["scheduler"]["type"] == "InverseLR"
    config = {"inv_gamma": 1.0, "power": 1.0, "warmup": 0.0, "final_lr": 0.0}
    assert values["scheduler"]["config"] == config
    assert values["loss_config"]["bottleneck"]["weights"]["kl"] == 1.0
    assert values["loss_config"]["spectral"]["weights"]["stft_mse"] == 1.0


@pytest.mark.parametrize("name", sorted(TRAINER))
def test_keys_of_lightnings_trainer_that_have_no_place_say_why(name: str) -> None:
    with pytest.raises(ProfileError, match=rf"trainer\.{name}: there is no such key: .{{9}}"):
        load_profile("spectral-vae", [f"trainer.trainer.{name}=1"], search=(PACKAGED,))


@pytest.mark.parametrize("key", sorted(ELSEWHERE))
def test_other_keys_of_the_guides_code_say_what_to_set(key: str) -> None:
    for written in (key, f"{key}.a"):
        with pytest.raises(ProfileError, match=r"there is no such key: .{9}"):
            load_profile("spectral-vae", [f"{written}=1"], search=(PACKAGED,))


@pytest.mark.parametrize("name", ["n_fft", "hop_length", "win_length", "normalized"])
def test_the_guides_spectrogram_is_that_of_the_model(name: str) -> None:
    value = "false" if name == "normalized" else "256"
    changes = [f"data.{name}={value}"] + (["data.win_length=128"] if name == "n_fft" else [])
    hop = ["model.generator.hop_length=32"] if name in ("n_fft", "win_length") else []
    profile = load_profile("spectral-vae", [*hop, *changes], search=(PACKAGED,)).profile
    assert profile.model.generator.model_dump()[name] == json.loads(value)


def test_a_mode_that_an_override_chooses_is_checked_like_any_other() -> None:
    with pytest.raises(ProfileError, match=r"capsules\.count: found 2, allowed in mode 'mono': 1"):
        load_profile("paired", ["mode=mono"], search=(PACKAGED,))
