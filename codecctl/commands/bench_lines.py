"""What `codecctl data bench` says of its figures: a table, and who waits for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codecctl.datasets.bench import COLD, SIMULATED, Place, Speed
from codecctl.terminal import table_lines

_STAGE_GAIN = 1.5
"""Below, a copy on a faster disk is not worth its time."""


@dataclass(frozen=True)
class Report:
    """All that was measured."""

    store: str
    dtype: str
    speeds: tuple[Speed, ...]
    """The first one from memory."""
    arrays: Speed
    """Windows of all channels, from memory."""
    hidden: float
    """Share of the loading that a trainer does not notice."""
    steps: float
    """Steps a second of the trainer to judge for."""


def lines(report: Report) -> list[str]:
    """The report in words."""
    load = report.speeds[0].load
    length = load.window.frames / load.rate
    stored = report.speeds[0].stored_bytes / 1e6
    return [
        f"{report.store}: batches of {load.batch_size} windows, {load.window.capsules} channels "
        f"of {length:.4g} s at {load.rate} Hz, {stored:.3g} MB of {report.dtype} each",
        *table_lines(_rows(report), right=range(1, 9)),
        f"items of {report.arrays.load.window.capsules} channels: "
        f"{_short(report.arrays.windows_per_second)} a second from memory",
        f"read ahead of steps of {1000 / report.steps:.3g} ms, {report.hidden:.0%} of the loading "
        "goes unnoticed",
        *advice(report),
    ]


def advice(report: Report) -> list[str]:
    """Whether a trainer waits, and what would help."""
    memory, *others = report.speeds
    found = [f"from memory, a trainer {_verdict(memory, report.steps)}"]
    cold = [speed for speed in others if speed.place.kind == COLD]
    if cold:
        best = max(cold, key=lambda speed: speed.batches_per_second)
        found.append(f"from this disk, a trainer {_verdict(best, report.steps)}")
    late = [speed for speed in others if speed.place.kind == SIMULATED]
    for latency in dict.fromkeys(speed.place.latency_seconds for speed in late):
        same = [speed for speed in late if speed.place.latency_seconds == latency]
        found.append(_about_latency(same, report.steps))
    usual = [speed for speed in others if speed.place.io_threads == 1]
    slowest = min(usual, key=lambda speed: speed.batches_per_second, default=memory)
    slow, fast = (min(report.steps, speed.batches_per_second) for speed in (slowest, memory))
    if fast > _STAGE_GAIN * slow:
        found.append(
            f"staged on a disk of this machine, {fast:.3g} steps/s instead of {slow:.3g}: "
            f"codecctl data stage {report.store} DIR"
        )
    return found


def to_json(report: Report) -> dict[str, object]:
    """The report for scripts."""
    load = report.speeds[0].load
    return {
        "schema": 1,
        "store": report.store,
        "channels": load.window.capsules,
        "window_seconds": load.window.frames / load.rate,
        "rate": load.rate,
        "batch_size": load.batch_size,
        "batch_megabytes": report.speeds[0].stored_bytes / 1e6,
        "steps_per_second": report.steps,
        "hidden_share": report.hidden,
        "array_channels": report.arrays.load.window.capsules,
        "array_windows_per_second": report.arrays.windows_per_second,
        "advice": advice(report),
        "rows": [_row_json(speed, report.steps) for speed in report.speeds],
    }


def _row_json(speed: Speed, steps: float) -> dict[str, object]:
    return {
        "read": speed.place.kind,
        "io_threads": speed.place.io_threads,
        "latency_ms": 1000 * speed.place.latency_seconds,
        "simulated": speed.place.kind == SIMULATED,
        "batches": speed.batches,
        "batches_per_second": speed.batches_per_second,
        "windows_per_second": speed.windows_per_second,
        "audio_seconds_per_second": speed.audio_seconds_per_second,
        "megabytes_per_second": speed.megabytes_per_second,
        "batch_ms": 1000 * speed.batch_seconds,
        "cpu_ms": 1000 * speed.cpu_seconds,
        "waits": speed.batches_per_second < steps,
    }


def _rows(report: Report) -> list[list[str]]:
    head = ["read", "threads", "batches/s", "windows/s", "audio s/s", "MB/s", "ms", "CPU ms"]
    rows = [[*head, f"at {report.steps:g} steps/s"]]
    for speed in report.speeds:
        figures = (
            speed.batches_per_second,
            speed.windows_per_second,
            speed.audio_seconds_per_second,
            speed.megabytes_per_second,
            1000 * speed.batch_seconds,
            1000 * speed.cpu_seconds,
        )
        fed = "fed" if speed.batches_per_second >= report.steps else "waits"
        threads = str(speed.place.io_threads)
        rows.append([_where(speed.place), threads, *map(_short, figures), fed])
    return rows


def _about_latency(speeds: Sequence[Speed], steps: float) -> str:
    """One latency: how many threads feed the trainer, if any do."""
    behind = f"behind {_milliseconds(speeds[0].place)} a read (simulated), a trainer"
    feeding = [speed for speed in speeds if speed.batches_per_second >= steps]
    if not feeding:
        best = max(speeds, key=lambda speed: speed.batches_per_second)
        return f"{behind} with data.io_threads={best.place.io_threads} {_verdict(best, steps)}"
    least = min(feeding, key=lambda speed: speed.place.io_threads)
    fewer = [speed for speed in speeds if speed.place.io_threads < least.place.io_threads]
    text = f"{behind} {_verdict(least, steps)} with data.io_threads={least.place.io_threads}"
    if fewer:
        text += f"; with {fewer[0].place.io_threads}, it makes {fewer[0].batches_per_second:.3g}"
    return text


def _verdict(speed: Speed, steps: float) -> str:
    most = speed.batches_per_second
    if most >= steps:
        return f"at {steps:g} steps/s does not wait (up to {most:.3g} steps/s)"
    return f"at {steps:g} steps/s waits {1 - most / steps:.0%} of its time and makes {most:.3g}"


def _where(place: Place) -> str:
    return f"{place.kind} {_milliseconds(place)}" if place.latency_seconds else place.kind


def _milliseconds(place: Place) -> str:
    return f"{1000 * place.latency_seconds:g} ms"


def _short(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"
