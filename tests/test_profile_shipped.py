"""The shipped profiles: they load, and hold the values of the documents."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from codecctl.engine.profile import MODES, Profile, load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.listing import list_options, list_profiles
from codecctl.engine.profile.schema import GROUPS

SEARCH = (PACKAGED,)
PROFILES = [entry.name for entry in list_profiles(SEARCH)]
OPTIONS = [entry.written for entry in list_options(SEARCH)]


USERS = {
    "trainer=guide-example": "spectral-vae",
    "data=pcm": "lossless-8bit",
    "model=lm": "lossless-8bit",
    "model=lm-tiny": "lossless-8bit",
    "model=oobleck": "waveform-vae",
    "model=seanet-complex": "spectral-complex",
    "model=seanet-continuous": "baseline-1ch",
    "model=seanet-real": "spectral-vae",
    "model=spectral-tiny": "spectral-vae",
    "trainer=baseline": "baseline-1ch",
    "trainer=lm": "lossless-8bit",
    "trainer=lm-demo": "lossless-8bit",
    "trainer=soundstream": "soundstream",
    "trainer=soundstream-demo": "soundstream",
    "trainer=spectral": "spectral-vae",
    "trainer=spectral-demo": "spectral-vae",
    "trainer=spectral-shipped": "spectral-vae",
    "trainer=waveform": "waveform-vae",
}
"""A profile that an option goes with, where it is not `paired`."""


def value(profile: Profile, key: str) -> object:
    found: object = profile.model_dump(mode="json")
    for part in key.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]  # nested JSON
    return found


@pytest.mark.parametrize("name", PROFILES)
def test_every_shipped_profile_loads_and_names_a_known_mode(name: str) -> None:
    assert load_profile(name, search=SEARCH).profile.mode in MODES


@pytest.mark.parametrize("option", OPTIONS)
def test_every_shipped_option_goes_with_a_shipped_profile(option: str) -> None:
    name = USERS.get(option, "paired")
    sources = load_profile(name, [option], search=SEARCH).provenance.values()
    assert any(source.endswith(option.replace("=", "/") + ".toml") for source in sources)


@pytest.mark.parametrize("name", PROFILES)
def test_naming_the_default_options_again_changes_no_value(name: str) -> None:
    plain = load_profile(name, search=SEARCH)
    defaults = [
        f"{group}={option}" for group, option in plain.profile.defaults.model_dump().items()
    ]
    # What the profile itself says on top of its options is said again: the command line wins.
    own = [
        f"{key}={json.dumps(value(plain.profile, key))}"
        for key, source in plain.provenance.items()
        if source.endswith(f"profiles/{name}.toml") and key.partition(".")[0] in GROUPS
    ]
    again = load_profile(name, [*defaults, *own], search=SEARCH).profile
    assert again == plain.profile


PAIRED: dict[str, object] = {
    "mode": "paired",
    "family": "seanet",
    "data.store": "auto",
    "data.rate": 24000,
    "data.segment_seconds": 1.0,
    "data.min_source_seconds": 1.0,
    "data.capsules.count": 2,
    "data.capsules.policy": "random_distinct",
    "data.capsules.geometry": "any",
    "data.crop": "random",
    "data.train_scenes": [
        "Beach",
        "BusyStreet",
        "Park",
        "PedestrianZone",
        "QuietStreet",
        "ShoppingCentre",
    ],
    "data.val_scenes": ["Woodland", "TrainStation"],
    "data.test_scenes": [],
    "data.split": "",
    "data.val_items": 100,
    "data.val_seed": 42,
    "data.items_per_epoch": 13800,
    "data.batch_size": 8,
    "data.prefetch_batches": 4,
    "data.pin_memory": True,
    "model.normalize": "rms",
    "model.pre_transform": "none",
    "model.generator.type": "seanet",
    "model.generator.channels": 1,
    "model.generator.num_filters": 32,
    "model.generator.latent_dim": 128,
    "model.generator.strides": [2, 4, 5, 8],
    "model.generator.residual_layers": 1,
    "model.generator.kernel_size": 7,
    "model.generator.last_kernel_size": 7,
    "model.generator.residual_kernel_size": 3,
    "model.generator.dilation_base": 2,
    "model.generator.compress": 2,
    "model.generator.lstm_layers": 2,
    "model.generator.skip": "conv1x1",
    "model.generator.norm": "weight_norm",
    "model.generator.causal": True,
    "model.generator.pad_mode": "reflect",
    "model.generator.trim_right_ratio": 1.0,
    "model.generator.initialization": "torch",
    "model.quantizer.type": "rvq",
    "model.quantizer.num_codebooks": 2,
    "model.quantizer.codebook_size": 1024,
    "model.quantizer.decay": 0.99,
    "model.quantizer.epsilon": 1e-5,
    "model.quantizer.kmeans_init": True,
    "model.quantizer.kmeans_iterations": 50,
    "model.quantizer.dead_threshold": 2.0,
    "model.quantizer.dropout": False,
    "model.quantizer.ema": "correct",
    "model.quantizer.bandwidths": [1.5, 3.0, 6.0, 12.0, 24.0],
    "model.discriminators.0.type": "ms_stft",
    "model.discriminators.0.n_ffts": [1024, 2048, 512],
    "model.discriminators.0.hop_lengths": [256, 512, 128],
    "model.discriminators.0.win_lengths": [1024, 2048, 512],
    "model.discriminators.0.num_filters": 32,
    "model.discriminators.0.kernel_size": [3, 9],
    "model.discriminators.0.dilations": [1, 2, 4],
    "model.discriminators.0.stride": [1, 2],
    "model.discriminators.0.feature_maps_include_logits": False,
    "model.discriminators.0.leak": 0.2,
    "model.discriminators.0.channels": "all",
    "trainer.seed": 3401,
    "trainer.precision": "32-true",
    "trainer.max_epochs": 300,
    "trainer.max_steps": -1,
    "trainer.order": "generator_first",
    "trainer.stages": [],
    "trainer.gradient_clip_val": 0.0,
    "trainer.accumulate_grad_batches": 1,
    "trainer.optimizer.type": "Adam",
    "trainer.optimizer.config": {
        "lr": 3e-4,
        "betas": [0.5, 0.9],
        "eps": 1e-8,
        "weight_decay": 0.0,
    },
    "trainer.scheduler.type": "WarmupCosine",
    "trainer.scheduler.enabled": True,
    "trainer.scheduler.config": {"warmup_epochs": 5.0, "warmup_start": 1e-4, "final": 0.1},
    "trainer.discriminator.optimizer.type": "Adam",
    "trainer.discriminator.optimizer.config.lr": 3e-4,
    "trainer.discriminator.optimizer.config.betas": [0.5, 0.9],
    "trainer.discriminator.scheduler.config.warmup_epochs": 5.0,
    "trainer.discriminator.start": {"epoch": 5},
    "trainer.discriminator.update_probability": 0.5,
    "trainer.discriminator.update_every": 1,
    "trainer.discriminator.gradient_clip_val": 0.0,
    "trainer.discriminator.adversarial_before_start": False,
    "trainer.loss_config.reconstruction.mel.config.scales": [5, 6, 7, 8, 9, 10, 11],
    "trainer.loss_config.reconstruction.mel.config.num_mels": 64,
    "trainer.loss_config.reconstruction.weights": {"time": 0.1, "mel": 1.0, "si_sdr": 0.0},
    "trainer.loss_config.adversarial.weights": {"generator": 3.0, "feature": 3.0},
    "trainer.loss_config.bottleneck.weights": {"commitment": 1.0, "codebook": 1.0, "kl": 0.0},
    "trainer.loss_config.pairwise.similarity.config.stage": 0,
    "trainer.loss_config.pairwise.diversity.config": {
        "stage": 1,
        "kind": "neg_mse",
        "margin": 1.0,
        "frames": "all",
        "weighting": "fixed",
        "share": 0.1,
    },
    "trainer.loss_config.pairwise.similarity.config.frames": "all",
    "trainer.loss_config.pairwise.similarity.config.weighting": "fixed",
    "trainer.loss_config.pairwise.similarity.config.share": 0.1,
    "trainer.loss_config.pairwise.share_decay": 0.99,
    "trainer.loss_config.pairwise.classifier.config": {
        "stage": 1,
        "hidden": 128,
        "num_capsules": 32,
    },
    "trainer.loss_config.pairwise.weights": {
        "similarity": 0.5,
        "diversity": 0.5,
        "classifier": 0.0,
    },
    "trainer.balancer": {
        "enabled": True,
        "total_norm": 1.0,
        "decay": 0.999,
        "epsilon": 1e-12,
        "covers": ["time", "mel", "generator", "feature"],
    },
    "trainer.check_val_every_n_epoch": 5,
    "trainer.log_every_n_steps": 100,
    "trainer.save_every_n_epochs": 2,
    "trainer.keep_last": 5,
    "trainer.keep_every_n_steps": 0,
    "trainer.best_metric": "val/mel",
    "trainer.terminate_on_nan": True,
    "trainer.previews": {"every": 0, "items": 1, "at_steps": [0, 500]},
    "trainer.wandb.project": "paired-encodec-nq2",
    "trainer.wandb.run_name": "paired_encodec_bs8_lr3e-4",
    "trainer.wandb.mode": "auto",
}


@pytest.mark.parametrize("key", PAIRED)
def test_paired_holds_the_documents_values(key: str) -> None:
    assert value(load_profile("paired", search=SEARCH).profile, key) == PAIRED[key]


def test_an_epoch_of_the_paired_profile_has_1725_updates() -> None:
    profile = load_profile("paired", search=SEARCH).profile
    assert profile.data.items_per_epoch / profile.data.batch_size == 1725
    assert profile.trainer.discriminator.start.first_step(1725) == 4 * 1725


def test_the_seanet_option_codes_75_frames_a_second() -> None:
    profile = load_profile("paired", search=SEARCH).profile
    assert profile.data.rate / math.prod(profile.model.generator.strides) == 75


def test_bandwidths_beyond_the_codebooks_give_one_notice() -> None:
    (notice,) = load_profile("paired", search=SEARCH).notices
    assert notice == (
        "model.quantizer.bandwidths: 3, 6, 12, 24 kb/s are above the 1.5 kb/s of all 2 codebooks "
        "and use these"
    )


def test_enough_codebooks_for_all_bandwidths_give_no_notice() -> None:
    assert load_profile("paired", ["model.n_q=32"], search=SEARCH).notices == ()


def test_tiny_narrows_every_network_and_keeps_the_rest() -> None:
    plain = load_profile("paired", search=SEARCH).profile.model
    tiny = load_profile("paired", ["model=tiny"], search=SEARCH).profile.model
    assert tiny.generator.num_filters < plain.generator.num_filters
    assert tiny.discriminators[0].num_filters < plain.discriminators[0].num_filters
    assert tiny.generator.strides == plain.generator.strides
    assert tiny.quantizer == plain.quantizer


def test_the_demo_overlay_is_short_needs_no_gpu_and_no_account() -> None:
    demo = load_profile("paired", ["model=tiny", "trainer=demo"], search=SEARCH).profile
    plain = load_profile("paired", search=SEARCH).profile
    assert demo.trainer.num_gpus == 0
    assert 0 < demo.trainer.max_steps <= 1000
    assert demo.trainer.max_steps <= demo.trainer.max_epochs * demo.trainer.updates_per_epoch
    assert not demo.trainer.wandb.use_wandb
    assert demo.trainer.discriminator.start.first_step(50) < demo.trainer.max_steps
    assert demo.trainer.loss_config == plain.trainer.loss_config


def test_profiles_load_without_torch_or_audio_libraries(tmp_path: Path) -> None:
    script = (
        "import sys; from codecctl.engine.profile import load_profile; load_profile('paired'); "
        "print({'torch', 'h5py', 'soundfile', 'textual', 'wandb', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")
