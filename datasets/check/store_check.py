"""The check of a whole store, recording by recording, then across them.

Every sample is read once for what needs every sample (dead and silent stretches, dropouts,
offsets, peaks); likeness of channels comes from six seconds of each recording, and clipping from
the loudest seconds. Memory is that of a block of one channel and a few tables a recording.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.across import Outline, across_findings
from codecctl.datasets.check.arrays import array_findings
from codecctl.datasets.check.channels import (
    dead_channels,
    dropouts,
    offsets,
    quiet_seconds,
    silent_stretches,
)
from codecctl.datasets.check.clipping import clipping
from codecctl.datasets.check.finding import NOTE, Finding, Report, sorted_findings
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.pairs import duplicate_channels
from codecctl.datasets.check.repeats import repeated_blocks
from codecctl.datasets.check.scan import Scan, scan_recording
from codecctl.datasets.check.spectra import measure_spectra
from codecctl.datasets.store import RecordingInfo, Store, recording_path
from codecctl.datasets.store.tables import read_check
from codecctl.errors import DataError


def check_store(
    store: Store,
    *,
    recordings: Sequence[RecordingInfo] = (),
    limits: Limits | None = None,
    num_threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Look for everything that spoils a training, and say what it is.

    Args:
        store: Opened; its structure is sound.
        recordings: Some of its rows; all of them when empty.
        limits: Thresholds.
        num_threads: Recordings at a time.
        on_progress: Called with the bytes of audio done and in all, from any thread.

    Raises:
        DataError: A recording cannot be read.
    """
    limits = limits or Limits()
    rows = tuple(recordings) or store.recordings
    started = time.process_time()
    with ThreadPoolExecutor(max(1, num_threads), "check") as pool:
        on_bytes = _adder(rows, on_progress)
        futures = [pool.submit(_check_recording, store, row, limits, on_bytes) for row in rows]
        try:
            parts = [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    findings = [finding for found, _ in parts for finding in found]
    findings += across_findings([outline for _, outline in parts], limits)
    return Report(
        fingerprint=store.fingerprint,
        findings=sorted_findings(findings),
        recordings=len(rows),
        hours=sum(row.seconds for row in rows) / 3600,
        cpu_seconds=round(time.process_time() - started, 3),
        limits=limits,
    )


def _adder(
    rows: Sequence[RecordingInfo], on_progress: Callable[[int, int], None] | None
) -> Callable[[int], None]:
    """Adds up the bytes that threads have done."""
    total = sum(row.channels * row.frames * row.geometry.sample_type.itemsize for row in rows)
    lock, done = threading.Lock(), 0

    def add(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            if on_progress is not None:
                on_progress(done, total)

    return add


def _check_recording(
    store: Store, info: RecordingInfo, limits: Limits, on_bytes: Callable[[int], None]
) -> tuple[list[Finding], Outline]:
    """The findings about one recording, and what others are compared with."""
    scan = scan_recording(store, info, min_run_seconds=limits.dropout_seconds, on_bytes=on_bytes)
    check = _hashes(store, info)
    spectra = measure_spectra(store, info)
    duplicates = duplicate_channels(scan, check, spectra, limits)
    findings = [
        *dead_channels(scan, limits),
        *silent_stretches(scan, limits),
        *offsets(scan, limits),
        *dropouts(scan, limits),
        *repeated_blocks(store, scan, limits),
        *clipping(store, scan, limits),
        *duplicates,
        *array_findings(scan, spectra, duplicates, limits),
    ]
    if info.array.startswith("ambisonic") or any(f.kind == "looks-ambisonic" for f in findings):
        # One source, encoded, makes components that are equal but for gain and sign.
        findings = [
            replace(finding, severity=NOTE) if finding.kind == "duplicate-channels" else finding
            for finding in findings
        ]
    return findings, _outline(scan, check, limits)


def _hashes(store: Store, info: RecordingInfo) -> npt.NDArray[np.uint64]:
    path = recording_path(store.path, info.name)
    try:
        return read_check(path, info)
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}; ingest again") from error


def _outline(scan: Scan, check: np.ndarray, limits: Limits) -> Outline:
    quiet = quiet_seconds(scan, limits)
    heard = scan.power.mean() if not quiet.all() else 0.0
    # A second of a constant value is equal to others everywhere.
    return Outline(scan.recording, float(heard), scan.envelope, check[~quiet])
