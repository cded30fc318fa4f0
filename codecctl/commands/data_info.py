"""`codecctl data info`: what a store holds, how it sounds, where it comes from, what it is for."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.locations import find_store
from codecctl.output import progress, result_json
from codecctl.terminal import write

if TYPE_CHECKING:
    from codecctl.commands.store_facts import CheckState, SplitState
    from codecctl.datasets.provenance import Provenance
    from codecctl.datasets.store import Store
    from codecctl.datasets.summary import Summary

SCHEMA = 1


@dataclass(frozen=True)
class _Info:
    """Everything that is shown."""

    summary: Summary
    made: Provenance
    metadata: dict[str, dict[str, int]]
    check: CheckState | None
    splits: list[SplitState]
    fits: list[str]
    misfits: dict[str, str]


def info(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    recordings: Annotated[
        bool, typer.Option("--recordings", help="Also one line for each recording.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show the scenes, levels, spectra and licence of a store.

    Also coherence of the capsules, sources, metadata, splits, the last check, and the profiles
    that can train on it. Levels are estimates from half seconds spread over the recordings.
    """
    from codecctl.commands.info_lines import styled
    from codecctl.datasets.store import Store

    with Store.open(find_store(store)) as opened:
        gathered = _gather(opened)
        if as_json:
            result_json(_to_json(opened, gathered))
        else:
            write(map(styled, _page(opened, gathered, recordings=recordings)))


def _gather(store: Store) -> _Info:
    from codecctl.commands.store_facts import check_state, fitting_profiles, split_states
    from codecctl.datasets.provenance import metadata_columns, provenance
    from codecctl.datasets.summary import summarize

    with progress("measure", len(store.recordings), unit="recordings") as advance:
        summary = summarize(store, lambda: advance(1))
    fits, misfits = fitting_profiles(store.path)
    return _Info(
        summary,
        provenance(store),
        metadata_columns(store),
        check_state(store),
        split_states(store),
        fits,
        misfits,
    )


def _page(store: Store, info: _Info, *, recordings: bool) -> list[str]:
    from codecctl.commands.info_lines import (
        array_lines,
        heading_lines,
        level_lines,
        recording_lines,
        state_lines,
    )
    from codecctl.commands.source_lines import metadata_lines, source_lines

    return [
        *heading_lines(store),
        *source_lines(info.made, store.corpora),
        *metadata_lines(info.metadata),
        *level_lines(info.summary, store.recordings),
        *array_lines(info.summary),
        *(recording_lines(store, info.summary) if recordings else []),
        *state_lines(info.check, info.splits, info.fits, info.misfits, name=store.name),
    ]


def _to_json(store: Store, info: _Info) -> object:
    summary = asdict(info.summary)
    levels = summary.pop("levels_db")
    return finite(
        {
            "schema": SCHEMA,
            "name": store.name,
            "path": str(store.path),
            "sample_rate": store.sample_rate,
            "dtype": store.dtype,
            "fingerprint": store.fingerprint,
            "source_folder": store.source_folder,
            "hours": sum(row.seconds for row in store.recordings) / 3600,
            "bytes": sum(row.file_size for row in store.recordings),
            "corpora": [asdict(corpus) for corpus in store.corpora],
            "provenance": asdict(info.made),
            "metadata": info.metadata,
            "summary": summary,
            "check": asdict(info.check) if info.check else None,
            "splits": [asdict(split) for split in info.splits],
            "fits": info.fits,
            "misfits": info.misfits,
            "recordings": [
                {
                    **row.to_json(),
                    "seconds": row.seconds,
                    "level_db": levels[row.name],
                    "metadata": store.metadata.get(row.name, {}),
                }
                for row in store.recordings
            ],
        }
    )


def finite(value: object) -> object:
    """The same with null for numbers that JSON does not have: silence has no level."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
