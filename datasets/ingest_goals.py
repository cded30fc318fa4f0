"""The stores that one ingest writes: one for each rate, or a part of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.ingest_survey import Rules, Survey
from codecctl.datasets.shards import Shard
from codecctl.errors import UsageError


@dataclass(frozen=True)
class Goal:
    """A store to write."""

    folder: Path
    sample_rate: int
    """Hz."""
    dtype: str
    shard: Shard | None = None
    """The part of a store that this one is."""


def goals(store: Path, found: Survey, rules: Rules) -> tuple[Goal, ...]:
    """The stores that an ingest writes: the first rate has the plain name.

    Args:
        store: Folder of the first.
        found: The files below the source.
        rules: What the user asked for.

    Raises:
        UsageError: The native rates differ.
    """
    plans = []
    for index, rate in enumerate(rules.rates):
        name = store.name if index == 0 else f"{store.name}-{rate or 'native'}"
        shard = None if rules.shard is None else Shard(name, *rules.shard)
        folder = store.with_name(name if shard is None else shard.folder_name)
        plans.append(Goal(folder, rate or _native_rate(found, rules), rules.dtype, shard))
    return tuple(plans)


def _native_rate(found: Survey, rules: Rules) -> int:
    rates = Counter(candidate.audio.sample_rate for candidate in found.candidates)
    if len(rates) > 1:
        files = {1: "1 file"}
        listing = ", ".join(
            f"{rate} Hz ({files.get(number, f'{number} files')})"
            for rate, number in rates.most_common()
        )
        fix = "ingest the folder of each rate by itself"
        if len(rules.rates) > 1:
            fix = f"leave native out, or {fix}"
        elif rules.dtype != "pcm":
            fix = f"give it: --rate {rates.most_common(1)[0][0]}, or {fix}"
        raise UsageError(f"--rate native: found {listing}; a store holds one rate: {fix}")
    return next(iter(rates), 0)
