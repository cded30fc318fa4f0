"""The codec of a checkpoint: its weights in the network of the profile that trained them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from codecctl.engine.build import build_networks
from codecctl.engine.checkpoint import AVERAGE
from codecctl.engine.checkpoint_files import META, damage
from codecctl.engine.profile import Profile
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.rows import number
from codecctl.engine.run_profile import profile_of
from codecctl.engine.rundir import read_json
from codecctl.errors import DataError, NotFoundError, ProfileError

Weights = Literal["average", "last", ""]
"""Averaged over steps, of the last step, or averaged where a checkpoint has them."""

_FILES = {"average": AVERAGE, "last": "weights.safetensors"}


@dataclass(frozen=True)
class Trained:
    """A codec and where it comes from."""

    network: CodecNetwork
    """On the CPU, in evaluation mode."""
    profile: Profile
    profile_hash: str
    """Of the training that the checkpoint was saved by."""
    run: str
    """Name of the run."""
    checkpoint: str
    """Name of the folder, `step-000000500`."""
    step: int
    weights: str
    """`average` or `last`."""


def load_trained(checkpoint: Path, weights: Weights = "") -> Trained:
    """The codec of a checkpoint folder inside its run.

    Raises:
        NotFoundError: There are no weights of this kind.
        DataError: A file is damaged, or the weights are not those of the profile.
        ProfileError: profile.json of the run does not hold a profile, or not one of a codec.
    """
    kind, file = weights_file(checkpoint, weights)
    run, meta = checkpoint.parent.parent, read_json(checkpoint / META)
    profile = profile_of(run)
    if isinstance(profile, LosslessProfile):
        raise ProfileError(
            f"{run.name}: found a language model, needed a codec; its weights were exported as "
            f"{profile.trainer.model_name}.npz at the end of its training"
        )
    network, _ = build_networks(profile)
    load_strictly(network, read_tensors(file), label=str(file))
    return Trained(
        network=network.eval(),
        profile=profile,
        profile_hash=str(meta.get("profile_hash", "")),
        run=run.name,
        checkpoint=checkpoint.name,
        step=int(number(meta.get("step")) or 0),
        weights=kind,
    )


def weights_file(checkpoint: Path, weights: Weights) -> tuple[str, Path]:
    """`average` or `last`, and the file of these weights, of a checkpoint that is whole.

    Raises:
        NotFoundError: There are no weights of this kind.
        DataError: A file is damaged.
    """
    if problem := damage(checkpoint):
        raise DataError(f"{checkpoint}: {problem}; take another checkpoint of this run")
    kind = weights or ("average" if (checkpoint / AVERAGE).is_file() else "last")
    file = checkpoint / _FILES[kind]
    if not file.is_file():
        raise NotFoundError(
            f"{checkpoint}: found no averaged weights, needed a run with trainer.ema.enabled=true; "
            "use --weights last"
        )
    return kind, file


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        DataError: It is none.
    """
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{file}: found no safetensors file: {reason}") from error


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], *, label: str) -> None:
    """Load a state dict of equal names and shapes.

    Raises:
        DataError: Naming the first tensor that does not fit.
    """
    refuse_misfits(network, state, label=label)
    network.load_state_dict(state)


def refuse_misfits(network: nn.Module, state: Mapping[str, Tensor], *, label: str) -> None:
    """Compare names and shapes of a state dict with those of a network.

    Raises:
        DataError: Naming the first tensor that does not fit.
    """
    expected = network.state_dict()
    for name, tensor in expected.items():
        found = state.get(name)
        if found is None:
            raise DataError(f"{label}: found no {name}, needed {_shape(tensor)}")
        if found.shape != tensor.shape:
            raise DataError(f"{label}: {name}: found {_shape(found)}, needed {_shape(tensor)}")
    if extra := sorted(set(state) - set(expected)):
        raise DataError(f"{label}: found {extra[0]}, which this network has no place for")


def _shape(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape) or "one number"
