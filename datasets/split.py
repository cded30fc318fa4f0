"""Which recordings train and which validate: by scene, or by lot where the scenes are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.datasets.groups import groups
from codecctl.datasets.store import AudioSource, RecordingInfo

VALIDATION_SHARE = 0.2
"""Of the recordings, where scenes cannot decide."""


@dataclass(frozen=True)
class Split:
    """Names of recordings, sorted."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    note: str
    """What differs from the scenes that were asked for; empty when nothing does."""
    test: tuple[str, ...] = ()
    """Kept for later: neither training nor validation touches them."""

    on_itself: bool = False
    """Whether it trains on the very recordings that it validates on, for want of others."""

    @property
    def sides(self) -> dict[str, tuple[str, ...]]:
        """Names by the word for their side."""
        return {"training": self.train, "validation": self.validation, "test": self.test}


def split(
    store: AudioSource,
    *,
    train_scenes: Sequence[str],
    val_scenes: Sequence[str],
    test_scenes: Sequence[str] = (),
    seed: int,
) -> Split:
    """Split a store by scenes; by lot over its recordings where it lacks either side's scenes.

    Recordings of one scene and take (an array's capsules and its ambisonics) and recordings of
    equal audio stay together in a lot, and those of `test_scenes` are never used.

    Args:
        store: Opened.
        train_scenes: Scene ids; case and spaces do not matter.
        val_scenes: As `train_scenes`.
        test_scenes: Kept for later.
        seed: Of the lot.
    """
    tests = [info for info in store.recordings if info.scene in spelled(test_scenes, store)]
    kept = [info for info in store.recordings if info not in tests]
    train = [info for info in kept if info.scene in spelled(train_scenes, store)]
    validation = [info for info in kept if info.scene in spelled(val_scenes, store)]
    test = _names(tests)
    if train and validation:
        note = _missing(store, train_scenes, val_scenes)
        return Split(_names(train), _names(validation), note, test)
    lacking = val_scenes if train else train_scenes
    return _by_lot(store, kept, lacking=lacking, seed=seed, test=test)


def spelled(scenes: Sequence[str], store: AudioSource) -> set[str]:
    """The store's own scene ids that are meant; case and spaces do not matter."""
    meant = {plain(scene) for scene in scenes}
    return {info.scene for info in store.recordings if plain(info.scene) in meant}


def plain(scene: str) -> str:
    """Letters and digits of a scene's name, in lower case."""
    return "".join(letter for letter in scene.lower() if letter.isalnum())


def _by_lot(
    store: AudioSource,
    recordings: Sequence[RecordingInfo],
    *,
    lacking: Sequence[str],
    seed: int,
    test: tuple[str, ...],
) -> Split:
    drawable = groups(recordings)
    why = f"store {store.name} has no recording of {', '.join(lacking) or 'any scene asked for'}"
    if len(drawable) < 2:
        names = _names(recordings)
        only = "only one recording" if len(names) == 1 else "only recordings of one take or sound"
        note = f"{why} and {only}: it trains and validates"
        return Split(names, names, note, test, on_itself=True)
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(drawable))
    count = max(1, round(VALIDATION_SHARE * len(drawable)))
    drawn = set(order[:count].tolist())
    validation = [info for index, group in enumerate(drawable) if index in drawn for info in group]
    train = [info for index, group in enumerate(drawable) if index not in drawn for info in group]
    note = (
        f"{why}: {len(validation)} of {len(recordings)} recordings, drawn with seed {seed}, "
        f"validate instead"
    )
    return Split(_names(train), _names(validation), note, test)


def _missing(store: AudioSource, *scenes: Sequence[str]) -> str:
    """Say which scenes the store lacks where others of the same side are there."""
    have = {plain(info.scene) for info in store.recordings}
    lacking = [scene for side in scenes for scene in side if plain(scene) not in have]
    return f"store {store.name} has no recording of {', '.join(lacking)}" if lacking else ""


def _names(recordings: Sequence[RecordingInfo]) -> tuple[str, ...]:
    return tuple(sorted(info.name for info in recordings))
