"""A language model in a comparison of coders."""

from __future__ import annotations

from pathlib import Path

from codecctl.engine.lossless.comparison import Advance, Stopwatch
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.files import decode_file, encode_file
from codecctl.engine.lossless.own_coders import BACK, CODED, require_same


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
            folder / CODED,
            self._model,
            block=self._block,
            at_once=self._at_once,
            advance=advance,
        ).coded

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        with watch:
            decode_file(
                folder / CODED,
                folder / BACK,
                self._model,
                at_once=self._at_once,
                advance=advance,
            )
        require_same(self.name, wav, folder / BACK)
