"""Decode damaged coded files; each has to end in one clear line or in the audio.

    python -m benchmarks.soak.mutated_coded [--cases 4000] [--first 0] [--seed 0]

Cases take turns between a file of a model and one that was coded without any. Every other file
has its CRCs made right again. Cases run in child processes under a bound on memory and time; exit
code 1 when one crashes, hangs or decodes to something else.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.soak.isolated import serve, soak
from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.files import decode_file, encode_file
from tests.coded_mutations import judge, mutated
from tests.lossless_models import exact

FINE = ("equal", "refused")


def main() -> None:
    """Run the cases and print how many ended how."""
    soak("benchmarks.soak.mutated_coded", _child, cases=4000, fine=FINE, description=__doc__)


def _child(first: int, stop: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        wav, coded = Path(place, "a.wav"), Path(place, "a.cctl")
        noise = np.random.default_rng(0).integers(-30000, 30000, (400, 2)).astype(np.int16)
        soundfile.write(wav, noise[:40], 8000, subtype="PCM_U8")
        encode_file(wav, coded, exact(8), block=16)
        cases = [(wav.read_bytes(), coded.read_bytes(), partial(decode_file, model=exact(8)))]
        soundfile.write(
            wav,
            np.cumsum(noise // 64, axis=0, dtype=np.int32).astype(np.int16),
            8000,
            subtype="PCM_16",
        )
        encode_array(wav, coded)
        cases.append((wav.read_bytes(), coded.read_bytes(), partial(decode_array)))

        def one(number: int) -> tuple[str, str]:
            audio, sound, decode = cases[number // 2 % 2]
            coded.write_bytes(mutated(sound, number, seed=seed))
            found = judge(coded, audio, decode)
            return (found, "") if found in FINE else ("wrong", found)

        for number in (0, 2):  # so that everything is imported and mapped before memory is bounded
            one(number)
        serve(first, stop, one)


if __name__ == "__main__":
    main()
