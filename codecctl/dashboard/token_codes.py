"""The codes of a preview as the training wrote them, and where those of two capsules part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

SUFFIX = ".codes.json"
"""Of `codecctl.engine.preview_codes`, which this reads without torch."""
SCHEMA = 1
_MOST_BYTES = 1 << 25

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TokenCodes:
    """Codes of an item."""

    codes: Codes
    """(M, K, F): capsules, codebooks, frames; empty where there is a problem."""
    frame_seconds: float
    codebook_size: int
    problem: str = ""

    def agree(self, first: int, second: int, book: int) -> npt.NDArray[np.bool_]:
        """In which frames two capsules have the same code of a codebook, (F,)."""
        same: npt.NDArray[np.bool_] = self.codes[first, book] == self.codes[second, book]
        return same

    def next_parting(
        self, first: int, second: int, after: int, *, back: bool = False
    ) -> int | None:
        """The next frame after one (or before it) whose first codes differ; None without one."""
        differ = np.flatnonzero(~self.agree(first, second, 0))
        if back:
            before = differ[differ < after]
            return int(before[-1]) if before.size else None
        later = differ[differ > after]
        return int(later[0]) if later.size else None


def no_codes(problem: str) -> TokenCodes:
    """What stands for codes that are not there."""
    return TokenCodes(np.zeros((0, 0, 0), np.int64), 0.0, 0, problem)


def read_codes(reconstruction: str) -> TokenCodes:
    """The codes beside a reconstruction; what is wrong with them becomes a `problem`.

    Args:
        reconstruction: Path of its WAV file; what exchanged codes sound like has no codes of its
            own.
    """
    # Here, not above: the screen must not wait for HDF5.
    from codecctl.datasets.store.regular import read_small

    path = Path(reconstruction).with_suffix("").with_suffix(SUFFIX)
    name = path.name
    if "." in Path(reconstruction).stem:
        return no_codes("made of exchanged codes: those of the item itself are beside this one")
    try:
        content = json.loads(read_small(path, most=_MOST_BYTES))
    except FileNotFoundError:
        return no_codes(f"{name}: not written; a codec with codebooks writes it since this version")
    except (OSError, ValueError, RecursionError) as error:
        return no_codes(f"{name}: {' '.join(str(error).split())[:80]}")
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        return no_codes(f"{name}: found no codes of schema {SCHEMA}")
    return _parsed(content, name)


def _parsed(content: dict[str, object], name: str) -> TokenCodes:
    numbers = [content.get(key) for key in ("sample_rate", "hop_length", "codebook_size")]
    try:
        codes = np.array(content.get("codes"))
    except ValueError:  # rows of different lengths
        codes = np.zeros(0)
    whole = all(isinstance(number, int) and 0 < number < 1 << 40 for number in numbers)
    if not whole or codes.ndim != 3 or not codes.size or codes.dtype.kind not in "iu":
        return no_codes(f"{name}: found no (M, K, F) whole numbers")
    rate, hop, size = (int(str(number)) for number in numbers)
    if codes.min() < 0 or codes.max() >= size:
        return no_codes(f"{name}: found codes outside 0 to {size - 1}")
    return TokenCodes(codes.astype(np.int64), hop / rate, size)
