"""Coding without a model beside FLAC and WavPack, on kinds of recordings.

    .venv/bin/python benchmarks/lossless_table.py KIND=FILE[,FILE...] ... [--scenes N] [--seconds 2]
        [--json]

KIND is what a row is called; its files are those of `codecctl eval --lossless`, coded, decoded and
compared in the same way. `--scenes N` adds N rendered 32-channel scenes (`codecctl data synth`,
built-in sounds, 24 bits, 48 kHz). The best is the smaller of FLAC and WavPack, file by file; the
gain is what `encode --lossless` saves of that. `--json` prints every measure.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.datasets.wav_folder import WavFolder
from codecctl.engine.lossless.classic import Flac, WavPack, classic_coders
from codecctl.engine.lossless.comparison import Measure, compare, summed
from codecctl.engine.lossless.own_coders import ModelFree
from codecctl.engine.lossless.takes import takes_of

RIVALS = (Flac.name, WavPack.name)
SCENES = ("Beach", "BusyStreet", "Park", "TrainStation")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("kinds", nargs="*", metavar="KIND=FILE[,FILE...]")
    parser.add_argument("--scenes", type=int, default=0, choices=range(5))
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = {name: files.split(",") for name, _, files in (k.partition("=") for k in options.kinds)}
    with tempfile.TemporaryDirectory() as folder:
        if options.scenes:
            kinds["rendered scenes"] = rendered(folder, options.scenes, options.seconds)
        measured = {}
        for kind, files in kinds.items():
            measured[kind] = measure(files)
            print(table({kind: measured[kind]})[-1], file=sys.stderr, flush=True)
    _, missing = classic_coders()
    if options.json:
        rows = {kind: [vars(each) for each in measures] for kind, measures in measured.items()}
        print(json.dumps({"kinds": rows, "not_measured": missing}, indent=2))
        return
    for line in table(measured):
        print(line)
    for line in missing:
        print(f"not measured: {line}")


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the docstring."""


def rendered(folder: str, scenes: int, seconds: float) -> list[str]:
    """Files of scenes of 32 channels."""
    words = ("--scenes", ",".join(SCENES[:scenes]), "--recordings", "1", "--seconds", str(seconds))
    done = CliRunner().invoke(app, ["data", "synth", folder, *words, "--jobs", "1"])
    if done.exit_code:
        raise SystemExit(f"data synth: {done.exception}")
    return sorted(map(str, Path(folder).rglob("*.wav")))


def measure(files: list[str]) -> list[Measure]:
    """Every coder on every file."""
    source = WavFolder.of_files([Path(file) for file in files])
    takes, _ = takes_of(source, [info.name for info in source.recordings], seconds=0.0)
    rivals = [each for each in classic_coders()[0] if each.name in RIVALS]
    return compare(takes, [ModelFree(), *rivals])


def best_bytes(measures: list[Measure]) -> int:
    """Of FLAC and WavPack, the smaller for each recording."""
    sizes: dict[str, list[int]] = {}
    for each in measures:
        if each.coder in RIVALS:
            sizes.setdefault(each.recording, []).append(each.coded)
    return sum(map(min, sizes.values()))


def table(measured: dict[str, list[Measure]]) -> list[str]:
    """Bits per sample, in Markdown."""
    names = [each.coder for each in summed(next(iter(measured.values())))]
    lines = [
        f"| recordings | files | {' | '.join(names)} | gain over the best |",
        "|---" * (len(names) + 3) + "|",
    ]
    for kind, measures in measured.items():
        totals = summed(measures)
        cells = " | ".join(f"{each.bits_per_sample:.3f}" for each in totals)
        gain = 100 * (1 - totals[0].coded / best_bytes(measures))
        count = len({each.recording for each in measures})
        lines.append(f"| {kind} | {count} | {cells} | {gain:.2f} % |")
    return lines


if __name__ == "__main__":
    main()
