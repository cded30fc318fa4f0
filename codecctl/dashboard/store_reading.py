"""What the pages of stores read, in threads, and never write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.dashboard.sound import Sound, no_sound
from codecctl.errors import CodecctlError

if TYPE_CHECKING:
    from codecctl.datasets.check import Report
    from codecctl.datasets.store import RecordingInfo, Store

# Stores are imported where they are read: the screen must not wait for HDF5.


@dataclass(frozen=True)
class StoreRow:
    """A store in the list."""

    name: str
    path: Path
    problem: str = ""
    """Why it cannot be read, "" when it can."""
    sample_rate: int = 0
    """Hz."""
    dtype: str = ""
    recordings: int = 0
    scenes: int = 0
    hours: float = 0.0
    channels: str = ""
    bytes: int = 0
    check: str = ""
    """The verdict of the last `data check`, "" where there is none."""
    runs: int = 0
    """That were started on it."""


@dataclass(frozen=True)
class KeptReport:
    """The last check of a store."""

    report: Report | None
    note: str
    """Whose it is and how old, or what is wrong with it."""


def list_stores(folder: Path, runs: Path) -> list[StoreRow]:
    """The stores below a folder by name; a damaged one says so.

    Args:
        folder: Of stores.
        runs: Folder of the runs that may use them.
    """
    paths = sorted(path.parent for path in folder.glob("*/index.json"))
    return [_row(path, runs) for path in paths]


def _row(path: Path, runs: Path) -> StoreRow:
    from codecctl.commands.store_facts import check_state
    from codecctl.datasets.store import Store
    from codecctl.engine.store_users import users_of

    try:
        store = Store.open(path, check=False)
    except CodecctlError as error:
        return StoreRow(path.name, path, str(error))
    rows = store.recordings
    state = check_state(store)
    verdict = "" if state is None else state.verdict + (" (stale)" if state.stale else "")
    counts = sorted({row.channels for row in rows})
    return StoreRow(
        name=path.name,
        path=path,
        sample_rate=store.sample_rate,
        dtype=store.dtype,
        recordings=len(rows),
        scenes=len({row.scene for row in rows if row.scene}),
        hours=sum(row.seconds for row in rows) / 3600,
        channels=", ".join(map(str, counts[:3])) + (" ..." if len(counts) > 3 else ""),
        bytes=sum(row.file_size for row in rows),
        check=verdict,
        runs=len(users_of(path, runs)),
    )


def open_store(path: Path) -> Store:
    """A store for reading.

    Raises:
        NotFoundError: There is none.
        DataError: It is damaged.
    """
    from codecctl.datasets.store import Store

    return Store.open(path)


def kept_report(store: Store) -> KeptReport:
    """What the last `data check` of a store found."""
    from codecctl.datasets.check import read_report

    try:
        report = read_report(store.path)
    except CodecctlError as error:
        return KeptReport(None, str(error))
    if report is None:
        return KeptReport(None, "never checked; k checks it now")
    stale = "" if report.fingerprint == store.fingerprint else "; the store has changed since"
    return KeptReport(report, f"checked {report.created}{stale}; k checks it now")


def check_now(store: Store, on_share: Callable[[float], None]) -> KeptReport:
    """Check a store without keeping the result.

    Args:
        store: Opened.
        on_share: Told what share of the audio is done; what it raises ends the check.
    """
    from codecctl.datasets.check import check_store

    def progressed(done: int, total: int) -> None:
        on_share(done / max(1, total))

    try:
        report = check_store(store, on_progress=progressed)
    except CodecctlError as error:
        return KeptReport(None, str(error))
    keeps = f"codecctl data check {store.name}"
    return KeptReport(report, f"checked now, not kept; to keep it: {keeps}")


def report_text(kept: KeptReport) -> list[str]:
    """Verdict and findings, line by line."""
    from codecctl.commands.data_check import report_lines
    from codecctl.datasets.check import verdict

    if kept.report is None:
        return [kept.note]
    return [f"{verdict(kept.report)} · {kept.note}", "", *report_lines(kept.report, color=False)]


def level_text(store: Store, on_recording: Callable[[], None]) -> list[str]:
    """Scenes with hours, levels and octaves, and the likeness of channels.

    Args:
        store: Opened.
        on_recording: Called after each recording; what it raises ends the measuring.
    """
    from codecctl.commands.info_lines import array_lines, heading_lines, level_lines
    from codecctl.datasets.summary import summarize

    try:
        summary = summarize(store, on_recording)
    except CodecctlError as error:
        return [*heading_lines(store), "", str(error)]
    rows = store.recordings
    return [*heading_lines(store), *level_lines(summary, rows), *array_lines(summary)]


def read_window(
    store: Store, info: RecordingInfo, *, at: float, seconds: float, channel: int
) -> Sound:
    """A window of one channel, as far as the recording goes.

    Args:
        store: Opened.
        info: The recording.
        at: Second at which it begins.
        seconds: How much.
        channel: Counted from 0.
    """
    start = min(max(0, round(at * info.sample_rate)), info.frames - 1)
    frames = max(1, min(round(seconds * info.sample_rate), info.frames - start))
    try:
        audio = store.read(info.name, start, frames, [channel])
    except CodecctlError as error:
        return no_sound(str(error))
    return Sound(audio, info.sample_rate)
