"""Fixed windows of whole arrays among the recordings that validate; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codecctl.datasets.batch import Item
from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.datasets.store import AudioSource
from codecctl.datasets.validation import fixed_items
from codecctl.datasets.windows import Window


def array_items(
    store: AudioSource, recordings: Sequence[str], *, window: Window, count: int, seed: int
) -> tuple[Item, ...]:
    """Windows of all capsules of the em32 recordings; none where there are no such recordings.

    Args:
        store: Opened.
        recordings: Names of those that validate.
        window: Of the validation; length and silence are kept.
        count: Windows; 0 asks for none.
        seed: Of the validation.

    Raises:
        DataError: Every window of them is silent.
    """
    whole = replace(window, capsules=NUM_CAPSULES, policy="all", geometry="any")
    fitting = [
        name
        for name in recordings
        if store.recording(name).channels == NUM_CAPSULES
        and store.recording(name).frames >= window.frames
    ]
    if not (count and fitting):
        return ()
    return fixed_items(store, fitting, window=whole, count=count, seed=seed)
