"""What the machine does while a run trains, for system.jsonl."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

import psutil
import torch

from codecctl.engine.gpu_load import gpu_load
from codecctl.engine.rundir import RunDirectory

_MIN_SECONDS = 5.0


class SystemMonitor:
    """Appends a row on processor, memory, loader and disk, at most every 5 s.

    Args:
        run: Takes the rows.
        device: Where the networks live; a GPU adds its memory, and the load of each that the
            process sees.
    """

    def __init__(self, run: RunDirectory, device: torch.device) -> None:
        self._run = run
        self._device = device
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call only starts the measurement
        self._gpus = gpu_load(device)
        self._written = -_MIN_SECONDS

    def memory(self) -> dict[str, float]:
        """Memory of the process now and the most that the GPU has held, in MB, for a row."""
        held = {"memory/cpu_mb": self._process.memory_info().rss / 1e6}
        if self._device.type == "cuda":
            held["memory/gpu_peak_mb"] = torch.cuda.max_memory_allocated(self._device) / 1e6
        return held

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append a row if the last one is old enough.

        Args:
            step: Updates done.
            values: The row of training, which holds the times of a step.
        """
        now = time.monotonic()
        if now - self._written < _MIN_SECONDS:
            return
        self._written = now
        row: dict[str, float] = {
            "step": step,
            "cpu_percent": self._process.cpu_percent(),
            "memory_mb": self._process.memory_info().rss / 1e6,
            "loader_wait_seconds": values["speed/loader_wait_seconds"],
            "step_seconds": values["speed/step_seconds"],
        }
        with suppress(OSError):  # somebody deletes the run just now
            row["disk_free_gb"] = psutil.disk_usage(str(self._run.path)).free / 1e9
        if self._device.type == "cuda":
            row["gpu_memory_mb"] = torch.cuda.memory_allocated(self._device) / 1e6
        row |= self._gpus.look()
        self._run.system(row)

    def close(self) -> None:
        """Leave no question to the driver open."""
        self._gpus.close()
