"""The CPU or a GPU for this process, and why a GPU that was promised cannot be used."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import torch

from codecctl.engine.process_group import ProcessGroup
from codecctl.errors import CodecctlError, ProfileError

_ALLOCATION_VARIABLES = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE")
_DRIVER_FILE = Path("/proc/driver/nvidia/version")
_NO_DRIVER = "no NVIDIA driver is loaded"


def choose_device(num_gpus: int | str, group: ProcessGroup | None) -> torch.device:
    """The CPU or a GPU.

    Args:
        num_gpus: "auto" takes a GPU if one is usable; 0 is the CPU.
        group: The processes of the training; each has a GPU of its own.

    Raises:
        ProfileError: This is one process, and several GPUs were asked for; or one was, of a
            machine without any.
        CodecctlError: A GPU was promised, but cannot be used.
    """
    if num_gpus == 0:
        return torch.device("cpu")
    if group is None and num_gpus not in ("auto", 1):
        raise ProfileError(
            f"trainer.num_gpus: found {num_gpus}; this is one process, needed one for each GPU: "
            "codecctl train starts them"
        )
    index = 0 if group is None else _own_gpu(group.local_rank)
    problem = _gpu_problem(index)
    if not problem:
        return torch.device("cuda", index)
    if not any(os.environ.get(name) for name in _ALLOCATION_VARIABLES):
        if num_gpus == "auto":
            return torch.device("cpu")
        if group is None and _driver() == _NO_DRIVER:
            raise ProfileError(
                f"trainer.num_gpus: found {num_gpus}, this machine has no GPU that torch can use "
                f"({_NO_DRIVER}); 0 trains on the CPU"
            )
    raise CodecctlError(
        f"GPU: {problem}; needed: a driver for CUDA {torch.version.cuda} and a card that torch "
        f"{torch.__version__} supports; fix the driver, take another node, or train on the CPU "
        "with trainer.num_gpus=0"
    )


def _own_gpu(local_rank: int) -> int:
    """The number of a process's GPU; Slurm may show each process its own alone."""
    visible = torch.cuda.device_count()
    if visible > 1 and local_rank >= visible:
        raise CodecctlError(
            f"GPU: process {local_rank + 1} of this node found {visible}, needed one of its own; "
            "start fewer processes, or train on the CPU with trainer.num_gpus=0"
        )
    return local_rank if visible > 1 else 0


def _gpu_problem(index: int) -> str:
    """Why a GPU cannot be used; "" when it can."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        said = " ".join(str(warning.message) for warning in caught).split("\n")[0]
        return f"torch finds none ({_driver()}{': ' + said if said else ''})"
    try:
        torch.zeros(1, device=torch.device("cuda", index)).add_(1).item()
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        return f"{torch.cuda.get_device_name(index)} fails ({_driver()}): {first}"
    return ""


def _driver() -> str:
    try:
        words = _DRIVER_FILE.read_text().split("Kernel Module")[1].split()
    except (OSError, IndexError):
        return _NO_DRIVER
    return f"driver {next((word for word in words if word[0].isdigit()), 'unknown')}"
