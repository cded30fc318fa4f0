"""`codecctl data merge`: the parts of a sharded ingest, or several stores, become one store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import InterruptedByUserError, UsageError
from codecctl.locations import find_store, stores_folder
from codecctl.output import note, progress, result, result_json
from codecctl.terminal import count_text, duration_text

if TYPE_CHECKING:
    from codecctl.datasets.merge import Merged
    from codecctl.datasets.merge_journal import Merge

_SHOWN = 10


def merge(
    stores: Annotated[
        list[str],
        typer.Argument(
            metavar="STORE",
            help="One name: its shards are joined. Several stores: they are joined.",
        ),
    ],
    name: Annotated[str, typer.Option(help="Of the new store, where several are joined.")] = "",
    move: Annotated[
        bool, typer.Option("--move", help="Take the recordings out of the old stores.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Join the shards of an ingest, or stores of one rate and type.

    Killed at any moment, the same command goes on. Shards are removed when the whole store is
    there; several stores stay as they are, sharing the disk with the new one where a file system
    allows it, unless --move takes their recordings.
    """
    if len(stores) == 1:
        if name or move:
            raise UsageError("--name and --move: join several stores; parts of one need neither")
        _merge_parts(stores[0], as_json=as_json)
        return
    if not name:
        raise UsageError(f"{' '.join(stores)}: needed --name for the store that they become")
    _merge_stores(stores, name, move=move, as_json=as_json)


def _merge_parts(name: str, *, as_json: bool) -> None:
    from codecctl.datasets.merge_journal import begun
    from codecctl.datasets.merge_plan import command_of, plan_shards, shard_folders
    from codecctl.datasets.store import read_index

    folder = stores_folder()
    target = folder / _checked(name)
    parts = shard_folders(folder, name)
    if not parts and begun(target) is None and (target / "index.json").exists():
        index = read_index(target)
        if as_json:
            result_json({"schema": 1, "store": str(target), "brought": [], "parts": 0})
        else:
            files = count_text(len(index.recordings), "recording")
            result(f"{target}: {files}; no shards wait to be joined")
        return
    done = _run(lambda: plan_shards(folder, name), target, command_of([name]), parts, parts)
    _show(done, as_json=as_json, more={"parts": len(parts)}, next_command=True)


def _merge_stores(stores: list[str], name: str, *, move: bool, as_json: bool) -> None:
    from codecctl.datasets.merge_journal import begun
    from codecctl.datasets.merge_plan import command_of, plan_stores

    target = stores_folder() / _checked(name)
    command = command_of(stores, name=name, move=move)
    unfinished = begun(target)
    if unfinished is None:
        folders = [find_store(store) for store in stores]
    else:
        folders = [Path(folder) for folder in {entry.folder for entry in unfinished.entries}]
        folders = [folder for folder in folders if folder.is_dir()]
    if len({folder.resolve() for folder in (*folders, target)}) < len(folders) + 1:
        raise UsageError(
            f"{' '.join(stores)} --name {name}: needed each store once, and a new name"
        )
    renamed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    if unfinished is None:
        joining = plan_stores(folders, target, move=move, command=command)
        renamed, left_out = joining.renamed, joining.left_out
        for kind, sentences in (("renamed", renamed), ("left out", left_out)):
            for sentence in sentences[:_SHOWN]:
                note(f"{kind}: {sentence}")
            if len(sentences) > _SHOWN:
                note(f"{kind}: and {len(sentences) - _SHOWN} more")
    done = _run(
        lambda: plan_stores(folders, target, move=move, command=command).merge,
        target,
        command,
        folders,
        folders if move else [],
    )
    more = {"renamed": list(renamed), "left_out": list(left_out)}
    _show(done, as_json=as_json, more=more, next_command=False)


def _run(
    plan: Callable[[], Merge],
    target: Path,
    command: str,
    sources: Sequence[Path],
    locked: Sequence[Path],
) -> Merged:
    from codecctl.datasets.merge import run

    total = sum(path.lstat().st_size for folder in sources for path in folder.glob("rec/[!.]*.h5"))
    try:
        with progress("merge", total / 1e6) as advance:
            return run(
                plan,
                target=target,
                command=command,
                locked=locked,
                on_bytes=lambda number: advance(number / 1e6),
            )
    except KeyboardInterrupt:
        message = f"interrupted; nothing is lost, the same command goes on: {command}"
        raise InterruptedByUserError(message) from None


def _show(done: Merged, *, as_json: bool, more: Mapping[str, object], next_command: bool) -> None:
    from codecctl.datasets.store import size_text

    rows = done.recordings.values()
    for sentence in done.notes:
        note(sentence)
    if as_json:
        result_json(
            {
                "schema": 1,
                "store": str(done.target),
                "recordings": len(rows),
                "hours": sum(row.seconds for row in rows) / 3600,
                "bytes": sum(row.file_size for row in rows),
                "brought": list(done.brought),
                **more,
                "notes": list(done.notes),
            }
        )
        return
    size = size_text(sum(row.file_size for row in rows))
    length = duration_text(sum(row.seconds for row in rows))
    files = count_text(len(rows), "recording")
    result(f"{done.target}: {files}, {length}, {size}; {len(done.brought)} brought")
    if next_command:
        result(f"next: codecctl data verify {done.target.name}")


def _checked(name: str) -> str:
    from codecctl.datasets.naming import sanitized
    from codecctl.datasets.shards import is_shard

    if name != sanitized(name) or name.startswith((".", "-")) or is_shard(name):
        raise UsageError(f"{name!r}: needed the name of a whole store, such as eigenscape")
    return name
