"""Open, read and verify damaged stores; each has to end in one clear line or a correct read.

    python -m benchmarks.soak.mutated_stores [--cases 2000] [--first 0] [--seed 0]

Bytes of recordings and of the index change, are cut off, exchanged and forged. Damage of audio has
to be named by channel and second; spans that are not damaged are read to the last bit. Cases run
in child processes under a bound on memory and time; every fourth through the commands, too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.soak.isolated import serve, soak
from tests.store_mutations import DTYPES, damage, make_sound_store
from tests.store_oracle import judge, judge_commands, read_all

FINE = ("read", "found", "refused")


def main() -> None:
    """Run the cases and print how many ended how."""
    soak("benchmarks.soak.mutated_stores", _child, cases=2000, fine=FINE, description=__doc__)


def _child(first: int, stop: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        os.environ["CODECCTL_HOME"] = place
        sound = {dtype: make_sound_store(Path(place) / dtype, dtype) for dtype in DTYPES}
        samples = {dtype: read_all(folder) for dtype, folder in sound.items()}
        folder = Path(place) / "stores" / "damaged"

        def one(number: int) -> tuple[str, str]:
            dtype = DTYPES[number % len(DTYPES)]
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(sound[dtype], folder)
            done = damage(folder, number, seed=seed)
            outcome, reason = judge(folder, done, samples[dtype])
            if outcome != "wrong" and number % 4 == 0:
                commands, reason = judge_commands(folder, done)
                outcome = outcome if commands == "fine" else commands
            if outcome == "wrong":
                return "wrong", f"{dtype}, {done.how} ({done.expect}): {reason}"
            return outcome, done.expect

        one(0)  # so that everything is imported and mapped before memory is bounded
        serve(first, stop, one)


if __name__ == "__main__":
    main()
