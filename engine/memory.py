"""Out of memory: what it looks like, how much there is, and where it cannot be mended."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

_SIGNS = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""Of errors that torch raises without a class of their own."""


class TornUpdateError(Exception):
    """Memory ran out while weights moved: some have, some have not."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or of the host."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


@contextmanager
def irreversible(what: str) -> Iterator[None]:
    """Mark a block that cannot be done again from the start.

    Args:
        what: What it is about, for the message.

    Raises:
        TornUpdateError: Memory ran out in it.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise TornUpdateError(what) from error
        raise


def free_memory(device: torch.device) -> None:
    """Give back what nothing refers to any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def memory_in_words(device: torch.device) -> str:
    """What this process holds of the device's memory, and what is free."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        held, what = torch.cuda.memory_reserved(device), torch.cuda.get_device_name(device)
    else:
        memory = psutil.virtual_memory()
        free, total = memory.available, memory.total
        held, what = psutil.Process().memory_info().rss, "CPU"
    gigabytes = [f"{size / 1e9:.1f}" for size in (held, free, total)]
    return f"{what}: {gigabytes[0]} GB in use here, {gigabytes[1]} GB of {gigabytes[2]} GB free"
