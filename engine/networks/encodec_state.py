"""Weights of SEANet networks under the names of other implementations, and back.

The halves of the 24 kHz model and the discriminator of the `encodec` package, and the halves of
`transformers`' Encodec, are the same networks under other names, so that a renamed state dict
loads strictly and gives the same outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.conv import TrimmedConvTranspose1d

_HALVES = ("encoder.", "decoder.")
_WEIGHTS = MappingProxyType(
    {
        "model.": "layers.",
        ".shortcut.": ".skip.",
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
    }
)
_PARTS = MappingProxyType({".conv.conv.": ".conv.", ".convtr.convtr.": ".conv.", **_WEIGHTS})


def _renamed(name: str, parts: Mapping[str, str]) -> str:
    for theirs, ours in parts.items():
        name = name.replace(theirs, ours)
    return name


def autoencoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder and decoder of an `EncodecModel`'s state dict, for a SEANet `Autoencoder`.

    Args:
        state: Of the `encodec` package, or of `transformers` with either of its names for weights
            that are parametrized.
    """
    return {
        _renamed(name, _PARTS): tensor for name, tensor in state.items() if name.startswith(_HALVES)
    }


def package_state(network: Autoencoder) -> dict[str, Tensor]:
    """A SEANet `Autoencoder`'s state dict under the names of the `encodec` package."""
    ours = {new: old for old, new in _WEIGHTS.items()}
    transposed = {
        name
        for name, module in network.named_modules()
        if isinstance(module, TrimmedConvTranspose1d)
    }
    renamed = {}
    for name, tensor in network.state_dict().items():
        layer, conv, rest = name.partition(".conv.")
        nested = ".convtr.convtr." if layer in transposed else ".conv.conv."
        renamed[_renamed(f"{layer}{nested}{rest}" if conv else name, ours)] = tensor
    return renamed


def transformers_state(network: Autoencoder) -> dict[str, Tensor]:
    """A SEANet `Autoencoder`'s state dict under the names of `transformers`."""
    return {
        name.replace(".skip.", ".shortcut."): tensor
        for name, tensor in network.state_dict().items()
    }


def discriminator_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A `MultiScaleSTFTDiscriminator`'s state dict there, for the one here."""
    parts = {"discriminators.": "scales.", "conv_post.": "logits.", ".conv.": ".", **_PARTS}
    return {
        _renamed(name, parts): tensor
        for name, tensor in state.items()
        if not name.endswith(".window")  # fixed by its length, so it is no weight here
    }
