"""Weights of frames: what two capsules hear decides how much a frame counts in a term of both.

Each kind gives a weight to every pair of capsules and every latent frame. The mean over the frames
of an item is one, so that a weight of a profile means the same with and without; where a kind
finds nothing (silence, capsules that are everywhere coherent), all frames count alike.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from codecctl.engine.losses.precision import float32_island

_BINS = 8
"""Bins averaged together: over them, the delay across an em32 turns the phase by half a radian."""
_FRAMES = 5
"""Frames averaged together; with the bins, noise of its own shows a coherence of about 0.3."""
_SMALLEST_WINDOW = 64


def energy_weights(audio: Tensor, *, hop_length: int) -> Tensor:
    """Frames count by the level that both capsules have: the geometric mean of their levels.

    Args:
        audio: (B, M, T), M >= 2.
        hop_length: Samples of a latent frame.

    Returns:
        (B, pairs, ceil(T / hop_length)), mean 1 over the frames.
    """
    padded = functional.pad(audio, (0, -audio.shape[-1] % hop_length))
    squares = padded.square().reshape(*audio.shape[:2], -1, hop_length).mean(-1)  # (B, M, F)
    first, second = _pairs(audio)
    return _mean_one((squares[:, first] * squares[:, second]).sqrt().sqrt())


def coherence_weights(audio: Tensor, *, hop_length: int) -> Tensor:
    """Frames count by how coherent the capsules are in them; arguments as above."""
    return _mean_one(frame_coherence(audio, hop_length=hop_length))


def incoherence_weights(audio: Tensor, *, hop_length: int) -> Tensor:
    """Frames count by how little coherent the capsules are in them; arguments as above."""
    return _mean_one(1 - frame_coherence(audio, hop_length=hop_length))


def frame_coherence(audio: Tensor, *, hop_length: int) -> Tensor:
    """Coherence of each two capsules around each latent frame, weighted by power over frequency.

    |S_ij| / sqrt(S_ii S_jj) of spectra averaged over 8 bins and 5 frames: 1 for capsules that hear
    one sound, whatever its delay and level, about 0.3 for sounds of their own.

    Args:
        audio: (B, M, T), M >= 2.
        hop_length: Samples of a latent frame.

    Returns:
        (B, pairs, ceil(T / hop_length)) in [0, 1]; 0 where it is silent.
    """
    batch, capsules, samples = audio.shape
    frames = -(-samples // hop_length)
    size = max(_SMALLEST_WINDOW, 1 << (4 * hop_length - 1).bit_length())
    window = torch.hann_window(size, dtype=audio.dtype, device=audio.device)
    spectrum = torch.stft(
        audio.flatten(0, 1),
        size,
        hop_length,
        window=window,
        center=True,
        pad_mode="constant",
        return_complex=True,
    )[..., :frames]
    spectrum = spectrum.reshape(batch, capsules, *spectrum.shape[1:])  # (B, M, bins, F)
    first, second = _pairs(audio)
    cross = spectrum[:, first] * spectrum[:, second].conj()
    smooth = torch.complex(_averaged(cross.real), _averaged(cross.imag)).abs()
    powers = _averaged(spectrum.abs().square())
    common = (powers[:, first] * powers[:, second]).sqrt().sum(-2)
    tiny = torch.finfo(common.dtype).tiny
    return (smooth.sum(-2) / common.clamp(min=tiny)).clamp(0, 1)


FRAME_WEIGHTS: dict[str, Callable[..., Tensor]] = {
    "energy": energy_weights,
    "coherence": coherence_weights,
    "incoherence": incoherence_weights,
}
"""Weights of frames by the name that a profile gives; `all` has none."""


def weights_of_frames(kind: str, audio: Tensor, *, hop_length: int) -> Tensor | None:
    """Weights (B, pairs, F) of a kind from audio (B, M, T), without a gradient; None for `all`."""
    if kind == "all":
        return None
    with torch.no_grad(), float32_island(audio) as (values,):
        return FRAME_WEIGHTS[kind](values, hop_length=hop_length)


def _pairs(audio: Tensor) -> Tensor:
    """Indices of the pairs (2, pairs), in the order of the pairwise terms."""
    capsules = audio.shape[1]
    return torch.triu_indices(capsules, capsules, 1, device=audio.device)


def _averaged(values: Tensor) -> Tensor:
    """Mean over bins and frames of (B, n, bins, F)."""
    return functional.avg_pool2d(
        values,
        (_BINS, _FRAMES),
        stride=(_BINS, 1),
        padding=(0, _FRAMES // 2),
        count_include_pad=False,
    )


def _mean_one(values: Tensor) -> Tensor:
    mean = values.mean(-1, keepdim=True)
    return torch.where(mean > 0, values / mean.clamp(min=torch.finfo(values.dtype).tiny), 1.0)
