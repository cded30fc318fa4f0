"""Lossless coders on the same WAV files: bytes, speed, and whether every sample came back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol

from codecctl.engine.lossless.takes import Take

Advance = Callable[[int], None]
"""Told how many samples are done."""


class Stopwatch:
    """Adds up the wall-clock seconds of its blocks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = 0.0

    def __enter__(self) -> Stopwatch:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds += time.perf_counter() - self._started


class Coder(Protocol):
    """A lossless coder of WAV files.

    Attributes:
        name: As tables call it.
    """

    name: str

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """Code a file into files of an empty folder; returns their bytes."""

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """Decode what `encode` left, the watch running, and compare every sample.

        Raises:
            CodecctlError: A sample is not that of the file.
        """


@dataclass(frozen=True)
class Measure:
    """A coder on one recording, or on several."""

    coder: str
    scene: str
    recording: str
    samples: int
    """Of all channels."""
    seconds: float
    """Of audio."""
    raw: int
    """Bytes of the samples, without any header."""
    coded: int
    """Bytes of all that decoding needs but the model, headers included."""
    encode_seconds: float
    decode_seconds: float

    @property
    def bits_per_sample(self) -> float:
        """Coded bits for a sample of one channel."""
        return 8 * self.coded / self.samples

    @property
    def bits_per_byte(self) -> float:
        """Coded bits for a byte of raw samples."""
        return 8 * self.coded / self.raw

    @property
    def ratio(self) -> float:
        """Raw to coded size."""
        return self.raw / self.coded


def compare(
    takes: Sequence[Take], coders: Sequence[Coder], *, advance: Advance = lambda _count: None
) -> list[Measure]:
    """Code every take with every coder and decode it again.

    Holds one take at a time, on disk, in a temporary folder (`TMPDIR` moves it).

    Args:
        takes: What is coded.
        coders: What codes.
        advance: Told of each sample twice for each coder: coded, and decoded.

    Raises:
        CodecctlError: A coder did not give back what it got.
    """
    measures = []
    for take in takes:
        with tempfile.TemporaryDirectory(prefix="codecctl-eval-") as folder:
            wav = Path(folder, "take.wav")
            take.write(wav)
            for coder in coders:
                with tempfile.TemporaryDirectory(dir=folder) as room:
                    measures.append(_measure(take, coder, wav, Path(room), advance))
    return measures


def _measure(take: Take, coder: Coder, wav: Path, room: Path, advance: Advance) -> Measure:
    encoding, decoding = Stopwatch(), Stopwatch()
    with encoding:
        coded = coder.encode(wav, room, advance)
    coder.check(wav, room, decoding, advance)
    return Measure(
        coder=coder.name,
        scene=take.scene,
        recording=take.name,
        samples=take.samples,
        seconds=take.seconds,
        raw=take.samples * take.bits // 8,
        coded=coded,
        encode_seconds=encoding.seconds,
        decode_seconds=decoding.seconds,
    )


def summed(measures: Iterable[Measure], *, scene: str = "") -> list[Measure]:
    """One measure for each coder, of all its recordings, in the order of the coders.

    Args:
        measures: Any.
        scene: Only of this one; "" for all.
    """
    totals: dict[str, Measure] = {}
    for each in measures:
        if scene and each.scene != scene:
            continue
        so_far = totals.get(each.coder)
        totals[each.coder] = each if so_far is None else _sum(so_far, each)
    return [replace(total, scene=scene, recording="") for total in totals.values()]


def _sum(left: Measure, right: Measure) -> Measure:
    return replace(
        left,
        samples=left.samples + right.samples,
        seconds=left.seconds + right.seconds,
        raw=left.raw + right.raw,
        coded=left.coded + right.coded,
        encode_seconds=left.encode_seconds + right.encode_seconds,
        decode_seconds=left.decode_seconds + right.decode_seconds,
    )
