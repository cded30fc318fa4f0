"""Terms on short-time spectra against auraloss, NumPy and what they must not depend on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.losses import WaveLoss
from codecctl.engine.losses.linear_mel import MultiScaleLinearMelLoss
from codecctl.engine.losses.mel import LogMelSpectrogram
from codecctl.engine.losses.multi_resolution_stft import MultiResolutionStftLoss
from codecctl.engine.losses.phase import PhaseLoss
from codecctl.engine.losses.si_sdr import SiSdrLoss
from codecctl.engine.losses.spectra import Spectra

N_FFTS, HOPS, WINDOWS = (256, 64), (60, 16), (200, 64)
PARTS = ("convergence", "log_magnitude", "magnitude", "complex")


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(*shape, generator=generator, dtype=torch.float64)


def stft_loss(
    *,
    convergence: float = 0.0,
    log_magnitude: float = 0.0,
    magnitude: float = 0.0,
    complex: float = 0.0,  # noqa: A002 # as the loss calls it
) -> nn.Module:
    return MultiResolutionStftLoss(
        n_ffts=N_FFTS,
        hop_lengths=HOPS,
        win_lengths=WINDOWS,
        convergence=convergence,
        log_magnitude=log_magnitude,
        magnitude=magnitude,
        complex=complex,
    ).double()


LOSSES: dict[str, WaveLoss] = {
    "convergence": stft_loss(convergence=1.0),
    "log magnitude": stft_loss(log_magnitude=1.0),
    "magnitude": stft_loss(magnitude=1.0),
    "complex": stft_loss(complex=1.0),
    "phase": PhaseLoss(n_fft=256, hop_length=64, win_length=256).double(),
    "linear mel": MultiScaleLinearMelLoss(scales=(6, 8), num_mels=20, sample_rate=24_000).double(),
    "si_sdr": SiSdrLoss(zero_mean=True),
}


def spectra(audio: Tensor, n_fft: int, hop: int, win: int) -> npt.NDArray[np.complex128]:
    """Centred frames under a Hann window in the middle of the transform, (C, frames, bins)."""
    padded = np.pad(audio.numpy(), ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect")
    window = np.zeros(n_fft)
    left = (n_fft - win) // 2
    window[left : left + win] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(win) / win)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)[:, ::hop]
    return np.fft.rfft(frames * window)


@pytest.mark.oracle
@pytest.mark.parametrize(("log_magnitude", "magnitude"), [(1.0, 0.0), (1.0, 0.5), (0.0, 1.0)])
def test_the_parts_are_those_of_auraloss(log_magnitude: float, magnitude: float) -> None:
    freq = pytest.importorskip("auraloss.freq")
    theirs = freq.MultiResolutionSTFTLoss(
        fft_sizes=list(N_FFTS),
        hop_sizes=list(HOPS),
        win_lengths=list(WINDOWS),
        w_sc=1.0,
        w_log_mag=log_magnitude,
        w_lin_mag=magnitude,
    )
    ours = stft_loss(convergence=1.0, log_magnitude=log_magnitude, magnitude=magnitude).float()
    reference = noise(1, 2, 2000, seed=1).float()  # its convergence is that of a whole batch
    estimate = (reference + noise(1, 2, 2000, seed=2).float()).requires_grad_()
    expected = theirs(estimate, reference)
    torch.testing.assert_close(ours(estimate, reference).mean(), expected, rtol=1e-5, atol=0)
    (wanted,) = torch.autograd.grad(expected, estimate)
    (found,) = torch.autograd.grad(ours(estimate, reference).mean(), estimate)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * wanted.abs().max().item())


def test_every_part_is_its_formula() -> None:
    reference, estimate = noise(1, 2, 1000, seed=1), noise(1, 2, 1000, seed=2)
    wanted = dict.fromkeys(PARTS, 0.0)
    for n_fft, hop, win in zip(N_FFTS, HOPS, WINDOWS, strict=True):
        ours, theirs = (spectra(each[0], n_fft, hop, win) for each in (estimate, reference))
        parts = [abs((ours - theirs).real), abs((ours - theirs).imag)]
        wanted["complex"] += float(np.mean(parts)) / 2
        ours, theirs = (np.maximum(abs(each), 1e-4) for each in (ours, theirs))
        wanted["magnitude"] += float(abs(ours - theirs).mean()) / 2
        wanted["log_magnitude"] += float(abs(np.log(ours) - np.log(theirs)).mean()) / 2
        distance = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
        wanted["convergence"] += float(distance) / 2
    for part, value in wanted.items():
        found = stft_loss(**{part: 1.0})(estimate, reference)
        assert found.item() == pytest.approx(value, rel=1e-6), part
    everything = stft_loss(convergence=1.0, log_magnitude=2.0, magnitude=3.0, complex=4.0)
    together = sum((k + 1) * wanted[part] for k, part in enumerate(PARTS))
    assert everything(estimate, reference).item() == pytest.approx(together, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_an_item_is_measured_alone_and_its_channels_in_any_order(name: str) -> None:
    loss, reference, estimate = LOSSES[name], noise(3, 2, 1000, seed=1), noise(3, 2, 1000, seed=2)
    whole = loss(estimate, reference)
    assert whole.shape == (3,)
    torch.testing.assert_close(loss(estimate[1:2], reference[1:2]), whole[1:2])
    torch.testing.assert_close(loss(estimate.flip(1), reference.flip(1)), whole)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("silent", ["estimate", "reference", "both", "equal"])
def test_gradients_are_finite_in_silence_and_at_the_goal(name: str, silent: str) -> None:
    reference, estimate = noise(2, 1, 1000, seed=1), noise(2, 1, 1000, seed=2)
    if silent in ("reference", "both"):
        reference = torch.zeros_like(reference)
    if silent in ("estimate", "both"):
        estimate = torch.zeros_like(estimate)
    if silent == "equal":
        estimate = reference.clone()
    estimate.requires_grad_()
    value = LOSSES[name](estimate, reference)
    (gradient,) = torch.autograd.grad(value.sum(), estimate)
    assert value.isfinite().all()
    assert gradient.isfinite().all()
    if silent == "equal" and name != "si_sdr":
        torch.testing.assert_close(value, torch.zeros_like(value), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", LOSSES)
def test_each_term_alone_pulls_an_estimate_to_the_reference(name: str) -> None:
    loss, reference = LOSSES[name], noise(1, 1, 1000, seed=1)
    estimate = (reference + noise(1, 1, 1000, seed=2)).requires_grad_()
    optimizer = torch.optim.Adam([estimate], lr=3e-3)
    before = loss(estimate, reference).item()
    for _ in range(40):
        optimizer.zero_grad()
        (estimate.grad,) = torch.autograd.grad(loss(estimate, reference).sum(), estimate)
        optimizer.step()
    after = loss(estimate, reference).item()
    assert after < (before - 6.0 if name == "si_sdr" else 0.6 * before)


def test_phases_cost_what_their_angle_says() -> None:
    time = torch.arange(48_000, dtype=torch.float64) * (2 * torch.pi * 1500 / 24_000)
    loss = PhaseLoss(n_fft=256, hop_length=64, win_length=256).double()
    for angle in (0.0, 0.5, 1.5, torch.pi):
        found = loss(0.2 * (time + angle).cos()[None, None], time.cos()[None, None]).item()
        assert found == pytest.approx(1 - np.cos(angle), abs=5e-3)
    assert 0.8 < loss(noise(1, 1, 24_000, seed=1), noise(1, 1, 24_000, seed=2)).item() < 1.2


@pytest.mark.parametrize("level", [1.0, 1e-4, 1e-6, 1e-7])
def test_phases_of_quiet_references_cost_between_nothing_and_two(level: float) -> None:
    loss = PhaseLoss(n_fft=256, hop_length=64, win_length=256).double()
    audio = noise(1, 1, 4000)
    heard = level > 1e-5  # the rest is silence
    for louder in (1.0, level):
        assert loss(louder * audio, level * audio).item() == pytest.approx(0.0, abs=1e-6)
    assert loss(-audio, level * audio).item() == pytest.approx(2.0 if heard else 0.0, abs=1e-6)


def test_linear_mel_is_the_root_of_the_power_whose_logarithm_the_other_takes() -> None:
    reference, estimate = 10 * noise(1, 1, 2048, seed=1), 10 * noise(1, 1, 2048, seed=2)
    wanted = 0.0
    for scale in (6, 8):
        log_mel = LogMelSpectrogram(n_fft=2**scale, num_mels=20, sample_rate=24_000).double()
        ours, theirs = (10 ** (log_mel(each[0]) / 2) for each in (estimate, reference))
        wanted += log_mel.share * (ours - theirs).abs().mean().item() / 2
    loss = MultiScaleLinearMelLoss(scales=(6, 8), num_mels=20, sample_rate=24_000).double()
    assert loss(estimate, reference).item() == pytest.approx(wanted, rel=1e-4)
    louder = loss(10 * estimate, 10 * reference)
    torch.testing.assert_close(louder, 10 * loss(estimate, reference))


def test_spectra_are_those_of_torch() -> None:
    audio = noise(2, 3, 1000)
    found = Spectra(n_fft=256, hop_length=60, win_length=200)(audio)
    wanted = torch.stft(
        audio.flatten(0, 1),
        256,
        60,
        200,
        window=torch.hann_window(200).double(),
        return_complex=True,
    )
    torch.testing.assert_close(found.flatten(0, 1), wanted)
