"""What torch.compile needs of the machine, looked for before a training begins."""

from __future__ import annotations

import importlib.util
import shutil

import torch

from codecctl.errors import CodecctlError

_COMPILERS = ("g++", "clang++", "c++")
_WITHOUT = "or train with trainer.compile=false"


def require_compiler(device: torch.device) -> None:
    """Refuse a machine on which compiled networks would fail at their first step.

    Raises:
        CodecctlError: No C++ compiler is found, or on a GPU no Triton.
    """
    if not any(shutil.which(name) for name in _COMPILERS):
        raise CodecctlError(
            f"trainer.compile: found none of {', '.join(_COMPILERS)}, needed a C++ compiler; "
            f"install one, {_WITHOUT}"
        )
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        raise CodecctlError(
            f"trainer.compile: found no triton, which a GPU needs; pip install triton, {_WITHOUT}"
        )
