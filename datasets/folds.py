"""Sides of a split, drawn with a seed: by scene, by recording, in folds, one left out at a time."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.datasets.groups import groups
from codecctl.datasets.leaks import leaks_between, refuse, shared_audio
from codecctl.datasets.split import VALIDATION_SHARE, Split, plain
from codecctl.datasets.store import RecordingInfo, Store
from codecctl.errors import DataError, UsageError

SCENE, RECORDING = "scene", "recording"
TAKE, LOCATION = "take", "location"
_SCENE_SHARE = 0.25
"""Of the scenes, where a split by scene names none: two of EigenScape's eight."""

Group = list[RecordingInfo]
Side = tuple[str, ...] | float | None
"""Scenes, a share of what is drawn from, or nothing said."""


@dataclass(frozen=True)
class Method:
    """How a split is made; equal methods make equal splits of equal stores."""

    by: str = RECORDING
    """`scene`: all recordings of a scene on one side; `recording`: every scene on both."""
    folds: int = 1
    """Above 1: so many splits, in which everything validates exactly once."""
    leave_one_out: bool = False
    """As many folds as there are scenes, or recordings."""
    group: str = TAKE
    """`take`, or `location`: recordings of one place stay together, too."""
    train: Side = None
    validation: Side = None
    test: Side = None
    seed: int = 42

    def __str__(self) -> str:
        parts = [f"by {self.by}"]
        if self.leave_one_out:
            parts = [f"leave one {self.by} out"]
        elif self.folds > 1:
            parts = [f"{self.folds} folds by {self.by}"]
        if self.group == LOCATION:
            parts.append("locations together")
        for name, side in (("train", self.train), ("val", self.validation), ("test", self.test)):
            if side is not None:
                parts.append(f"{name} {_side_text(side)}")
        return ", ".join([*parts, f"seed {self.seed}"])

    @property
    def options(self) -> str:
        """The options of `data split` that mean this."""
        parts = [f"--by {self.by}"]
        parts += [f"--folds {self.folds}"] if self.folds > 1 else []
        parts += ["--leave-one-out"] if self.leave_one_out else []
        parts += [f"--group {self.group}"] if self.group != TAKE else []
        for name, side in (("train", self.train), ("val", self.validation), ("test", self.test)):
            if side is not None:
                parts.append(f"--{name} {shlex.quote(_side_text(side))}")
        return " ".join([*parts, f"--seed {self.seed}"])


def make_folds(store: Store, method: Method) -> tuple[Split, ...]:
    """The sides of a store's recordings by a method; one split, or one for each fold.

    Recordings that share audio, a source or a take are on one side always.

    Raises:
        UsageError: The method asks for what cannot be, or contradicts itself.
        DataError: The store has too few recordings or scenes for it, or scenes share audio.
    """
    _refuse_contradictions(method)
    shared = shared_audio(store, store.recordings)
    pairs = [(found.first, found.second) for found in shared]
    metadata = store.metadata if method.group == LOCATION else None
    if method.group == LOCATION and not any("Location" in row for row in store.metadata.values()):
        raise DataError(
            f"store {store.name}: no recording has a Location; needed a column of that name in "
            "the corpus's table: ingest again with it, or leave --group out"
        )
    everything = groups(store.recordings, shared=pairs, metadata=metadata)
    folds = (_by_scene if method.by == SCENE else _by_recording)(store, method, everything)
    for fold in folds:
        refuse(store.path, leaks_between(fold, shared))
    return folds


def _refuse_contradictions(method: Method) -> None:
    assert method.by in (SCENE, RECORDING) and method.group in (TAKE, LOCATION), method
    if method.folds > 1 and method.leave_one_out:
        raise UsageError("--folds and --leave-one-out: each says how many folds; keep one")
    if method.folds > 1 or method.leave_one_out:
        for name, side in (("--train", method.train), ("--val", method.validation)):
            if side is not None:
                raise UsageError(f"{name}: folds decide who trains and who validates; leave it out")
    sides = (method.train, method.validation, method.test)
    shares = [side for side in sides if isinstance(side, float)]
    if sum(shares) > 1 + 1e-9:
        raise UsageError(f"shares of {sum(shares):g} in all: needed at most 1")
    if method.by == RECORDING:
        for name, side in (("--train", method.train), ("--val", method.validation)):
            if isinstance(side, tuple):
                raise UsageError(
                    f"{name} {','.join(side)}: a split by recording has every scene on both sides; "
                    "needed a share such as 0.2, or --by scene"
                )


def _by_scene(store: Store, method: Method, _: Sequence[Group]) -> tuple[Split, ...]:
    scenes = _scenes(store)
    sides = _named_scenes(store, method, scenes)
    taken = {scene for side in sides.values() for scene in side}
    left = [scene for scene in _shuffled(scenes, method.seed) if scene not in taken]
    for name, share in (("test", method.test), ("val", method.validation)):
        if isinstance(share, float):
            sides[name] = [left.pop() for _ in range(min(_count(share, len(scenes)), len(left)))]
    if method.folds > 1 or method.leave_one_out:
        count = len(left) if method.leave_one_out else method.folds
        _require(store, found=len(left), needed=max(count, 2), what="scenes")
        held_out = [left[fold::count] for fold in range(count)]
    else:
        held_out = [sides.get("val") or _default_scenes(left, len(scenes), sides)]
    result = []
    for fold in held_out:
        train = sides.get("train") or [scene for scene in left if scene not in fold]
        if isinstance(method.train, float):
            train = train[: _count(method.train, len(scenes))]
        rows = [
            [info for info in store.recordings if info.scene in side]
            for side in (train, fold, sides.get("test", []))
        ]
        result.append(_split(store, rows))
    return tuple(result)


def _scenes(store: Store) -> list[str]:
    nameless = [info.name for info in store.recordings if not info.scene]
    if nameless:
        raise DataError(
            f"store {store.name}: {len(nameless)} recordings have no scene ({nameless[0]}); needed "
            "scenes to split by; use --by recording"
        )
    return sorted({info.scene for info in store.recordings})


def _named_scenes(store: Store, method: Method, scenes: Sequence[str]) -> dict[str, list[str]]:
    """The scenes that were given by name, by side."""
    given = (("train", method.train), ("val", method.validation), ("test", method.test))
    sides: dict[str, list[str]] = {}
    owner: dict[str, str] = {}
    for name, side in given:
        if not isinstance(side, tuple):
            continue
        sides[name] = [_meant(scene, scenes, store) for scene in side]
        for scene in sides[name]:
            if owner.setdefault(scene, name) != name:
                raise UsageError(f"--{name} {scene}: is in --{owner[scene]} as well; keep one")
    return sides


def _default_scenes(left: list[str], count: int, sides: dict[str, list[str]]) -> list[str]:
    """Scenes that validate where none are named: those that do not train, or some by lot."""
    if "train" in sides:
        return left
    return left[-_count(_SCENE_SHARE, count) :]


def _by_recording(store: Store, method: Method, everything: Sequence[Group]) -> tuple[Split, ...]:
    test = _tests(store, method, everything)
    drawn = [group for group in everything if group not in test]
    count = len(drawn) if method.leave_one_out else method.folds
    _require(store, found=len(drawn), needed=max(count, 2), what="independent recordings")
    if count > 1:
        dealt = _dealt(drawn, method.seed)
        held_out = [dealt[fold::count] for fold in range(count)]
    else:
        share = _share_of(method.validation, everything, drawn)
        held_out = [_stratified(drawn, share, seed=method.seed, stream=2)]
    result = []
    for fold in held_out:
        train = [group for group in drawn if group not in fold]
        share = _share_of(method.train, everything, train) if train else None
        if share is not None:
            train = _stratified(train, share, seed=method.seed, stream=3)
        rows = [[info for group in side for info in group] for side in (train, fold, test)]
        result.append(_split(store, rows))
    return tuple(result)


def _tests(store: Store, method: Method, everything: Sequence[Group]) -> list[Group]:
    """What neither trains nor validates: whole scenes, or a share of each."""
    if isinstance(method.test, float):
        return _stratified(everything, method.test, seed=method.seed, stream=1)
    scenes = sorted({info.scene for info in store.recordings})
    held = {_meant(scene, scenes, store) for scene in method.test or ()}
    return [group for group in everything if any(info.scene in held for info in group)]


def _share_of(side: Side, everything: Sequence[Group], some: Sequence[Group]) -> float | None:
    """A share of everything as a share of some of it."""
    return min(1.0, side * len(everything) / len(some)) if isinstance(side, float) else None


def _stratified(
    drawn: Sequence[Group], share: float | None, *, seed: int, stream: int
) -> list[Group]:
    """A share of every scene's groups; without a share, one of each scene that has two.

    What no scene has two of, or what has no scene, is drawn from as a whole.
    """
    scenes: dict[str, list[Group]] = {}
    for group in _dealt(drawn, seed, stream):
        scenes.setdefault(group[0].scene, []).append(group)
    if share is None:
        named = [held for scene, held in scenes.items() if scene and len(held) > 1]
        if named:
            return [held[0] for held in named]
        share = VALIDATION_SHARE
    whole = _count(share, len(drawn))
    # Largest remainder: shares of few recordings would all round the same way.
    exact = {scene: share * len(held) for scene, held in scenes.items()}
    counts = {scene: int(value) for scene, value in exact.items()}
    rest = sorted(exact, key=lambda scene: (counts[scene] - exact[scene], scene))
    for scene in rest[: max(0, whole - sum(counts.values()))]:
        counts[scene] += 1
    return [group for scene, held in scenes.items() for group in held[: counts[scene]]]


def _dealt(drawn: Sequence[Group], seed: int, stream: int = 0) -> list[Group]:
    """Groups in a random order scene by scene, so that every k-th of them has every scene."""
    scenes: dict[str, list[Group]] = {}
    for group in drawn:
        scenes.setdefault(group[0].scene, []).append(group)
    generator = np.random.Generator(np.random.Philox(key=[seed, stream]))
    return [
        held[place]
        for _, held in sorted(scenes.items())
        for place in generator.permutation(len(held))
    ]


def _shuffled(scenes: Sequence[str], seed: int) -> list[str]:
    order = np.random.Generator(np.random.Philox(key=[seed, 0])).permutation(len(scenes))
    return [scenes[place] for place in order]


def _count(share: float, whole: int) -> int:
    """How many of `whole` a share is, at least one."""
    return max(1, round(share * whole))


def _meant(scene: str, scenes: Sequence[str], store: Store) -> str:
    for name in scenes:
        if plain(name) == plain(scene):
            return name
    raise DataError(f"store {store.name}: no scene {scene}; it has {', '.join(scenes) or 'none'}")


def _require(store: Store, *, found: int, needed: int, what: str) -> None:
    if found < needed:
        raise DataError(f"store {store.name}: found {found} {what} to split, needed {needed}")


def _split(store: Store, rows: Sequence[Sequence[RecordingInfo]]) -> Split:
    train, validation, test = (tuple(sorted(info.name for info in side)) for side in rows)
    for name, side in (("train", train), ("validate", validation)):
        if not side:
            raise DataError(
                f"store {store.name}: the split leaves no recording to {name}; give other scenes "
                "or shares"
            )
    return Split(train, validation, "", test)


def _side_text(side: tuple[str, ...] | float) -> str:
    return f"{side:g}" if isinstance(side, float) else ",".join(side)
