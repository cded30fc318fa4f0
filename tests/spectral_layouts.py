"""The smallest spectral networks, which several tests take apart."""

from __future__ import annotations

from dataclasses import replace

from codecctl.engine.networks.pre_transforms import NoTransform
from codecctl.engine.networks.spectral import SpectralLayout

FULL = SpectralLayout(
    arithmetic="real",
    channels=2,
    num_filters=8,
    latent_dim=128,
    ratios=((4, 2), (1, 2), (4, 2)),
    residual_layers=1,
    kernel_size=7,
    residual_kernel_size=3,
    compress=2,
    norm="weight_norm",
    activation="complex_relu",
    feature_norm="none",
    pad_mode="reflect",
    seq_model="none",
    seq_layers=1,
    seq_heads=2,
    initialization="torch",
    n_fft=2048,
    hop_length=512,
    win_length=2048,
    normalized=False,
    transform=NoTransform(),
    latent_scale=2,
)
"""The network of document 004 for two channels."""
TINY = replace(
    FULL,
    num_filters=2,
    latent_dim=8,
    n_fft=64,
    hop_length=16,
    win_length=64,
    initialization="variance_preserving",
)
COMPLEX = replace(TINY, arithmetic="complex", feature_norm="rms")
