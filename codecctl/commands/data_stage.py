"""`codecctl data stage`: a copy of a store on the disk of the node that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codecctl.locations import find_store
from codecctl.output import note, progress, result, result_json


def stage(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the copy goes, such as $TMPDIR.")
    ],
    jobs: Annotated[int, typer.Option(min=1, help="Recordings copied at a time.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Copy a store to a faster disk and verify every byte.

    A training that reads the copy gets the same batches. Interrupted, it goes on where it was;
    complete, it does nothing.
    """
    from codecctl.datasets.stage import stage as stage_store
    from codecctl.datasets.store import read_index, size_text

    source = find_store(store)
    total = sum(info.file_size for info in read_index(source).recordings)
    with progress("stage", total / 1e6) as advance:
        done = stage_store(
            source,
            folder,
            num_jobs=jobs,
            on_bytes=lambda count: advance(count / 1e6),
            tell=note,
        )
    if as_json:
        result_json(
            {
                "schema": 1,
                "store": str(done.path),
                "fingerprint": done.index.fingerprint,
                "copied": list(done.copied),
                "kept": list(done.kept),
                "bytes": done.bytes_copied,
                "wall_seconds": done.seconds,
            }
        )
        return
    if done.copied:
        speed = done.bytes_copied / 1e6 / max(done.seconds, 1e-3)
        result(
            f"{done.path}: {len(done.copied)} recordings copied and verified "
            f"({size_text(done.bytes_copied)} in {done.seconds:.1f} s, {speed:.0f} MB/s), "
            f"{len(done.kept)} were there"
        )
    else:
        result(f"{done.path}: complete, all {len(done.kept)} recordings are there")
    result(f"next: codecctl train --profile paired data.store={done.path}")
