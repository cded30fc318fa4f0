"""What `data preview` is asked to show: a recording, a span of it, channels or a beam."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codecctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from codecctl.datasets.listening import Span
    from codecctl.datasets.store import RecordingInfo, Store

MOST_SECONDS = 120.0
_SHOWN = 8


@dataclass(frozen=True)
class Wanted:
    """What the options ask for."""

    info: RecordingInfo
    span: Span
    channels: tuple[int, ...]
    """Indices from 0; empty where nothing was chosen."""
    direction: tuple[float, float] | None
    """Azimuth and elevation of a beam, degrees."""
    array: str
    """What the channels are, as the store or the user says."""


def chosen_recording(store: Store, name: str) -> RecordingInfo:
    """The recording of this name.

    Raises:
        NotFoundError: There is none; names those that may have been meant.
    """
    names = [info.name for info in store.recordings]
    if name in names:
        return store.recording(name)
    folded = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)
    meant = ", ".join(folded[match] for match in close)
    have = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
    fix = f"did you mean {meant}?" if meant else f"have: {have}"
    raise NotFoundError(f"{name}: no recording of this name in store {store.name}; {fix}")


def chosen_span(info: RecordingInfo, *, at: float, seconds: float) -> Span:
    """Frames from `at` on, as far as the recording goes.

    Raises:
        UsageError: Nothing of the recording lies there, or it is too long to be drawn.
    """
    from codecctl.datasets.listening import Span

    if not 0 < seconds <= MOST_SECONDS:
        raise UsageError(f"--seconds {seconds:g}: needed more than 0, at most {MOST_SECONDS:g}")
    if not math.isfinite(at) or at < 0 or round(at * info.sample_rate) >= info.frames:
        raise UsageError(f"--at {at:g}: {info.name} has {info.seconds:.2f} s; needed less")
    start = round(at * info.sample_rate)
    frames = max(1, round(seconds * info.sample_rate))
    return Span(start, min(frames, info.frames - start))


def chosen_channels(text: str, info: RecordingInfo) -> tuple[int, ...]:
    """Indices from 0 of a list such as `1,2,5-8`, counted from 1 as the field counts capsules.

    Raises:
        UsageError: It is no such list, or names a channel that the recording does not have.
    """
    numbers: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        if match is None:
            raise UsageError(f"--channels {text}: needed numbers such as 1,2,5-8")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= info.channels:
            raise UsageError(
                f"--channels {text}: {info.name} has channels 1 to {info.channels}, "
                f"found {part.strip()}"
            )
        numbers |= dict.fromkeys(range(first - 1, last))
    return tuple(numbers)


def chosen_direction(text: str) -> tuple[float, float]:
    """Azimuth and elevation in degrees of `AZIMUTH,ELEVATION`; the elevation may be left out.

    Raises:
        UsageError: They are no such numbers.
    """
    parts = text.split(",")
    try:
        azimuth, elevation = float(parts[0]), float(parts[1]) if len(parts) > 1 else 0.0
    except ValueError:
        azimuth = math.nan
        elevation = math.nan
    if len(parts) > 2 or not (abs(azimuth) <= 360 and abs(elevation) <= 90):
        raise UsageError(
            f"--beam {text}: needed AZIMUTH,ELEVATION in degrees such as 90,0 (90 = left, "
            "elevation -90 to 90)"
        )
    return azimuth, elevation
