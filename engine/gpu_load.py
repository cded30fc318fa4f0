"""Load, memory, heat and power of the GPUs, asked of `nvidia-smi` without waiting for it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

import torch

COMMAND = "nvidia-smi"
_FIELDS = {
    "utilization.gpu": "load_percent",
    "memory.used": "used_mib",
    "temperature.gpu": "celsius",
    "power.draw": "watts",
}
_UUID_PREFIX = "GPU-"


class GpuLoad:
    """The newest answer about some GPUs; each look begins the next question.

    A question takes the driver up to a second, which no update must wait for: a value is as old as
    the look before. Where an answer takes longer than that, it is taken at a later look.

    Args:
        uuids: Of the GPUs in the order of their numbers, without `GPU-`.
    """

    def __init__(self, uuids: Sequence[str]) -> None:
        self._numbers = {uuid: number for number, uuid in enumerate(uuids)}
        self._command = shutil.which(COMMAND) if uuids else None
        self._asked: subprocess.Popen[str] | None = None
        self._values: Mapping[str, float] = {}

    def look(self) -> Mapping[str, float]:
        """Values by name, such as `gpu0_load_percent`; none before the second look."""
        if self._command is None:
            return {}
        if self._asked is not None:
            if self._asked.poll() is None:
                return self._values
            text, _ = self._asked.communicate()
            self._values = self._read(text) if self._asked.returncode == 0 else {}
        query = f"--query-gpu=uuid,{','.join(_FIELDS)}"
        try:
            self._asked = subprocess.Popen(
                [self._command, query, "--format=csv,noheader,nounits"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError:  # not to be run here: no load is shown, and the training goes on
            self._command = self._asked = None
        return self._values

    def close(self) -> None:
        """End a question that is still open."""
        if self._asked is not None:
            self._asked.kill()
            self._asked.communicate()
            self._asked = None

    def _read(self, text: str) -> dict[str, float]:
        values: dict[str, float] = {}
        for line in text.splitlines():
            uuid, *found = (cell.strip() for cell in line.split(","))
            number = self._numbers.get(uuid.removeprefix(_UUID_PREFIX))
            if number is None or len(found) != len(_FIELDS):
                continue
            for name, value in zip(_FIELDS.values(), found, strict=True):
                with suppress(ValueError):  # "[N/A]": this GPU does not tell
                    values[f"gpu{number}_{name}"] = float(value)
        return values


def gpu_load(device: torch.device) -> GpuLoad:
    """About every GPU of this machine that the process may use; about none on a CPU."""
    count = torch.cuda.device_count() if device.type == "cuda" else 0
    return GpuLoad([str(torch.cuda.get_device_properties(each).uuid) for each in range(count)])
