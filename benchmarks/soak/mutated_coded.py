"""Decode damaged coded files; each has to end in one clear line or in the audio.

    python -m benchmarks.soak.mutated_coded [--cases 2000] [--first 0] [--seed 0]

Every other file has its CRCs made right again. Cases run in child processes under a bound on
memory and time; exit code 1 when one crashes, hangs or decodes to something else.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.soak.isolated import serve, soak
from codecctl.engine.lossless.files import encode_file
from tests.coded_mutations import judge, mutated
from tests.lossless_models import exact

FINE = ("equal", "refused")


def main() -> None:
    """Run the cases and print how many ended how."""
    soak("benchmarks.soak.mutated_coded", _child, cases=2000, fine=FINE, description=__doc__)


def _child(first: int, stop: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        wav, coded = Path(place, "a.wav"), Path(place, "a.cctl")
        noise = np.random.default_rng(0).integers(-30000, 30000, (40, 2)).astype(np.int16)
        soundfile.write(wav, noise, 8000, subtype="PCM_U8")
        encode_file(wav, coded, exact(8), block=16)
        sound = coded.read_bytes()

        def one(number: int) -> tuple[str, str]:
            coded.write_bytes(mutated(sound, number, seed=seed))
            found = judge(coded, wav.read_bytes(), exact(8))
            return (found, "") if found in FINE else ("wrong", found)

        one(0)  # so that everything is imported and mapped before memory is bounded
        serve(first, stop, one)


if __name__ == "__main__":
    main()
