"""Profiles of the spectral family: values of the document, and what is refused."""

from __future__ import annotations

import pytest

from codecctl.engine.export_config import package_arguments, transformers_config
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.notices import notices
from codecctl.engine.profile.schema import SpectralProfile
from codecctl.engine.profile.schema_spectral import SpectralGenerator
from codecctl.errors import ProfileError

SEARCH = (PACKAGED,)


def test_the_profile_has_the_values_of_the_document() -> None:
    profile = load_profile("spectral-vae", search=SEARCH).profile
    assert isinstance(profile, SpectralProfile)
    generator = profile.model.generator
    assert isinstance(generator, SpectralGenerator)
    assert round(profile.data.segment_seconds * profile.data.rate) == 127 * 512
    assert generator.latent_dim == 128
    assert generator.ratios == ((4, 2), (1, 2), (4, 2))
    assert (generator.n_fft, generator.hop_length, generator.win_length) == (2048, 512, 2048)
    trainer = profile.trainer
    assert (trainer.seed, trainer.max_epochs, trainer.check_val_every_n_epoch) == (94, 500, 4)
    assert trainer.loss_config.spectral.weights.stft_mse == 1.0
    assert trainer.loss_config.spectral.stft_mse.config.p == 2.0
    assert trainer.loss_config.bottleneck.weights.kl == 1e-5  # trains; the example's 1.0 does not
    config = trainer.scheduler.config
    assert (config.inv_gamma, config.power, config.warmup) == (30000.0, 0.5, 0.997)  # type: ignore[union-attr]  # InverseLR's
    shipped = load_profile("spectral-vae", ["trainer=spectral-shipped"], search=SEARCH).profile
    assert (shipped.data.batch_size, shipped.trainer.optimizer.config.lr) == (128, 5e-3)


def test_the_networks_have_the_documents_names() -> None:
    profile = load_profile("spectral-complex", ["model=SEANet_real"], search=SEARCH).profile
    assert profile.model.generator.type == "seanet_real"  # type: ignore[comparison-overlap]  # SpectralModel's


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("spectral-vae", ["n_fft=2049"], r"n_fft: found 2049, allowed: an even number"),
        ("spectral-vae", ["win_length=4096"], r"win_length: found 4096, allowed: at most n_fft"),
        ("spectral-vae", ["hop_length=1025"], r"hop_length: found 1025, allowed: at most half"),
        ("spectral-vae", ["ratios=[[64,2],[32,2]]"], r"ratios: found 2048 times fewer bins"),
        ("spectral-complex", ["latent_dim=33"], r"latent_dim: found 33, allowed with type"),
        (
            "spectral-vae",
            ["seq_model=transformer", "seq_heads=3"],
            r"seq_heads: found 3, allowed: a divisor of latent_dim = 128",
        ),
        ("waveform-vae", ["strides=[2,4]"], r"multipliers: found 5 entries, needed 2"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(
    name: str, overrides: list[str], message: str
) -> None:
    with pytest.raises(ProfileError, match=message):
        load_profile(name, [f"model.generator.{each}" for each in overrides], search=SEARCH)


SPECTRAL = "trainer.loss_config.spectral"


@pytest.mark.parametrize(
    ("name", "override", "message"),
    [
        ("waveform-vae", "model.spectral_chunk_frames=64", r"found 64, allowed with generator"),
        (
            "waveform-vae",
            'model.pre_transform={type="log_mag",alpha=1.0}',
            r"pre_transform.type: found 'log_mag', allowed with generator type 'oobleck': 'none'",
        ),
        ("paired", f"{SPECTRAL}.weights.stft_mse=1.0", r"stft_mse: found 1, allowed with"),
        (
            "waveform-vae",
            f"{SPECTRAL}.apply_pre_transform_to_wave_losses=true",
            r"found true, allowed with generator type 'oobleck', which has no pre-transform",
        ),
        ("spectral-vae", "model.quantizer.type=rvq", r"model.quantizer"),
        ("spectral-vae", f"{SPECTRAL}.weights.stft_mse=-1.0", r"allowed: a number at least 0"),
        ("spectral-vae", "data.capsules.count=3", r"channels: found 2, allowed in mode 'spectral'"),
    ],
)
def test_terms_without_their_network_are_refused(name: str, override: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        load_profile(name, [override], search=SEARCH)


KL = "trainer.loss_config.bottleneck.weights.kl"


def test_a_weight_of_kl_without_a_vae_is_ignored_with_one_notice() -> None:
    for name, overrides in (
        ("paired", [f"{KL}=1.0"]),
        ("spectral-vae", ["model.bottleneck.type=none"]),
    ):
        found = list(notices(load_profile(name, overrides, search=SEARCH).profile))
        assert [each for each in found if "is ignored: there is no VAE" in each] == [
            each for each in found if KL in each
        ]
        assert sum(KL in each for each in found) == 1
    assert not any(KL in each for each in notices(load_profile("spectral-vae").profile))


def test_the_documents_weight_of_kl_is_told_to_collapse() -> None:
    profile = load_profile("spectral-vae", [f"{KL}=1.0"], search=SEARCH).profile
    assert any("collapse" in each for each in notices(profile))


@pytest.mark.parametrize("name", ["spectral-vae", "waveform-vae"])
def test_other_implementations_have_no_such_network(name: str) -> None:
    profile = load_profile(name, search=SEARCH).profile
    for arguments in (transformers_config, package_arguments):
        with pytest.raises(ProfileError, match=r"model.generator.type: found \w+, needed seanet"):
            arguments(profile)
