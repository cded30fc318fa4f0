"""Weights of the `encodec` package under the names that they have here.

Both halves of the 24 kHz model and the discriminator are the same networks under other names, so
that a renamed state dict loads strictly and gives the same outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

_PARTS = MappingProxyType(
    {
        "model.": "layers.",
        ".conv.conv.": ".conv.",
        ".convtr.convtr.": ".conv.",
        ".shortcut.": ".skip.",
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
    }
)


def _renamed(name: str, parts: Mapping[str, str]) -> str:
    for theirs, ours in parts.items():
        name = name.replace(theirs, ours)
    return name


def autoencoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder and decoder of an `EncodecModel`'s state dict, for a SEANet `Autoencoder`."""
    return {
        _renamed(name, _PARTS): tensor
        for name, tensor in state.items()
        if name.startswith(("encoder.", "decoder."))
    }


def discriminator_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A `MultiScaleSTFTDiscriminator`'s state dict there, for the one here."""
    parts = {"discriminators.": "scales.", "conv_post.": "logits.", ".conv.": ".", **_PARTS}
    return {
        _renamed(name, parts): tensor
        for name, tensor in state.items()
        if not name.endswith(".window")  # fixed by its length, so it is no weight here
    }
