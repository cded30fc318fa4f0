"""The weights of a checkpoint as the beginning of another training, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn

from codecctl.engine.checkpoint import load_state
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.sharding import scattered
from codecctl.engine.trained import Trained, load_trained
from codecctl.errors import ProfileError

Status = Literal["taken", "not there", "other shape", "no place"]
"""Of a layer: taken; missing in the source; of another shape there; missing here."""

_LAYER = re.compile(
    r"autoencoder\.\w+\.layers\.\d+"
    r"|quantizer(\.groups\.\d+)?"
    r"|discriminators\.\d+\.(scales\.\d+|\w+)"
)
_STAGED = ("codebooks", "sums", "counts")
"""Tensors of a quantizer whose first axis counts codebooks, of which the first stand alone."""
_SHOWN = 3


@dataclass(frozen=True)
class Layer:
    """What became of a layer."""

    role: str
    """`generator` or `discriminator`."""
    name: str
    status: Status
    numbers: int
    """Weights in it."""
    detail: str = ""

    def line(self) -> str:
        """The layer as a line of the report."""
        note = f": {self.detail}" if self.detail else ""
        return f"{self.role} {self.name}: {self.status} ({self.numbers:,} numbers){note}"


@dataclass(frozen=True)
class Transfer:
    """What a training starts with."""

    layers: tuple[Layer, ...]
    source: Mapping[str, object]
    """Where the weights come from; for profile.json."""
    notes: tuple[str, ...]

    def facts(self) -> dict[str, object]:
        """For profile.json and the event of the start."""
        kept = [f"{layer.role} {layer.name}" for layer in self.layers if layer.status != "taken"]
        return {**self.source, "layers": len(self.layers), "not_taken": kept}


def transfer(recipe: Recipe, checkpoint: Path, *, partial: bool, rate: int) -> Transfer:
    """Give the networks of a fresh recipe the weights of a checkpoint.

    The codec takes the averaged weights where the checkpoint has them, discriminators those of its
    last step. Optimizers start afresh. Codebooks that were taken are not fitted to the first
    batches; of more codebooks than there are here, the first are taken.

    Args:
        recipe: As built; its networks change in place.
        checkpoint: Folder inside its run.
        partial: Leave layers that do not fit as they are, instead of refusing.
        rate: Of the audio that will be trained on, in Hz.

    Raises:
        ProfileError: Layers do not fit, or nothing does.
        DataError, NotFoundError: See `load_trained`.
    """
    trained = load_trained(checkpoint)
    networks = recipe.modules()
    states = {"generator": trained.network.state_dict()}
    judges = _discriminator(checkpoint) if "discriminator" in networks else {}
    if judges:
        states["discriminator"] = judges
    layers = [
        layer
        for role, state in states.items()
        for layer in compare(networks[role].state_dict(), state, role=role)
    ]
    _refuse(layers, f"{trained.run}:{trained.checkpoint}", partial=partial)
    for role, state in states.items():
        take(networks[role], state, _taken(layers, role))
    books = [layer for layer in layers if layer.name.startswith("quantizer")]
    if books and all(layer.status == "taken" for layer in books):
        cast(CodecNetwork, networks["generator"]).quantizer.frames_needed = 0
    notes = []
    if "discriminator" in networks and not judges:
        notes.append("discriminator: the checkpoint has none; it starts afresh")
    if rate != trained.network.sample_rate:
        notes.append(
            f"the weights were trained at {trained.network.sample_rate} Hz, this training is at "
            f"{rate} Hz"
        )
    source = _source(trained, checkpoint) | {"partial": partial}
    return Transfer(tuple(layers), source, tuple(notes))


def _source(trained: Trained, checkpoint: Path) -> dict[str, object]:
    return {
        "run": trained.run,
        "checkpoint": trained.checkpoint,
        "path": str(checkpoint.resolve()),
        "step": trained.step,
        "weights": trained.weights,
        "profile_hash": trained.profile_hash,
    }


def _taken(layers: Sequence[Layer], role: str) -> set[str]:
    return {layer.name for layer in layers if (layer.role, layer.status) == (role, "taken")}


def compare(
    target: Mapping[str, Tensor], source: Mapping[str, Tensor], *, role: str
) -> Iterator[Layer]:
    """What would become of each layer; one is taken whole or not at all."""
    names = [*target, *(name for name in source if name not in target)]
    for layer, members in groupby(names, key=_layer_of):
        inner = list(members)
        numbers = sum(target.get(name, source.get(name, torch.empty(0))).numel() for name in inner)
        status, detail = _judged(inner, target, source)
        yield Layer(role, layer, status, numbers, detail)


@torch.no_grad()
def take(network: nn.Module, source: Mapping[str, Tensor], layers: set[str]) -> None:
    """Copy the tensors of some layers into a network, in place."""
    for name, tensor in network.state_dict().items():
        if _layer_of(name) in layers:
            taken = source[name][: len(tensor)] if _is_staged(name) else source[name]
            tensor.copy_(scattered(taken, like=tensor))


def _judged(
    names: Sequence[str], target: Mapping[str, Tensor], source: Mapping[str, Tensor]
) -> tuple[Status, str]:
    detail = ""
    for name in names:
        if name not in source:
            return "not there", f"no {name}"
        if name not in target:
            return "no place", f"{name} of the checkpoint"
        here, there = target[name].shape, source[name].shape
        if _is_staged(name) and here[1:] == there[1:] and here[0] < there[0]:
            detail = f"first {here[0]} of {there[0]} codebooks"
        elif here != there:
            return "other shape", f"{name}: found {_size(there)}, needed {_size(here)}"
    return "taken", detail


def _refuse(layers: Sequence[Layer], label: str, *, partial: bool) -> None:
    misfits = [layer for layer in layers if layer.status != "taken"]
    mine = [layer for layer in layers if layer.role == "generator"]
    if partial and any(layer.status == "taken" for layer in mine):
        return
    if misfits:
        shown = "; ".join(layer.line() for layer in misfits[:_SHOWN])
        more = f"; and {len(misfits) - _SHOWN} more" if len(misfits) > _SHOWN else ""
        fix = (
            "nothing of the codec fits: choose the model that it was trained with"
            if partial
            else "choose the model that it was trained with, or take what fits: --from-partial"
        )
        raise ProfileError(
            f"--from {label}: {len(misfits)} of {len(layers)} layers do not fit this profile: "
            f"{shown}{more}; {fix}"
        )


def _discriminator(checkpoint: Path) -> dict[str, Tensor]:
    """The state dict of the discriminators of a checkpoint, {} where it has none."""
    if not (checkpoint / "state.pt").is_file():
        return {}
    recipe = load_state(checkpoint).get("recipe")
    player = recipe.get("discriminator") if isinstance(recipe, dict) else None
    network = player.get("network") if isinstance(player, dict) else None
    return dict(network) if isinstance(network, dict) else {}


def _layer_of(name: str) -> str:
    found = _LAYER.match(name)
    return found[0] if found else name.rpartition(".")[0]


def _is_staged(name: str) -> bool:
    return name.startswith("quantizer") and name.rpartition(".")[2] in _STAGED


def _size(shape: torch.Size) -> str:
    return "x".join(str(size) for size in shape) or "one number"
