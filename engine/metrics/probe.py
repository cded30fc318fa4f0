"""Whether a capsule can be told by the vectors that the quantizer gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_Z = 1.959963984540054  # of 95 %
_RIDGE = 1e-3
"""Of the mean variance, added to every variance: codebook vectors do not fill their space."""


@dataclass(frozen=True)
class ProbeResult:
    """How well a linear classifier tells capsules it was not fitted on."""

    accuracy: float
    """Share of frames."""
    chance: float
    """Accuracy of always guessing the commonest capsule of the frames fitted on."""
    low: float
    """Lower end of the 95 % interval of the accuracy."""
    high: float
    frames: int
    """Tested."""
    effective_frames: float
    """Frames that would tell as much if each were drawn apart from the others."""

    @property
    def tells(self) -> bool:
        """Whether the interval lies above chance."""
        return self.low > self.chance


def capsule_probe(vectors: Tensor, capsules: Tensor) -> ProbeResult:
    """Fit on every other item, test on the rest; no chance is involved.

    Linear discriminants (normal classes, one covariance for all, ridge of 0.1 %), in float64.
    Items stay whole, so that the probe cannot recognize the moment in place of the capsule.

    Args:
        vectors: Of one stage, (B, M, D, F), B >= 2.
        capsules: Channel of each, (B, M) int64.
    """
    items, _, _, frames = vectors.shape
    assert items >= 2, f"a probe needs 2 items, got {items}"
    rows = vectors.detach().double().transpose(2, 3)  # (B, M, F, D)
    classes, labels = torch.unique(capsules.to(rows.device), return_inverse=True)
    per_frame = labels[..., None].expand(*labels.shape, frames)
    fitted = _fit(rows[0::2].flatten(0, 2), per_frame[0::2].flatten(), len(classes))
    held, wanted = rows[1::2], per_frame[1::2]
    guesses = (held @ fitted.directions + fitted.offsets).argmax(-1)  # (items, M, F)
    right = (guesses == wanted).double()
    accuracy = float(right.mean())
    effective = _effective(right.flatten(0, 1))
    low, high = wilson_interval(accuracy, effective)
    return ProbeResult(
        accuracy=accuracy,
        chance=float((wanted == fitted.commonest).double().mean()),
        low=low,
        high=high,
        frames=right.numel(),
        effective_frames=effective,
    )


def wilson_interval(share: float, trials: float) -> tuple[float, float]:
    """95 % interval of a binomial share (Wilson 1927); of no trials, everything is possible."""
    if trials <= 0:
        return 0.0, 1.0
    scale = 1 + _Z**2 / trials
    middle = (share + _Z**2 / (2 * trials)) / scale
    half = _Z / scale * math.sqrt(share * (1 - share) / trials + (_Z / (2 * trials)) ** 2)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class _Discriminants:
    directions: Tensor
    """(D, classes)."""
    offsets: Tensor
    """(classes,)."""
    commonest: int


def _fit(rows: Tensor, labels: Tensor, num_classes: int) -> _Discriminants:
    """Linear discriminants of rows (V, D); classes without a row are never guessed."""
    counts = torch.bincount(labels, minlength=num_classes).double()
    means = torch.zeros(num_classes, rows.shape[1], dtype=rows.dtype, device=rows.device)
    means = means.index_add(0, labels, rows) / counts.clamp(min=1)[:, None]
    centered = rows - means[labels]
    covariance = centered.T @ centered / len(rows)
    # With a little of the power, so that classes without any variance are no division by zero.
    spread = covariance.diagonal().mean() + 1e-9 * rows.square().mean()
    ridge = _RIDGE * spread + torch.finfo(rows.dtype).tiny
    covariance.diagonal().add_(ridge)
    directions = torch.linalg.solve(covariance, means.T)  # (D, classes)
    offsets = (counts / len(rows)).log() - 0.5 * (means * directions.T).sum(1)
    return _Discriminants(directions, offsets, int(counts.argmax()))


def _effective(right: Tensor) -> float:
    """Independent trials that vary as much as the means of signals (S, F) do.

    The frames of one second share their fate; counted as they are, the interval would be too
    narrow by the square root of several dozen.
    """
    signals = len(right)
    share = float(right.mean())
    if signals < 2:
        return float(signals)
    variance = float(right.mean(1).var()) / signals
    most = float(right.numel())
    if variance == 0 or share in (0, 1):
        return float(signals)
    return min(most, share * (1 - share) / variance)
