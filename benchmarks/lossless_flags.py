"""A short training through every flag and every example line of document 002: do the bits fall?

    .venv/bin/python benchmarks/lossless_flags.py [--audio_dir DIR] [--steps 40] [--json]

Each row is a `codecctl train --profile lossless-8bit` in a temporary folder, of a model of width 8
with chunks of 64 symbols, unless the flag or the line says otherwise: it comes last. Only what
would take hours is cut down behind it: 5000 steps, and chunks beside a batch of 256. Without a
folder of WAV files, noisy tones are made. Ends with 1 where validation does not get at least 1 %
better.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.engine.rundir import read_metrics

SMALL = (
    *("--chunk_size", "64", "--batch_size", "8", "--learning_rate", "0.01", "--log_every", "20"),
    *("--embedding_dim", "8", "--num_layers", "1", "--num_heads", "2"),
    *("data.val_items=8", "data.val_batch_size=8", "data.prefetch_batches=0"),
    *("trainer.num_gpus=0", "trainer.val_every_n_steps=0", "trainer.wandb.mode=disabled"),
)
FLAGS = {
    "--audio_dir": "DIR",
    "--use_16bit": "",
    "--stereo_blocking_n": "32",
    "--chunk_size": "128",
    "--num_chunks": "500",
    "--training_steps": "60",
    "--batch_size": "16",
    "--log_every": "5",
    "--learning_rate": "0.02",
    "--embedding_dim": "16",
    "--num_layers": "2",
    "--num_heads": "4",
    "--widening_factor": "2",
    "--wandb_project": "audio-compression",
    "--wandb_run_name": "first",
    "--output_dir": "models",
    "--model_name": "mine",
    "--seed": "7",
}
LINES = {
    "8 bits": "",
    "16 bits": '--use_16bit --wandb_project "audio-compression"',
    "architecture": "--embedding_dim 128 --num_layers 6 --num_heads 12",
    "performance": "--batch_size 256 --training_steps 5000 --learning_rate 0.0002",
    "blocks": "--stereo_blocking_n 2048 --chunk_size 4096",
    "output": '--output_dir ./models/ --model_name "my_experiment"',
}
"""The examples of the document, without the folder that all of them name."""
AFTER = {
    "performance": ("--training_steps", "100", "--chunk_size", "16"),
    "architecture": ("--learning_rate", "0.002"),
    "blocks": ("--batch_size", "2"),
}
"""What cannot be as it is in a short training: 5000 steps, 256 long chunks, a rate for width 8."""
LEAST_FALL = 0.01


@dataclass(frozen=True)
class Result:
    """Validation of a training, bits per sample."""

    what: str
    first: float
    last: float
    seconds: float


def main() -> None:
    """Print a line for each training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--audio_dir", type=Path)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.audio_dir.resolve() if options.audio_dir else None
    with tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        audio = folder or tones(Path(home, "audio"))
        results = [trained(what, words, audio, steps=options.steps) for what, words in rows()]
    for result in results if not options.json else ():
        fall = 1 - result.last / result.first
        print(f"{result.what:<36} {result.first:7.3f} -> {result.last:7.3f}  {100 * fall:5.1f} %")
    if options.json:
        print(json.dumps([vars(result) for result in results], indent=2))
    failed = [each.what for each in results if each.last > (1 - LEAST_FALL) * each.first]
    if failed:
        raise SystemExit(f"no better after training: {', '.join(failed)}")


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the docstring."""


def tones(folder: Path) -> Path:
    """A folder of stereo WAV files of 16 bits."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(5):
        tone = np.sin(np.arange(8000)[:, None] * 0.03 * (index + 1 + np.arange(2)))
        noisy = 0.3 * tone + 0.01 * rng.standard_normal((8000, 2))
        soundfile.write(folder / f"{index}.wav", noisy, 8000, subtype="PCM_16")
    return folder


def rows() -> list[tuple[str, list[str]]]:
    """Names of trainings and their words."""
    flags = [
        (f"{flag} {value}".strip(), [flag, value] if value else [flag])
        for flag, value in FLAGS.items()
        if value != "DIR"
    ]
    lines = [
        (f"line: {name}", [*shlex.split(line), *AFTER.get(name, ())])
        for name, line in LINES.items()
    ]
    return [("--audio_dir DIR", []), *flags, *lines]


def trained(what: str, words: list[str], audio: Path, *, steps: int) -> Result:
    """Train and read the first and the last validation."""
    started, name = time.monotonic(), f"run-{len(list(Path().glob('runs/*')))}"
    before = ("train", "--profile", "lossless-8bit", "--run", name, "--audio_dir", str(audio))
    done = CliRunner().invoke(app, [*before, *SMALL, "--training_steps", str(steps), *words])
    if done.exit_code:
        raise SystemExit(f"{what}: exit code {done.exit_code}: {done.exception}\n{done.output}")
    bits = [
        float(str(row["val/bits_per_sample"])) for row in read_metrics(Path("runs", name), "val")
    ]
    return Result(what, bits[0], bits[-1], time.monotonic() - started)


if __name__ == "__main__":
    main()
