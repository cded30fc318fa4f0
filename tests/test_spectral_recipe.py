"""Training of the spectral family, on tiny networks."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.build import build_networks, build_recipe
from codecctl.engine.networks.complex_channels import from_channels
from codecctl.engine.networks.spectral_front import SpectralFront
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.runtime import FabricRuntime
from tests.tiny_training import changed, everything

pytestmark = pytest.mark.long


SMALL = (
    "model=tiny",
    "data.rate=8000",
    "data.segment_seconds=0.1",
    "data.min_source_seconds=0.1",
    "data.batch_size=4",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "trainer.scheduler.enabled=false",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.loss_config.reconstruction.mel.config.num_mels=16",
    "trainer.eval_loss_config.terms=[]",
)
SPECTRUM = (
    "model.generator.n_fft=64",
    "model.generator.hop_length=16",
    "model.generator.win_length=64",
)
MRSTFT = "trainer.loss_config.spectral.mrstft.config"
WAVE = (
    f"{MRSTFT}.n_ffts=[64,256]",
    f"{MRSTFT}.hop_lengths=[16,64]",
    f"{MRSTFT}.win_lengths=[64,256]",
    "model.generator.strides=[4,8]",
    "model.generator.multipliers=[1,2]",
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[64]",
    "model.discriminators.0.hop_lengths=[16]",
    "model.discriminators.0.win_lengths=[64]",
)
ADVERSARY = (
    'model.discriminators=[{type="ms_stft",n_ffts=[64],hop_lengths=[16],win_lengths=[64],'
    "num_filters=2,kernel_size=[3,9],dilations=[1],stride=[1,2],feature_maps_include_logits=true,"
    'leak=0.2,weight_norm_first=true,channels="all"}]',
    "trainer.loss_config.adversarial.weights.generator=1.0",
    "trainer.loss_config.adversarial.weights.feature=1.0",
    "trainer.loss_config.reconstruction.weights.mel=1.0",
)
MEL_OFF = "trainer.loss_config.reconstruction.weights.mel=0.0"
KL = "trainer.loss_config.bottleneck.weights.kl"


def batch(seed: int = 0, *, items: int = 4, channels: int = 2) -> Tensor:
    """Tones of many levels in a little noise: a latent of few numbers can hold them."""
    generator = torch.Generator().manual_seed(seed)
    loud = 0.1 * 2.0 ** torch.arange(items).reshape(-1, 1, 1)
    pitch = 0.2 + 0.5 * torch.rand(items, channels, 1, generator=generator)
    noise = torch.randn(items, channels, 800, generator=generator)
    return loud * ((pitch * torch.arange(800)).sin() + 0.05 * noise)


def recipe(name: str, *overrides: str, precision: str = "32-true") -> CodecRecipe:
    own = WAVE if name == "waveform-vae" else SPECTRUM
    profile = load_profile(name, [*SMALL, *own, *overrides]).profile
    runtime = FabricRuntime(0, precision=precision)
    built = build_recipe(profile, runtime=runtime, updates_per_epoch=10)
    assert isinstance(built, CodecRecipe)
    return built


def mean_of(trained: Recipe, name: str) -> float:
    return float(trained.aggregate([trained.evaluate(batch())])[f"val/{name}"])


@pytest.mark.parametrize("name", ["spectral-vae", "spectral-complex"])
def test_it_learns_one_batch_and_more_than_silence(name: str) -> None:
    """An output of nothing has the mean square of the target as its error."""
    overrides = ("trainer.optimizer.config.lr=1e-2", "model.generator.num_filters=4", MEL_OFF)
    trained = recipe(name, *overrides)
    silence = float(trained.measure(batch()).coded.target.square().mean())
    for step in range(75):
        trained.train_step(batch(), step)
    assert mean_of(trained, "stft_mse") < 0.6 * silence


def test_the_waveform_sibling_learns_one_batch() -> None:
    trained = recipe("waveform-vae", "trainer.optimizer.config.lr=1e-2", "trainer.ema.decay=0.9")
    before = mean_of(trained, "mrstft")
    for step in range(20):
        row = trained.train_step(batch(), step)
    assert {"loss/mrstft", "loss/generator", "loss/feature", "loss/kl", "latent/std"} <= set(row)
    assert mean_of(trained, "mrstft") < 0.8 * before


def test_a_row_has_the_terms_of_its_profile() -> None:
    row = recipe("spectral-vae").train_step(batch(), 0)
    assert {"loss/stft_mse", "loss/kl", "latent/active", "latent/std", "latent/kl/most"} <= set(row)
    expected = row["loss/stft_mse"] + 0.1 * row["loss/mel"] + 1e-5 * row["loss/kl"]
    torch.testing.assert_close(row["loss/total"], expected)
    plain = recipe("spectral-vae", "model.bottleneck.type=none").train_step(batch(), 0)
    assert "loss/kl" not in plain and "latent/std" not in plain
    torch.testing.assert_close(
        plain["loss/total"], plain["loss/stft_mse"] + 0.1 * plain["loss/mel"]
    )


def test_the_error_is_that_of_the_spectrogram_that_the_decoder_emits() -> None:
    """Measured again by hand: in the transformed domain, in the linear one, summed, and as |x|."""
    transform = 'model.pre_transform={type="power_norm",alpha=0.65,beta=0.35}'
    key = "trainer.loss_config.spectral.stft_mse.config"
    for config, by_hand in (
        ("domain=emitted", lambda d, _: d.square().mean((1, 2, 3))),
        ("reduction=sum", lambda d, _: d.square().sum((1, 2, 3))),
        ("p=1.0", lambda d, _: d.abs().mean((1, 2, 3))),
        ("domain=linear", lambda _, d: d.square().mean((1, 2, 3))),
    ):
        trained = recipe("spectral-complex", transform, f"{key}.{config}")
        measured = trained.measure(batch())
        coded = measured.coded
        front = trained.network.autoencoder.front
        assert isinstance(front, SpectralFront)
        levels = trained.network.level(batch())
        torch.testing.assert_close(coded.target, front.analyze(batch() / levels))
        linear = front.transform.inverse(coded.emitted) - front.transform.inverse(coded.target)
        expected = by_hand(coded.emitted - coded.target, linear)
        torch.testing.assert_close(measured.metrics["stft_mse"], expected)


def test_without_a_transform_the_error_is_that_of_complex_numbers() -> None:
    trained = recipe("spectral-vae")
    coded = trained.measure(batch()).coded
    difference = from_channels(coded.emitted) - from_channels(coded.target)
    expected = difference.abs().square().mean((1, 2, 3)) / 2
    torch.testing.assert_close(trained.measure(batch()).metrics["stft_mse"], expected)


def test_waves_may_be_compared_as_the_network_sees_them() -> None:
    transform = 'model.pre_transform={type="power_norm",alpha=0.5,beta=1.0}'
    key = "trainer.loss_config.spectral.apply_pre_transform_to_wave_losses"
    weights = "trainer.loss_config.reconstruction.weights.time=1.0"
    heard, seen = (
        recipe("spectral-complex", transform, weights, f"{key}={each}")
        for each in ("false", "true")
    )
    coded = seen.measure(batch()).coded
    front = seen.network.autoencoder.front
    assert isinstance(front, SpectralFront)
    ours, theirs = (
        front.synthesize_transformed(each, 800) for each in (coded.emitted, coded.target)
    )
    expected = (ours - theirs).abs().mean((1, 2))
    torch.testing.assert_close(seen.measure(batch()).metrics["time"], expected)
    plain = (heard.measure(batch()).coded.estimate - batch()).abs().mean((1, 2))
    torch.testing.assert_close(heard.measure(batch()).metrics["time"], plain)
    assert not torch.allclose(plain, expected)
    rows = [each.train_step(batch(), 0)["loss/time"] for each in (heard, seen)]
    assert rows[0] != rows[1]


def test_evaluation_uses_the_mean_and_training_draws_from_seed_and_step() -> None:
    trained = recipe("spectral-vae")
    first, again = (trained.measure(batch()).coded.estimate for _ in range(2))
    assert torch.equal(first, again)
    torch.testing.assert_close(trained.reconstruct(batch()), first, rtol=1e-4, atol=1e-6)
    signals = batch()
    draws = trained._training._draws
    assert torch.equal(draws(signals, 3), draws(signals, 3))  # type: ignore[arg-type]  # noise
    assert not torch.equal(draws(signals, 3), draws(signals, 4))  # type: ignore[arg-type]  # noise
    noise = draws(signals, 3)
    assert noise is not None and noise.shape == (4, 8, trained.network.autoencoder.num_latents(800))
    losses = [recipe("spectral-vae").train_step(batch(), step)["loss/stft_mse"] for step in (3, 4)]
    assert losses[0] != losses[1]


PARTS = {
    "vae": ("spectral-vae", ()),
    "complex": ("spectral-complex", ("model.bottleneck.type=vae", f"{KL}=1e-3")),
    "adversary": ("spectral-vae", (*ADVERSARY, "trainer.balancer.enabled=true")),
    "chunks": ("spectral-vae", ("model.spectral_chunk_frames=16",)),
    "waveform": ("waveform-vae", ()),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_batch_in_parts_gives_the_update_of_the_whole(case: str) -> None:
    """In float64; what is drawn does not depend on the parts."""
    name, overrides = PARTS[case]
    states: list[dict[str, Tensor]] = []
    rows = []
    for parts in (1, 2):
        split = f"trainer.accumulate_grad_batches={parts}"
        trained = recipe(name, *overrides, split, precision="64-true")
        losses = trained._training._objective._losses.values()
        for module in (*trained.modules().values(), *losses):
            if isinstance(module, nn.Module):
                module.double()
        rows.append([trained.train_step(batch(step).double(), step) for step in range(2)][-1])
        states.append(
            {
                f"{role}.{key}": value
                for role, network in trained.modules().items()
                for key, value in network.state_dict().items()
            }
        )
    for key, value in states[1].items():
        torch.testing.assert_close(value, states[0][key], rtol=0, atol=1e-8, msg=key)
    for key in ("loss/total", *(key for key in rows[0] if key.startswith("latent/"))):
        torch.testing.assert_close(rows[1][key], rows[0][key], rtol=1e-6, atol=1e-9)


def test_it_goes_on_from_its_state_to_the_last_bit() -> None:
    straight, resumed = recipe("spectral-vae", *ADVERSARY), recipe("spectral-vae", *ADVERSARY)
    for step in range(2):
        straight.train_step(batch(step), step)
    resumed.load_state_dict(copy.deepcopy(straight.state_dict()))
    for trained in (straight, resumed):
        trained.train_step(batch(2), 2)
    assert not changed(everything(straight), everything(resumed))


@pytest.mark.parametrize("channels", [1, 32])
def test_any_number_of_channels_is_one_signal(channels: int) -> None:
    policy = "random_one" if channels == 1 else "all"
    trained = recipe(
        "spectral-vae",
        f"data.capsules.count={channels}",
        f"data.capsules.policy={policy}",
        f"model.generator.channels={channels}",
    )
    row = trained.train_step(batch(channels=channels), 0)
    assert bool(row["loss/total"].isfinite())
    assert trained.reconstruct(batch(channels=channels)).shape == (4, channels, 800)
    assert (
        "val/level_error" in trained.aggregate([trained.evaluate(batch(channels=channels))])
        or channels == 1
    )


def test_a_note_tells_the_size_of_the_latent() -> None:
    notes = " ".join(recipe("spectral-vae").notes())
    # 8 numbers every 128 samples at 8 kHz, and a level a second.
    assert "becomes 501 numbers a second" in notes


def test_long_audio_goes_through_in_pieces() -> None:
    """As `reconstruct` does it: the same as at once, in float64 to rounding."""
    profile = load_profile("spectral-vae", [*SMALL, *SPECTRUM]).profile
    pieces = load_profile("spectral-vae", [*SMALL, *SPECTRUM, "model.spectral_chunk_frames=64"])
    audio = batch(items=1).repeat(1, 1, 6).double()
    whole, parts = (build_networks(each)[0].double() for each in (profile, pieces.profile))
    with torch.no_grad():
        torch.testing.assert_close(
            parts.reconstruct(audio), whole(audio).estimate, rtol=1e-9, atol=1e-11
        )


def test_pieces_are_of_the_averaged_network_where_there_is_one() -> None:
    trained = recipe("spectral-vae", "trainer.ema.enabled=true", "model.spectral_chunk_frames=16")
    for step in range(3):
        trained.train_step(batch(step), step)
    heard = trained.reconstruct(batch())
    expected = trained.measure(batch()).coded.estimate
    torch.testing.assert_close(heard, expected, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        last = trained.network.reconstruct(batch())
    assert float((heard - last).abs().max()) > 1e-3
