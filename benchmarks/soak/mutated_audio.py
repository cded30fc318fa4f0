"""Probe and ingest damaged audio files; each has to end in one clear line or a correct read.

    python -m benchmarks.soak.mutated_audio [--cases 10000] [--first 0] [--seed 0]

A correct read equals what libsndfile reads of the same file. Cases run in child processes under
a bound on memory and time; exit code 1 when one crashes, hangs or reads something else.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.soak.isolated import serve, soak
from tests.audio_bases import bases
from tests.audio_mutations import case
from tests.audio_oracle import judge

FINE = ("equal", "refused", "stricter")


def main() -> None:
    """Run the cases and print how many ended how."""
    soak("benchmarks.soak.mutated_audio", _child, cases=10_000, fine=FINE, description=__doc__)


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
