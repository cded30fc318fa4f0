"""The machine a training runs on: device, precision, gradients, other ranks.

The only module that imports Lightning Fabric; everything else sees `recipes.base.Runtime`.
"""

from __future__ import annotations

import os
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import Precision as FabricPrecision
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.errors import CodecctlError, ProfileError

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true")
Precision = Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true"]
_HALVES: dict[Precision, torch.dtype] = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

_ALLOCATION_VARIABLES = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE")
_DRIVER_FILE = Path("/proc/driver/nvidia/version")


class _HalfNetworks(FabricPrecision):
    """Autocast to half precision, and nothing else.

    Fabric's own kind rounds what enters a network as well, here the audio, to 8 or 11 bits; widens
    all that leaves one, here every feature map; refuses the gradients of single terms; and keeps
    one loss scale for all optimizers, of which each here has its own (`recipes.player`).
    """

    def __init__(self, device_type: str, precision: Precision) -> None:
        super().__init__()
        self.precision = precision
        self._device_type = device_type
        self._dtype = _HALVES[precision]

    def forward_context(self) -> AbstractContextManager[object]:
        """Where networks run."""
        return torch.autocast(self._device_type, dtype=self._dtype)


class FabricRuntime:
    """One process on one device.

    Args:
        num_gpus: "auto" takes a GPU if one is usable; 0 is the CPU.
        precision: One of `PRECISIONS`.
        deterministic: Refuse operations whose result depends on scheduling.

    Attributes:
        scales_losses: Whether gradients pass through float16.

    Raises:
        ProfileError: The precision or the number of GPUs is not supported.
        CodecctlError: A GPU was asked for or allocated, but cannot be used.
    """

    def __init__(
        self, num_gpus: int | str, *, precision: str = "32-true", deterministic: bool = False
    ) -> None:
        use_gpu = _choose_gpu(num_gpus)
        if deterministic:
            # cuBLAS reads it when it starts; without it, it has no deterministic algorithms.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(deterministic)
        chosen = _checked_precision(precision)
        half = [_HalfNetworks("cuda" if use_gpu else "cpu", chosen)] if chosen in _HALVES else []
        self.scales_losses = chosen == "16-mixed"
        self._fabric = Fabric(
            accelerator="cuda" if use_gpu else "cpu",
            devices=1,
            precision=None if half else chosen,
            # A job script sets SLURM_NTASKS for its steps; this process is none of them.
            plugins=[LightningEnvironment(), *half],
        )
        self._fabric.launch()

    @property
    def device(self) -> torch.device:
        """Where networks and batches live."""
        return self._fabric.device

    @property
    def device_name(self) -> str:
        """The device in words."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"CPU, {torch.get_num_threads()} threads"

    @property
    def world_size(self) -> int:
        """Ranks that share a global batch."""
        return self._fabric.world_size

    @property
    def rank(self) -> int:
        """Which of the ranks this process is; 0 writes the run folder."""
        return self._fabric.global_rank

    def setup(self, module: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Move a network to the device and wrap it and its optimizer for the strategy."""
        wrapped, wrapped_optimizer = self._fabric.setup(module, optimizer)
        return cast(nn.Module, wrapped), cast(Optimizer, wrapped_optimizer)

    def autocast(self) -> AbstractContextManager[object]:
        """Precision of the networks; losses, balancer and quantizer leave it."""
        return self._fabric.autocast()

    def backward(self, loss: Tensor) -> None:
        """Accumulate gradients, averaged over the ranks."""
        self._fabric.backward(loss)

    def clip(self, module: nn.Module, optimizer: Optimizer, max_norm: float) -> Tensor:
        """Scale gradients down to a global norm (0 = leave them); returns the norm found, 0-d.

        A norm that is not finite is returned as it is: the loop names the loss that caused it.
        """
        if max_norm > 0:
            norm = self._fabric.clip_gradients(
                module, optimizer, max_norm=max_norm, error_if_nonfinite=False
            )
            assert norm is not None, "clipping by norm returns the norm"
            return norm.detach()
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        return torch.nn.utils.get_total_norm(gradients).detach()

    def all_reduce_(self, tensor: Tensor) -> None:
        """Sum a tensor over the ranks, in place."""
        if self.world_size > 1:
            torch.distributed.all_reduce(tensor)

    def barrier(self) -> None:
        """Wait for all ranks."""
        self._fabric.barrier()


def _checked_precision(precision: str) -> Precision:
    if precision not in PRECISIONS:
        raise ProfileError(
            f"trainer.precision: found {precision}; allowed: {', '.join(PRECISIONS)}"
        )
    return cast(Precision, precision)


def _choose_gpu(num_gpus: int | str) -> bool:
    """Whether to use a GPU; raises where one was promised and does not work."""
    if num_gpus == 0:
        return False
    if num_gpus not in ("auto", 1):
        raise ProfileError(
            f"trainer.num_gpus: found {num_gpus}; this version trains on one device: auto, 0 or 1"
        )
    problem = _gpu_problem()
    if not problem:
        return True
    if num_gpus == "auto" and not any(os.environ.get(name) for name in _ALLOCATION_VARIABLES):
        return False
    raise CodecctlError(
        f"GPU: {problem}; needed: a driver for CUDA {torch.version.cuda} and a card that torch "
        f"{torch.__version__} supports; fix the driver, take another node, or train on the CPU "
        "with trainer.num_gpus=0"
    )


def _gpu_problem() -> str:
    """Why no GPU can be used; "" when one can."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        said = " ".join(str(warning.message) for warning in caught).split("\n")[0]
        return f"torch finds none ({_driver()}{': ' + said if said else ''})"
    try:
        torch.zeros(1, device="cuda").add_(1).item()
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        return f"{torch.cuda.get_device_name()} fails ({_driver()}): {first}"
    return ""


def _driver() -> str:
    try:
        words = _DRIVER_FILE.read_text().split("Kernel Module")[1].split()
    except (OSError, IndexError):
        return "no NVIDIA driver is loaded"
    return f"driver {next((word for word in words if word[0].isdigit()), 'unknown')}"
