"""A trained codec as files for other programs.

safetensors   one file with the weights under the names that they have here
encodec       one safetensors file, a state dict of the `encodec` package's `EncodecModel`
transformers  a folder that `transformers.EncodecModel.from_pretrained` loads

The metadata of each file holds what a reader needs beside the weights, all of it text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.parametrize import remove_parametrizations

from codecctl import __version__
from codecctl.engine.export_config import package_arguments, transformers_config
from codecctl.engine.networks.encodec_state import package_state, transformers_state
from codecctl.engine.quantizers import encodec_state as codebooks
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.trained import Trained


@dataclass(frozen=True)
class Exported:
    """What is to be written."""

    files: Mapping[str, bytes]
    """By name; a format of one file has the name ""."""
    tensors: int
    notes: tuple[str, ...]
    """What a user of the files should know."""


def export_safetensors(trained: Trained, *, fold: bool = False) -> Exported:
    """The weights as they were trained, or with each parametrization folded into its weight."""
    network = trained.network
    if fold:
        fold_weights(network)
    tensors = network.state_dict()
    return _one_file(tensors, facts_of(trained) | {"folded": json.dumps(fold)})


def export_encodec(trained: Trained) -> Exported:
    """A state dict for `EncodecModel` of the `encodec` package.

    Raises:
        ProfileError: The package has no such network; names the key.
    """
    arguments = package_arguments(trained.profile)
    tensors = package_state(trained.network.autoencoder) | _codebooks(
        trained.network, prefix=codebooks.PACKAGE
    )
    return _one_file(
        tensors, facts_of(trained) | {"encodec": json.dumps(arguments)}, notes=_level_notes(trained)
    )


def export_transformers(trained: Trained) -> Exported:
    """config.json and model.safetensors of `transformers`' `EncodecModel`.

    Raises:
        ProfileError: It has no such network; names the key.
    """
    config = transformers_config(trained.profile)
    tensors = transformers_state(trained.network.autoencoder) | _codebooks(
        trained.network, prefix=codebooks.TRANSFORMERS
    )
    weights = _one_file(tensors, facts_of(trained), notes=_level_notes(trained))
    return Exported(
        files={
            "config.json": (json.dumps(config, indent=2) + "\n").encode(),
            "model.safetensors": weights.files[""],
        },
        tensors=weights.tensors,
        notes=weights.notes,
    )


EXPORTS: Mapping[str, Callable[[Trained], Exported]] = MappingProxyType(
    {
        "safetensors": export_safetensors,
        "encodec": export_encodec,
        "transformers": export_transformers,
    }
)


@torch.no_grad()
def fold_weights(network: CodecNetwork) -> None:
    """Put every parametrized weight in the place of its parts, in place."""
    for module in list(network.modules()):
        if torch.nn.utils.parametrize.is_parametrized(module, "weight"):
            remove_parametrizations(module, "weight")


def facts_of(trained: Trained) -> dict[str, str]:
    """What a reader needs beside the weights; lists and tables are JSON."""
    network, model = trained.network, trained.profile.model
    quantizer = network.quantizer
    facts: dict[str, object] = {
        "format": "pt",
        "codecctl": __version__,
        "run": trained.run,
        "checkpoint": trained.checkpoint,
        "step": trained.step,
        "weights": trained.weights,
        "profile_hash": trained.profile_hash,
        "mode": trained.profile.mode,
        "sample_rate": network.sample_rate,
        "channels": model.generator.channels,
        "strides": list(model.generator.strides),
        "hop_length": network.autoencoder.hop_length,
        "latent_dim": network.autoencoder.latent_dim,
        "quantizer": model.quantizer.type,
        "num_codebooks": quantizer.num_codebooks,
        "codebook_size": quantizer.codebook_size,
        "bits_per_frame": quantizer.bits_per_frame,
        "bitrate_kbps": network.bitrate_kbps if quantizer.num_codebooks else 0.0,
        "normalize": model.normalize,
        "gain_db": model.gain_db,
        "profile": trained.profile.model_dump(mode="json"),
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in facts.items()
    }


def _one_file(
    tensors: Mapping[str, Tensor], facts: Mapping[str, str], notes: tuple[str, ...] = ()
) -> Exported:
    # Clones: tied weights share storage, which the format has no word for.
    plain = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    return Exported({"": save(plain, metadata=dict(facts))}, len(plain), notes)


def _codebooks(network: CodecNetwork, *, prefix: str) -> dict[str, Tensor]:
    """Codebooks under other names; learned ones, which no average moves, as their own averages."""
    quantizer = cast(nn.Module, network.quantizer)
    state = {name: tensor.detach() for name, tensor in quantizer.state_dict().items()}
    entries = state["codebooks"]
    return codebooks.named_codebooks(
        entries,
        state.get("sums", entries),
        state.get("counts", torch.ones(entries.shape[:2])),
        prefix=prefix,
    )


def _level_notes(trained: Trained) -> tuple[str, ...]:
    if not trained.network.normalize:
        return ()
    return (
        "normalize: the level there is of the whole input, here of each second: codes and audio "
        "agree for inputs of up to one second",
    )
