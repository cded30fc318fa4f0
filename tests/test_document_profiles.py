"""Every value that the documents give for the four codec profiles, and the key that it lives at.

The rows are those of the table of codec modes, in its order; where a decision changed a value, the
row says which.
"""

from __future__ import annotations

import math

import pytest

from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.library import PACKAGED

NAMES = ("baseline-1ch", "baseline-32ch", "paired", "mono")
SCENES = ["Beach", "BusyStreet", "Park", "PedestrianZone", "QuietStreet", "ShoppingCentre"]
SCALES = [5, 6, 7, 8, 9, 10, 11]
FIVE, THREE = [2048, 1024, 512, 256, 128], [1024, 2048, 512]
BOTH = {"lr": 3e-4, "betas": [0.5, 0.9], "eps": 1e-8, "weight_decay": 0.0}
WARMUP = {"warmup_epochs": 5.0, "warmup_start": 1e-4, "final": 0.1}
ADVERSARIAL = {"generator": 3.0, "feature": 3.0}
ABSENT = object()
"""The profile has no such key."""


def alike(value: object) -> tuple[object, ...]:
    return (value,) * 4


def halves(baseline: object, encodec: object) -> tuple[object, ...]:
    """One value for both baselines, one for paired and mono."""
    return (baseline, baseline, encodec, encodec)


VALUES: dict[str, tuple[object, ...]] = {
    "mode": ("baseline", "baseline", "paired", "mono"),
    "data.train_scenes": alike(SCENES),
    "data.val_scenes": alike(["Woodland", "TrainStation"]),
    "data.test_scenes": alike([]),
    "data.rate": alike(24_000),
    "data.segment_seconds": alike(1.0),
    "data.min_source_seconds": alike(1.0),
    "model.generator.channels": (1, 32, 1, 1),
    "data.capsules.count": (1, 32, 2, 1),
    "data.capsules.policy": ("random_one", "all", "random_distinct", "random_one"),
    "data.capsules.geometry": alike("any"),  # all capsules take part: D11
    "data.crop": alike("random"),
    "data.items_per_epoch": (64_000, 8_000, 13_800, 27_600),
    "data.val_items": (2_000, 2_000, 100, 100),
    "data.val_seed": alike(42),
    "data.prefetch_batches": alike(4),
    "data.pin_memory": alike(True),
    "data.batch_size": (32, 4, 8, 16),  # mono: D21
    "trainer.max_epochs": alike(300),
    "trainer.max_steps": alike(-1),
    "trainer.seed": alike(3401),
    "trainer.precision": alike("32-true"),
    "trainer.gradient_clip_val": halves(1.0, 0.0),
    "trainer.order": halves("discriminator_first", "generator_first"),  # D23
    "trainer.stages": alike([]),
    "model.generator.type": alike("seanet"),
    "model.generator.num_filters": alike(32),  # D1
    "model.generator.latent_dim": halves(32, 128),
    "model.generator.strides": alike([2, 4, 5, 8]),  # D1
    "model.generator.residual_layers": alike(1),
    "model.generator.kernel_size": alike(7),
    "model.generator.last_kernel_size": alike(7),
    "model.generator.residual_kernel_size": alike(3),
    "model.generator.dilation_base": alike(2),
    "model.generator.compress": alike(2),
    "model.generator.lstm_layers": alike(2),
    "model.generator.skip": halves("identity", "conv1x1"),
    "model.generator.norm": alike("weight_norm"),
    "model.generator.causal": halves(False, True),
    "model.generator.pad_mode": alike("reflect"),
    "model.generator.trim_right_ratio": halves(0.5, 1.0),
    "model.normalize": halves("none", "rms"),  # over one second: D26
    "model.quantizer.type": halves("none", "rvq"),
    "model.quantizer.num_codebooks": halves(ABSENT, 2),
    "model.quantizer.codebook_size": halves(ABSENT, 1024),
    "model.quantizer.groups": halves(ABSENT, 1),
    "model.quantizer.decay": halves(ABSENT, 0.99),
    "model.quantizer.kmeans_init": halves(ABSENT, True),
    "model.quantizer.kmeans_iterations": halves(ABSENT, 50),
    "model.quantizer.dead_threshold": halves(ABSENT, 2.0),
    "model.quantizer.epsilon": halves(ABSENT, 1e-5),
    "model.quantizer.dropout": halves(ABSENT, False),
    "model.quantizer.bandwidths": halves(ABSENT, [1.5, 3.0, 6.0, 12.0, 24.0]),  # D14
    "model.discriminators.0.type": alike("ms_stft"),
    "model.discriminators.0.n_ffts": halves(FIVE, THREE),  # D12
    "model.discriminators.0.hop_lengths": halves([512, 256, 128, 64, 32], [256, 512, 128]),
    "model.discriminators.0.win_lengths": halves(FIVE, THREE),
    "model.discriminators.0.num_filters": alike(32),
    "model.discriminators.0.kernel_size": alike([3, 9]),
    "model.discriminators.0.dilations": alike([1, 2, 4]),
    "model.discriminators.0.stride": alike([1, 2]),
    "model.discriminators.0.feature_maps_include_logits": halves(True, False),
    "model.discriminators.0.weight_norm_first": halves(True, False),
    "model.discriminators.0.channels": alike("all"),  # D2
    "model.discriminators.0.leak": alike(0.2),
    "trainer.discriminator.update_probability": halves(1.0, 0.5),
    "trainer.discriminator.update_every": alike(1),
    "trainer.discriminator.start": halves({"epoch": 1}, {"epoch": 5}),
    "trainer.discriminator.adversarial_before_start": alike(False),  # D25
    "trainer.loss_config.reconstruction.weights": alike({"time": 0.1, "mel": 1.0, "si_sdr": 0.0}),
    "trainer.loss_config.reconstruction.mel.config": halves(
        {"kind": "power_and_log", "scales": SCALES, "num_mels": 64},
        {"kind": "log", "scales": SCALES, "num_mels": 64},
    ),
    "trainer.loss_config.adversarial.weights": alike(ADVERSARIAL),
    "trainer.loss_config.bottleneck.weights.commitment": halves(0.0, 1.0),
    "trainer.loss_config.pairwise.weights": (
        {"similarity": 0.0, "diversity": 0.0, "classifier": 0.0},
        {"similarity": 0.0, "diversity": 0.0, "classifier": 0.0},
        {"similarity": 0.5, "diversity": 0.5, "classifier": 0.0},  # D13
        {"similarity": 0.0, "diversity": 0.0, "classifier": 0.0},
    ),
    "trainer.loss_config.pairwise.similarity.config.stage": alike(0),
    "trainer.loss_config.pairwise.diversity.config.stage": alike(1),
    "trainer.loss_config.pairwise.diversity.config.kind": alike("neg_mse"),  # D5
    "trainer.loss_config.pairwise.diversity.config.margin": alike(1.0),
    "trainer.balancer.enabled": alike(True),
    "trainer.balancer.total_norm": alike(1.0),
    "trainer.balancer.decay": alike(0.999),
    "trainer.balancer.epsilon": alike(1e-12),
    "trainer.balancer.covers": alike(["time", "mel", "generator", "feature"]),
    "trainer.optimizer.type": alike("Adam"),
    "trainer.optimizer.config": alike(BOTH),
    "trainer.discriminator.optimizer.type": alike("Adam"),
    "trainer.discriminator.optimizer.config": alike(BOTH),
    "trainer.scheduler.enabled": halves(False, True),
    "trainer.scheduler.type": halves(ABSENT, "WarmupCosine"),
    "trainer.scheduler.config": halves(ABSENT, WARMUP),
    "trainer.discriminator.scheduler.enabled": halves(False, True),
    "trainer.check_val_every_n_epoch": halves(1, 5),
    "trainer.log_every_n_steps": alike(100),
    "trainer.previews.every": halves(20_000, 0),  # ten epochs of 2000; with every validation
    "trainer.previews.items": halves(5, 1),
    "trainer.wandb.mode": alike("auto"),  # D30
    "trainer.wandb.project": (
        "baseline-autoencoder-training",
        "baseline-autoencoder-training",
        "paired-encodec-nq2",
        "mono-encodec-nq2",
    ),
    "trainer.wandb.run_name": (
        "baseline-1ch-24khz",
        "baseline-32ch-24khz",
        "paired_encodec_bs8_lr3e-4",
        "mono_encodec_bs8_lr3e-4",
    ),
    "trainer.save_every_n_epochs": halves(1, 2),
    "trainer.best_metric": alike("val/mel"),  # D27
    "trainer.save_top_k": alike(1),
    "trainer.keep_last": halves(1, 5),
}


def value(profile: Profile, key: str) -> object:
    found: object = profile.model_dump(mode="json")
    for part in key.split("."):
        if isinstance(found, list):
            found = found[int(part)]
        else:
            assert isinstance(found, dict)
            found = found.get(part, ABSENT)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_holds_every_value_of_the_table(name: str) -> None:
    profile = load_profile(name, search=(PACKAGED,)).profile
    column = NAMES.index(name)
    expected = {key: values[column] for key, values in VALUES.items()}
    wrong = {
        key: (value(profile, key), wanted)
        for key, wanted in expected.items()
        # A constant rate is a scheduler that is off, whatever else it says.
        if value(profile, key) != wanted and not (wanted is ABSENT and "scheduler" in key)
    }
    assert wrong == {}


@pytest.mark.parametrize(("name", "updates"), [*zip(NAMES, (2000, 2000, 1725, 1725), strict=True)])
def test_updates_and_frames_follow_from_the_values(name: str, updates: int) -> None:
    profile = load_profile(name, search=(PACKAGED,)).profile
    assert profile.trainer.updates_per_epoch == 0
    assert profile.data.items_per_epoch == updates * profile.data.batch_size
    assert profile.data.rate / math.prod(profile.model.generator.strides) == 75


def test_the_lite_option_is_the_network_of_the_first_code() -> None:
    model = load_profile("baseline-1ch", ["model=lite"], search=(PACKAGED,)).profile.model
    assert model.generator.num_filters == 4
    assert model.generator.strides == (12, 8, 10)
    assert model.generator.model_dump()["lstm_layers"] == 0
