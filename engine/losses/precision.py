"""Float32 where half precision would lose the result: spectra, ratios and norms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def float32_island(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Leave autocast for a block; the block receives the tensors in float32.

    Float64 stays float64, so that tests can compare with a float64 formula.
    """
    with torch.autocast(device_type=tensors[0].device.type, enabled=False):
        yield tuple(
            tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
            for tensor in tensors
        )
