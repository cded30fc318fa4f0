"""What a profile asks of a store; apart from the networks, so that a misfit is told at once."""

from __future__ import annotations

from codecctl.datasets.choose import Need, misfit
from codecctl.datasets.store import Index
from codecctl.engine.profile import Profile
from codecctl.engine.profile.schema import LosslessProfile


def need_of(profile: Profile) -> Need:
    """What a profile asks of a store."""
    data = profile.data
    return Need(
        rate=data.rate,
        dtypes=("int16", "float32", "pcm"),
        channels=data.capsules.count,
        seconds=max(data.segment_seconds, data.min_source_seconds),
        check_reads=data.check_reads,
    )


def misfit_of(profile: Profile, index: Index) -> str:
    """Why a store does not do for a profile, "" when it does."""
    if not isinstance(profile, LosslessProfile):
        return misfit(index, need_of(profile))
    if index.dtype != "pcm":
        return f"found {index.dtype}, needed pcm"
    longest = max(
        info.frames * (info.channels if profile.data.layout == "blocked" else 1)
        for info in index.recordings
    )
    if longest < profile.data.chunk_size:
        return f"found {longest} symbols at most, needed {profile.data.chunk_size}"
    return ""
