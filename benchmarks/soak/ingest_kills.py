"""Kill `codecctl data ingest --jobs 2` after random numbers of bytes and see what the next makes.

    python -m benchmarks.soak.ingest_kills [--kills 50] [--seed 0] [--megabytes 100]

Each round starts an ingest of one corpus into a fresh folder, kills it with SIGKILL when it and its
workers have written a random share of what an undisturbed ingest writes (every other round the
parent alone), looks for half recordings and runs it again. The store then has to be clean for
`verify` and equal to the undisturbed one: every byte of audio, scales and hashes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.faults import (
    content,
    finish,
    half_written,
    kill,
    make_corpus,
    require_converged,
    start,
    wait_for_bytes,
)

CHANNELS, SECONDS = 32, 4.0


def main() -> None:
    """Run the rounds; an AssertionError ends them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ingest-kills-"))
    stored = []
    try:
        corpus, whole, written = undisturbed(folder, options.megabytes)
        generator = random.Random(options.seed)
        for number in range(options.kills):
            count = generator.randrange(1, written)
            stored.append(one_round(folder / str(number), corpus, whole, count, number % 2 == 0))
    finally:
        shutil.rmtree(folder)
    early, late = stored.count(0), sum(number == len(whole) - 1 for number in stored)
    print(
        f"{options.kills} kills, seed {options.seed}, {options.megabytes} MB: every next ingest "
        f"equals the undisturbed one; {early} killed before the first recording was stored, "
        f"{late} after the last"
    )
    sys.exit(0)


def undisturbed(folder: Path, megabytes: int) -> tuple[Path, dict[str, bytes], int]:
    """A corpus, what its store holds, and the bytes that an ingest of it writes."""
    recordings = max(2, round(megabytes * 1e6 / (0.75 * CHANNELS * SECONDS * 48_000 * 3)))
    corpus = make_corpus(
        folder / "corpus", recordings=recordings, channels=CHANNELS, seconds=SECONDS
    )
    home = folder / "undisturbed"
    home.mkdir()
    process = start(home, corpus)
    written = wait_for_bytes(process, 2**60)
    code, complaint = finish(process)
    assert code == 0, complaint
    return corpus, dict(content(home)), written


def one_round(
    home: Path, corpus: Path, whole: Mapping[str, bytes], count: int, parent_alone: bool
) -> int:
    """Kill one ingest and finish it; how many recordings the killed one had stored."""
    home.mkdir()
    process = start(home, corpus)
    seen = wait_for_bytes(process, count)
    kill(process, parent_alone=parent_alone)
    assert half_written(home) == []
    stored = len(list(home.glob("stores/store/rec/[!.]*.h5")))
    require_converged(home, corpus, dict(whole))
    who = "the parent" if parent_alone else "all"
    print(f"killed {who} at {seen / 1e6:.1f} MB, {stored} recordings stored: fine", flush=True)
    shutil.rmtree(home)
    return stored


if __name__ == "__main__":
    main()
