"""Compiling arithmetic without changing a bit of it.

Floats come out alike on every machine when every sum has one order and every operation is one of
+, -, x, / and floor of IEEE 754. The compiler is asked for no more: no other order, no fused
products. Loops over channels stand innermost, so that they become vector instructions all the
same. Without numba the functions run as they stand, to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compiled where numba is, else as it stands: the same bits, some hundred times slower."""
    if find_spec("numba") is None:
        return function
    njit = import_module("numba").njit
    options = {"error_model": "numpy", "nogil": True}
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that a cache could be written to
        made = njit(**options)(function)
    return cast("Callable[_P, _R]", made)
