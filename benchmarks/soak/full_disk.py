"""Fill the disk at random points of `codecctl data ingest --jobs 2`; root only (mounts tmpfs).

    python -m benchmarks.soak.full_disk [--rounds 10] [--seed 0]

In turn: a disk that is too small from the start, one that somebody else fills when the ingest has
written a random number of bytes, and a limit on the size of files. Each ends with exit code 1, one
line and nothing half-written; with room, the next ingest makes the store that an undisturbed one
makes, bit for bit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.soak.ingest_kills import undisturbed
from tests.faults import finish, half_written, require_converged, start, wait_for_bytes

MEGABYTES = 40


def main() -> None:
    """Run the rounds; an AssertionError ends them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="full-disk-"))
    generator = random.Random(options.seed)
    try:
        corpus, whole, written = undisturbed(folder, MEGABYTES)
        needed = sum(len(data) for data in whole.values())
        for number in range(options.rounds):
            home = folder / str(number)
            home.mkdir()
            if number % 3 == 0:
                small = int(needed * generator.uniform(0.05, 0.95))
                line = too_small(home, corpus, whole, small, room=2 * needed)
            elif number % 3 == 1:
                count = generator.randrange(1, written // 2)
                line = filled(home, corpus, whole, count, size=2 * needed)
            else:
                longest = max(len(data) for data in whole.values())
                line = limited(home, corpus, whole, int(longest * generator.uniform(0.05, 1)))
            print(f"{line}: fine", flush=True)
    finally:
        shutil.rmtree(folder)
    print(f"{options.rounds} full disks, seed {options.seed}: each next ingest equals the other")


def too_small(home: Path, corpus: Path, whole: Mapping[str, bytes], size: int, *, room: int) -> str:
    """A disk that never has the room."""
    with disk(home, size):
        line = one_line(home, corpus)
        subprocess.run(["mount", "-o", f"remount,size={room}", str(home)], check=True)
        require_converged(home, corpus, dict(whole))
    return f"disk of {size / 1e6:.1f} MB: {line}"


def filled(home: Path, corpus: Path, whole: Mapping[str, bytes], count: int, *, size: int) -> str:
    """A disk that another process fills while the ingest writes."""
    with disk(home, size):
        filler = home / "of another"
        process = start(home, corpus)
        seen = wait_for_bytes(process, count)
        with filler.open("wb") as file:
            space = os.statvfs(home)
            with contextlib.suppress(OSError):  # the ingest took some in the meantime
                os.posix_fallocate(file.fileno(), 0, max(1, space.f_bavail * space.f_frsize))
        code, complaint = finish(process)
        done = code == 0  # every recording had its room already
        line = "all recordings had their room" if done else clear_line(code, complaint)
        assert half_written(home) == []
        filler.unlink()
        require_converged(home, corpus, dict(whole))
    return f"filled at {seen / 1e6:.1f} MB: {line}"


def limited(home: Path, corpus: Path, whole: Mapping[str, bytes], size: int) -> str:
    """A limit on the size of files, as a quota of a batch system."""
    code, complaint = finish(start(home, corpus, limit=f"ulimit -f {max(1, size // 1024)}"))
    line = clear_line(code, complaint)
    assert half_written(home) == []
    require_converged(home, corpus, dict(whole))
    return f"files of {size / 1e6:.1f} MB: {line}"


def one_line(home: Path, corpus: Path) -> str:
    """Ingest and fail; the line about it."""
    code, complaint = finish(start(home, corpus))
    assert half_written(home) == []
    return clear_line(code, complaint)


def clear_line(code: int, complaint: str) -> str:
    """The line that says what was needed, in an output without a traceback."""
    assert code == 1, (code, complaint)
    assert "Traceback" not in complaint, complaint
    found = [line.strip() for line in complaint.splitlines() if "need" in line]
    assert found, complaint
    return found[-1]


@contextlib.contextmanager
def disk(folder: Path, size: int) -> Iterator[None]:
    """A file system in memory, mounted at a folder."""
    options = ["-t", "tmpfs", "-o", f"size={size}"]
    subprocess.run(["mount", *options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


if __name__ == "__main__":
    main()
