"""`codecctl data list` and `info`: what the stores hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import CodecctlError, ProfileError
from codecctl.locations import find_store, stores_folder
from codecctl.output import note, result, result_json

if TYPE_CHECKING:
    from codecctl.datasets.store import RecordingInfo, Store

_Store = Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def list_stores(as_json: _Json = False) -> None:
    """List the stores with their size, hours, rate and type."""
    from codecctl.datasets.store import size_text

    folder = stores_folder()
    rows, problems = _stores(folder)
    if as_json:
        result_json({"schema": 1, "folder": str(folder), "stores": rows, "problems": problems})
        return
    if not rows and not problems:
        result(f"{folder}: no store; make one with: codecctl data ingest FOLDER")
    head = ["name", "recordings", "hours", "rate", "dtype", "channels", "size"]
    cells = [
        [
            str(row["name"]),
            str(row["recordings"]),
            f"{row['hours']:.3g}",
            f"{row['sample_rate']} Hz",
            str(row["dtype"]),
            str(row["channels"]),
            size_text(float(str(row["bytes"]))),
        ]
        for row in rows
    ]
    if cells:
        _print_table([head, *cells])
    for problem in problems:
        note(f"codecctl: {problem}")


def _stores(folder: Path) -> tuple[list[dict[str, object]], list[str]]:
    """A row for each store of a folder, and a sentence for each that cannot be read."""
    from codecctl.datasets.store import read_index

    rows: list[dict[str, object]] = []
    problems = [
        f"{path.parent}: an ingest that was not finished; run the same command again"
        for path in sorted(folder.glob("*/rec"))
        if not (path.parent / "index.json").exists()
    ]
    for path in sorted(folder.glob("*/index.json")):
        try:
            index = read_index(path.parent)
        except CodecctlError as error:
            problems.append(str(error))
            continue
        rows.append(
            {
                "name": path.parent.name,
                "path": str(path.parent),
                "recordings": len(index.recordings),
                "hours": sum(row.seconds for row in index.recordings) / 3600,
                "sample_rate": index.sample_rate,
                "dtype": index.dtype,
                "channels": _channels(index.recordings),
                "bytes": sum(row.file_size for row in index.recordings),
                "source_folder": index.source_folder,
            }
        )
    return rows, problems


def info(store: _Store, as_json: _Json = False) -> None:
    """Show the scenes, channels, levels and sources of a store, and what can train on it."""
    from codecctl.datasets.store import Store

    with Store.open(find_store(store)) as opened:
        if as_json:
            result_json(_info_json(opened))
        else:
            _print_info(opened)


def _info_json(store: Store) -> dict[str, object]:
    from codecctl.datasets.levels import recording_level_db

    fits, misfits = _profiles(store)
    return {
        "schema": 1,
        "name": store.name,
        "path": str(store.path),
        "sample_rate": store.sample_rate,
        "dtype": store.dtype,
        "fingerprint": store.fingerprint,
        "source_folder": store.source_folder,
        "fits": fits,
        "misfits": misfits,
        "recordings": [
            {**row.to_json(), "seconds": row.seconds, "level_db": _finite(level)}
            for row in store.recordings
            for level in (recording_level_db(store, row),)
        ],
    }


def _finite(level: float) -> float | None:
    """JSON has no infinity: silence has no level."""
    return level if level > float("-inf") else None


def _print_info(store: Store) -> None:
    from codecctl.datasets.levels import scene_levels_db
    from codecctl.datasets.store import size_text

    rows = store.recordings
    hours = sum(row.seconds for row in rows) / 3600
    size = size_text(sum(row.file_size for row in rows))
    result(f"{store.path}: {len(rows)} recordings, {hours:.3g} h, {size}")
    result(f"rate {store.sample_rate} Hz, {store.dtype}, {store.fingerprint}")
    result(f"from {store.source_folder or 'an unknown folder'}")
    levels = scene_levels_db(store)
    table = [["scene", "recordings", "minutes", "channels", "RMS dBFS", "takes"]]
    for scene, level in levels.items():
        of_scene = [row for row in rows if row.scene == scene]
        minutes = sum(row.seconds for row in of_scene) / 60
        table.append(
            [
                scene or "(none)",
                str(len(of_scene)),
                f"{minutes:.2f}",
                _channels(of_scene),
                f"{level:.1f}",
                _shortened([row.take for row in of_scene]),
            ]
        )
    _print_table(table)
    sources = Counter((row.source_rate, row.source_bits, row.array) for row in rows)
    for (rate, bits, array), count in sorted(sources.items()):
        depth = f"{bits} bit" if bits else "lossy"
        result(f"source: {count} of {array} at {rate} Hz, {depth}")
    fits, misfits = _profiles(store)
    result(f"profiles that can train on it: {', '.join(fits) or 'none'}")
    for profile, why in misfits.items():
        result(f"  not {profile}: {why}")


def _profiles(store: Store) -> tuple[list[str], dict[str, str]]:
    """Names of the profiles that this store fits, and why it does not fit the others."""
    from codecctl.datasets.choose import Need, misfit
    from codecctl.datasets.store import read_index
    from codecctl.engine.profile import load_profile
    from codecctl.engine.profile.listing import list_profiles

    index = read_index(store.path)
    fits: list[str] = []
    misfits: dict[str, str] = {}
    for entry in list_profiles():
        try:
            data = load_profile(entry.name).profile.data
        except ProfileError:
            continue  # `profile check` explains it
        need = Need(
            rate=data.rate,
            dtypes=("int16", "float32"),
            channels=data.capsules.count,
            seconds=data.min_source_seconds,
        )
        why = misfit(index, need)
        if why:
            misfits[entry.name] = why
        else:
            fits.append(entry.name)
    return fits, misfits


def _channels(rows: Sequence[RecordingInfo]) -> str:
    return ", ".join(str(count) for count in sorted({row.channels for row in rows}))


def _shortened(takes: Sequence[str], most: int = 60) -> str:
    """Takes up to a width, and how many more there are."""
    shown = list(takes)
    while len(", ".join(shown)) > most and len(shown) > 1:
        shown.pop()
    more = len(takes) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        result("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
