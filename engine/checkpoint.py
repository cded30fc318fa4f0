"""The whole state of a training in a folder, and back.

`state.pt` holds tensors, numbers, strings, lists and dicts only and loads with
`weights_only=True`: a checkpoint from a stranger runs no code. The generator lies beside it as
safetensors, for other tools, and once more with averaged weights where the training keeps them.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor, nn

from codecctl.engine.checked_file import CheckedFile
from codecctl.engine.checkpoint_files import (
    META,
    SCHEMA,
    mend_pointers,
    newest_usable,
    restore_replaced,
    set_damaged_aside,
    set_pointer,
    write_checkpoint,
)
from codecctl.engine.finite import all_finite, spoiled_tensors
from codecctl.engine.recipes.base import State
from codecctl.engine.rows import plain
from codecctl.engine.rundir import read_json, step_name
from codecctl.engine.sharding import is_sharded
from codecctl.engine.weight_writer import weights_writer
from codecctl.errors import CodecctlError

AVERAGE = "ema.safetensors"


@dataclass(frozen=True)
class Identity:
    """What a checkpoint belongs to; a resume compares it."""

    mode: str
    profile_hash: str
    store_fingerprint: str


def save_checkpoint(
    folder: Path,
    state: State,
    *,
    generator: nn.Module,
    average: nn.Module | None = None,
    identity: Identity,
    step: int,
    epoch: int,
    stage: str = "",
    metrics: Mapping[str, float],
) -> Path:
    """Write the folder of a step and make `last` name it.

    Args:
        folder: `checkpoints/` of the run.
        state: Everything that training needs to go on, in whole tensors.
        generator: The network whose weights go beside it as safetensors.
        average: The same network with averaged weights, if there is one: `ema.safetensors`.
        identity: What this checkpoint belongs to.
        step: Updates done.
        epoch: Counted from 1.
        stage: Name of the stage that the state is of; empty without stages.
        metrics: Of the validation at this very step, else {}.

    Raises:
        CodecctlError: The disk is full, or a weight, a moment of an optimizer or a codebook is not
            finite; older checkpoints stay.
    """
    spoiled = spoiled_tensors(state.get("recipe", {}), {"generator": generator})
    if spoiled:
        raise CodecctlError(_not_finite(spoiled[0].name, step))
    files = {"state.pt": _state_writer(state)}
    networks = {"weights.safetensors": generator}
    if average is not None:
        networks[AVERAGE] = average
    for name, network in networks.items():
        held = _weights_of(network, name, state)
        weights = {key: tensor.detach().cpu() for key, tensor in held.items()}
        _refuse_not_finite(weights, step)
        files[name] = weights_writer(weights)
    meta = {
        "step": step,
        "epoch": epoch,
        "stage": stage,
        "mode": identity.mode,
        "metrics": plain(metrics),
        "metrics_of": list(networks)[-1],
        "profile_hash": identity.profile_hash,
        "store_fingerprint": identity.store_fingerprint,
    }
    path = write_checkpoint(folder, step_name(step), files=files, meta=meta)
    set_pointer(folder, "last", path.name)
    return path


def load_state(checkpoint: Path) -> State:
    """The state in a checkpoint folder, on the CPU.

    Raises:
        CodecctlError: The file holds something else than plain values, or is of another version.
    """
    path = checkpoint / "state.pt"
    schema = read_json(checkpoint / META).get("schema")
    if schema not in (None, SCHEMA):
        raise CodecctlError(
            f"{checkpoint}: found a state of schema {schema}, needed {SCHEMA}; continue it with "
            "the version of codecctl that wrote it, or start another run"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        first = str(error).splitlines()[0]
        raise CodecctlError(f"{path}: not a checkpoint of codecctl: {first}") from error
    assert isinstance(state, dict), type(state)
    return state


def resume_point(folder: Path, on_damage: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint; damaged younger ones are reported and set aside.

    Args:
        folder: `checkpoints/` of the run; this job holds the lease.
        on_damage: Told one sentence for each checkpoint passed over.
    """
    restore_replaced(folder)
    usable = newest_usable(folder)
    for problem in usable.damaged:
        where = f"continuing from {usable.path.name}" if usable.path else "none older is whole"
        on_damage(f"damaged checkpoint {problem}; {where}")
    if usable.damaged:
        set_damaged_aside(folder, usable.path)
    mend_pointers(folder, usable.path)
    return usable.path


def _weights_of(network: nn.Module, file: str, state: State) -> Mapping[str, Tensor]:
    """The weights that go into a file; of a network in parts, the state alone has the whole."""
    if not is_sharded(network):
        return network.state_dict()
    roles = cast("Mapping[str, Mapping[str, object]]", state["recipe"])
    role = "average" if file == AVERAGE else "generator"
    return cast("Mapping[str, Tensor]", roles[role]["network"])


def _refuse_not_finite(weights: Mapping[str, Tensor], step: int) -> None:
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not bool(all_finite(tensor)):
            raise CodecctlError(_not_finite(f"weight {name}", step))


def _not_finite(what: str, step: int) -> str:
    return (
        f"step {step}: {what} is not finite; the checkpoint was not saved and older ones stay; "
        "continue from the last one with --resume; if it comes back, lower "
        "trainer.optimizer.config.lr or set trainer.gradient_clip_val=1.0"
    )


def _state_writer(state: State) -> Callable[[CheckedFile], None]:
    def write(file: CheckedFile) -> None:
        torch.save(state, cast(IO[bytes], file))

    return write
