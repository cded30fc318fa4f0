"""`codecctl data verify`: is every byte of a store as it was written?"""

from __future__ import annotations

from typing import Annotated

import typer

from codecctl.errors import DataError
from codecctl.locations import find_store
from codecctl.output import progress, result, result_json

_Store = Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def verify(store: _Store, as_json: _Json = False) -> None:
    """Read every byte of a store and compare it with the hashes; 4 when something is damaged."""
    from codecctl.datasets.store import Store

    with Store.open(find_store(store), check=False) as opened:
        total = sum(row.geometry.audio_bytes for row in opened.recordings)
        with progress("verify", total / 1e6) as advance:
            before = 0

            def show(done: int, _: int) -> None:
                nonlocal before
                advance((done - before) / 1e6)
                before = done

            damages = opened.verify(show)
    if as_json:
        fields = ("recording", "channel", "second", "what")
        rows = [{field: vars(damage)[field] for field in fields} for damage in damages]
        result_json({"schema": 1, "store": opened.name, "bytes": total, "damages": rows})
    if damages:
        lines = "".join(f"\n  {damage}" for damage in damages)
        places = "1 place" if len(damages) == 1 else f"{len(damages)} places"
        raise DataError(
            f"{opened.path}: damaged in {places}; remove these from rec/ and ingest again:{lines}"
        )
    if not as_json:
        result(f"{opened.path}: {len(opened.recordings)} recordings are as they were written")
