"""Encoders, decoders and discriminators."""

from __future__ import annotations

from collections.abc import Callable

from codecctl.engine.networks.autoencoder import Autoencoder, Layout
from codecctl.engine.networks.discriminator import Judgement, MultiScaleSTFTDiscriminator
from codecctl.engine.networks.seanet import SEANetDecoder, SEANetEncoder, SEANetLayout
from codecctl.engine.networks.views import CHANNEL_VIEWS, ChannelView

__all__ = [
    "CHANNEL_VIEWS",
    "DISCRIMINATORS",
    "GENERATORS",
    "Autoencoder",
    "ChannelView",
    "Judgement",
    "Layout",
    "MultiScaleSTFTDiscriminator",
    "SEANetDecoder",
    "SEANetEncoder",
    "SEANetLayout",
]

GENERATORS: dict[str, Callable[..., Layout]] = {"seanet": SEANetLayout}
"""`model.generator.type` to the layout that takes the other keys and builds the network."""

DISCRIMINATORS: dict[str, Callable[..., MultiScaleSTFTDiscriminator]] = {
    "ms_stft": MultiScaleSTFTDiscriminator
}
"""`type` of an entry of `model.discriminators` to the network that takes the other keys."""
