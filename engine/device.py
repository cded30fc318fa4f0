"""Memory and random numbers of the device that networks live on."""

from __future__ import annotations

import torch
from torch import Tensor


def seed_everything(seed: int) -> None:
    """Seed the generators that initialization of networks draws from."""
    torch.manual_seed(seed)


def peak_memory_mb(device: torch.device) -> float:
    """The most memory the process has held so far, on the GPU or of the host."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def rng_state(device: torch.device) -> dict[str, Tensor]:
    """The state of the generators that a step may draw from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_rng_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Take up what `rng_state` returned; a state of another kind of device is left out."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
