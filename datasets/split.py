"""Which recordings train and which validate: by scene, or by lot where the scenes are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.datasets.store import RecordingInfo, Store

VALIDATION_SHARE = 0.2
"""Of the recordings, where scenes cannot decide."""


@dataclass(frozen=True)
class Split:
    """Names of recordings, sorted."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    note: str
    """What differs from the scenes that were asked for; empty when nothing does."""


def split(
    store: Store,
    *,
    train_scenes: Sequence[str],
    val_scenes: Sequence[str],
    test_scenes: Sequence[str] = (),
    seed: int,
) -> Split:
    """Split a store by scenes; by lot over its recordings where it lacks either side's scenes.

    Recordings of one scene and take (an array's capsules and its ambisonics) stay together, and
    those of `test_scenes` are never used.

    Args:
        store: Opened.
        train_scenes: Scene ids; case and spaces do not matter.
        val_scenes: As `train_scenes`.
        test_scenes: Kept for later.
        seed: Of the lot.
    """
    kept = [info for info in store.recordings if info.scene not in _spelled(test_scenes, store)]
    train = [info for info in kept if info.scene in _spelled(train_scenes, store)]
    validation = [info for info in kept if info.scene in _spelled(val_scenes, store)]
    if train and validation:
        return Split(_names(train), _names(validation), _missing(store, train_scenes, val_scenes))
    return _by_lot(store, kept, lacking=val_scenes if train else train_scenes, seed=seed)


def _by_lot(
    store: Store, recordings: Sequence[RecordingInfo], *, lacking: Sequence[str], seed: int
) -> Split:
    takes: dict[tuple[str, str], list[RecordingInfo]] = {}
    for info in sorted(recordings, key=lambda row: row.name):
        takes.setdefault((info.scene, info.take), []).append(info)
    groups = list(takes.values())
    why = f"store {store.name} has no recording of {', '.join(lacking) or 'any scene asked for'}"
    if len(groups) < 2:
        names = _names(recordings)
        return Split(names, names, f"{why} and only one recording: it trains and validates")
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(groups))
    count = max(1, round(VALIDATION_SHARE * len(groups)))
    drawn = set(order[:count].tolist())
    validation = [info for index, group in enumerate(groups) if index in drawn for info in group]
    train = [info for index, group in enumerate(groups) if index not in drawn for info in group]
    note = (
        f"{why}: {len(validation)} of {len(recordings)} recordings, drawn with seed {seed}, "
        f"validate instead"
    )
    return Split(_names(train), _names(validation), note)


def _missing(store: Store, *scenes: Sequence[str]) -> str:
    """Say which scenes the store lacks where others of the same side are there."""
    have = {_plain(info.scene) for info in store.recordings}
    lacking = [scene for side in scenes for scene in side if _plain(scene) not in have]
    return f"store {store.name} has no recording of {', '.join(lacking)}" if lacking else ""


def _spelled(scenes: Sequence[str], store: Store) -> set[str]:
    """The store's own scene ids that are meant."""
    meant = {_plain(scene) for scene in scenes}
    return {info.scene for info in store.recordings if _plain(info.scene) in meant}


def _plain(scene: str) -> str:
    return "".join(letter for letter in scene.lower() if letter.isalnum())


def _names(recordings: Sequence[RecordingInfo]) -> tuple[str, ...]:
    return tuple(sorted(info.name for info in recordings))
