"""Ingests that are killed or run out of disk, and what has to be true after the next one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from codecctl.datasets.store import Store, committed_recordings, recording_path
from codecctl.datasets.store.tables import read_check, read_scale

CODECCTL = Path(sys.executable).with_name("codecctl")
RATE = 48_000


def make_corpus(folder: Path, *, recordings: int, channels: int, seconds: float) -> Path:
    """Recordings of noise, 24 bit; the last is half as long as the first."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(recordings):
        frames = int(RATE * seconds * (1 - 0.5 * number / max(1, recordings - 1)))
        audio = generator.integers(-(2**22), 2**22, (frames, channels), dtype=np.int32) << 8
        name = f"Beach-{number + 1:02}-Raw.wav"
        soundfile.write(folder / name, audio, RATE, format="WAVEX", subtype="PCM_24")
    return folder


def start(home: Path, corpus: Path, *, limit: str = "") -> subprocess.Popen[str]:
    """Begin an ingest with two workers below `home`, under a limit of the shell if given."""
    command = [str(CODECCTL), "data", "ingest", str(corpus), "--name", "store", "--jobs", "2"]
    if limit:
        command = ["bash", "-c", f'{limit}; exec "$0" "$@"', *command]
    return subprocess.Popen(
        command,
        cwd=home,
        env=os.environ | {"CODECCTL_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for an ingest; exit code and what it wrote to stderr."""
    _, complaint = process.communicate(timeout=300)
    return process.returncode, complaint


def wait_for_bytes(process: subprocess.Popen[str], count: int) -> int:
    """Wait until an ingest and its workers have written so many bytes, or it has ended.

    Returns:
        The bytes written by then.
    """
    written = 0
    while process.poll() is None and written < count:
        written = max(written, written_bytes(process.pid))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.001)
    return written


def written_bytes(pid: int) -> int:
    """Bytes that a process and its children have written so far."""
    total = 0
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/io").read_text()
        total += int(text.split("wchar:")[1].split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total += sum(written_bytes(int(child)) for child in children)
    return total


def kill(process: subprocess.Popen[str], *, parent_alone: bool) -> None:
    """SIGKILL, as a crash or the kernel's killer does."""
    if process.poll() is None:
        if parent_alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def half_written(home: Path) -> list[str]:
    """Visible recordings that are not whole."""
    store = home / "stores" / "store"
    visible = {path.stem for path in store.glob("rec/[!.]*.h5")}
    return sorted(visible - set(committed_recordings(store)))


def hidden(home: Path) -> list[str]:
    """Unfinished files and locks."""
    return sorted(str(path.relative_to(home)) for path in home.rglob(".*"))


def content(home: Path) -> Iterator[tuple[str, bytes]]:
    """Name and every byte of audio, scales and hashes of each recording of the store."""
    with Store.open(home / "stores" / "store") as store:
        assert store.verify() == [], "verify is not clean"
        yield "fingerprint", store.fingerprint.encode()
        for info in store.recordings:
            path = recording_path(store.path, info.name)
            with path.open("rb") as file:
                file.seek(info.audio_offset)
                audio = file.read(info.geometry.audio_bytes)
            yield (
                info.name,
                audio + read_scale(path, info).tobytes() + read_check(path, info).tobytes(),
            )


def require_converged(home: Path, corpus: Path, whole: dict[str, bytes]) -> None:
    """Ingest once more; the store then equals an undisturbed one, bit for bit.

    Args:
        home: Holds the store that was disturbed.
        corpus: What is ingested.
        whole: `content` of an ingest that nobody disturbed.
    """
    code, complaint = finish(start(home, corpus))
    assert code == 0, complaint
    assert dict(content(home)) == whole
    assert hidden(home) == []
