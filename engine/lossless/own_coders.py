"""Coding without a trained model in a comparison; needs no torch."""

from __future__ import annotations

import filecmp
from pathlib import Path

from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.comparison import Advance, Stopwatch
from codecctl.errors import CodecctlError

CODED, BACK = "take.cctl", "back.wav"
"""Files of a comparison."""


class ModelFree:
    """`codecctl encode --lossless`."""

    name = "encode --lossless"

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """As `Coder`."""
        return encode_array(wav, folder / CODED, advance=advance).coded

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        with watch:
            decode_array(folder / CODED, folder / BACK, advance=advance)
        require_same(self.name, wav, folder / BACK)


def require_same(name: str, wav: Path, back: Path) -> None:
    """Compare a decoded file with the one that was coded.

    Raises:
        CodecctlError: They differ.
    """
    if not filecmp.cmp(wav, back, shallow=False):
        raise CodecctlError(f"{name}: what was decoded is not what was coded ({wav.name})")
