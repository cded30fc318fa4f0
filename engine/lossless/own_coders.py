"""Our own coders in a comparison: a language model, and prediction without a trained model."""

from __future__ import annotations

import filecmp
from pathlib import Path

from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.comparison import Advance, Stopwatch
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.files import decode_file, encode_file
from codecctl.errors import CodecctlError

_CODED, _BACK = "take.cctl", "back.wav"


class Learned:
    """`codecctl encode --model` of a network.

    Args:
        model: Exact.
        block: Samples of a channel before the next one's.
        at_once: Chunks side by side; 0: as memory allows.
    """

    name = "this model"

    def __init__(self, model: ExactTransformer, *, block: int, at_once: int = 0) -> None:
        self._model = model
        self._block = block
        self._at_once = at_once

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """As `Coder`."""
        return encode_file(
            wav,
            folder / _CODED,
            self._model,
            block=self._block,
            at_once=self._at_once,
            advance=advance,
        ).coded

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        with watch:
            decode_file(
                folder / _CODED,
                folder / _BACK,
                self._model,
                at_once=self._at_once,
                advance=advance,
            )
        _require_same(self.name, wav, folder / _BACK)


class ModelFree:
    """`codecctl encode --lossless`."""

    name = "encode --lossless"

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """As `Coder`."""
        return encode_array(wav, folder / _CODED, advance=advance).coded

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        with watch:
            decode_array(folder / _CODED, folder / _BACK, advance=advance)
        _require_same(self.name, wav, folder / _BACK)


def _require_same(name: str, wav: Path, back: Path) -> None:
    if not filecmp.cmp(wav, back, shallow=False):
        raise CodecctlError(f"{name}: what was decoded is not what was coded ({wav.name})")
