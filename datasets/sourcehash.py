"""Hashes of whole files: by which a store knows its sources, and as publishers print them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import xxhash

NO_HASH = "none"

Bytes = bytes | memoryview | np.ndarray


_ALGORITHMS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "xxh3-128": xxhash.xxh3_128,
        "sha256": partial(hashlib.sha256, usedforsecurity=False),
        "sha1": partial(hashlib.sha1, usedforsecurity=False),
        "md5": partial(hashlib.md5, usedforsecurity=False),
    }
)

HASHES = tuple(_ALGORITHMS)
"""What a published checksum may be: `<algorithm>:<hex>`."""

SOURCE_HASHES = ("xxh3-128", "sha256", NO_HASH)
"""What a store may remember: xxh3-128 costs 0.2 ms for a second of 32 channels, sha256 2.6 ms.
Without a hash, size and time alone tell whether a file changed."""


class FileHashes:
    """Several hashes of one file, fed with its bytes from start to end.

    Args:
        algorithms: Names, each of them once or more; unknown ones and `none` are left out.
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        names = sorted(set(algorithms).intersection(_ALGORITHMS))
        self._digests = {name: _ALGORITHMS[name]() for name in names}

    def __bool__(self) -> bool:
        """Whether anything is hashed."""
        return bool(self._digests)

    def update(self, data: Bytes) -> None:
        """Take the next bytes of the file."""
        for digest in self._digests.values():
            digest.update(data)

    def text(self, algorithm: str) -> str:
        """`<algorithm>:<hex>`; empty for an algorithm that was not asked for."""
        digest = self._digests.get(algorithm)
        return "" if digest is None else f"{algorithm}:{digest.hexdigest()}"


def algorithm_of(text: str) -> str:
    """The name before the colon."""
    return text.partition(":")[0]
