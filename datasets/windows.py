"""Windows of recordings: which recordings allow one, which capsules it takes, what spoils it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.datasets.batch import Item
from codecctl.datasets.geometry import GEOMETRIES, unknown_array
from codecctl.datasets.store import AudioSource, RecordingInfo
from codecctl.errors import DataError, ProfileError


@dataclass(frozen=True)
class Window:
    """What an item of a batch is."""

    frames: int
    """T, at the store's rate."""
    capsules: int
    """M, channels of an item."""
    policy: str = "random_distinct"
    """A key of `CAPSULE_POLICIES`."""
    geometry: str = "any"
    """Where the capsules of an item sit: a key of `GEOMETRIES`, or `any`."""
    silence_db: float = -90.0
    """A window whose peak is below this level, in dB of full scale, is drawn again."""
    min_source_seconds: float = 0.0
    """Recordings that are shorter are left out."""

    @property
    def floor(self) -> float:
        """`silence_db` as a magnitude of samples."""
        return float(10 ** (self.silence_db / 20))

    def __post_init__(self) -> None:
        if self.policy not in CAPSULE_POLICIES:
            raise ProfileError(
                f"data.capsules.policy: found {self.policy!r}, needed one of "
                f"{', '.join(CAPSULE_POLICIES)}"
            )
        if self.geometry not in ("any", *GEOMETRIES):
            raise ProfileError(
                f"data.capsules.geometry: found {self.geometry!r}, needed one of any, "
                f"{', '.join(GEOMETRIES)}"
            )
        if self.by_place and (self.policy != "random_distinct" or self.capsules < 2):
            raise ProfileError(
                f"data.capsules.geometry: found {self.geometry!r} with policy {self.policy!r} and "
                f"count {self.capsules}, needed 'any', or random_distinct and at least 2"
            )

    @property
    def by_place(self) -> bool:
        """Whether capsules are chosen by where they sit."""
        return self.geometry != "any"


def random_capsules(keys: np.ndarray, count: int) -> tuple[int, ...]:
    """Distinct capsules out of all, every ordered choice as likely; `keys` is uniform, (C,)."""
    return tuple(int(channel) for channel in np.argsort(keys)[:count])


def all_capsules(keys: np.ndarray, count: int) -> tuple[int, ...]:
    """Every capsule, in the array's order."""
    assert len(keys) == count, (len(keys), count)
    return tuple(range(count))


CAPSULE_POLICIES: dict[str, Callable[[np.ndarray, int], tuple[int, ...]]] = {
    "random_one": random_capsules,
    "random_distinct": random_capsules,
    "all": all_capsules,
}
"""How the capsules of an item are chosen, from one uniform key for each capsule."""


@dataclass(frozen=True)
class Usable:
    """The recordings that a window fits into."""

    recordings: tuple[RecordingInfo, ...]
    """Sorted by name."""
    left_out: tuple[str, ...]
    """One sentence for each of the others."""


def usable_recordings(store: AudioSource, names: Sequence[str], *, window: Window) -> Usable:
    """Sort out recordings that are too short, have too few channels or an unknown array.

    Raises:
        DataError: None is left; gives the reasons.
        NotFoundError: The store has no recording of one of the names.
    """
    usable, left_out = [], []
    for info in sorted((store.recording(name) for name in set(names)), key=lambda row: row.name):
        why = _misfit(info, window)
        if why:
            left_out.append(f"{info.name}: {why}")
        else:
            usable.append(info)
    if not usable:
        reasons = "; ".join(left_out) or "no recording was selected"
        raise DataError(f"store {store.name}: no recording can be used: {reasons}")
    return Usable(tuple(usable), tuple(left_out))


def draw_item(info: RecordingInfo, numbers: np.ndarray, *, window: Window) -> Item:
    """A window at any sample of a recording.

    Args:
        info: The recording.
        numbers: (1 + C or more,) uniform in [0, 1).
        window: What to draw.
    """
    start = int(numbers[0] * (info.frames - window.frames + 1))
    keys = numbers[1 : 1 + info.channels]
    if window.by_place:
        chosen = GEOMETRIES[window.geometry](keys[None], window.capsules)[0]
        return Item(info.name, start, tuple(chosen.tolist()))
    return Item(info.name, start, CAPSULE_POLICIES[window.policy](keys, window.capsules))


def draw_items(
    recordings: Sequence[RecordingInfo], numbers: np.ndarray, *, window: Window
) -> list[Item]:
    """A window of each recording, as `draw_item` draws them, for a whole batch at once.

    Args:
        recordings: One for each row, and as often as it was drawn.
        numbers: (B, 1 + C or more) uniform in [0, 1).
        window: What to draw.
    """
    channels = {info.channels for info in recordings}
    if len(channels) != 1 or window.policy == "all":
        return [
            draw_item(info, row, window=window)
            for info, row in zip(recordings, numbers, strict=True)
        ]
    room = np.array([info.frames - window.frames + 1 for info in recordings])
    starts = (numbers[:, 0] * room).astype(np.int64).tolist()
    keys = numbers[:, 1 : 1 + channels.pop()]
    if window.by_place:
        chosen = GEOMETRIES[window.geometry](keys, window.capsules)
    else:
        chosen = np.argsort(keys, axis=1)[:, : window.capsules]
    return [
        Item(info.name, start, tuple(capsules))
        for info, start, capsules in zip(recordings, starts, chosen.tolist(), strict=True)
    ]


def fault(audio: np.ndarray, *, window: Window) -> str:
    """Why a window is of no use, "" when it is.

    Args:
        audio: (M, T) float32.
        window: What it has to be.
    """
    return fault_of_peaks(np.maximum(audio.max(axis=1), -audio.min(axis=1)), window=window)


def fault_of_peaks(peaks: np.ndarray, *, window: Window) -> str:
    """Why a window is of no use, "" when it is.

    A capsule that is silent spoils a window of chosen capsules. A window of all capsules is
    spoiled by the silence of all: one that died would otherwise spoil every window.

    Args:
        peaks: (M,) float32, the largest magnitude of each channel, not finite where a sample is
            not. Beyond `window.floor`, any value up to the peak will do.
        window: What it has to be.
    """
    if not np.isfinite(peaks).all():
        return "not finite"
    loudness = peaks.max() if window.policy == "all" else peaks.min()
    return "silent" if loudness < window.floor else ""


def _misfit(info: RecordingInfo, window: Window) -> str:
    needed = max(window.frames / info.sample_rate, window.min_source_seconds)
    if info.frames < window.frames or info.seconds < window.min_source_seconds:
        return f"found {info.seconds:.6g} s, needed {needed:.6g} s"
    if info.channels < window.capsules:
        return f"found {_channels(info.channels)}, needed {window.capsules}"
    if window.policy == "all" and info.channels != window.capsules:
        return f"found {_channels(info.channels)}, needed exactly {window.capsules}"
    if window.by_place and (why := unknown_array(info.array, info.channels)):
        return f"{why} for data.capsules.geometry = {window.geometry}"
    return ""


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"
