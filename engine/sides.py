"""Which recordings of a store a profile trains on and which it validates on; needs no torch."""

from __future__ import annotations

from codecctl.datasets.leaks import refuse_leaks
from codecctl.datasets.split import Split, split
from codecctl.datasets.split_file import named_split
from codecctl.datasets.store import AudioSource
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.profile.schema_lossless import LosslessData


def sides_of(data: Data | LosslessData, store: AudioSource) -> Split:
    """The sides of `data.split`, or of the profile's scenes where it names none.

    Raises:
        NotFoundError: The store has no such split.
        ProfileError: The split has several folds and none is chosen.
        DataError: The split was made of other recordings, or its sides share audio.
    """
    sides = unchecked_sides(data, store)
    refuse_leaks(store.path, sides)
    return sides


def unchecked_sides(data: Data | LosslessData, store: AudioSource) -> Split:
    """As `sides_of`, to be shown: nothing is compared."""
    if data.split:
        return named_split(store, data.split)
    return split(
        store,
        train_scenes=data.train_scenes,
        val_scenes=data.val_scenes,
        test_scenes=data.test_scenes,
        seed=data.val_seed,
    )
