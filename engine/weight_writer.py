"""Tensors into a safetensors file, one after the other: nothing is copied as a whole.

The format is that of `weight_files`. The package's own writer makes the file in memory first,
which took the larger part of the time that a checkpoint takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from codecctl.engine.checked_file import CheckedFile

TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.complex64: "C64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ALIGNMENT = 8


def weights_writer(weights: Mapping[str, Tensor]) -> Callable[[CheckedFile], None]:
    """What writes tensors as a safetensors file.

    Args:
        weights: Tensors by name, on any device. Those that share memory are written each for
            itself: the format has no word for it.

    Raises:
        KeyError: A tensor is of a type that the format does not have.
    """
    # The widest first, so that each begins at a multiple of its width.
    names = sorted(weights, key=lambda name: (-weights[name].element_size(), name))

    def write(file: CheckedFile) -> None:
        file.write(_header({name: weights[name] for name in names}))
        for name in names:
            tensor = weights[name].detach().cpu().contiguous()
            if tensor.numel():
                file.write(tensor.reshape(-1).view(torch.uint8).numpy().data)

    return write


def _header(weights: Mapping[str, Tensor]) -> bytes:
    entries: dict[str, object] = {}
    start = 0
    for name, tensor in weights.items():
        end = start + tensor.numel() * tensor.element_size()
        entries[name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
