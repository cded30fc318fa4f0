"""What was read of one preview: sounds, codes, and what its channels are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codecctl.dashboard.capsule_levels import Levels, levels_of
from codecctl.dashboard.origin import array_of_item
from codecctl.dashboard.sound import Pair, read_pair
from codecctl.dashboard.token_codes import TokenCodes, read_codes
from codecctl.dashboard.views import Preview


@dataclass(frozen=True)
class Loaded:
    """A preview in memory."""

    preview: Preview
    pair: Pair
    codes: TokenCodes
    array: str
    """`em32`, `ambisonic...`, "" where it is not known."""
    levels: Levels
    """Of every capsule; empty where there is no pair."""

    @property
    def channels(self) -> int:
        """Of the file that could be read; at least 1."""
        sounds = (self.pair.reconstruction, self.pair.reference)
        return max(1, *(sound.channels for sound in sounds))


def load(run: Path, preview: Preview) -> Loaded:
    """Read everything of a preview; what cannot be read is said in it."""
    pair = read_pair(preview.reference, preview.reconstruction)
    array = "" if pair.problem else array_of_item(run, preview.item, pair.reference.channels)
    codes = read_codes(preview.reconstruction)
    return Loaded(preview, pair, codes, array, levels_of(pair))
