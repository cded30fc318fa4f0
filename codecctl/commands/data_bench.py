"""`codecctl data bench`: what a store on this disk, or on a slower one, feeds a trainer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import DataError, UsageError
from codecctl.locations import find_store
from codecctl.output import note, progress, result, result_json

if TYPE_CHECKING:
    from codecctl.datasets.bench import Load, Place
    from codecctl.datasets.store import Index

_SLOW_DISK_THREADS = "1,8,32"


def bench(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="Read what this profile reads.")
    ] = "",
    channels: Annotated[
        int, typer.Option(min=0, help="Channels of a window; 0: all of them, or the profile's.")
    ] = 0,
    seconds: Annotated[
        float, typer.Option(min=0, help="Length of a window; 0: one second, or the profile's.")
    ] = 0.0,
    batch_size: Annotated[
        int, typer.Option(min=0, help="Windows of a batch; 0: 4, or the profile's.")
    ] = 0,
    io_threads: Annotated[
        str,
        typer.Option(
            metavar="N[,N]", help="Reads at a time; default: 1, with --latency also 8 and 32."
        ),
    ] = "",
    latency: Annotated[
        str, typer.Option(metavar="MS[,MS]", help="Imitate disks that answer each read so late.")
    ] = "",
    cold: Annotated[
        bool, typer.Option("--cold", help="Also read from the disk, not from memory.")
    ] = False,
    steps: Annotated[
        float, typer.Option(min=0.001, help="Steps a second of the trainer to judge for.")
    ] = 10.0,
    budget: Annotated[
        float, typer.Option(min=0, help="Seconds to spend on each line, about.")
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure what a store on this disk feeds a trainer.

    Batches are read as a training reads them, beside its steps: from memory; with --cold from the
    disk, dropping the store from the memory of this machine; with --latency from this disk, but
    late, as behind a network.
    """
    from codecctl.commands.bench_lines import Report, lines, to_json
    from codecctl.datasets.bench import MEMORY, Place, hidden_share, measure, whole_arrays
    from codecctl.datasets.store import read_index

    path = find_store(store)
    index = read_index(path)
    load = _load(index, profile, channels=channels, seconds=seconds, batch_size=batch_size)
    places = _places(_numbers(io_threads, "--io-threads"), _latencies(latency), cold=cold)
    with progress("bench", len(places) + 2, unit="places") as advance:
        speeds = []
        for place in places:
            speeds.append(measure(path, load, place, seconds=budget))
            advance(1, place.kind)
        hidden = hidden_share(
            path,
            load,
            step_seconds=1 / steps,
            batch_seconds=speeds[0].batch_seconds,
            seconds=budget,
        )
        advance(1)
        arrays = measure(path, whole_arrays(index.recordings, load), Place(MEMORY), seconds=budget)
    report = Report(str(path), index.dtype, tuple(speeds), arrays, hidden, steps)
    if as_json:
        result_json(to_json(report))
        return
    for line in lines(report):
        result(line)
    if latency:
        note("simulated: a wait before each read; what a system fetches ahead is not imitated")


def _load(index: Index, profile: str, *, channels: int, seconds: float, batch_size: int) -> Load:
    """What the options ask for; what they leave open is the profile's or usual."""
    from codecctl.datasets.bench import SILENCE_DB, Load, all_channels
    from codecctl.datasets.windows import Window

    most = all_channels(index.recordings)
    rate, silence_db, shortest = index.sample_rate, SILENCE_DB, 0.0
    wanted = (most, 1.0, 4)
    if profile:
        from codecctl.engine.profile import load_profile
        from codecctl.engine.profile.schema import LosslessProfile

        loaded = load_profile(profile).profile
        if isinstance(loaded, LosslessProfile):
            raise UsageError(
                f"--profile {profile}: reads symbols, and this measures windows of audio; needed a "
                "codec profile, or --channels, --seconds and --batch-size"
            )
        data = loaded.data
        rate, silence_db, shortest = data.rate, data.silence_db, data.min_source_seconds
        wanted = (data.capsules.count, data.segment_seconds, data.batch_size)
    count = channels or wanted[0]
    if count > most:
        raise DataError(f"{index.name}: found {most} channels, needed {count}; lower --channels")
    window = Window(
        frames=max(1, round((seconds or wanted[1]) * rate)),
        capsules=count,
        silence_db=silence_db,
        min_source_seconds=shortest,
    )
    return Load(window, batch_size or wanted[2], rate)


def _places(threads: Sequence[int], latencies: Sequence[float], *, cold: bool) -> list[Place]:
    from codecctl.datasets.bench import COLD, MEMORY, SIMULATED, Place

    late = threads or [int(part) for part in _SLOW_DISK_THREADS.split(",")]
    places = [Place(MEMORY)]
    places += [Place(COLD, count) for count in threads or [1]] if cold else []
    return places + [
        Place(SIMULATED, count, milliseconds / 1000) for milliseconds in latencies for count in late
    ]


def _numbers(text: str, option: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = [0]
    if any(not 1 <= number <= 256 for number in numbers):
        raise UsageError(f"{option}: found {text!r}, needed numbers from 1 to 256, such as 1,8,32")
    return numbers


def _latencies(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = [-1.0]
    if any(not 0 < number <= 1000 for number in numbers):
        raise UsageError(f"--latency: found {text!r}, needed milliseconds, such as 1,5,20")
    return numbers
