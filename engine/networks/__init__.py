"""Encoders, decoders and discriminators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from codecctl.engine.networks.autoencoder import Autoencoder, Layout
from codecctl.engine.networks.discriminator import MultiScaleSTFTDiscriminator
from codecctl.engine.networks.judgement import Judgement
from codecctl.engine.networks.oobleck import OobleckLayout
from codecctl.engine.networks.residual_stft_discriminator import ResidualSTFTDiscriminator
from codecctl.engine.networks.seanet import SEANetDecoder, SEANetEncoder, SEANetLayout
from codecctl.engine.networks.soundstream import SoundStreamLayout
from codecctl.engine.networks.spectral import SpectralLayout
from codecctl.engine.networks.views import CHANNEL_VIEWS, ChannelView
from codecctl.engine.networks.waveform_discriminator import MultiRateDiscriminator

__all__ = [
    "CHANNEL_VIEWS",
    "DISCRIMINATORS",
    "GENERATORS",
    "Autoencoder",
    "ChannelView",
    "Judgement",
    "Layout",
    "MultiRateDiscriminator",
    "MultiScaleSTFTDiscriminator",
    "OobleckLayout",
    "ResidualSTFTDiscriminator",
    "SEANetDecoder",
    "SEANetEncoder",
    "SEANetLayout",
    "SoundStreamLayout",
    "SpectralLayout",
]


def _real(**values: Any) -> Layout:
    return SpectralLayout(arithmetic="real", activation="elu", feature_norm="none", **values)


def _complex(**values: Any) -> Layout:
    return SpectralLayout(arithmetic="complex", **values)


GENERATORS: dict[str, Callable[..., Layout]] = {
    "seanet": SEANetLayout,
    "soundstream": SoundStreamLayout,
    "seanet_real": _real,
    "seanet_complex": _complex,
    "oobleck": OobleckLayout,
}
"""`model.generator.type` to the layout that takes the other keys and builds the network."""

DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "ms_stft": MultiScaleSTFTDiscriminator,
    "stft": ResidualSTFTDiscriminator,
    "wave": MultiRateDiscriminator,
}
"""`type` of an entry of `model.discriminators` to the network that takes the other keys."""
