"""Compiling arithmetic without changing a bit of it.

Floats come out alike on every machine when every sum has one order and every operation is one of
+, -, x, / and floor of IEEE 754. The compiler is asked for no more: no other order, no fused
products. Loops over channels stand innermost, so that they become vector instructions all the
same. Without numba the functions run as they stand, to the same bits.

What is compiled is kept beside the sources. numba looks whether the file of a function is the one
that was compiled, but not at the files of those that it calls: an old one of those, compiled into
it, would make files that no other machine decodes. So all sources of this folder belong to the key.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

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
        _keep_by_sources(made)
    except RuntimeError:  # no folder that a cache could be written to
        made = njit(**options)(function)
    return cast("Callable[_P, _R]", made)


@cache
def sources() -> int:
    """CRC-32 of all files that compiled functions stand in."""
    found = 0
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found = zlib.crc32(path.read_bytes(), found)
    return found


def _keep_by_sources(made: Any) -> None:
    """Have what is compiled of a function found again only with the same sources."""
    kept = getattr(made, "_cache", None)
    if kept is None:  # NUMBA_DISABLE_JIT
        return
    of_numba = kept._index_key

    def key(signature: object, codegen: object) -> tuple[object, ...]:
        return (*of_numba(signature, codegen), sources())

    kept._index_key = key
