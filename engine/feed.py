"""The way of a batch from the loader's memory to the device that networks live on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from codecctl.datasets.batch import Batch
from codecctl.datasets.store import AudioSource

Allocate = Callable[[tuple[int, ...], "np.dtype[np.generic]"], np.ndarray]


def ships_integers(
    choice: bool | Literal["auto"], *, device: torch.device, source: AudioSource
) -> bool:
    """Whether batches go to the device as int16 and become audio there: half the bytes.

    Args:
        choice: auto does so on a GPU.
        device: Where the networks live.
        source: Only int16 stores hold such integers; everything else goes as float32.
    """
    wanted = device.type == "cuda" if choice == "auto" else choice
    return wanted and source.dtype == "int16"


def ring_memory(*, pinned: bool, device: torch.device) -> Allocate:
    """How the loader's arrays are made: page-locked for a GPU, which then copies them itself."""
    if not pinned or device.type != "cuda":
        return np.zeros

    def allocate(shape: tuple[int, ...], kind: np.dtype[np.generic]) -> np.ndarray:
        like = torch.from_numpy(np.empty(0, dtype=kind)).dtype
        return torch.zeros(shape, dtype=like, pin_memory=True).numpy()

    return allocate


class Feed:
    """Brings batches to a device.

    Args:
        device: Where the networks live.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # A stream of its own: a copy waits for no network, and the loader for the copy alone.
        self._stream = (
            torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch has no types here
            if device.type == "cuda"
            else None
        )

    def audio(self, batch: Batch) -> Tensor:
        """The audio of a batch, (B, M, T) float32; integers become audio on the device.

        On a CPU, float32 audio shares its memory with the batch. On a GPU, the batch may be
        overwritten as soon as this returns.
        """
        samples = self._moved(batch.samples)
        if batch.steps is None:
            return samples
        steps = batch.steps
        return _expanded(
            samples, self._moved(steps.values), self._moved(steps.inside), frames=steps.frames
        )

    def channels(self, batch: Batch) -> Tensor:
        """Which channel of its recording each row is, (B, M) int64."""
        return self._moved(np.array([item.channels for item in batch.items], dtype=np.int64))

    def _moved(self, array: np.ndarray) -> Tensor:
        here = torch.from_numpy(array)
        if self._stream is None:
            return here.to(self._device)
        with torch.cuda.stream(self._stream):
            there = here.to(self._device, non_blocking=True)
        self._stream.synchronize()
        there.record_stream(torch.cuda.current_stream(self._device))
        return there


def _expanded(samples: Tensor, values: Tensor, inside: Tensor, *, frames: int) -> Tensor:
    """The same product in the same precision as `Batch.audio`, so the same to the last bit."""
    places = torch.arange(samples.shape[2], device=samples.device)
    seconds = (inside[:, None, None] + places) // frames  # (B, 1, T)
    factors = values.gather(2, seconds.expand(samples.shape))  # (B, M, T)
    return samples.float().mul_(factors)
