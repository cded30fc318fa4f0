"""`codecctl data verify`: is every byte of a store as it was written?"""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import DataError
from codecctl.locations import find_store
from codecctl.output import note, progress, result, result_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codecctl.datasets.store import Damage, RecordingInfo, Store

_MOST_LINES = 40


def verify(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    recording: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this recording; may be given again."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(min=0, help="Threads; 0: one for each processor that this process may use."),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compare every byte of a store with its hashes.

    Exits with 4 when something is damaged, and says what to type to have it ingested again.
    """
    from codecctl.datasets.ingest import default_workers
    from codecctl.datasets.store import Store, strays

    jobs = jobs or default_workers()
    opened = Store.open(find_store(store), check=False)
    rows = _chosen(opened, recording or [])
    total = sum(row.geometry.audio_bytes for row in rows)
    damages, rate = _verified(opened, rows, jobs)
    others = strays(opened.path, opened.recordings) if not recording else []
    if as_json:
        result_json(
            {
                "schema": 1,
                "store": opened.name,
                "path": str(opened.path),
                "recordings": len(rows),
                "bytes": total,
                "mb_per_second": round(rate, 1),
                "threads": jobs,
                "damages": [_row(damage) for damage in damages],
                "strays": [{"path": str(path), "what": what} for path, what in others],
            }
        )
    for path, what in others:
        note(f"codecctl: note: {path}: {what}")
    if damages:
        raise DataError(_sentence(opened, damages))
    if not as_json:
        count = (
            "1 recording is as it was written"
            if len(rows) == 1
            else f"{len(rows)} recordings are as they were written"
        )
        speed = f"{total / 1e6:.0f} MB, {rate:.0f} MB/s"
        result(f"{opened.path}: {count} ({speed})")


def _verified(
    store: Store, rows: Sequence[RecordingInfo], jobs: int
) -> tuple[Sequence[Damage], float]:
    """What is damaged, and MB read in a second."""
    from codecctl.datasets.store import verify_recordings

    total = sum(row.geometry.audio_bytes for row in rows) / 1e6
    started = time.monotonic()
    with progress("verify", total) as advance:
        before = 0

        def show(done: int, _: int) -> None:
            nonlocal before
            advance((done - before) / 1e6)
            before = done

        damages = verify_recordings(store.path, rows, num_threads=jobs, on_progress=show)
    return damages, total / max(time.monotonic() - started, 1e-6)


def _chosen(store: Store, names: Sequence[str]) -> Sequence[RecordingInfo]:
    """The rows of these recordings, all of them where no name is given."""
    return [store.recording(name) for name in dict.fromkeys(names)] or store.recordings


def _row(damage: Damage) -> dict[str, object]:
    """For JSON; channels are counted from 1, as in the text."""
    channels = damage.channels and [damage.channels[0] + 1, damage.channels[1] + 1]
    return {
        "recording": damage.recording,
        "channels": channels,
        "seconds": damage.seconds and list(damage.seconds),
        "chunks": damage.chunks,
        "what": damage.what,
    }


def _sentence(store: Store, damages: Sequence[Damage]) -> str:
    """All that is damaged, and what to type to have it ingested again."""
    from codecctl.datasets.store import recording_path

    lines = [f"  {damage}" for damage in damages[:_MOST_LINES]]
    if len(damages) > _MOST_LINES:
        lines.append(f"  and {len(damages) - _MOST_LINES} more; --json lists all")
    names = list(dict.fromkeys(damage.recording for damage in damages))
    places = "1 place" if len(damages) == 1 else f"{len(damages)} places"
    count = "1 recording" if len(names) == 1 else f"{len(names)} recordings"
    files = [recording_path(store.path, name) for name in names]
    return "\n".join(
        [
            f"{store.path}: damaged in {places} of {count}; ingest again replaces what is removed:",
            *lines,
            *_commands(store, names, [path for path in files if path.exists()]),
        ]
    )


def _commands(store: Store, names: Sequence[str], files: Sequence[Path]) -> list[str]:
    """What to type, line by line."""
    corpora = {corpus.id: corpus.folder for corpus in store.corpora}
    wanted = dict.fromkeys(corpora.get(store.recording(name).corpus, "") for name in names)
    rate = "" if store.sample_rate == 24_000 else f" --rate {store.sample_rate}"
    dtype = "" if store.dtype == "int16" else f" --dtype {store.dtype}"
    target = f"--name {shlex.quote(store.path.name)}{rate}{dtype}"
    removal = [f"  rm {shlex.join(map(str, files))}"] if files else []
    return removal + [
        f"  codecctl data ingest {shlex.quote(folder) if folder else 'SOURCE'} {target}"
        for folder in wanted
    ]
