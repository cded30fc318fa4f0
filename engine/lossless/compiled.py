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

COMPILES = find_spec("numba") is not None
"""Whether loops are compiled."""
_FREEDOM: dict[str, object] = {"fastmath": {"reassoc", "contract", "nsz", "nnan"}}


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compiled where numba is, else as it stands: the same bits, some hundred times slower."""
    return _compiled(function, {})


def compiled_exact(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compiled for sums that are exact in any order, as those of `fixed_point`.

    The compiler may add in another order, fuse products and sums, and count on numbers that are
    no NaN and zeros whose sign does not matter: nothing of that changes a number that is exact.
    """
    return _compiled(function, _FREEDOM)


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As `compiled`, within what calls it: for what is done for a number, where a call is long."""
    return _compiled(function, {"forceinline": True})


def inlined_exact(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As `compiled_exact`, within what calls it."""
    return _compiled(function, {"forceinline": True, **_FREEDOM})


def _compiled(function: Callable[_P, _R], more: dict[str, object]) -> Callable[_P, _R]:
    if not COMPILES:
        return function
    njit = import_module("numba").njit
    options = {"error_model": "numpy", "nogil": True, **more}
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that a cache could be written to
        made = njit(**options)(function)
    return cast("Callable[_P, _R]", made)
