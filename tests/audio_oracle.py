"""What an ingest makes of a file, against what libsndfile says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import soundfile

from codecctl.datasets.audiofile import AudioFileError, probe
from codecctl.datasets.ingest_recording import Job, Output, ingest_recording
from codecctl.datasets.store import pcm_dtype
from codecctl.errors import DataError

_MOST_SAMPLES = 20_000_000
"""A tiny file that announces more cannot be read by the oracle either."""


@dataclass(frozen=True)
class Verdict:
    """How a file ended."""

    outcome: str
    """`equal`, `refused`, `stricter` (libsndfile reads it); `wrong` is a bug."""
    reason: str
    """The line a user reads, numbers replaced; or what is wrong."""


def judge(path: Path, folder: Path, *, convert: bool) -> Verdict:
    """Probe a file and ingest it if it is accepted.

    Args:
        path: The file.
        folder: Of a store to write to; what is written is removed again.
        convert: Store it a second time, as int16 at 24 kHz.
    """
    expected, complaint = _by_libsndfile(path)
    try:
        audio = probe(path)
        found = _stored(path, folder, dtype="float32", rate=audio.sample_rate)
        if convert and audio.seconds < 10:
            _stored(path, folder, dtype="int16", rate=24_000)
        if convert and audio.bits and not audio.is_float:
            integers = _stored(path, folder, dtype=pcm_dtype(audio.bits), rate=audio.sample_rate)
            scaled = (integers / 2.0 ** (audio.bits - 1)).astype(np.float32)
            if scaled.tobytes() != found.tobytes():
                return Verdict("wrong", f"stored other integers of {audio.bits} bits than samples")
    except AudioFileError as error:
        return _refused(error.reason, readable=expected is not None)
    except DataError as error:
        return _refused(str(error), readable=expected is not None)
    if expected is None:
        return Verdict("wrong", f"accepted {found.shape}, libsndfile: {complaint}")
    if path.suffix == ".w64" and found.shape[1] < expected.shape[1]:
        # libsndfile takes everything behind the samples of a W64 file for samples, too.
        expected = np.ascontiguousarray(expected[:, : found.shape[1]])
    if found.shape != expected.shape:
        return Verdict("wrong", f"stored {found.shape}, libsndfile reads {expected.shape}")
    if found.tobytes() != expected.tobytes():
        return Verdict("wrong", f"stored other samples than libsndfile reads {expected.shape}")
    return Verdict("equal", "")


def _refused(reason: str, *, readable: bool) -> Verdict:
    if "\n" in reason or not reason.isprintable() or len(reason) > 300:
        return Verdict("wrong", f"not one clear line: {reason!r}")
    text = re.sub(r"b'.*'|b\".*\"", "BYTES", reason)
    return Verdict("stricter" if readable else "refused", re.sub(r"-?\d[\d.e+-]*", "#", text))


def _by_libsndfile(path: Path) -> tuple[np.ndarray | None, str]:
    """Planar samples (C, T) float32, or why there are none."""
    try:
        with soundfile.SoundFile(path) as file:
            blocks = []
            samples = 0
            while samples <= _MOST_SAMPLES:
                block = file.read(4096, dtype="float32", always_2d=True)
                if len(block) == 0:
                    break
                blocks.append(block)
                samples += block.size
            if not blocks:
                return None, "no frames"
            return np.ascontiguousarray(np.concatenate(blocks).T), ""
    except soundfile.LibsndfileError as error:
        return None, str(error.error_string)


def _stored(path: Path, folder: Path, *, dtype: str, rate: int) -> np.ndarray:
    """Samples (C, T) of a recording after its ingest, as stored."""
    output = Output(
        str(folder), name="case", take="case", sample_rate=rate, dtype=dtype, target_size=0
    )
    job = Job(
        path=str(path),
        source_name=path.name,
        corpus="",
        scene="",
        array="unknown",
        source_size=path.stat().st_size,
        outputs=(output,),
    )
    ingest_recording(job, lambda count: None)
    target = folder / "rec" / "case.h5"
    with h5py.File(target, "r") as file:
        samples: np.ndarray = file["audio"][...]
    target.unlink()
    return samples
