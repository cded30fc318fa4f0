"""Profile `soundstream` holds every value of document 003 and of the table of the modes."""

from __future__ import annotations

import pytest

from codecctl.engine.build import build_networks
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED

VALUES: dict[str, object] = {
    # Of the document.
    "data.batch_size": 128,
    "trainer.gradient_clip_val": 0.5,
    "trainer.discriminator.gradient_clip_val": 0.5,
    "trainer.scheduler.type": "LinearWarmup",
    "trainer.scheduler.config": {"warmup_steps": 1000, "start": 1e-6},
    "trainer.stages.1.scheduler.config": {"warmup_steps": 1000, "start": 1e-6},  # D17
    "trainer.optimizer.config.lr": 2e-4,
    "trainer.optimizer.config.betas": [0.9, 0.99],
    "trainer.discriminator.optimizer.config.lr": 1e-4,
    "trainer.discriminator.optimizer.config.betas": [0.5, 0.9],
    "trainer.stages.0.length": {"steps": 50_000},
    "trainer.stages.1.length": {"steps": 45_000},  # D16, D35
    "trainer.stages.0.weights": {"adversarial": 0.0, "mel": 1.0},
    "trainer.stages.1.weights": {},
    "trainer.loss_config.adversarial.weights": {"generator": 1.0, "feature": 0.1},  # D15
    "trainer.loss_config.reconstruction.weights": {"time": 1.0, "mel": 0.01, "si_sdr": 0.0},
    "trainer.loss_config.bottleneck.weights.commitment": 1.0,
    "model.quantizer.decay": 0.95,
    "model.quantizer.dropout": True,
    "model.generator.num_filters": 32,
    "trainer.save_every_n_steps": 5000,
    # Of the table.
    "data.rate": 24_000,
    "data.segment_seconds": 1.0,
    "data.capsules.count": 1,
    "data.capsules.policy": "random_one",
    "data.items_per_epoch": 128_000,
    "data.val_items": 100,
    "data.val_seed": 42,
    "data.prefetch_batches": 7,
    "data.pin_memory": True,
    "trainer.seed": 42,
    "trainer.order": "discriminator_first",
    "trainer.precision": "32-true",
    "model.generator.latent_dim": 512,
    "model.generator.strides": [3, 4, 5, 8],
    "model.generator.dilations": [1, 3, 9],
    "model.generator.kernel_size": 7,
    "model.generator.last_kernel_size": 3,
    "model.normalize": "none",
    "model.quantizer.num_codebooks": 8,
    "model.quantizer.codebook_size": 1024,
    "model.quantizer.groups": 1,
    "model.quantizer.kmeans_init": False,
    "model.quantizer.dead_threshold": 2.0,
    "model.quantizer.epsilon": 1e-5,
    "model.discriminators.0.n_fft": 1024,
    "model.discriminators.0.hop_length": 256,
    "model.discriminators.0.num_filters": 32,
    "model.discriminators.1.factors": [1, 2, 4],
    "model.discriminators.1.leak": 0.01,
    "trainer.discriminator.update_probability": 1.0,
    "trainer.discriminator.update_every": 1,
    "trainer.loss_config.reconstruction.time.config.kind": "l2",
    "trainer.loss_config.reconstruction.mel.config": {
        "kind": "power_and_log_norm",
        "scales": [6, 7, 8, 9, 10, 11],
        "num_mels": 64,
    },
    "trainer.loss_config.adversarial.feature.config.kind": "summed",
    "trainer.balancer.enabled": False,
    "trainer.optimizer.type": "Adam",
    "trainer.discriminator.scheduler.type": "Constant",
    "trainer.best_metric": "val/mel",  # D27
    "trainer.wandb.use_wandb": False,
    "trainer.previews.at_steps": [0, 500, 50_000, 80_000],
    "trainer.keep_every_n_steps": 5000,
}


def test_every_value_stands_there() -> None:
    values: object = load_profile("soundstream", search=(PACKAGED,)).profile.model_dump(mode="json")

    def at(key: str) -> object:
        found = values
        for part in key.split("."):
            if isinstance(found, list):
                found = found[int(part)]
            else:
                assert isinstance(found, dict), key
                found = found[part]
        return found

    wrong = {key: (at(key), wanted) for key, wanted in VALUES.items() if at(key) != wanted}
    assert wrong == {}


@pytest.mark.long
def test_the_full_networks_have_the_parameters_of_the_original() -> None:
    network, jury = build_networks(load_profile("soundstream", search=(PACKAGED,)).profile)
    assert jury is not None

    def count(module: object) -> int:
        return sum(p.numel() for p in module.parameters())  # type: ignore[attr-defined]

    assert count(network.autoencoder.encoder) + count(network.autoencoder.decoder) == 11_813_377
    assert count(network.quantizer) == 0  # entries follow a moving average
    assert network.quantizer.num_codebooks * 1024 * 512 == 4_194_304
    assert [count(each) for each in jury.discriminators] == [5_547_585, 3 * 5_637_953]
