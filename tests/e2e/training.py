"""The tiny training that whole-command tests share: its command line, its store, its equality."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from codecctl.datasets.store import RecordingWriter, SourceFacts, write_index
from codecctl.engine.rows import VALIDATION_KEY, Row, comparable, latest_rows
from codecctl.engine.rundir import read_metrics, read_rows

from .warm import run_warm

CODECCTL = Path(sys.executable).with_name("codecctl")
STEPS = 16
NARROW = (
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
)
"""One scale of the discriminators in place of five: a quarter of the time of a training."""
TINY = (
    "--profile",
    "paired",
    "model=tiny",
    "trainer=demo",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "model.quantizer.codebook_size=8",
    "model.discriminators.0.num_filters=2",
    *NARROW,
    "data.segment_seconds=0.2",
    "data.min_source_seconds=0.2",
    "data.batch_size=2",
    "data.val_items=3",
    "trainer.updates_per_epoch=5",
)
"""Trains in seconds."""
SHORT = (
    *TINY,
    "trainer.max_epochs=6",
    "trainer.optimizer.config.lr=1e-3",
    "trainer.log_every_n_steps=10",
    f"trainer.max_steps={STEPS}",
    "trainer.val_every_n_steps=6",
    "trainer.save_every_n_steps=1",
    "trainer.keep_last=3",
    "trainer.discriminator.start.step=4",
)
"""Ends after `STEPS`, with all that happens in a training on the way."""
ENDLESS = (
    *SHORT,
    "trainer.max_steps=1900",
    "trainer.max_epochs=400",
    "trainer.save_every_n_steps=0",
)
"""To be stopped."""


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(
    home: Path, *arguments: str, program: tuple[str, ...] | None = None
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a folder; in a warm process if of no program."""
    if program is None:
        return run_warm(home, *arguments, environment=environment())
    done = subprocess.run(
        [*program, *arguments],
        cwd=home,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [CODECCTL, *arguments], cwd=home, env=environment(), stderr=subprocess.PIPE, text=True
    )


def wait_for_step(process: subprocess.Popen[str]) -> None:
    """Return after the first update."""
    assert process.stderr is not None
    said = ""
    while not re.match(r"step [1-9][0-9]*/", line := process.stderr.readline()):
        said += line
        assert line, said


def write_store(
    folder: Path,
    *,
    rate: int = 24000,
    seconds: float = 0.5,
    silent_seconds: float = 0.0,
    short: tuple[str, ...] = (),
    copies: tuple[tuple[str, str], ...] = (),
) -> None:
    """Three capsules of noise in three scenes, enough for a tiny training.

    Each recording begins with silence if asked for, `short` names scenes of 0.1 s more, and
    `copies` scenes that sound as others do.
    """
    infos = []
    scenes = ("Beach", "Park", "Woodland", *short)
    for index, scene in enumerate(scenes):
        frames = round((0.1 if scene in short else seconds) * rate)
        sound = scenes.index(dict(copies).get(scene, scene))
        audio = np.random.default_rng(sound).standard_normal((3, frames)) * 0.1
        audio[:, : round(silent_seconds * rate)] = 0.0
        with RecordingWriter(
            folder,
            name=f"{scene}.1",
            scene=scene,
            take="1",
            array="unknown-3ch",
            channels=3,
            frames=frames,
            sample_rate=rate,
            dtype="int16",
            source=SourceFacts("a.wav", 2 * rate, 24, frames, 1, 0.0, f"sha256:0{index}"),
            labels=["1", "2", "3"],
        ) as writer:
            writer.write(audio.astype(np.float32))
            infos.append(writer.commit())
    write_index(folder, name=folder.name, sample_rate=rate, dtype="int16", recordings=infos)


def rows(run: Path) -> list[Row]:
    """What equal trainings have in common."""
    return [comparable(row) for row in read_metrics(run)]


def assert_equal_runs(left: Path, right: Path, *, steps: int = STEPS) -> None:
    """Equal rows, fixed items, weights, optimizers and codebooks, to the last bit."""
    import torch

    assert rows(left) == rows(right)
    assert _validation(left) == _validation(right)
    name = f"checkpoints/step-{steps:09d}/state.pt"
    states = [torch.load(run / name, weights_only=True) for run in (left, right)]
    for state in states:
        state["progress"]["seconds"] = 0.0
    ours, theirs = (dict(flat(state)) for state in states)
    assert list(ours) == list(theirs)
    for path, value in ours.items():
        other = theirs[path]
        if isinstance(value, torch.Tensor):
            assert isinstance(other, torch.Tensor)
            assert torch.equal(value, other), path
        else:
            assert value == other, path


def _validation(run: Path) -> tuple[bytes, list[Row]]:
    """The fixed items, and what was measured on each of them."""
    measured = latest_rows(read_rows(run / "validation.jsonl"), VALIDATION_KEY)
    return (run / "validation_items.json").read_bytes(), measured


def flat(value: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [pair for key in value for pair in flat(value[key], f"{path}/{key}")]
    if isinstance(value, (list, tuple)):
        return [pair for key, inner in enumerate(value) for pair in flat(inner, f"{path}/{key}")]
    return [(path, value)]
