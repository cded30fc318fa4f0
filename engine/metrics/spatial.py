"""How much of what lies between the capsules of an array a reconstruction keeps.

The three cues of spatial hearing and of every beamformer: level differences, phase differences
and coherence. Each is read from cross spectra that are averaged over the frames of an item.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from codecctl.engine.losses.precision import float32_island

_N_FFT = 512
_FLOOR = 1e-12
"""Of a mean square, relative to that of the loudest bin: -120 dB, below what 24 bits resolve."""

_SILENCE = 1e-18
"""Mean square of a bin that no converter resolves; keeps ratios of silence finite."""


def spatial_errors(estimate: Tensor, reference: Tensor) -> Mapping[str, Tensor]:
    """Errors of what lies between channels, mean over bins and channels; lower is closer.

    With S the cross spectra of windows of 512 samples, hop 256, averaged over an item:

    - `level_error`: dB between the levels of each channel against the mean of all channels,
      10 log10 S_cc - mean over c, of estimate and reference; absolute mean.
    - `phase_error`: angle in radians between the cross spectra of estimate and reference, mean
      over pairs and bins weighted by |S_cd| of the reference, so that noise of bins without a
      common sound has no say.
    - `coherence_error`: absolute difference of |S_cd| / sqrt(S_cc S_dd), mean over pairs.

    Args:
        estimate: (B, C, T), C >= 2, T >= 512.
        reference: (B, C, T).

    Returns:
        (B,) each.
    """
    with float32_island(estimate, reference) as (ours, theirs):
        of_estimate, of_reference = _cross_spectra(ours), _cross_spectra(theirs)
        return {
            "level_error": _level_error(of_estimate, of_reference),
            "phase_error": _phase_error(of_estimate, of_reference),
            "coherence_error": _coherence_error(of_estimate, of_reference),
        }


def _cross_spectra(audio: Tensor) -> Tensor:
    """Mean over frames of X_c conj(X_d): (B, C, T) to (B, bins, C, C) complex."""
    batch, channels, samples = audio.shape
    window = torch.hann_window(_N_FFT, dtype=audio.dtype, device=audio.device)
    spectrum = torch.stft(
        audio.reshape(-1, samples),
        _N_FFT,
        _N_FFT // 2,
        window=window,
        center=False,
        return_complex=True,
    )
    spectrum = spectrum.view(batch, channels, *spectrum.shape[1:])  # (B, C, bins, frames)
    rows = spectrum.permute(0, 2, 1, 3)[:, 1:-1]  # without the bins that have no phase
    return rows @ rows.mH / spectrum.shape[-1]


def _powers(spectra: Tensor) -> Tensor:
    """Mean square of each channel (B, bins, C), floored against the loudest of its item."""
    powers = spectra.diagonal(dim1=-2, dim2=-1).real
    loudest = powers.amax((1, 2), keepdim=True).clamp(min=_SILENCE)
    return torch.maximum(powers, _FLOOR * loudest)


def _level_error(ours: Tensor, theirs: Tensor) -> Tensor:
    levels = [10 * _powers(spectra).log10() for spectra in (ours, theirs)]
    relative = [level - level.mean(-1, keepdim=True) for level in levels]
    return (relative[0] - relative[1]).abs().mean((1, 2))


def _phase_error(ours: Tensor, theirs: Tensor) -> Tensor:
    weights = _pairs(theirs.abs())
    angles = _pairs((ours * theirs.conj()).angle().abs())
    total = weights.sum((1, 2)).clamp(min=_SILENCE)
    return (weights * angles).sum((1, 2)) / total


def _coherence_error(ours: Tensor, theirs: Tensor) -> Tensor:
    coherences = []
    for spectra in (ours, theirs):
        roots = _powers(spectra).sqrt()
        coherences.append(_pairs(spectra.abs() / (roots[..., :, None] * roots[..., None, :])))
    return (coherences[0] - coherences[1]).abs().mean((1, 2))


def _pairs(values: Tensor) -> Tensor:
    """The upper triangle without the diagonal: (B, bins, C, C) to (B, bins, pairs)."""
    channels = values.shape[-1]
    first, second = torch.triu_indices(channels, channels, 1, device=values.device)
    return values[..., first, second]
