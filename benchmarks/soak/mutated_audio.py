"""Probe and ingest damaged audio files; each has to end in one clear line or a correct read.

    python -m benchmarks.soak.mutated_audio [--cases 10000] [--first 0] [--seed 0]

A correct read equals what libsndfile reads of the same file. Cases run in child processes under
a bound on memory and time; exit code 1 when one crashes, hangs or reads something else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.soak.isolated import run_cases, serve
from tests.audio_bases import bases
from tests.audio_mutations import case
from tests.audio_oracle import judge

FINE = ("equal", "refused", "stricter")


def main() -> None:
    """Run the cases and print how many ended how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=int, nargs=3, metavar=("FIRST", "STOP", "SEED"))
    options = parser.parse_args()
    if options.child:
        _child(*options.child)
        return
    counts: Counter[tuple[str, str]] = Counter()
    numbers = range(options.first, options.first + options.cases)
    for result in run_cases("benchmarks.soak.mutated_audio", numbers, seed=options.seed):
        counts[result.outcome, result.reason if result.outcome in FINE else ""] += 1
        if result.outcome not in FINE:
            print(f"case {result.case}: {result.outcome}: {result.reason}", flush=True)
    for (outcome, reason), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{count:6} {outcome:9} {reason}")
    totals = Counter(outcome for outcome, _ in counts.elements())
    print(f"{sum(totals.values())} cases, seed {options.seed}: {dict(totals)}")
    sys.exit(0 if set(totals) <= set(FINE) else 1)


def _child(first: int, stop: int, seed: int) -> None:
    sound = bases()
    with tempfile.TemporaryDirectory() as folder:

        def one(number: int) -> tuple[str, str]:
            damaged = case(number, seed=seed, sound=sound)
            path = Path(folder) / f"case.{damaged.suffix}"
            path.write_bytes(damaged.data)
            verdict = judge(path, Path(folder), convert=number % 4 == 0)
            path.unlink()
            if verdict.outcome == "wrong":
                return "wrong", f"{damaged.base}, {damaged.how}: {verdict.reason}"
            return verdict.outcome, verdict.reason

        for base in sound:  # so that everything is imported and mapped before memory is bounded
            path = Path(folder) / f"sound.{base.suffix}"
            path.write_bytes(base.data)
            assert judge(path, Path(folder), convert=True).outcome == "equal", base.name
        serve(first, stop, one)


if __name__ == "__main__":
    main()
