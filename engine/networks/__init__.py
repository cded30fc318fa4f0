"""Encoders, decoders and discriminators."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from codecctl.engine.networks.autoencoder import Autoencoder, Layout
from codecctl.engine.networks.discriminator import MultiScaleSTFTDiscriminator
from codecctl.engine.networks.judgement import Judgement
from codecctl.engine.networks.residual_stft_discriminator import ResidualSTFTDiscriminator
from codecctl.engine.networks.seanet import SEANetDecoder, SEANetEncoder, SEANetLayout
from codecctl.engine.networks.soundstream import SoundStreamLayout
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
    "ResidualSTFTDiscriminator",
    "SEANetDecoder",
    "SEANetEncoder",
    "SEANetLayout",
    "SoundStreamLayout",
]

GENERATORS: dict[str, Callable[..., Layout]] = {
    "seanet": SEANetLayout,
    "soundstream": SoundStreamLayout,
}
"""`model.generator.type` to the layout that takes the other keys and builds the network."""

DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "ms_stft": MultiScaleSTFTDiscriminator,
    "stft": ResidualSTFTDiscriminator,
    "wave": MultiRateDiscriminator,
}
"""`type` of an entry of `model.discriminators` to the network that takes the other keys."""
