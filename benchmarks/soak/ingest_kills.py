"""Kill `codecctl data ingest` at random moments and count what is left.

    python benchmarks/soak/ingest_kills.py [--kills 10] [--seed 0] [--megabytes 400]

Each round starts an ingest of one corpus into a fresh folder, kills it after a random part of the
time that a whole ingest takes (every other round the parent alone, else its workers with it),
looks for half recordings, runs the ingest again and verifies every byte.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from codecctl.datasets.store import committed_recordings

CODECCTL = Path(sys.executable).with_name("codecctl")
CHANNELS, RATE, SECONDS = 32, 48_000, 8


def main() -> None:
    """Run the rounds; exit code 1 if one leaves damage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--megabytes", type=int, default=400)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ingest-kills-"))
    try:
        corpus = make_corpus(folder / "corpus", options.megabytes)
        whole = timed(folder / "whole", corpus)
        print(f"whole ingest: {whole:.2f} s for {options.megabytes} MB")
        generator = random.Random(options.seed)
        rounds = [
            one_round(folder / str(number), corpus, generator.uniform(0, whole), number % 2 == 0)
            for number in range(options.kills)
        ]
    finally:
        shutil.rmtree(folder)
    print(f"{sum(rounds)} of {len(rounds)} kills left a store that the next ingest completed")
    sys.exit(0 if all(rounds) else 1)


def make_corpus(folder: Path, megabytes: int) -> Path:
    """Recordings of noise in 32 channels, 24 bit."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    size = CHANNELS * RATE * SECONDS * 3
    for number in range(max(2, megabytes * 1_000_000 // size)):
        audio = generator.integers(-(2**20), 2**20, (SECONDS * RATE, CHANNELS), dtype=np.int32)
        name = f"Beach-{number + 1:02}-Raw.wav"
        soundfile.write(folder / name, audio << 8, RATE, format="WAVEX", subtype="PCM_24")
    return folder


def timed(folder: Path, corpus: Path) -> float:
    """Wall seconds of an ingest that nobody disturbs."""
    folder.mkdir()
    started = time.monotonic()
    subprocess.run(command(corpus), cwd=folder, check=True, capture_output=True)
    return time.monotonic() - started


def one_round(folder: Path, corpus: Path, delay: float, parent_alone: bool) -> bool:
    """Kill one ingest and finish it; whether all is well."""
    folder.mkdir()
    process = subprocess.Popen(
        command(corpus),
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        if parent_alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    store = folder / "stores" / "corpus"
    visible = len(list(store.glob("rec/*.h5")))
    whole = len(committed_recordings(store))
    again = subprocess.run([*command(corpus), "--json"], cwd=folder, capture_output=True, text=True)
    report = json.loads(again.stdout) if again.returncode == 0 else {"stored": [], "unchanged": []}
    verify = subprocess.run([CODECCTL, "data", "verify", "corpus"], cwd=folder, capture_output=True)
    hidden = [path.name for path in folder.rglob(".*")]
    expected = len(list(corpus.iterdir()))
    fine = (
        visible == whole
        and again.returncode == verify.returncode == 0
        and len(report["stored"]) + len(report["unchanged"]) == expected
        and not hidden
    )
    print(
        f"killed {'the parent' if parent_alone else 'all'} after {delay:.2f} s: {visible} visible, "
        f"{whole} whole; then stored {len(report['stored'])}, unchanged "
        f"{len(report['unchanged'])}, verify {verify.returncode}, left behind {hidden}: "
        f"{'fine' if fine else 'DAMAGE'} {again.stderr if not fine else ''}",
        flush=True,
    )
    shutil.rmtree(folder)
    return fine


def command(corpus: Path) -> list[str]:
    """The ingest that is killed."""
    return [str(CODECCTL), "data", "ingest", str(corpus), "--jobs", "2"]


if __name__ == "__main__":
    main()
