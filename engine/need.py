"""What a profile asks of a store; apart from the networks, so that a misfit is told at once."""

from __future__ import annotations

from codecctl.datasets.choose import Need
from codecctl.engine.profile import Profile


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
