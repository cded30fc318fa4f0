"""What the mirrors of a run share: a process of their own that follows rows and previews.

    python -m codecctl.engine.TOOL_mirror RUN STEP METRICS_BYTES EVENTS_BYTES [ARGUMENT]...

It ends when its standard input closes, which the end of the training does in every way that a
training can end. What it has to say stands in a status file of the run folder, at least
{"error", "finished"}. A service or a disk that hangs or fails does so here and nowhere else.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codecctl.datasets.em32 import ARRAY_NAME
from codecctl.datasets.listening import stereo_channels
from codecctl.engine.files import write_json_atomically
from codecctl.engine.rows import METRICS_KEY, JsonlTail, Row, decode_row, latest_rows, number
from codecctl.engine.runlist import read_json

POLL_SECONDS = 1.0
MAX_ITEMS = 8
"""Files of a preview that are sent, the first ones by name."""
MAX_SECONDS = 10.0
"""Of a file."""
NOT_SCALARS = ("schema", "split")


@dataclass(frozen=True)
class Job:
    """What a mirror is asked to copy."""

    run: Path
    step: int
    """Updates done when the training began or went on: older rows after it are replaced."""
    metrics_bytes: int
    """Size of metrics.jsonl at that time."""
    events_bytes: int
    """Size of events.jsonl at that time."""
    arguments: tuple[str, ...]
    """Of the tool."""
    ended: Callable[[], bool]
    """Waits a moment; whether the training has ended."""


@dataclass(frozen=True)
class Clip:
    """Audio of a fixed item, as it is sent."""

    name: str
    """`reference/item-000` once, `preview/item-000` at each preview."""
    step: int
    audio: npt.NDArray[np.float32]
    """(T, 1) or (T, 2)."""
    sample_rate: int


class Sink(Protocol):
    """Takes what a run says."""

    def row(self, row: Row) -> None:
        """A row of metrics.jsonl."""

    def clip(self, clip: Clip) -> None:
        """Audio of a preview."""

    def flush(self) -> None:
        """All that is known for now was given."""


class Clips:
    """The previews of a run as clips, a reference once.

    Of one capsule mono, of two stereo, of 32 the em32's capsules that face left and right, else
    the first channel. Channels are never summed: between capsules sounds would cancel.

    Args:
        folder: `previews/` of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()

    def skip(self, step: int) -> None:
        """Take the preview of a step as sent."""
        self._known.update(name for name, _ in self._files(step))

    def of_step(self, step: int) -> Iterator[Clip]:
        """What was not handed out yet of the preview of a step."""
        for name, path in self._files(step):
            audio, sample_rate = _listenable(path)
            self._known.add(name)
            yield Clip(name.partition("@")[0], step, audio, sample_rate)

    def _files(self, step: int) -> list[tuple[str, Path]]:
        """Unknown files, the references first; estimates are told apart by their step."""
        found = []
        for folder, label, at in (
            ("reference", "reference", ""),
            (f"step-{step:09d}", "preview", f"@{step}"),
        ):
            files = sorted((self._folder / folder).glob("*.wav"), key=_rank)[:MAX_ITEMS]
            found += [(f"{label}/{path.stem}{at}", path) for path in files]
        return [(name, path) for name, path in found if name not in self._known]


def copy_run(job: Job, sink: Sink, *, replay: bool) -> None:
    """Give a sink the rows and previews of a run until the training ends, each once.

    Args:
        job: What to copy.
        sink: Takes it.
        replay: Begin with what earlier jobs wrote, up to the step at which this one began, for a
            sink that starts anew. Otherwise that has been sent, and a row that comes again for
            the same step and split is left out: it cannot be taken back there.
    """
    earlier = latest_rows(_rows_within(job.run / "metrics.jsonl", job.metrics_bytes))
    shown = sorted(set(_previewed(_rows_within(job.run / "events.jsonl", job.events_bytes))))
    clips = Clips(job.run / "previews")
    if replay:
        for row in earlier:
            if (number(row.get("step")) or 0) <= job.step:
                sink.row(row)
        for clip in (clip for step in shown if step <= job.step for clip in clips.of_step(step)):
            sink.clip(clip)
        sent: set[tuple[object, ...]] = set()
    else:
        for step in shown:
            clips.skip(step)
        sent = {_key(row) for row in earlier}
    for rows, steps in _follow(job):
        for row in rows:
            if _key(row) not in sent:
                sink.row(row)
        for clip in (clip for step in steps for clip in clips.of_step(step)):
            sink.clip(clip)
        sink.flush()


def serve(status_file: str, copy: Callable[[Job], None]) -> None:
    """Do the job of the command line; an error is left in the status file.

    Args:
        status_file: Its name in the run folder.
        copy: Does the job and keeps the rest of the status.
    """
    folder, step, metrics, events, *arguments = sys.argv[1:]
    run = Path(folder)

    def ended() -> bool:
        return bool(select.select([sys.stdin], [], [], POLL_SECONDS)[0])

    try:
        copy(Job(run, int(step), int(metrics), int(events), tuple(arguments), ended))
    except BaseException as error:
        said = str(error).splitlines()[0] if str(error) else ""
        text = f"{type(error).__name__}: {said}"
        status = {"schema": 1, "finished": False, **read_json(run / status_file), "error": text}
        write_json_atomically(run / status_file, status)
        raise


def scalars_of(row: Row) -> dict[str, object]:
    """The values of a row by name, numbers as numbers: "NaN" is one."""
    values: dict[str, object] = {}
    for name, value in row.items():
        if name not in NOT_SCALARS:
            as_number = number(value)
            values[name] = value if as_number is None else as_number
    return values


def _follow(job: Job) -> Iterator[tuple[Sequence[Row], Sequence[int]]]:
    """New rows and newly previewed steps."""
    metrics = JsonlTail(job.run / "metrics.jsonl", start=job.metrics_bytes)
    events = JsonlTail(job.run / "events.jsonl", start=job.events_bytes)
    last_look = False
    while not last_look:
        last_look = job.ended()  # asked before reading: what was written before the end is sent
        while rows := metrics.read():
            yield rows, ()
        while told := events.read():
            yield (), list(_previewed(told))


def _previewed(events: Sequence[Row]) -> Iterator[int]:
    for event in events:
        step = number(event.get("step"))
        if event.get("kind") == "preview" and step is not None:
            yield int(step)


def _rows_within(path: Path, size: int) -> list[Row]:
    """The whole rows within the first bytes of a file."""
    if not size:
        return []
    with path.open("rb") as file:
        lines = file.read(size).split(b"\n")
    return [row for line in lines if line and (row := decode_row(line)) is not None]


def _key(row: Row) -> tuple[object, ...]:
    return tuple(str(row.get(name)) for name in METRICS_KEY)


def _rank(path: Path) -> tuple[bool, str]:
    """Items first, then what else was made of them (`item-000.swap.wav`)."""
    return "." in path.stem, path.name


def _listenable(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """One or two channels of the start of a file, (T, C), and its rate."""
    import soundfile

    with soundfile.SoundFile(path) as file:
        frames = min(file.frames, int(MAX_SECONDS * file.samplerate))
        audio: npt.NDArray[np.float32] = file.read(frames, dtype="float32", always_2d=True)
        return audio[:, list(stereo_channels(ARRAY_NAME, file.channels))], file.samplerate
